//! Who moves: to better places, where each move gains something and all that held before holds after; and for others, where
//! what is said of it is so.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet, Threads};
use infra_place::{
    Affinity, Ask, Assigned, Core, Cpus, Effort, Form, Gain, Host, Improvement, Job, Memory, Node,
    Numa, Outcome, Policy, Room, Rule, Stand, Standing, Stock, Stood, Topology, Wants, Way, fit,
    nearest, place, price, rebalance,
};
use proptest::prelude::*;

const GIB: u64 = 1 << 30;

/// So many CPUs and so much memory on each node.
fn host(n: usize, nodes: u32, cpus: u32) -> Host {
    let node = |id: u32| Node {
        id,
        distances: (0..nodes)
            .map(|to| if to == id { 10 } else { 21 })
            .collect(),
        ..Node::default()
    };
    let core = |cpu: u32| Core {
        node: (cpu / cpus) as usize,
        l3: Some((cpu / cpus) as usize),
        threads: vec![cpu],
    };
    let all = 0..nodes * cpus;
    let topology = Topology::new(
        (0..nodes).map(node).collect(),
        all.clone().map(core).collect(),
        Vec::new(),
        Vec::new(),
    );
    let stock = Stock {
        cpus: all.collect(),
        bytes: Some(u64::from(nodes) * 8 * GIB),
        node_bytes: (0..nodes).map(|node| (node, 8 * GIB)).collect(),
        ..Stock::default()
    };
    Host {
        name: HostName::new(format!("r{n}")),
        room: Room::new(&topology, &stock),
        topology: Arc::new(topology),
        domains: vec![None],
        drained: false,
    }
}

/// A job that asks for so many CPUs and runs on these.
fn job(n: usize, hosts: usize, at: Option<(usize, &[u32])>, count: u32) -> Job {
    let ask = Ask {
        cpus: Cpus {
            count,
            policy: Policy::Dedicated(Threads::Any),
            ..Cpus::default()
        },
        memory: Memory {
            bytes: u64::from(count) << 20,
            ..Memory::default()
        },
        ..Ask::default()
    };
    Job {
        name: Address::new(format!("workload.w{n:02}")),
        forms: Arc::from([Form {
            ask,
            hosts: Arc::new((0..u32::try_from(hosts).unwrap()).collect::<IdSet>()),
        }]),
        priority: 0,
        affinity: Arc::default(),
        stands: at.map(|(host, cpus)| stood(host, cpus)),
    }
}

/// On nodes of four CPUs each.
fn stood(host: usize, cpus: &[u32]) -> Stood {
    let mut by_node: BTreeMap<u32, IdSet> = BTreeMap::new();
    for cpu in cpus {
        by_node.entry(cpu / 4).or_default().insert(*cpu);
    }
    let cell = |(node, cpus): (u32, IdSet)| Stand {
        node: Some(node),
        count: u32::try_from(cpus.len()).unwrap(),
        bytes: (cpus.len() as u64) << 20,
        cpus,
        page_size: None,
    };
    Stood {
        host,
        form: 0,
        standing: Arc::new(Standing {
            cells: by_node.into_iter().map(cell).collect(),
            helpers: IdSet::new(),
            devices: Vec::new(),
            shared: false,
        }),
        anchored: false,
    }
}

fn rebalanced(hosts: &[Host], jobs: &[Job], most: usize) -> (Outcome, Vec<Improvement>) {
    let effort = Effort::default();
    let outcome = place(hosts, jobs, effort);
    assert!(outcome.assigned.iter().flatten().all(|a| a.stays));
    rebalance(hosts, jobs, outcome, most, effort)
}

fn at(assigned: &Option<Assigned>, hosts: &[Host]) -> (usize, IdSet) {
    let assigned = assigned.as_ref().expect("it has a place");
    let standing = assigned.fit.standing(&hosts[assigned.host].topology);
    let cpus = standing.cells.iter().map(|cell| &cell.cpus);
    (assigned.host, cpus.fold(IdSet::new(), |all, c| &all | c))
}

fn gain(tier: &'static str, before: u64, after: u64) -> Gain {
    Gain {
        tier,
        before,
        after,
    }
}

#[test]
fn who_is_parted_comes_together_on_its_host() {
    let hosts = [host(0, 2, 4), host(1, 2, 4)];
    let jobs = [
        job(0, 2, Some((0, &[2, 3, 4, 5])), 4),
        job(1, 2, Some((1, &[0])), 1),
    ];
    let (outcome, improvements) = rebalanced(&hosts, &jobs, 1);
    assert_eq!(at(&outcome.assigned[0], &hosts), (0, (0..4).collect()));
    assert_eq!(improvements.len(), 1);
    let gains = &improvements[0].gains;
    assert_eq!(gains[0], gain("extra_nodes", 1, 0));
}

