//! The host itself: facts read from a sysfs tree.
