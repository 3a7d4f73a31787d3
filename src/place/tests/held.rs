//! A fleet that is held between changes comes to what placing everything again does.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet};
use infra_place::{
    Affinity, Ask, Assigned, Core, Cpus, Effort, Fleet, Form, Host, Job, Memory, Node, Policy,
    Room, Rule, Stock, Stood, Threads, Topology, Wants, place,
};
use proptest::prelude::*;

const GIB: u64 = 1 << 30;

fn host(n: u32, cores: u32, drained: bool) -> Host {
    let core = |core: u32| Core {
        node: (core % 2) as usize,
        l3: Some((core % 2) as usize),
        threads: vec![2 * core, 2 * core + 1],
    };
    let node = |id| Node {
        id,
        distances: vec![10, 20],
        ..Node::default()
    };
    let topology = Topology::new(
        (0..2).map(node).collect(),
        (0..cores).map(core).collect(),
        Vec::new(),
        Vec::new(),
    );
    let stock = Stock {
        cpus: (0..2 * cores).collect(),
        bytes: Some(8 * GIB),
        node_bytes: BTreeMap::from([(0, 4 * GIB), (1, 4 * GIB)]),
        cpu_ratio: Some(2000),
        ..Stock::default()
    };
    Host {
        name: HostName::new(format!("h{n}")),
        room: Room::new(&topology, &stock),
        topology: Arc::new(topology),
        domains: vec![None, Some(n / 2)],
        drained,
    }
}

/// What a workload asks for; and who it is.
#[derive(Clone, Debug)]
struct Wish {
    name: u32,
    count: u32,
    shared: bool,
    whole: bool,
    gib: u64,
    crowd: u32,
    priority: i32,
}

fn wish() -> impl Strategy<Value = Wish> {
    let flags = (any::<bool>(), any::<bool>());
    (0..40u32, 1..4u32, flags, 0..4u64, 0..12u32, 0..2i32).prop_map(
        |(name, count, (shared, whole), gib, crowd, priority)| Wish {
            name,
            count: if whole && !shared { 2 } else { count },
            shared,
            whole,
            gib,
            crowd,
            priority,
        },
    )
}

fn job(wish: &Wish, hosts: usize) -> Job {
    let threads = if wish.whole {
        Threads::Require
    } else {
        Threads::Any
    };
    let policy = if wish.shared {
        Policy::Shared
    } else {
        Policy::Dedicated(threads)
    };
    let ask = Ask {
        cpus: Cpus {
            count: wish.count,
            policy,
            ..Cpus::default()
        },
        memory: Memory {
            bytes: wish.gib * GIB,
            ..Memory::default()
        },
        ..Ask::default()
    };
    let rule = |scope, wants, required| Rule {
        group: 1,
        scope,
        wants,
        required,
    };
    // What must be with others is seldom: then nothing is done in the short way.
    let rules = match wish.crowd {
        0 => vec![rule(0, Wants::Apart, true)],
        1 => vec![rule(1, Wants::Spread, false)],
        2 => vec![rule(1, Wants::Apart, false)],
        3 => vec![rule(1, Wants::Together, false)],
        4 if wish.name < 4 => vec![rule(1, Wants::Together, true)],
        _ => Vec::new(),
    };
    let hosts: IdSet = (0..u32::try_from(hosts).unwrap()).collect();
    let form = Form {
        ask,
        hosts: Arc::new(hosts),
    };
    Job {
        name: Address::new(format!("w{:02}", wish.name)),
        forms: Arc::from([form]),
        priority: wish.priority,
        affinity: Arc::new(Affinity {
            groups: if wish.crowd < 5 && wish.crowd != 3 {
                vec![1]
            } else {
                Vec::new()
            },
            rules,
        }),
        stands: None,
    }
}

/// One of each name, in their order.
fn jobs(wishes: &[Wish], hosts: usize) -> Vec<Job> {
    let jobs: BTreeMap<Address, Job> = wishes
        .iter()
        .map(|w| job(w, hosts))
        .map(|j| (j.name.clone(), j))
        .collect();
    jobs.into_values().collect()
}

fn anchored(_: &Job, _: usize) -> bool {
    false
}

/// As a caller that holds nothing would write down what came of it.
fn standing(jobs: &mut [Job], assigned: &[Option<Assigned>], hosts: &[Host]) {
    for (job, assigned) in jobs.iter_mut().zip(assigned) {
        let Some(assigned) = assigned.as_ref().filter(|a| !a.stays) else {
            continue;
        };
        job.stands = Some(Stood {
            host: assigned.host,
            form: assigned.form,
            standing: Arc::new(assigned.fit.standing(&hosts[assigned.host].topology)),
            anchored: false,
        });
    }
}

fn told(assigned: &[Option<Assigned>]) -> Vec<String> {
    assigned.iter().map(|a| format!("{a:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_comes_to_what_placing_all_again_does(
        cores in prop::collection::vec((1..5u32, prop::bool::weighted(0.1)), 1..6),
        first in prop::collection::vec(wish(), 0..24),
        changes in prop::collection::vec((prop::collection::vec(0..40u32, 0..3), prop::collection::vec(wish(), 0..3), any::<bool>()), 1..5),
    ) {
        let hosts: Vec<Host> = (0u32..).zip(&cores).map(|(n, (cores, drained))| host(n, *cores, *drained)).collect();
        let effort = Effort { steps: 100, moves: true };
        let mut all = jobs(&first, hosts.len());
        let mut outcome = place(&hosts, &all, effort);
        let mut held = Fleet::new(&hosts, all.clone(), effort, anchored);
        prop_assert_eq!(told(held.assigned()), told(&outcome.assigned));
        for (gone, come, stands) in changes {
            standing(&mut all, &outcome.assigned, &hosts);
            let gone: Vec<Address> = gone.iter().map(|n| Address::new(format!("w{n:02}"))).collect();
            let mut come = jobs(&come, hosts.len());
            // Who asks for something else stands where he stood.
            for new in come.iter_mut().filter(|_| stands) {
                let was = all.iter().find(|job| job.name == new.name);
                new.stands = was.and_then(|job| job.stands.clone());
            }
            all.retain(|job| !gone.contains(&job.name) && come.iter().all(|new| new.name != job.name));
            all.extend(come.iter().cloned());
            all.sort_by(|a, b| a.name.cmp(&b.name));
            outcome = place(&hosts, &all, effort);
            let changed = held.change(&gone, come);
            prop_assert_eq!(told(held.assigned()), told(&outcome.assigned));
            let name = |job: &usize| all[*job].name.clone();
            let refused: Vec<_> = outcome.refused.iter().map(|r| (r.jobs.iter().map(name).collect::<Vec<_>>(), r.why.clone())).collect();
            prop_assert_eq!(&changed.refused, &refused);
            let passed: BTreeMap<_, _> = outcome.passed_over.iter().map(|(job, why)| (name(job), why.clone())).collect();
            prop_assert_eq!(&changed.passed_over, &passed);
            prop_assert_eq!(changed.complete, outcome.complete);
        }
    }
}
