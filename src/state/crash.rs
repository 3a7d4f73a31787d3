//! Tests: the world ends between any two system calls, and nothing is lost.
