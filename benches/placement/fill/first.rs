//! First-fit: the first host that can take it, the first node of it, the first CPUs.

use infra_place::Ask;

use super::hand::on_host;
use super::rules::Free;
use super::{Order, Put};

pub(crate) struct FirstFit;

impl Order for FirstFit {
    fn name(&self) -> &'static str {
        "first-fit"
    }

    fn place(&mut self, hosts: &[Free], number: usize, ask: &Ask) -> Vec<Put> {
        let mut hosts = hosts.iter().enumerate();
        let found = hosts.find_map(|(host, free)| {
            let nodes: Vec<usize> = (0..free.machine.nodes.len()).collect();
            let view = on_host(free, ask, &nodes, &nodes)?;
            Some(Put { number, host, view })
        });
        found.into_iter().collect()
    }
}
