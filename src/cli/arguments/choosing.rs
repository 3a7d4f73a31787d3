//! Of commands about what runs where, and why.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use infra_api::{IdSet, Runtime};
use ipnet::Ipv4Net;

use super::{Locking, Planning, Values};

#[derive(Debug, Args)]
pub struct Explain {
    /// Address of a workload, as in workload.feed
    pub address: String,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Capacity {
    /// File of workload blocks, whose shapes are counted [default: the configuration's own]
    #[arg(long, value_name = "FILE")]
    pub shape: Option<PathBuf>,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "infra measure [OPTIONS] <WORKLOAD>\n       infra measure host [OPTIONS] [HOST]"
)]
pub struct Measure {
    /// Address of a workload with a `measure` block, as in workload.feed
    #[arg(required = true)]
    pub workload: Option<String>,
    #[command(subcommand)]
    pub what: Option<Measured>,
    /// Host to measure on; needed where there are several
    #[arg(long, value_name = "HOST")]
    pub on: Option<String>,
    /// Only as these runtimes, as in container,kvm
    #[arg(long, value_name = "RUNTIME", value_delimiter = ',', value_parser = runtime)]
    pub runtimes: Vec<Runtime>,
    /// How many runs count, in place of what the block says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: Option<u32>,
    /// Where to write the evidence [default: evidence/WORKLOAD.HOST.json]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the evidence as JSON, too
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub values: Values,
    #[command(flatten)]
    pub locking: Locking,
}

#[derive(Debug, Subcommand)]
pub enum Measured {
    /// Measure processor, memory, disk and network of a host in each runtime, without an application
    Host(MeasureHost),
}

#[derive(Debug, Args)]
pub struct MeasureHost {
    /// Host, by its label [default: this machine, with or without a configuration]
    pub host: Option<String>,
    /// Only as these runtimes, as in container,kvm; a plain process is always measured, to compare with
    #[arg(long, value_name = "RUNTIME", value_delimiter = ',', value_parser = runtime)]
    pub runtimes: Vec<Runtime>,
    /// How many runs count
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Kernel of the virtual machine [default: this machine's, below /boot]
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// Initial file system that goes with it, for the drivers in it [default: with the default kernel, the one below /boot]
    #[arg(long, value_name = "FILE", requires = "kernel")]
    pub initramfs: Option<PathBuf>,
    /// Folder on the disk that runtimes keep their data on: what a plain process writes to
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    pub disk: PathBuf,
    /// Network that is made for it, for as long as it takes
    #[arg(long, value_name = "CIDR", default_value = "10.79.255.0/28", value_parser = subnet)]
    pub subnet: Ipv4Net,
    /// Where to write a table of these figures, which a `suitability` block takes
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub values: Values,
    #[command(flatten)]
    pub locking: Locking,
}

/// With room for its gateway and one more.
fn subnet(word: &str) -> Result<Ipv4Net, String> {
    let net: Ipv4Net = word
        .parse()
        .map_err(|_| "it is a network, as in 10.79.255.0/28".to_owned())?;
    match net.prefix_len() {
        8..=29 => Ok(net.trunc()),
        _ => Err("it is a network of /8 to /29".to_owned()),
    }
}

/// What `infra measure host` runs in every runtime.
#[derive(Debug, Args)]
pub struct Probe {
    /// Ask the probe that answers there
    #[arg(long, value_name = "ADDRESS:PORT", exclusive = true)]
    pub ask: Option<SocketAddr>,
    /// Answer on this port
    #[arg(long, value_name = "PORT")]
    pub serve: Option<u16>,
    /// As process 1 of a virtual machine with this address
    #[arg(long, value_name = "CIDR", requires = "serve")]
    pub guest: Option<Ipv4Net>,
    /// Folder or block device that is written to
    #[arg(long, value_name = "PATH")]
    pub disk: Option<PathBuf>,
    /// How much memory is gone through
    #[arg(long, value_name = "N", default_value_t = 64 << 20, value_parser = clap::value_parser!(u64).range(1 << 16..=1 << 34))]
    pub buffer_bytes: u64,
    /// Only on these CPUs
    #[arg(long, value_name = "LIST")]
    pub cpus: Option<IdSet>,
}

fn runtime(word: &str) -> Result<Runtime, String> {
    let known = Runtime::ALL.into_iter().find(|r| r.word() == word);
    let words: Vec<&str> = Runtime::ALL.iter().map(|r| r.word()).collect();
    known.ok_or_else(|| format!("it is one of {}", words.join(", ")))
}

#[derive(Debug, Args)]
pub struct Suitability {
    #[command(flatten)]
    pub values: Values,
    /// As one JSON document, which a `suitability` block takes
    #[arg(long)]
    pub json: bool,
    /// As Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Debug, Args)]
pub struct Classes {
    #[command(flatten)]
    pub values: Values,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
}