#[test]
fn another_leaves_for_a_place_as_good_as_its_own() {
    // The first is on both nodes because of the other two, each of which has two CPUs of one.
    let hosts = [host(0, 2, 4)];
    let jobs = [
        job(0, 1, Some((0, &[2, 3, 6, 7])), 4),
        job(1, 1, Some((0, &[0, 1])), 2),
        job(2, 1, Some((0, &[4, 5])), 2),
    ];
    let (outcome, improvements) = rebalanced(&hosts, &jobs, 1);
    assert!(improvements.is_empty(), "one move gains nothing");
    assert!(outcome.assigned.iter().flatten().all(|a| a.stays));
    let (outcome, improvements) = rebalanced(&hosts, &jobs, 2);
    assert_eq!(improvements.len(), 1);
    assert_eq!(improvements[0].moves.len(), 2);
    assert_eq!(improvements[0].gains[0], gain("extra_nodes", 1, 0));
    let (_, cpus) = at(&outcome.assigned[0], &hosts);
    assert!(cpus == (0..4).collect() || cpus == (4..8).collect());
}

#[test]
fn a_host_is_emptied_where_the_others_have_room() {
    let hosts = [host(0, 1, 4), host(1, 1, 4), host(2, 1, 4)];
    let jobs = [
        job(0, 3, Some((0, &[0])), 1),
        job(1, 3, Some((0, &[1])), 1),
        job(2, 3, Some((1, &[0, 1])), 2),
        job(3, 3, Some((2, &[0, 1, 2, 3])), 4),
    ];
    let (outcome, improvements) = rebalanced(&hosts, &jobs, 10);
    assert_eq!(improvements.len(), 1);
    assert_eq!(improvements[0].gains, [gain("hosts", 3, 2)]);
    assert_eq!(at(&outcome.assigned[2], &hosts).0, 0);
    // Somebody whose disks are there cannot leave, and then the other host is emptied.
    let mut anchored = jobs.clone();
    anchored[2].stands.as_mut().unwrap().anchored = true;
    let (outcome, improvements) = rebalanced(&hosts, &anchored, 10);
    assert_eq!(improvements[0].moves.len(), 2);
    assert_eq!(at(&outcome.assigned[0], &hosts).0, 1);
    let (_, improvements) = rebalanced(&hosts, &anchored, 1);
    assert!(improvements.is_empty(), "two would have to move");
}

#[test]
fn company_of_others_stays() {
    let hosts = [host(0, 1, 4), host(1, 1, 4)];
    let mut jobs = [job(0, 2, Some((0, &[0])), 1), job(1, 2, Some((1, &[0])), 1)];
    let group = |groups: Vec<u32>| {
        Arc::new(Affinity {
            groups,
            rules: Vec::new(),
        })
    };
    jobs[0].affinity = group(vec![7]);
    jobs[1].affinity = group(vec![7]);
    let (_, improvements) = rebalanced(&hosts, &jobs, 10);
    assert_eq!(improvements.len(), 1);
    let mut follower = job(2, 2, Some((0, &[1])), 1);
    follower.affinity = Arc::new(Affinity {
        groups: Vec::new(),
        rules: vec![Rule {
            group: 7,
            scope: 0,
            wants: Wants::Together,
            required: true,
        }],
    });
    let jobs = [jobs[0].clone(), jobs[1].clone(), follower];
    let (_, improvements) = rebalanced(&hosts, &jobs, 10);
    assert!(improvements.is_empty(), "{improvements:?}");
}

#[test]
fn who_had_none_finds_a_place_that_comes_free() {
    let hosts = [host(0, 1, 4), host(1, 1, 4)];
    let mut jobs = [
        job(0, 2, Some((0, &[0])), 1),
        job(1, 2, Some((1, &[0])), 1),
        job(2, 2, None, 4),
    ];
    // Its place could be had by moving another anyway: here nobody may.
    let effort = Effort {
        steps: 0,
        moves: false,
    };
    jobs[2].priority = -1;
    let outcome = place(&hosts, &jobs, effort);
    assert!(outcome.assigned[2].is_none());
    let (outcome, improvements) = rebalance(&hosts, &jobs, outcome, 10, Effort::default());
    assert_eq!(improvements.len(), 1);
    assert!(outcome.assigned[2].is_some());
}

#[test]
fn for_whom_room_was_made_is_not_forgotten() {
    let hosts = [host(0, 1, 4), host(1, 1, 4)];
    let mut jobs = [
        job(0, 2, Some((0, &[0])), 1),
        job(1, 2, Some((1, &[0])), 1),
        job(2, 2, None, 4),
    ];
    jobs[1].stands.as_mut().unwrap().anchored = true;
    let outcome = place(&hosts, &jobs, Effort::default());
    let made_room = BTreeMap::from([(0, 2)]);
    assert_eq!(outcome.made_room, made_room);
    let (outcome, improvements) = rebalance(&hosts, &jobs, outcome, 10, Effort::default());
    assert!(improvements.is_empty());
    assert_eq!(outcome.made_room, made_room);
}

