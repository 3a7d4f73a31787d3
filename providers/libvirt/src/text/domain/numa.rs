//! NUMA nodes and huge pages, both ways: of the whole machine, or of each cell that its guest sees as a node.

use infra_api::IdSet;
use infra_api::target::{GuestCell, Machine};
use roxmltree::Node;

use super::MIB;
use crate::text::xml::{El, all, attr, el, find, size};

/// x86's huge pages are of 2 MiB unless the kernel was told otherwise.
const USUAL_PAGE: u64 = 2 << 20;

/// What libvirt takes and means something else by: cells that are less or more than the machine, or no number of MiB.
pub(super) fn check(machine: &Machine) -> Result<(), String> {
    let cells = &machine.cells;
    if cells.is_empty() {
        return Ok(());
    }
    let vcpus = cells
        .iter()
        .fold(IdSet::new(), |all, cell| &all | &cell.vcpus);
    let counted: usize = cells.iter().map(|cell| cell.vcpus.len()).sum();
    let bytes = cells.iter().map(|cell| cell.memory_bytes);
    let bytes = bytes.fold(0, u64::saturating_add);
    let wanted: IdSet = (0..machine.vcpus).collect();
    let uneven =
        |cell: &&GuestCell| !cell.memory_bytes.is_multiple_of(MIB) || cell.memory_bytes == 0;
    if vcpus != wanted || counted != vcpus.len() {
        return Err(format!(
            "cells with the vCPUs {vcpus} of a machine with {wanted}"
        ));
    }
    if bytes != machine.memory_bytes {
        let all = machine.memory_bytes;
        return Err(format!("cells of {bytes} bytes in a machine of {all}"));
    }
    if machine.page_size_bytes.is_some() {
        return Err("pages of the machine beside those of its cells".to_owned());
    }
    match cells.iter().find(uneven) {
        Some(cell) => Err(format!(
            "a cell of {} bytes is no whole number of MiB",
            cell.memory_bytes
        )),
        None => Ok(()),
    }
}

/// `<numa>` of the CPU. Who maps the machine's memory maps that of every cell.
pub(super) fn cells(machine: &Machine) -> Option<El> {
    let shared = machine.hardware.shared_memory.then_some("shared");
    let cell = |(id, cell): (usize, &GuestCell)| {
        el("cell")
            .attr("id", id)
            .attr("cpus", &cell.vcpus)
            .attr("memory", cell.memory_bytes / 1024)
            .attr("unit", "KiB")
            .attrs("memAccess", shared.as_ref())
            .children((!cell.distances.is_empty()).then(|| distances(&cell.distances)))
    };
    let cells = machine.cells.iter().enumerate().map(cell);
    (!machine.cells.is_empty()).then(|| el("numa").children(cells))
}

fn distances(all: &[u32]) -> El {
    let sibling = |(id, distance)| el("sibling").attr("id", id).attr("value", distance);
    el("distances").children(all.iter().enumerate().map(sibling))
}

/// In the order of the cells; nothing where one is not told.
fn read_distances(cell: Node) -> Vec<u32> {
    let told = find(cell, "distances")
        .into_iter()
        .flat_map(|all_| all(all_, "sibling"));
    let told = told.filter_map(|sibling| {
        let number = |name| sibling.attribute(name)?.parse::<u32>().ok();
        Some((number("id")?, number("value")?))
    });
    let mut told: Vec<(u32, u32)> = told.collect();
    told.sort_unstable();
    told.into_iter().map(|(_, distance)| distance).collect()
}

pub(super) fn tune(machine: &Machine) -> Option<El> {
    let mode = machine.memory_mode.as_deref().unwrap_or("strict");
    let all = machine.memory_nodes.as_ref();
    let all = all.map(|nodes| el("memory").attr("mode", mode).attr("nodeset", nodes));
    // libvirt takes no cell that is bound in another way than the whole.
    let cell = |(id, cell): (usize, &GuestCell)| {
        let node = el("memnode").attr("cellid", id).attr("mode", mode);
        Some(node.attr("nodeset", cell.nodes.as_ref()?))
    };
    let cells: Vec<El> = machine.cells.iter().enumerate().filter_map(cell).collect();
    (all.is_some() || !cells.is_empty()).then(|| el("numatune").children(all).children(cells))
}

