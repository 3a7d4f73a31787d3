//! Arguments → command. `ui` is the only file that prints, with `progress` for a running apply.

pub mod progress;
pub mod show;