/// Two hosts of four nodes, on each node two with one CPU each.
fn eight_on_each() -> Vec<Job> {
    let one = |n: usize| {
        let cpu = u32::try_from(n % 4 * 4 + n / 8).unwrap();
        job(n, 2, Some((n / 4 % 2, &[cpu])), 1)
    };
    (0..16).map(one).collect()
}

/// No host has a node whole until two have left it, and there are too many to try every way.
#[test]
fn several_leave_a_host_for_one() {
    let hosts = [host(0, 4, 4), host(1, 4, 4)];
    let mut jobs = eight_on_each();
    let mut large = job(16, 2, None, 4);
    let ask = Ask {
        numa: Numa::Nodes(1),
        ..large.forms[0].ask.clone()
    };
    large.forms = Arc::from([Form {
        ask,
        ..large.forms[0].clone()
    }]);
    jobs.push(large);
    let effort = Effort::default();
    let outcome = place(&hosts, &jobs, effort);
    assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
    // Those of other nodes need not have left, and did not.
    let moved = outcome.assigned[..16].iter().flatten().filter(|a| !a.stays);
    assert_eq!(moved.count(), 2);
    assert!(outcome.made_room.values().eq([&16, &16]));
    let still = Effort {
        moves: false,
        ..effort
    };
    assert_eq!(place(&hosts, &jobs, still).refused[0].jobs, [16]);
}

/// Where one of them has nowhere else to be nobody leaves.
#[test]
fn nobody_leaves_in_vain() {
    let hosts = [host(0, 4, 4), host(1, 4, 4)];
    let mut jobs = eight_on_each();
    jobs.push(job(16, 2, None, 16 + 1));
    jobs.push(job(17, 2, None, 16));
    let outcome = place(&hosts, &jobs, Effort::default());
    let refused: Vec<_> = outcome.refused.iter().flat_map(|r| &r.jobs).collect();
    assert_eq!(refused, [&16]);
    // Both hosts are full: each of the eight went to the other.
    assert_eq!(outcome.made_room.len(), 8);
    // One CPU too many: those who left are back.
    jobs[17] = job(17, 2, None, 15);
    jobs.push(job(18, 2, None, 2));
    let outcome = place(&hosts, &jobs, Effort::default());
    assert_eq!(outcome.refused.len(), 2);
    assert!(outcome.assigned[..16].iter().flatten().all(|a| a.stays));
}

