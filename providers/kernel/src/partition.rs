//! CPUs divided into groups (cores, dies, packages, caches), each with a number unique in the
//! machine.

use std::collections::BTreeMap;

use infra_api::IdSet;

use crate::reader::Reader;

/// CPUs divided into groups.
#[derive(Debug, Default)]
pub(crate) struct Division {
    groups: Vec<Group>,
    /// What the kernel says of a CPU where that is not the group it is in: sets that overlap.
    denied: BTreeMap<u32, IdSet>,
}

impl Division {
    pub(crate) fn of(&self, cpu: u32) -> Option<&Group> {
        self.groups.iter().find(|group| group.cpus.contains(cpu))
    }

    /// What the kernel says of a CPU where others contradict it.
    pub(crate) fn denied(&self, cpu: u32) -> Option<&IdSet> {
        self.denied.get(&cpu)
    }

    /// Says of each CPU that is contradicted what its file says; which that is, the caller knows.
    pub(crate) fn tell(&self, reader: &Reader<'_>, file: impl Fn(u32) -> String) {
        for (cpu, said) in &self.denied {
            let group = self
                .of(*cpu)
                .map(|group| group.cpus.clone())
                .unwrap_or_default();
            reader.problem(
                &file(*cpu),
                format_args!("it is shared by CPU {said}, and another CPU says by {group}"),
            );
        }
    }

    pub(crate) fn into_groups(self) -> Vec<Group> {
        self.groups
    }
}

/// CPUs that share something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) id: u32,
    pub(crate) cpus: IdSet,
}

/// Divides CPUs by what the kernel tells of each: the set it shares with, and the kernel's number
/// of that set. A CPU it tells nothing of is in no group.
///
/// The kernel's numbers are kept where they tell the groups apart. Where they do not (core numbers
/// begin again in every package; some firmware gives every package the same number, or -1) the
/// groups are counted from 0 in the order of their first CPUs.
pub(crate) fn partition(
    cpus: &IdSet,
    shared: impl Fn(u32) -> Option<(IdSet, Option<u32>)>,
) -> Division {
    let mut rest = cpus.clone();
    let mut found: Vec<(IdSet, Option<u32>)> = Vec::new();
    let mut denied = BTreeMap::new();
    for cpu in cpus {
        let Some((set, number)) = shared(cpu) else {
            continue;
        };
        let set = &(&set & cpus) | &IdSet::from([cpu]);
        if rest.contains(cpu) {
            // Of sets that overlap the first one counts: nothing may be in two groups.
            let group = &set & &rest;
            rest = &rest - &group;
            found.push((group, number));
        }
        let group = found.iter().find(|(group, _)| group.contains(cpu));
        if group.is_some_and(|(group, _)| *group != set) {
            denied.insert(cpu, set);
        }
    }
    Division {
        groups: numbered(found),
        denied,
    }
}

fn numbered(found: Vec<(IdSet, Option<u32>)>) -> Vec<Group> {
    let kernel: Option<Vec<u32>> = found.iter().map(|(_, number)| *number).collect();
    let ids = kernel
        .filter(|ids| all_different(ids))
        .unwrap_or_else(|| (0..).take(found.len()).collect());
    let groups = found.into_iter().zip(ids);
    let mut groups: Vec<Group> = groups.map(|((cpus, _), id)| Group { id, cpus }).collect();
    groups.sort_by_key(|group| group.id);
    groups
}

fn all_different(ids: &[u32]) -> bool {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(division: &Division) -> Vec<String> {
        division
            .groups
            .iter()
            .map(|g| format!("{}: {}", g.id, g.cpus))
            .collect()
    }

    #[test]
    fn numbers_of_the_kernel_where_they_differ() {
        let pairs = |cpu: u32| Some((IdSet::from([cpu % 2, cpu % 2 + 2]), Some(8 - cpu % 2)));
        let groups = partition(&IdSet::from([0, 1, 2, 3]), pairs);
        assert_eq!(text(&groups), ["7: 1,3", "8: 0,2"]);
    }

    #[test]
    fn counted_where_they_are_equal_or_unknown() {
        for number in [Some(0), None] {
            let groups = partition(&IdSet::from([4, 7]), |cpu| {
                Some((IdSet::from([cpu]), number))
            });
            assert_eq!(text(&groups), ["0: 4", "1: 7"]);
        }
    }

    #[test]
    fn no_cpu_is_in_two_groups_or_outside_the_set() {
        let groups = partition(&IdSet::from([0, 1, 2]), |cpu| match cpu {
            0 => Some((IdSet::from([0, 1, 9]), None)),
            1 | 2 => Some((IdSet::from([0, 1, 2]), None)),
            _ => None,
        });
        assert_eq!(text(&groups), ["0: 0-1", "1: 2"]);
        let denied: Vec<String> = (0..3)
            .filter_map(|cpu| Some(format!("{cpu}: {}", groups.denied(cpu)?)))
            .collect();
        assert_eq!(denied, ["1: 0-2", "2: 0-2"]);
    }

    #[test]
    fn what_is_not_told_is_in_no_group() {
        assert!(partition(&IdSet::from([0, 1]), |_| None).groups.is_empty());
    }
}
