//! The contract between the core and its providers: nouns and two traits. Knows no daemon and no language.

mod body;
mod cpuset;
mod endpoint;
mod failure;
mod id;
mod image;
mod needs;
mod placement;
mod provider;
mod resource;
mod setting;
mod text;
mod window;

pub mod facts;
pub mod names;
pub mod running;
pub mod target;
pub mod units;

pub use body::Body;
pub use cpuset::{IdSet, IdSetError};
pub use endpoint::{Login, host_and_port};
pub use facts::Facts;
pub use failure::{Failure, Remedy};
pub use id::{Address, HostName, Mark, Project, ResourceId};
pub use image::{ImageTag, Pinned, Pull};
pub use needs::{Level, Need, Needs};
pub use placement::{Cell, CpuPolicy, L3, Placement, Runtime, Threads, Tier, Vcpu};
pub use provider::{Daemon, Objection, Pending, Progress, Provider, Silent};
pub use resource::{
    Action, Change, Edit, Impact, MigrationOptions, Observed, Readiness, Resource, Unmarked,
};
pub use running::{Running, Trace};
pub use setting::{Setting, Settings, Variant};
pub use target::{Target, What};
pub use text::{SECRET, Text};
pub use window::{Moment, NotAWindow, Window};
