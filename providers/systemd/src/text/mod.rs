//! Bodies ⇄ unit files. A unit's own file says everything of it; what else stands beside it (drop-ins of a person's or of
//! `systemctl set-property`) is read after it, as systemd does.

mod around;
mod directives;
mod env;
mod unit;
mod words;

pub(crate) use self::around::{decode_mount, decode_slice, encode_mount, encode_slice, live_slice};
pub(crate) use self::directives::live;
pub(crate) use self::env::{read_env, write_env};
pub(crate) use self::unit::{IP, Mine, decode, encode, env_path, plain_env, timer};
