//! Of commands about what was applied.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Locking, Reaching, Values};

#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    pub values: Values,
    #[command(flatten)]
    pub reaching: Reaching,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Workloads and hosts, by addresses or globs, as of --target [default: all]
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Look twice, so long one after the other, as in 10s: tells who else ran on dedicated CPUs meanwhile
    #[arg(long, value_name = "TIME")]
    pub watch: Option<infra_api::units::Duration>,
    #[command(flatten)]
    pub values: Values,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Plan file; without it the state is shown
    pub plan: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct State {
    #[command(subcommand)]
    pub command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Objects, a line each
    List,
    /// What is recorded of an address, as JSON
    Show {
        /// Address, as in workload.feed
        address: String,
    },
    /// Forget objects and leave them as they are
    Rm {
        /// Addresses or globs, as of --target
        #[arg(required = true)]
        addresses: Vec<String>,
        #[command(flatten)]
        locking: Locking,
    },
    /// Record what is at one address at another
    Mv {
        /// Address of a block, a module or an instance
        from: String,
        /// Its new address
        to: String,
        #[command(flatten)]
        locking: Locking,
    },
    /// Print the state, as `push` takes it
    Pull,
    /// Put a state in the place of this one
    Push {
        /// File that `pull` printed; `-`: standard input
        file: PathBuf,
        /// Also one of another lineage, or one that is not newer
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        locking: Locking,
    },
    /// Take the lock from a holder that is gone
    Unlock {
        /// The lock's id, as the message about it tells
        id: String,
    },
    /// Check the state's files, and whether it agrees with the marks on the hosts
    Fsck {
        #[command(flatten)]
        values: Values,
        /// Only the files: contact nothing
        #[arg(long)]
        offline: bool,
    },
    /// Make the state anew from the marks on the hosts
    Rebuild {
        #[command(flatten)]
        values: Values,
        #[command(flatten)]
        locking: Locking,
    },
}
