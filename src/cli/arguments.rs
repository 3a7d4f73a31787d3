//! The command line.

mod choosing;
mod options;
mod state;

pub(super) use choosing::{
    Capacity, Classes, Explain, Measure, MeasureHost, Measured, Probe, Suitability,
};
pub(super) use state::{Diff, Show, State, StateCommand, Verify};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use infra_lang::{Argument, GivenValues};

pub(super) use options::endpoints;

use crate::select::{Asked, Pattern};

/// Declare workloads; infra chooses bare metal, a container or a virtual machine for each, finds the exact place,
/// shows the plan and its reasons, and applies it.
#[derive(Debug, Parser)]
#[command(
    name = "infra",
    version,
    disable_help_subcommand = true,
    infer_subcommands = false
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Folder of the configuration: as if started there, so other paths are relative to it
    #[arg(
        short = 'C',
        long = "chdir",
        value_name = "DIR",
        default_value = ".",
        global = true
    )]
    pub directory: PathBuf,
    /// State file, with its companions beside it [default: .infra/state.json in the configuration's folder]
    #[arg(long, value_name = "PATH", global = true)]
    pub state: Option<PathBuf>,
    /// No colours (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a configuration: a commented folder
    Init(Init),
    /// Check a configuration without contacting anything
    Validate(Validate),
    /// Bring files to their canonical form
    Fmt(Fmt),
    /// Print one host as it is found, as JSON
    Facts(Facts),
    /// Show what would change and why; changes nothing
    Plan(Plan),
    /// Do what a plan says
    Apply(Apply),
    /// Remove everything of the configuration
    Destroy(Destroy),
    /// Take over what somebody else has made; changes only the state
    Import(Import),
    /// Show what the world has become since the last apply
    Diff(Diff),
    /// Read back from the kernel that CPUs, memory, pages and devices are as planned
    Verify(Verify),
    /// Show the state, or a plan file
    Show(Show),
    /// Look at the state, or rebuild it from the hosts
    State(State),
    /// Print outputs
    Output(Output),
    /// Print what depends on what, as DOT
    Graph(Graph),
    /// Tell why a workload runs as what it does and where
    Explain(Explain),
    /// Tell how many more fit, and what is left that nobody can use
    Capacity(Capacity),
    /// Run a workload's own benchmark against what it could run as, and write down what comes of it
    Measure(Measure),
    /// Measure here and now; `measure host` runs it in every runtime
    #[command(hide = true)]
    Probe(Probe),
    /// Print the figures by which runtimes are chosen, with their sources
    Suitability(Suitability),
    /// Print the classes of workloads and what they need
    Classes(Classes),
    /// Evaluate expressions
    Console(Console),
    /// Print the version
    Version(Version),
    /// Print a completion script
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Values of variables.
#[derive(Clone, Debug, Default, Args)]
pub struct Values {
    /// Value of a variable; may be given many times
    #[arg(long = "var", value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// File of values (`*.vars.hcl`); may be given many times
    #[arg(long = "var-file", value_name = "FILE")]
    var_file: Vec<String>,
}

impl Values {
    /// What the language is given. The order among `--var` and `--var-file` counts, which clap's lists have lost; it
    /// is read from the arguments again.
    fn given(&self) -> GivenValues {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let mut arguments = in_order(words);
        let known = |a: &Argument| match a {
            Argument::Var(text) => self.var.contains(text),
            Argument::File(path) => self.var_file.contains(path),
        };
        arguments.retain(known);
        GivenValues {
            environment: std::env::vars_os().filter_map(variable).collect(),
            arguments,
        }
    }
}

/// One of ours; the rest of the environment may be no text at all.
fn variable((name, value): (OsString, OsString)) -> Option<(String, String)> {
    let name = name
        .into_string()
        .ok()
        .filter(|n| n.starts_with("INFRA_VAR_"))?;
    Some((name, value.to_string_lossy().into_owned()))
}

fn in_order(mut words: impl Iterator<Item = String>) -> Vec<Argument> {
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        match name.as_str() {
            "--var" => found.extend(value.or_else(|| words.next()).map(Argument::Var)),
            "--var-file" => found.extend(value.or_else(|| words.next()).map(Argument::File)),
            _ => {}
        }
    }
    found
}

/// What a plan is made from.
#[derive(Clone, Debug, Default, Args)]
pub struct Planning {
    #[command(flatten)]
    pub values: Values,
    /// Plan from recorded facts (`DIR/HOST.json`) and contact nothing
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
    /// Make what is declared at this address anew; may be given many times
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Choose anew what this workload runs as, by what suits best now; without it what runs stays as it is; may be
    /// given many times
    #[arg(long, value_name = "ADDRESS")]
    pub rechoose: Vec<String>,
}

/// Whether what runs may go elsewhere.
#[derive(Clone, Debug, Default, Args)]
pub struct Rebalancing {
    /// Move workloads to better places: what they need nearer, fewer hosts in use; without it what runs stays
    #[arg(long)]
    pub rebalance: bool,
    /// Move at most so many
    #[arg(long, value_name = "N", requires = "rebalance")]
    pub max_moves: Option<usize>,
}

