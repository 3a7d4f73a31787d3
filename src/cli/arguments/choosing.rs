//! Of commands about what runs where, and why.

use std::path::PathBuf;

use clap::Args;

use infra_api::Runtime;

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
pub struct Measure {
    /// Address of a workload with a `measure` block, as in workload.feed
    pub workload: String,
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
