//! `numa { … }`: on how many NUMA nodes it lies, on which, and how much of it on each.

use infra_api::IdSet;
use infra_api::units::Bytes;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use super::memory::{self, Pages};
use super::{Cpus, Memory};
use crate::declared::read::{At, Reader};
use crate::declared::words::{PAGE, ids, size, whole, word};

/// A cell of a machine's memory is a whole number of these.
const MIB: u64 = 1 << 20;

static CELL: BlockKind = BlockKind {
    name: "cell",
    label: None,
    doc: "A part that lies on a NUMA node of its own. All parts together are its `cpus` and its `memory`, which need not \
          be counted there once more.",
    attributes: &[
        whole("cpus", 1, 4096, "How many CPUs.").required(),
        size(
            "memory",
            "How much memory; of every cell where the workload has any.",
        ),
        word(
            "page_size",
            Shape::OneOrMore(&Shape::Text(&PAGE)),
            "In huge pages of this size, the first of a list that is to be had (VMs); as `memory.page_size` says where it \
             is not written.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "numa",
    label: None,
    doc: "How its CPUs and its memory lie to the host's NUMA nodes: in cells, each on a node of its own with its part of \
          both. Without it: on as few nodes as will do. The guest of a VM in several cells sees them as NUMA nodes; for a \
          container they are the CPUs and nodes it is bound to.",
    attributes: &[
        whole(
            "nodes",
            1,
            64,
            "In so many even cells. `1`: on one node, or nowhere.",
        ),
        ids(
            "on",
            "Only on these NUMA nodes of the host. Without `nodes` and `cell`: an even cell on each of them.",
        ),
    ],
    blocks: &[Nested::many(&CELL)],
    computed: &[],
    meta: Meta::NONE,
};

/// What is asked of NUMA nodes; nothing where it lies on as few as will do.
#[derive(Clone, Debug, Default)]
pub struct Numa {
    pub nodes: Option<At<u32>>,
    pub on: Option<At<IdSet>>,
    pub cells: Vec<NumaCell>,
    /// Of the block; absent where there is none.
    pub span: Option<Span>,
}

/// A part that lies on one node.
#[derive(Clone, Debug)]
pub struct NumaCell {
    pub cpus: u32,
    pub memory_bytes: Option<At<u64>>,
    /// Sizes in the order of preference, 0 for ordinary pages; absent: as the workload's.
    pub page_sizes: Option<Pages>,
    pub span: Span,
}

impl Numa {
    /// Into how many cells it is parted; nothing where that is left to placing.
    #[must_use]
    pub fn count(&self) -> Option<u32> {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if !self.cells.is_empty() {
            return Some(narrow(self.cells.len()));
        }
        let nodes = self.nodes.as_ref().map(|nodes| nodes.value);
        nodes.or_else(|| self.on.as_ref().map(|on| narrow(on.value.len())))
    }

    /// Where the number of its cells is written.
    fn counted(&self) -> Option<Span> {
        let nodes = self.nodes.as_ref().map(|nodes| nodes.span);
        let cells = self.cells.last().map(|cell| cell.span);
        cells.or(nodes).or(self.on.as_ref().map(|on| on.span))
    }

    /// What the cells add up to is the workload's, where it is not said there.
    pub(super) fn read(
        workload: &Block,
        (cpus, memory): (&mut Cpus, &mut Memory),
        reader: &mut Reader<'_>,
    ) -> Self {
        let one = |name: &'static str| workload.nested(name).next();
        let Some(block) = one("numa") else {
            return Self::default();
        };
        let cells = block.nested("cell").filter_map(|b| cell(b, reader));
        let numa = Self {
            cells: cells.collect(),
            nodes: reader.whole(block, "nodes"),
            on: reader.ids(block, "on"),
            span: Some(block.span),
        };
        let count = one("cpus").and_then(|block| reader.whole::<u32>(block, "count"));
        numa.told_twice(memory, reader);
        numa.all_cpus(count, cpus, reader);
        numa.all_memory(memory, reader);
        numa.parted(cpus, memory, reader);
        numa
    }

    fn told_twice(&self, memory: &Memory, reader: &mut Reader<'_>) {
        if let (Some(nodes), Some(cell)) = (&self.nodes, self.cells.first()) {
            let text = format!("{} even cells, and others beside", nodes.value);
            let hint = "leave `nodes` out, or the blocks `cell`";
            reader.error("Cells told twice", cell.span, text, hint);
        }
        if let (Some(on), Some(nodes)) = (&self.on, &memory.nodes) {
            let text = format!("`memory.nodes` says {}", nodes.value);
            let hint = "leave `memory.nodes` out: `on` is for CPUs and memory both";
            reader.error("NUMA nodes named twice", on.span, text, hint);
        }
        if let (Some(on), Some(count)) = (self.named(memory), self.count())
            && on.value.len() < count as usize
        {
            let text = format!(
                "{} for {count} cells, each on one of its own",
                on.value.len()
            );
            let hint = "name as many nodes as there are cells, or ask for fewer cells";
            reader.error("Fewer NUMA nodes than cells", on.span, text, hint);
        }
    }

    /// The nodes of the host that are named.
    #[must_use]
    pub fn named<'a>(&'a self, memory: &'a Memory) -> Option<&'a At<IdSet>> {
        self.on.as_ref().or(memory.nodes.as_ref())
    }

    fn all_cpus(&self, count: Option<At<u32>>, cpus: &mut Cpus, reader: &mut Reader<'_>) {
        let sum = self
            .cells
            .iter()
            .map(|c| c.cpus)
            .fold(0, u32::saturating_add);
        match (&self.cells[..], count, &cpus.set) {
            ([], ..) => {}
            (_, Some(count), _) if count.value != sum => {
                let text = format!("the cells have {sum}");
                let hint = "leave `count` out: the cells say how many";
                reader.error(
                    "Cells that do not add up to the CPUs",
                    count.span,
                    text,
                    hint,
                );
            }
            _ => cpus.count = sum,
        }
        let (Some(number), Some(_)) = (self.count(), self.counted()) else {
            return;
        };
        if let Some(set) = &cpus.set {
            let text = "CPUs that are named lie on the nodes they are of";
            let hint = "leave `set` or `numa` out";
            reader.error("Cells of named CPUs", set.span, text, hint);
        }
        if let Some(maximum) = cpus.maximum.as_ref().filter(|_| number > 1) {
            let text = format!("each of the {number} cells has its CPUs from the start");
            let hint = "leave `maximum` out, or ask for one cell";
            reader.error("CPUs of no cell", maximum.span, text, hint);
        }
    }

    fn all_memory(&self, memory: &mut Memory, reader: &mut Reader<'_>) {
        let parts = || self.cells.iter().filter_map(|c| c.memory_bytes.as_ref());
        let sum = parts().map(|m| m.value).fold(0, u64::saturating_add);
        let any = parts().next().is_some() || memory.size_bytes.is_some();
        let without = self.cells.iter().find(|c| c.memory_bytes.is_none());
        if let Some(cell) = without.filter(|_| any) {
            let hint = "write `memory = \"…\"` in every cell";
            reader.error("Cell without memory", cell.span, "how much of it?", hint);
        } else if let (Some(size), Some(_)) = (&memory.size_bytes, parts().next())
            && size.value != sum
        {
            let text = format!("the cells have {}", Bytes(sum));
            let hint = "leave `size` out: the cells say how much";
            reader.error(
                "Cells that do not add up to the memory",
                size.span,
                text,
                hint,
            );
        } else if let Some(first) = parts().next() {
            memory.size_bytes = Some(At {
                value: sum,
                span: first.span,
            });
        }
        let several = self.count().filter(|count| *count > 1);
        if let (Some(maximum), Some(count)) = (&memory.maximum_bytes, several) {
            let text = format!("each of the {count} cells has its memory from the start");
            let hint = "leave `maximum` out, or ask for one cell";
            reader.error("Memory of no cell", maximum.span, text, hint);
        }
    }

    /// Each cell has a CPU, and whole pages.
    fn parted(&self, cpus: &Cpus, memory: &Memory, reader: &mut Reader<'_>) {
        let own = memory.page_sizes.as_ref();
        for cell in &self.cells {
            let pages = cell.page_sizes.as_ref().or(own);
            if let (Some(size), Some(pages)) = (&cell.memory_bytes, pages) {
                memory::whole_pages(size, pages, reader);
            }
        }
        let (Some(count), Some(span)) = (self.count(), self.counted()) else {
            return;
        };
        if self.cells.is_empty() && count > cpus.count && cpus.set.is_none() {
            let text = format!(
                "{count} cells of {} CPUs: each has at least one",
                cpus.count
            );
            let hint = "ask for fewer cells, or for more CPUs in `cpus.count`";
            reader.error("More cells than CPUs", span, text, hint);
        }
        let largest = own.and_then(|pages| pages.value.iter().copied().max());
        let unit = largest.filter(|size| *size > 0).unwrap_or(MIB);
        if let Some(size) = &memory.size_bytes
            && self.cells.is_empty()
            && size.value / unit < u64::from(count)
        {
            let (size, unit) = (Bytes(size.value), Bytes(unit));
            let text = format!("{count} cells of {size}: each has at least one page of {unit}");
            let hint = "ask for fewer cells, for more memory, or for smaller pages";
            reader.error("More cells than pages", span, text, hint);
        }
    }
}

fn cell(block: &Block, reader: &mut Reader<'_>) -> Option<NumaCell> {
    let memory_bytes = reader.bytes(block, "memory");
    if let Some(none) = memory_bytes.as_ref().filter(|memory| memory.value == 0) {
        let hint = "give it some of the others', or leave the cell out";
        reader.error("Cell without memory", none.span, "none of it", hint);
    }
    Some(NumaCell {
        cpus: reader.whole(block, "cpus")?.value,
        memory_bytes,
        page_sizes: memory::pages(block, reader),
        span: block.span,
    })
}
