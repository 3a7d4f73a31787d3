//! Of commands about what runs where, and why.

use std::path::PathBuf;

use clap::Args;

use super::{Planning, Values};

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
