//! What we own and where it was placed: the state file, its lock, the journal, the key of secrets.
//!
//! It is not where anything is decided: state is a cache of what the hosts themselves say by our marks,
//! kept so that nothing has to be asked twice and nothing half done is forgotten.

mod disk;
mod error;
mod fold;
mod format;
mod journal;
mod key;
mod lock;
mod store;
mod unfinished;
mod vault;

pub use disk::{Disk, Files};
pub use error::{Error, Kind};
pub use fold::Folding;
pub use format::{FORMAT_VERSION, State, StateFile};
pub use journal::{Begin, Entry, Journal, Log};
pub use key::Key;
pub use lock::{Clock, Holder, LEASE, Lock};
pub use store::{Loaded, Paths, Store};
pub use unfinished::Unfinished;
pub use vault::{Vault, fill, mask};

#[cfg(test)]
mod crash;
