//! The NUMA nodes that a machine's guest sees, as cells of a declaration.

use infra_api::IdSet;
use infra_api::target::{GuestCell, Machine};

use super::text::Block;

/// Where the guest's nodes are as placing makes them: its vCPUs in their order, each with memory.
pub(super) fn are_declared(body: &Machine) -> bool {
    let mut next = 0;
    let in_order = |cell: &GuestCell| {
        let count = u32::try_from(cell.vcpus.len()).unwrap_or(u32::MAX);
        let end = u32::saturating_add(next, count);
        let own: IdSet = (next..end).collect();
        next = end;
        own == cell.vcpus && count > 0 && cell.memory_bytes > 0
    };
    body.cells.len() > 1 && body.cells.iter().all(in_order)
}

/// `numa`, and what no declaration says of it.
pub(super) fn block(body: &Machine) -> (Block, Option<&'static str>) {
    let mut block = Block::new("numa");
    if body.cells.is_empty() {
        return (block, None);
    }
    if !are_declared(body) {
        let note = "its guest sees NUMA nodes that no declaration makes: they would go";
        return (block, Some(note));
    }
    let one = |cell: &GuestCell| {
        let nodes = cell.nodes.as_ref().filter(|nodes| nodes.len() == 1);
        nodes.and_then(IdSet::first)
    };
    let on: IdSet = body.cells.iter().filter_map(one).collect();
    let bound = on.len() == body.cells.len();
    if bound {
        block.text("on", &on.to_string());
    }
    for cell in &body.cells {
        let mut part = Block::new("cell");
        part.raw("cpus", cell.vcpus.len());
        part.size("memory", Some(cell.memory_bytes));
        part.size("page_size", cell.page_size_bytes);
        block.required(part);
    }
    let note = match bound {
        true => "which of these CPUs and nodes each cell has is chosen anew",
        false => "the host's nodes of its cells are chosen anew, each one of its own",
    };
    (block, Some(note))
}
