//! `cpus { … }`: how many CPUs, whose, and how they lie to each other.

use infra_api::{CpuPolicy, IdSet, L3, Threads};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{ids, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "cpus",
    label: None,
    doc: "The CPUs it gets. A VM's vCPUs; the CPUs a container's or unit's threads may run on.",
    attributes: &[
        whole("count", 1, 4096, "How many; 1 where neither `count` nor `set` is written."),
        whole(
            "maximum",
            1,
            4096,
            "So many a VM may be given while it runs; `count` of them are there from the start.",
        ),
        ids("set", "Exactly these CPUs of the host. Dedicated unless `policy` says shared."),
        word(
            "policy",
            Shape::OneOf(&["dedicated", "shared"]),
            "`dedicated`: nobody else's workload runs there. `shared`: from the CPUs that nobody has to himself; the \
             default without `set`.",
        ),
        word(
            "threads",
            Shape::OneOf(&["any", "prefer", "require", "isolate"]),
            "Of dedicated CPUs on cores with several threads. `any`: whichever; `prefer`: whole cores where there are; \
             `require`: whole cores; `isolate`: one thread of a core, the others stay idle.",
        )
        .default("\"any\""),
        word(
            "l3",
            Shape::OneOf(&["any", "prefer", "require", "alone"]),
            "Of dedicated CPUs and the L3 caches they share (a CCX of AMD's). `prefer`, where nothing is written: of as few as may be; `require`: those of \
             a NUMA node are of one; `alone`: of one that nobody else gets a CPU of; `any`: whichever.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// CPUs as asked for.
#[derive(Clone, Debug)]
pub struct Cpus {
    pub count: u32,
    pub maximum: Option<At<u32>>,
    pub set: Option<At<IdSet>>,
    pub policy: CpuPolicy,
    /// `policy` is written.
    pub says_whose: bool,
    pub threads: Threads,
    pub l3: L3,
    /// Of the block; absent where there is none.
    pub span: Option<Span>,
}

impl Cpus {
    pub(super) fn read(block: Option<&Block>, reader: &mut Reader<'_>) -> Self {
        let Some(block) = block else {
            return Self {
                count: 1,
                maximum: None,
                set: None,
                policy: CpuPolicy::Shared,
                says_whose: false,
                threads: Threads::Any,
                l3: L3::Prefer,
                span: None,
            };
        };
        let count = reader.whole::<u32>(block, "count");
        let set = reader.ids(block, "set");
        let whose = reader.string(block, "policy");
        let policy = match whose.as_ref().map(|p| p.value.as_str()) {
            Some("dedicated") => CpuPolicy::Dedicated,
            Some(_) => CpuPolicy::Shared,
            None if set.is_some() => CpuPolicy::Dedicated,
            None => CpuPolicy::Shared,
        };
        let in_set = set
            .as_ref()
            .map(|s| u32::try_from(s.value.len()).unwrap_or(u32::MAX));
        if let (Some(count), Some(n), CpuPolicy::Dedicated) = (&count, in_set, policy)
            && count.value != n
        {
            let text = format!("{} CPUs are asked for, and `set` names {n}", count.value);
            reader.error(
                "Count and set disagree",
                count.span,
                text,
                "leave `count` out: the set says how many",
            );
        }
        let count = count.map(|c| c.value).or(in_set).unwrap_or(1);
        let maximum = reader.whole::<u32>(block, "maximum");
        if let Some(maximum) = maximum.as_ref().filter(|m| m.value < count) {
            reader.error(
                "Maximum below the count",
                maximum.span,
                format!("{count} CPUs are asked for"),
                "make it larger, or leave it out",
            );
        }
        Self {
            count,
            maximum,
            set,
            policy,
            says_whose: whose.is_some(),
            threads: threads(block, policy, reader),
            l3: l3(block, policy, reader),
            span: Some(block.span),
        }
    }
}

fn threads(block: &Block, policy: CpuPolicy, reader: &mut Reader<'_>) -> Threads {
    let Some(word) = reader.string(block, "threads") else {
        return Threads::Any;
    };
    let threads = match word.value.as_str() {
        "prefer" => Threads::Prefer,
        "require" => Threads::Require,
        "isolate" => Threads::Isolate,
        _ => Threads::Any,
    };
    if policy == CpuPolicy::Shared && threads != Threads::Any {
        reader.error(
            "Threads of shared CPUs",
            word.span,
            "only CPUs of its own can lie to cores as asked",
            "write `policy = \"dedicated\"`, or leave `threads` out",
        );
    }
    threads
}

fn l3(block: &Block, policy: CpuPolicy, reader: &mut Reader<'_>) -> L3 {
    let Some(word) = reader.string(block, "l3") else {
        return L3::Prefer;
    };
    if policy == CpuPolicy::Shared {
        reader.error(
            "L3 cache of shared CPUs",
            word.span,
            "only CPUs of its own can lie to a cache as asked",
            "write `policy = \"dedicated\"`, or leave `l3` out",
        );
    }
    match word.value.as_str() {
        "any" => L3::Any,
        "require" => L3::Require,
        "alone" => L3::Alone,
        _ => L3::Prefer,
    }
}
