//! Best-fit: the host that has least left afterwards, of CPUs and memory together, and the node of it that has.

use infra_place::Ask;

use super::hand::on_host;
use super::rules::Free;
use super::{Order, Put};

pub(crate) struct BestFit;

impl Order for BestFit {
    fn name(&self) -> &'static str {
        "best-fit"
    }

    fn place(&mut self, hosts: &[Free], number: usize, ask: &Ask) -> Vec<Put> {
        let found = hosts.iter().enumerate().filter_map(|(host, free)| {
            let mut nodes: Vec<usize> = (0..free.machine.nodes.len()).collect();
            nodes.sort_by_key(|node| (free.cpus_of(*node), free.pages[*node], *node));
            let roomy: Vec<usize> = nodes.iter().rev().copied().collect();
            let view = on_host(free, ask, &nodes, &roomy)?;
            let mut after = free.clone();
            after.take(&view);
            Some((left(&after), Put { number, host, view }))
        });
        let best = found.min_by_key(|(left, put)| (*left, put.host));
        best.map(|(_, put)| put).into_iter().collect()
    }
}

/// What is free of a host, in thousandths of what it has.
fn left(free: &Free) -> u64 {
    let bytes: u64 = free.machine.bytes.iter().sum();
    let pages: u64 = free.machine.pages.iter().sum();
    let free_pages: u64 = free.pages.iter().sum();
    let cpus = (free.cpus() * 1000).saturating_sub(free.shared * 1000 / super::kinds::RATIO);
    let memory = (free.bytes / 1000 * 1000) / (bytes / 1000).max(1);
    cpus / free.machine.usable() + memory + free_pages * 1000 / pages.max(1)
}