/// `<hugepages>`. A page's nodes are the guest's.
pub(super) fn pages(machine: &Machine) -> Option<El> {
    let page = |size: u64| el("page").attr("size", size / 1024).attr("unit", "KiB");
    let whole = machine.page_size_bytes.map(page);
    let mut sizes: Vec<u64> = machine
        .cells
        .iter()
        .filter_map(|c| c.page_size_bytes)
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.dedup();
    let of_cells = sizes.into_iter().map(|size| {
        let cells = (0u32..).zip(&machine.cells);
        let own = cells.filter(|(_, cell)| cell.page_size_bytes == Some(size));
        let own: IdSet = own.map(|(id, _)| id).collect();
        page(size).attr("nodeset", own)
    });
    let all: Vec<El> = whole.into_iter().chain(of_cells).collect();
    (!all.is_empty()).then(|| el("hugepages").children(all))
}

/// Of the machine where the guest sees one node, else of no machine but its cells.
pub(crate) fn read_page_size(root: Node) -> Option<u64> {
    let pages = find(root, "memoryBacking/hugepages")?;
    find(root, "cpu/numa").is_none().then(|| {
        let page = find(pages, "page").and_then(|page| size(page, page.attribute("size")?));
        page.unwrap_or(USUAL_PAGE)
    })
}

pub(crate) fn read_cells(root: Node) -> Vec<GuestCell> {
    let cells = find(root, "cpu/numa")
        .into_iter()
        .flat_map(|numa| all(numa, "cell"));
    let tuned = || {
        find(root, "numatune")
            .into_iter()
            .flat_map(|tune| all(tune, "memnode"))
    };
    let cell = |(position, cell): (usize, Node)| {
        let id = cell.attribute("id").and_then(|id| id.parse().ok());
        let id: u32 = id.or_else(|| u32::try_from(position).ok())?;
        let mut own =
            tuned().filter(|node| node.attribute("cellid") == Some(id.to_string().as_str()));
        let nodes = own
            .next()
            .and_then(|node| node.attribute("nodeset")?.parse().ok());
        Some((
            id,
            GuestCell {
                vcpus: cell
                    .attribute("cpus")
                    .and_then(|cpus| cpus.parse().ok())
                    .unwrap_or_default(),
                memory_bytes: size(cell, cell.attribute("memory")?)?,
                nodes,
                page_size_bytes: page_of(root, id),
                distances: read_distances(cell),
            },
        ))
    };
    let mut cells: Vec<(u32, GuestCell)> = cells.enumerate().filter_map(cell).collect();
    cells.sort_by_key(|(id, _)| *id);
    cells.into_iter().map(|(_, cell)| cell).collect()
}

/// The pages that name a cell, else those that name none.
fn page_of(root: Node, cell: u32) -> Option<u64> {
    let pages = find(root, "memoryBacking/hugepages")?;
    let nodes = |page: &Node| {
        page.attribute("nodeset")
            .and_then(|set| set.parse::<IdSet>().ok())
    };
    let named = all(pages, "page").find(|page| nodes(page).is_some_and(|set| set.contains(cell)));
    let page = named.or_else(|| all(pages, "page").find(|page| nodes(page).is_none()));
    match page {
        Some(page) => size(page, page.attribute("size")?),
        // Without a word about sizes all are of the usual one.
        None => find(pages, "page").is_none().then_some(USUAL_PAGE),
    }
}

/// How memory is bound, where not strictly.
pub(crate) fn read_mode(root: Node) -> Option<String> {
    let whole = attr(root, "numatune/memory", "mode");
    let mode = whole.or_else(|| attr(root, "numatune/memnode", "mode"));
    mode.filter(|mode| mode != "strict")
}
