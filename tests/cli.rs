//! The program as a person or a script meets it: arguments in, stdout, stderr and exit code out. Nothing here needs
//! a daemon; what applies to real ones is tested in `live`.
//!
//! `SNAPSHOTS=overwrite` rewrites what is expected.

#[path = "cli/broken.rs"]
mod broken;
#[path = "cli/capacity.rs"]
mod capacity;
#[path = "cli/daemons.rs"]
mod daemons;
#[path = "cli/engine.rs"]
mod engine;
#[path = "cli/explained.rs"]
mod explained;
#[path = "cli/formatted.rs"]
mod formatted;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/measured.rs"]
mod measured;
#[path = "cli/plans.rs"]
mod plans;
#[path = "cli/refreshed.rs"]
mod refreshed;
#[path = "cli/selected.rs"]
mod selected;
#[path = "cli/shown.rs"]
mod shown;
#[path = "cli/start.rs"]
mod start;
#[path = "cli/states.rs"]
mod states;
#[path = "cli/streams.rs"]
mod streams;
mod support;
#[path = "cli/unreachable.rs"]
mod unreachable;
#[path = "cli/values.rs"]
mod values;

use snapbox::IntoData;
use support::{Folder, Ran};

/// A server of two nodes, a network, a container with an address, an output of each kind.
const WEB: &str = r#"
host "r1" {}

network "lan" { subnet = "10.9.0.0/24" }

variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

workload "web" {
  interface "lan" { network = network.lan }
  container {
    image = "registry.example/web:1"
    env   = { PASSWORD = var.password }
  }
}

output "address" { value = workload.web.address }
output "port" { value = 80 }
output "all" { value = { addresses = workload.web.addresses } }
output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// `WEB`, as if it had been applied.
fn applied() -> Folder {
    let folder = Folder::of(WEB).with_key();
    folder.applied(&folder.plan().unwrap());
    folder
}

#[track_caller]
fn ends(ran: Ran, exit: i32, stdout: impl IntoData, stderr: impl IntoData) {
    assert_eq!(ran.exit, exit, "{ran:?}");
    snapbox::assert_data_eq!(ran.stdout, stdout.raw());
    snapbox::assert_data_eq!(ran.stderr, stderr.raw());
}