/// What of its costs depends on nobody else.
fn locality(hosts: &[Host], jobs: &[Job], assigned: &[Option<Assigned>]) -> Vec<u64> {
    let mut sums = vec![0; infra_place::LOCALITY.len()];
    for (job, assigned) in jobs.iter().zip(assigned) {
        let Some(assigned) = assigned else { continue };
        let host = &hosts[assigned.host];
        let ask = &job.forms[0].ask;
        let cost = price(&host.topology, &host.room, ask, &assigned.fit);
        for (sum, (_, cost)) in sums.iter_mut().zip(cost.tiers()) {
            *sum += cost;
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Hosts of two nodes of four CPUs, filled at random; some leave again.
    #[test]
    fn nothing_gets_worse(
        machines in 1..4usize,
        wishes in prop::collection::vec((1..6u32, any::<bool>(), any::<bool>()), 1..16),
        most in 0..6usize,
    ) {
        let hosts: Vec<Host> = (0..machines).map(|n| host(n, 2, 4)).collect();
        let all: Vec<Job> = (0..).zip(&wishes).map(|(n, (count, _, _))| job(n, machines, None, *count)).collect();
        let few = Effort { steps: 100, moves: true };
        let first = place(&hosts, &all, few);
        let mut jobs = Vec::new();
        for ((job, assigned), (_, stays, anchored)) in all.iter().zip(&first.assigned).zip(&wishes) {
            let Some(assigned) = assigned.as_ref().filter(|_| *stays) else { continue };
            let mut job = job.clone();
            job.stands = Some(Stood {
                host: assigned.host,
                form: 0,
                standing: Arc::new(assigned.fit.standing(&hosts[assigned.host].topology)),
                anchored: *anchored,
            });
            jobs.push(job);
        }
        let before = place(&hosts, &jobs, Effort::default());
        let places: Vec<(usize, IdSet)> = before.assigned.iter().map(|a| at(a, &hosts)).collect();
        let costs = locality(&hosts, &jobs, &before.assigned);
        let used = |places: &[(usize, IdSet)]| {
            let hosts: std::collections::BTreeSet<usize> = places.iter().map(|p| p.0).collect();
            hosts.len()
        };
        let (found, improvements) = rebalance(&hosts, &jobs, before, most, Effort::default());
        let now: Vec<(usize, IdSet)> = found.assigned.iter().map(|a| at(a, &hosts)).collect();
        let differ: Vec<usize> = (0..jobs.len()).filter(|job| places[*job] != now[*job]).collect();
        let told: Vec<usize> = improvements.iter().flat_map(|i| &i.moves).map(|m| m.job).collect();
        prop_assert!(told.len() <= most);
        prop_assert!(differ.iter().all(|job| told.contains(job)));
        prop_assert!(differ.iter().all(|job| places[*job].0 == now[*job].0 || !jobs[*job].stands.as_ref().unwrap().anchored));
        for improvement in &improvements {
            prop_assert!(improvement.gains.first().is_some_and(|gain| gain.after < gain.before));
        }
        // Nobody has a CPU of another, or one of another host.
        for (n, (host, cpus)) in now.iter().enumerate() {
            prop_assert_eq!(cpus.len(), jobs[n].forms[0].ask.cpus.count as usize);
            prop_assert!(cpus.iter().all(|cpu| cpu < 8));
            let others = now.iter().skip(n + 1).filter(|(other, _)| other == host);
            prop_assert!(others.into_iter().all(|(_, theirs)| (theirs & cpus).is_empty()));
        }
        let better = locality(&hosts, &jobs, &found.assigned);
        // What is nearer is worth a host more.
        let (before, after) = ((costs, used(&places)), (better, used(&now)));
        prop_assert!(after <= before, "{:?} {:?}", after, before);
        prop_assert_eq!(improvements.is_empty(), after == before);
    }
}

/// Beside all others who have a place.
fn room(hosts: &[Host], assigned: &[Option<Assigned>], host: usize, but: &[usize]) -> Room {
    let mut room = hosts[host].room.clone();
    for (job, assigned) in assigned.iter().enumerate() {
        let here = assigned.as_ref().filter(|a| a.host == host);
        if let Some(here) = here.filter(|_| !but.contains(&job)) {
            room.take(&hosts[host].topology, &here.fit);
        }
    }
    room
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// "It fits if X moves": it does, and X has the place that is named.
    #[test]
    fn who_is_said_to_make_room_does(
        machines in 1..4usize,
        wishes in prop::collection::vec((1..7u32, any::<bool>()), 4..14),
        late in prop::collection::vec(1..9u32, 1..4),
        anchored in any::<u16>(),
    ) {
        let hosts: Vec<Host> = (0..machines).map(|n| host(n, 2, 4)).collect();
        let all: Vec<Job> = (0..).zip(&wishes).map(|(n, (count, _))| job(n, machines, None, *count)).collect();
        // Nobody is moved aside, so that there is something to say; some leave holes behind.
        let idle = Effort { steps: 0, moves: false };
        let first = place(&hosts, &all, idle);
        let mut jobs = Vec::new();
        for (n, (job, assigned)) in all.iter().zip(&first.assigned).enumerate() {
            let Some(assigned) = assigned.as_ref().filter(|_| wishes[n].1) else { continue };
            let mut job = job.clone();
            job.stands = Some(Stood {
                host: assigned.host,
                form: 0,
                standing: Arc::new(assigned.fit.standing(&hosts[assigned.host].topology)),
                anchored: anchored >> n & 1 == 1,
            });
            jobs.push(job);
        }
        jobs.extend((20..).zip(&late).map(|(n, count)| job(n, machines, None, *count)));
        let outcome = place(&hosts, &jobs, idle);
        let refused: Vec<usize> = (0..jobs.len()).filter(|job| outcome.assigned[*job].is_none()).collect();
        for (job, ways) in refused.iter().zip(nearest(&hosts, &jobs, &outcome, &refused)) {
            for way in ways {
                let Way::Moves { job: other, host: to, nodes } = way.way else { continue };
                let from = way.host;
                prop_assert_eq!(outcome.assigned[other].as_ref().map(|a| a.host), Some(from));
                prop_assert!(to == from || !jobs[other].stands.as_ref().unwrap().anchored);
                let mut here = room(&hosts, &outcome.assigned, from, &[other]);
                let own = fit(&hosts[from].topology, &here, &jobs[*job].forms[0].ask);
                prop_assert!(own.is_ok(), "{:?}", own);
                here.take(&hosts[from].topology, &own.unwrap());
                let there = if to == from { here } else { room(&hosts, &outcome.assigned, to, &[]) };
                let mut ask = jobs[other].forms[0].ask.clone();
                ask.memory.nodes = Some(nodes);
                prop_assert!(fit(&hosts[to].topology, &there, &ask).is_ok());
            }
        }
    }
}