impl Rebalancing {
    /// So many workloads at most.
    #[must_use]
    pub fn most(&self) -> Option<usize> {
        let most = self.max_moves.unwrap_or(usize::MAX);
        self.rebalance.then_some(most)
    }
}

/// What a plan is about.
#[derive(Clone, Debug, Default, Args)]
pub struct Selecting {
    /// Plan only this and what it needs: an address, a glob, or a host with all on it; may be given many times
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Leave this out and what needs it, as it is; may be given many times
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
}

impl Selecting {
    #[must_use]
    pub fn asked(&self) -> Asked {
        let patterns = |words: &[String]| words.iter().map(|word| Pattern::new(word)).collect();
        Asked {
            targets: patterns(&self.target),
            excludes: patterns(&self.exclude),
        }
    }
}

/// What is done about hosts that cannot be reached.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Reaching {
    /// Leave what is on hosts that cannot be reached as it is, and go on with the rest; without it they are an error
    #[arg(long)]
    pub allow_unreachable: bool,
}

/// Waiting for the lock.
#[derive(Clone, Debug, Default, Args)]
pub struct Locking {
    /// How long to wait where somebody else holds the lock of the state, or of a host, as in 30s
    #[arg(long, value_name = "TIME")]
    pub lock_timeout: Option<infra_api::units::Duration>,
}

/// How an apply goes about it.
#[derive(Clone, Debug, Default, Args)]
pub struct Running {
    /// How many steps run at once in all; hosts and daemons have limits of their own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallelism: Option<u32>,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Folder to make it in
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    pub values: Values,
    /// Diagnostics as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Fmt {
    /// Files and folders; `-`: standard input to standard output [default: the configuration's folder]
    pub paths: Vec<PathBuf>,
    /// Folders with all below them
    #[arg(short, long)]
    pub recursive: bool,
    /// Write nothing; exit with 2 where something would change
    #[arg(long)]
    pub check: bool,
    /// Show what changes
    #[arg(long)]
    pub diff: bool,
}

#[derive(Debug, Args)]
pub struct Facts {
    /// Host, by its label [default: this machine, with or without a configuration]
    pub host: Option<String>,
    /// Read a saved tree (sys/ and proc/ inside) instead of the live machine
    #[arg(long, value_name = "DIR")]
    pub sysfs: Option<PathBuf>,
    #[command(flatten)]
    pub values: Values,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub rebalancing: Rebalancing,
    #[command(flatten)]
    pub selecting: Selecting,
    #[command(flatten)]
    pub reaching: Reaching,
    /// Write the plan to a file that `apply` takes
    #[arg(long, value_name = "FILE", conflicts_with = "facts")]
    pub out: Option<PathBuf>,
    /// Write declarations of what `import` blocks name and nothing declares to a new file, then plan with it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["facts", "destroy", "refresh_only"])]
    pub generate_config_out: Option<PathBuf>,
    /// Exit with 2 where there are changes, with 3 where there is nothing but drift
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan the removal of everything
    #[arg(long, conflicts_with_all = ["refresh_only", "replace", "rebalance"])]
    pub destroy: bool,
    /// Plan to change nothing but the state: it is brought to what the world is
    #[arg(long, conflicts_with_all = ["facts", "replace", "rebalance"])]
    pub refresh_only: bool,
    /// Only what changes, a line each
    #[arg(long, conflicts_with = "json")]
    pub concise: bool,
    /// The plan as one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// Plan file; without it a plan is made and shown first
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub rebalancing: Rebalancing,
    #[command(flatten)]
    pub selecting: Selecting,
    #[command(flatten)]
    pub reaching: Reaching,
    #[command(flatten)]
    pub locking: Locking,
    /// Change nothing but the state: it is brought to what the world is
    #[arg(long, conflicts_with_all = ["facts", "replace", "rebalance"])]
    pub refresh_only: bool,
    #[command(flatten)]
    pub running: Running,
    /// Do not read back from the kernel afterwards what was changed, as `infra verify` does
    #[arg(long)]
    pub no_verify: bool,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Events as JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Where it is declared: a workload, network or volume
    pub address: String,
    /// Its daemon's name for it, or all of `HOST/docker/container/NAME`
    pub id: String,
    #[command(flatten)]
    pub values: Values,
    #[command(flatten)]
    pub locking: Locking,
}

#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    pub values: Values,
    #[command(flatten)]
    pub selecting: Selecting,
    #[command(flatten)]
    pub reaching: Reaching,
    #[command(flatten)]
    pub locking: Locking,
    #[command(flatten)]
    pub running: Running,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Events as JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Output {
    /// Name of one output
    pub name: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// A string, number or bool without quotes
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub raw: bool,
}

#[derive(Debug, Args)]
pub struct Graph {
    #[command(flatten)]
    pub values: Values,
    /// Plan file, whose steps are drawn too
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Console {
    #[command(flatten)]
    pub values: Values,
    /// Type and value of each as a JSON line, or the error
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Version {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
