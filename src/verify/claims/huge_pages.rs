//! A machine's memory is in the huge pages it was placed in.

use infra_api::running::Mapping;

use super::Claim;
use crate::verify::words::size;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "huge pages",
    holds: "As many bytes as the plan says are in huge pages of that size: QEMU takes them all when it starts.",
    source: "numa(7): `/proc/PID/numa_maps`, `huge` and `kernelpagesize_kB`",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let of = |(page, bytes): (&u64, &u64)| {
        let what = format!("pages of {}", size(*page));
        let mut found = Some(0_u64);
        for (_, process) in &case.processes {
            let maps = process.memory.as_ref().map(|maps| maps.iter());
            let huge = maps.map(|maps| {
                let huge = maps.filter(|map| map.is_huge && map.page_bytes == *page);
                huge.map(Mapping::bytes).fold(0, u64::saturating_add)
            });
            found = found
                .zip(huge)
                .map(|(sum, more): (u64, u64)| sum.saturating_add(more));
        }
        match found {
            Some(found) => case.check(
                what,
                size(*bytes),
                size(found),
                Verdict::of(found == *bytes),
            ),
            None => {
                let found = "the kernel does not let it be read";
                case.check(what, size(*bytes), found, Verdict::Unknown)
            }
        }
    };
    case.wanted.huge_pages.iter().map(of).collect()
}
