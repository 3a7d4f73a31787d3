//! A machine's memory in huge pages, as large as divide it.

use infra_api::target::Acceleration;
use infra_api::{Runtime, Setting};

use super::{Adding, Knob};
use crate::declared::{At, Workload};

/// The sizes that x86 and most of the others have, the preferred first.
const SIZES: [u64; 2] = [1 << 30, 2 << 20];

pub(super) const KNOB: Knob = Knob {
    setting: Setting::HugePages,
    given: |workload, runtime, _| runtime == Runtime::Kvm && workload.memory.huge(),
    adding: Some(Adding {
        open: |workload, runtime| {
            let memory = &workload.memory;
            // A balloon cannot give huge pages back, and in software they gain nothing.
            let form = workload.kvm.as_ref();
            let kvm = form.is_some_and(|form| form.acceleration == Acceleration::Kvm);
            let silent = memory.page_sizes.is_none() && memory.maximum_bytes.is_none();
            let mut cells = workload.numa.cells.iter();
            let cells = cells.all(|cell| cell.page_sizes.is_none());
            runtime == Runtime::Kvm && kvm && silent && cells && !sizes(workload).is_empty()
        },
        lacks: |workload, _, host| {
            let sizes = sizes(workload);
            let mut pages = host.pages.iter();
            let any = pages.any(|((_, size), count)| sizes.contains(size) && *count > 0);
            (!any).then(|| "it has no huge pages of a size that divides the memory".to_owned())
        },
        claims: true,
        add: |workload, _| {
            let value = sizes(workload);
            let span = workload.memory.span.unwrap_or(workload.origin);
            workload.memory.page_sizes = Some(At { value, span });
        },
    }),
};

fn sizes(workload: &Workload) -> Vec<u64> {
    let Some(size) = &workload.memory.size_bytes else {
        return Vec::new();
    };
    let cells = workload
        .numa
        .cells
        .iter()
        .filter_map(|c| c.memory_bytes.as_ref());
    let parts: Vec<u64> = cells.map(|part| part.value).chain([size.value]).collect();
    let divides = |page: &u64| parts.iter().all(|bytes| bytes.is_multiple_of(*page));
    SIZES.into_iter().filter(divides).collect()
}
