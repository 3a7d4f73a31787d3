//! The orders of placing that the benchmark compares: what they give is valid, and none goes beyond the bound.

#[path = "../../../benches/placement/fill.rs"]
mod fill;

use fill::arrivals::{Event, all, plain, sequence};
use fill::{Case, Order, Put, orders, run, until_end, until_refused};
use infra_place::Effort;

/// A test need not try long.
const EFFORT: Effort = Effort {
    steps: 100,
    moves: true,
};

/// Few machines of mixed kinds.
const FLEETS: [&[(usize, usize)]; 3] = [&[(0, 1), (6, 1)], &[(3, 1), (5, 1)], &[(3, 1), (4, 1)]];

fn small(fleet: &[(usize, usize)], whole: bool, going: u64, seed: u64) -> Case {
    let sorts = || if whole { all() } else { plain() };
    let hosts: usize = fleet.iter().map(|(_, count)| count).sum();
    let events = sequence(&sorts(), 40 * hosts, going, seed);
    Case::new(fleet, sorts(), events)
}

#[test]
fn every_place_is_valid_and_no_order_goes_beyond_the_bound() {
    for (seed, fleet) in (1..).zip(FLEETS) {
        for (whole, going) in [(false, 0), (true, 30)] {
            let case = small(fleet, whole, going, seed);
            let rows = until_refused(&case, EFFORT).unwrap_or_else(|why| panic!("{why}"));
            let (bound, rows) = rows.split_last().expect("a bound");
            for row in rows.iter().filter(|row| row.not_asked == 0) {
                assert!(row.arrived > 0, "{row:?}");
                assert!(row.arrived <= bound.arrived, "{row:?} of {bound:?}");
                let shares = [row.cpus, row.memory, row.vfs];
                assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)), "{row:?}");
                let still = row.order != "infra, one by one";
                assert!(row.spread <= row.arrived && row.refused <= 1, "{row:?}");
                assert!(!still || row.moves == 0, "{row:?}");
            }
            assert!(case.bound().allows(&case.counts(bound.arrived)));
        }
    }
}

#[test]
fn who_takes_what_comes_keeps_to_the_bound_of_cpus() {
    for (seed, fleet) in (1..).zip(FLEETS) {
        let case = small(fleet, true, 0, seed);
        for (case, refusals) in [(&case, 3), (&case.beyond(20), usize::MAX)] {
            let rows = until_end(case, refusals, EFFORT).unwrap_or_else(|why| panic!("{why}"));
            let (bound, rows) = rows.split_last().expect("a bound");
            for row in rows {
                assert!(row.load > 0.0 && row.load <= bound.load + 1e-9, "{row:?}");
            }
        }
    }
}

/// Whoever places, it is the same twice.
#[test]
fn what_is_measured_is_the_same_every_time() {
    let case = small(FLEETS[0], true, 30, 9);
    let once = |case: &Case| format!("{:?}", until_refused(case, EFFORT));
    assert_eq!(once(&case), once(&case));
}

#[test]
fn the_bound_is_exact_where_one_thing_is_scarce() {
    // Twelve hosts' CPUs, by whole cores of eight: 78 of a machine of 80 are free, and nine are had.
    let sorts = plain()
        .into_iter()
        .filter(|sort| sort.ask.cpus.count == 8)
        .collect();
    let case = Case::new(&[(0, 12)], sorts, vec![Event::Comes(0); 200]);
    let bound = case.bound();
    assert!(bound.allows(&[12 * 9]) && !bound.allows(&[12 * 9 + 1]));
}

/// What is made of a place, and the rule that it breaks then.
type Lie = (fn(&mut infra_place::View), &'static str);

/// An order that gives what is not there.
struct Liar(fn(&mut infra_place::View));

impl Order for Liar {
    fn name(&self) -> &'static str {
        "liar"
    }

    fn place(
        &mut self,
        hosts: &[fill::rules::Free],
        number: usize,
        ask: &infra_place::Ask,
    ) -> Vec<Put> {
        let mut puts = fill::first::FirstFit.place(hosts, number, ask);
        puts.iter_mut().for_each(|put| (self.0)(&mut put.view));
        puts
    }
}

#[test]
fn what_breaks_a_rule_is_found() {
    let case = small(FLEETS[1], true, 0, 3);
    let lies: [Lie; 7] = [
        (|_| (), ""),
        (|v| v.taken = infra_api::IdSet::new(), "what is taken"),
        (|v| v.cells.iter_mut().for_each(|c| c.bytes += 1), "memory"),
        (|v| v.pages.clear(), "pages"),
        (|v| v.memory.clear(), "memory"),
        (|v| v.devices.clear(), "devices"),
        (
            |v| {
                v.cells
                    .iter_mut()
                    .filter(|c| !c.cpus.is_empty())
                    .for_each(|c| c.node = c.node.map(|n| n ^ 1))
            },
            "node",
        ),
    ];
    for (lie, about) in lies {
        let found = run(&case, &mut Liar(lie), 1);
        match about {
            "" => assert!(found.is_ok(), "{found:?}"),
            about => assert!(found.is_err_and(|why| why.contains(about)), "{about}"),
        }
    }
}

/// A node with devices is left to who wants them, though it is the tightest.
#[test]
fn nodes_with_devices_are_kept_for_who_wants_them() {
    let case = small(FLEETS[0], false, 0, 1);
    let mut still = orders(&case, Effort::default()).remove(1);
    let hosts = case.empty();
    for number in 0..4 {
        let puts = still.place(&hosts, number, &plain()[3].ask);
        let nodes: Vec<_> = puts
            .iter()
            .flat_map(|p| &p.view.cells)
            .map(|c| c.node)
            .collect();
        assert!(
            nodes.iter().all(|node| *node != Some(0)) || puts[0].host != 0,
            "{nodes:?}"
        );
    }
}

/// Who shares takes memory rather than CPUs: of two hosts he has the one with most memory to its CPUs, the emptier one here.
#[test]
fn memory_without_cpus_is_for_who_shares() {
    let case = Case::new(&[(1, 1), (0, 1)], plain(), Vec::new());
    let mut still = orders(&case, Effort::default()).remove(1);
    let hosts = case.empty();
    let free = |host: usize| (hosts[host].bytes, hosts[host].cpus());
    assert!(free(0).0 < free(1).0 && free(0).1 > free(1).1);
    let puts = still.place(&hosts, 0, &plain()[0].ask);
    assert_eq!(puts[0].host, 1);
}
