//! Virtual machines, volumes, pools and networks on libvirt.
