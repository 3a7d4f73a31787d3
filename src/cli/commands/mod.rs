//! The commands, one a file.

pub(super) mod apply;
pub(super) mod capacity;
pub(super) mod console;
pub(super) mod diff;
pub(super) mod explain;
pub(super) mod facts;
pub(super) mod fmt;
pub(super) mod graph;
pub(super) mod import;
pub(super) mod init;
pub(super) mod measure;
pub(super) mod output;
pub(super) mod plan;
pub(super) mod show;
pub(super) mod state;
pub(super) mod suitability;
pub(super) mod validate;
pub(super) mod verify;
pub(super) mod version;
