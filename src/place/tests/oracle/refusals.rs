//! Whether what a refusal says is true.

use infra_place::{Ask, Constraint, L3, Policy, Threads};

use crate::cpus::{may_have, subsets, threads};
use crate::world::{State, World, bits};

fn hold(is: bool, what: String) -> Result<(), String> {
    if is { Ok(()) } else { Err(what) }
}

fn is(said: u64, true_: u64) -> Result<(), String> {
    hold(said == true_, format!("there are {true_}"))
}

pub(crate) fn check(
    world: &World,
    state: &State,
    ask: &Ask,
    why: &Constraint,
) -> Result<(), String> {
    let short = |need: u64, have: u64| hold(need > have, "that is enough".to_owned());
    match why {
        Constraint::DedicatedCpus {
            need, have, node, ..
        } => {
            short(u64::from(*need), u64::from(*have))?;
            let on = node.and_then(|id| world.node_at(id));
            dedicated(world, state, ask, on, *need, *have)
        }
        Constraint::OneL3 { need, have, .. } => short(u64::from(*need), u64::from(*have)),
        Constraint::SharedCpus { need, have, node } => {
            short(u64::from(*need), u64::from(*have))?;
            let on = node
                .and_then(|id| world.node_at(id))
                .map_or(u64::MAX, |n| world.node_cpus(n));
            is(u64::from(*have), u64::from((state.free & on).count_ones()))
        }
        Constraint::Overcommit { need, have } => {
            short(*need, *have)?;
            let most = u64::from(state.free.count_ones()) * state.ratio.unwrap_or(u64::MAX) / 1000;
            is(*have, most.saturating_sub(state.shared_cpus))
        }
        Constraint::Helpers { need, have } => short(u64::from(*need), u64::from(*have)),
        Constraint::NamedNodes { need, have } => {
            let there: Vec<u32> = bits(world.named_nodes(ask))
                .map(|n| world.nodes[n].id)
                .collect();
            let gone = need.iter().any(|id| !there.contains(&id));
            hold(
                gone && !need.is_subset(have),
                "they are all there".to_owned(),
            )
        }
        Constraint::Cells { need, have } => short(u64::from(*need), u64::from(*have)),
        Constraint::Undecided { .. } => Err("a small host is decided".to_owned()),
        Constraint::NamedCpus { .. } => hold(ask.cpus.set.is_some(), "none were named".to_owned()),
        Constraint::Together { .. } => Ok(()),
        Constraint::Memory { .. } | Constraint::HugePages { .. } | Constraint::Devices { .. } => {
            backing(world, state, ask, why)
        }
        Constraint::Apart { .. }
        | Constraint::Elsewhere { .. }
        | Constraint::Nowhere { .. }
        | Constraint::Drained => Err("that is of a fleet".to_owned()),
    }
}

/// The same of memory, pages and devices.
fn backing(world: &World, state: &State, ask: &Ask, why: &Constraint) -> Result<(), String> {
    let short = |need: u64, have: u64| hold(need > have, "that is enough".to_owned());
    match why {
        Constraint::Memory { need, have, nodes } => {
            short(*need, *have)?;
            let given: u64 = state.demands.iter().map(|(_, bytes)| bytes).sum();
            match (nodes, state.bytes) {
                (None, Some(bytes)) => {
                    is(*have, (bytes - given).min(state.most.unwrap_or(u64::MAX)))
                }
                (None, None) => Err("nobody tells how much there is".to_owned()),
                (Some(_), _) => Ok(()),
            }
        }
        Constraint::HugePages {
            need,
            have,
            page_size_bytes,
            node,
        } => {
            short(*need, *have)?;
            let on = node
                .and_then(|id| world.node_at(id))
                .map_or(world.named_nodes(ask), |n| 1u64 << n);
            let size = world.page_sizes.iter().position(|s| s == page_size_bytes);
            let pages = |node: usize| size.map_or(0, |size| state.pages[node][size]);
            is(*have, bits(on).map(pages).max().unwrap_or(0))
        }
        Constraint::Devices {
            need,
            have,
            kind,
            near,
        } => {
            short(u64::from(*need), u64::from(*have))?;
            let of = |d: &usize| world.devices[*d].kinds.contains(kind);
            let there = bits(state.devices).filter(of).count() as u64;
            if *near {
                hold(u64::from(*have) <= there, "there are fewer".to_owned())
            } else {
                is(u64::from(*have), there)
            }
        }
        _ => Ok(()),
    }
}

/// No more than that may be had, and so many can, but for the last of those who share.
fn dedicated(
    world: &World,
    state: &State,
    ask: &Ask,
    on: Option<usize>,
    need: u32,
    have: u32,
) -> Result<(), String> {
    let of = threads(ask);
    let all = on.map_or(u64::MAX, |node| world.node_cpus(node));
    let possible = |core: usize, count: u32| {
        let open = world.core_mask(core) & state.open();
        let ways = subsets(open, count).into_iter();
        ways.filter_map(|cpus| may_have(world, state, of, L3::Any, cpus))
            .count()
            > 0
    };
    let mut sums = vec![0u32];
    for core in world.cores_of(all) {
        let size = world.cores[core].threads.len() as u32;
        let most = (1..=size)
            .filter(|count| possible(core, *count))
            .max()
            .unwrap_or(0);
        let more: Vec<u32> = sums.iter().map(|sum| sum + most).collect();
        sums.extend(more);
        sums.sort_unstable();
        sums.dedup();
    }
    let most = sums.last().copied().unwrap_or(0);
    let exact = sums
        .iter()
        .copied()
        .filter(|sum| *sum <= need)
        .max()
        .unwrap_or(0);
    let last = (state.free & all).count_ones().saturating_sub(1);
    let require = ask.cpus.policy == Policy::Dedicated(Threads::Require);
    let is = have == most || require && have == exact || have == last;
    hold(is, format!("{most} can be had, {last} with one left"))
}
