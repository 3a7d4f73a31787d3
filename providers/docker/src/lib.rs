//! Containers, networks, volumes and images on a Docker Engine.
