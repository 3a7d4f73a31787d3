//! Who may be near whom: small fleets in which everything is tried, twice over, the second time with what stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet, Threads};
use infra_place::{
    Affinity, Ask, Core, Cpus, Effort, Form, Host, Job, Memory, Node, NodeKind, Numa, Outcome,
    Policy, Room, Rule, Stock, Stood, Topology, Wants, place,
};

const SEEDS: u64 = 1_000;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ z >> 31) % end as u64).unwrap()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// So many CPUs of one node, in a rack or in none that is known.
fn host(number: usize, cpus: u32, rack: Option<u32>) -> Host {
    let node = Node {
        id: 0,
        kind: NodeKind::Whole,
        distances: vec![10],
        package: Some(0),
    };
    let core = |cpu| Core {
        node: 0,
        l3: None,
        threads: vec![cpu],
    };
    let topology = Topology::new(vec![node], (0..cpus).map(core).collect(), vec![], vec![]);
    let stock = Stock {
        cpus: (0..cpus).collect::<IdSet>(),
        bytes: Some(1 << 30),
        node_bytes: BTreeMap::from([(0, 1 << 30)]),
        ..Stock::default()
    };
    Host {
        name: HostName::new(format!("r{number}")),
        room: Room::new(&topology, &stock),
        topology: Arc::new(topology),
        domains: vec![None, rack],
        drained: false,
    }
}

fn affinity(dice: &mut Dice) -> Affinity {
    let group = |dice: &mut Dice| u32::try_from(dice.below(2)).unwrap();
    let groups = match dice.once_in(3) {
        true => vec![],
        false => vec![group(dice)],
    };
    let rule = |dice: &mut Dice| Rule {
        group: group(dice),
        scope: dice.below(2),
        wants: [Wants::Apart, Wants::Together, Wants::Spread][dice.below(3)],
        required: !dice.once_in(4),
    };
    let rules = (0..dice.below(3)).map(|_| rule(dice)).collect();
    Affinity { groups, rules }
}

fn job(number: usize, dice: &mut Dice, hosts: usize) -> Job {
    let ask = Ask {
        cpus: Cpus {
            count: 1,
            policy: Policy::Dedicated(Threads::default()),
            ..Cpus::default()
        },
        memory: Memory {
            bytes: 1 << 20,
            ..Memory::default()
        },
        numa: Numa::Auto,
        ..Ask::default()
    };
    let all = (0..u32::try_from(hosts).unwrap()).collect::<IdSet>();
    Job {
        name: Address::new(format!("workload.w{number}")),
        forms: Arc::from([Form {
            ask,
            hosts: Arc::new(all),
        }]),
        priority: 0,
        affinity: Arc::new(affinity(dice)),
        stands: None,
    }
}

fn domain(hosts: &[Host], host: usize, scope: usize) -> Option<u32> {
    match scope {
        0 => u32::try_from(host).ok(),
        _ => hosts[host].domains[scope],
    }
}

/// Whether what must be is so, where everybody is on these hosts.
fn holds(hosts: &[Host], jobs: &[Job], places: &[Option<usize>]) -> Result<(), String> {
    for (at, job) in jobs.iter().enumerate() {
        let Some(own) = places[at] else { continue };
        for rule in job.affinity.rules.iter().filter(|rule| rule.required) {
            let of_group = |other: &usize| jobs[*other].affinity.groups.contains(&rule.group);
            let others = (0..jobs.len()).filter(|other| *other != at && of_group(other));
            let others: Vec<usize> = others.filter_map(|other| places[other]).collect();
            let here = domain(hosts, own, rule.scope);
            let same = |other: &usize| here.is_some() && domain(hosts, *other, rule.scope) == here;
            let kept = match rule.wants {
                // Who knows of none where he is cannot be sure of being apart, alone or not.
                Wants::Apart => here.is_some() && !others.iter().any(same),
                Wants::Together => others.is_empty() || others.iter().any(same),
                Wants::Spread => true,
            };
            if !kept {
                return Err(format!("workload {at}: {rule:?} does not hold"));
            }
        }
    }
    Ok(())
}

/// Whether everybody can have a place: all ways are tried.
fn possible(hosts: &[Host], cpus: &[u32], jobs: &[Job]) -> bool {
    let ways = hosts.len().pow(u32::try_from(jobs.len()).unwrap());
    (0..ways).any(|way| {
        let mut rest = way;
        let places: Vec<Option<usize>> = jobs
            .iter()
            .map(|_| {
                let host = rest % hosts.len();
                rest /= hosts.len();
                Some(host)
            })
            .collect();
        let fits = (0..hosts.len()).all(|host| {
            let there = places.iter().filter(|place| **place == Some(host)).count();
            there <= cpus[host] as usize && !(hosts[host].drained && there > 0)
        });
        let stay = jobs.iter().zip(&places).all(|(job, place)| {
            let stood = job.stands.as_ref().filter(|stood| stood.anchored);
            stood.is_none_or(|stood| *place == Some(stood.host))
        });
        fits && stay && holds(hosts, jobs, &places).is_ok()
    })
}

fn places(outcome: &Outcome) -> Vec<Option<usize>> {
    let assigned = outcome.assigned.iter();
    assigned.map(|a| a.as_ref().map(|a| a.host)).collect()
}

/// Whether everybody has a place.
fn judge(hosts: &[Host], cpus: &[u32], jobs: &[Job], outcome: &Outcome) -> Result<bool, String> {
    let places = places(outcome);
    holds(hosts, jobs, &places).map_err(|why| format!("{why}: {places:?}"))?;
    let all = places.iter().all(Option::is_some);
    match !all && outcome.complete && possible(hosts, cpus, jobs) {
        true => Err(format!("there is a place for all: {places:?}")),
        false => Ok(all),
    }
}

fn tell(hosts: &[Host], jobs: &[Job]) -> String {
    let hosts = hosts
        .iter()
        .map(|h| format!("rack {:?} drained {}", h.domains[1], h.drained));
    let jobs = jobs.iter().map(|j| {
        let stands = j.stands.as_ref().map(|s| (s.host, s.anchored));
        format!(
            "{:?} {:?} stands {stands:?}",
            j.affinity.groups, j.affinity.rules
        )
    });
    hosts.chain(jobs).collect::<Vec<_>>().join("\n")
}

#[test]
fn rules_hold_and_nobody_is_refused_who_could_be_placed() {
    let (mut placed, mut refused, mut moved) = (0, 0, 0);
    // The last are those for which several rules take hold one after the other.
    for seed in (0..SEEDS).chain([1_418, 6_634]) {
        let mut dice = Dice(seed);
        let count = 1 + dice.below(4);
        let cpus: Vec<u32> = (0..count)
            .map(|_| u32::try_from(1 + dice.below(3)).unwrap())
            .collect();
        let racks = [Some(0), Some(0), Some(1), Some(1), None];
        let mut hosts: Vec<Host> = (0..count)
            .map(|number| host(number, cpus[number], racks[dice.below(racks.len())]))
            .collect();
        let jobs: Vec<Job> = (0..1 + dice.below(5))
            .map(|number| job(number, &mut dice, count))
            .collect();
        let told =
            |round: &str, why| panic!("seed {seed}, {round} round: {why}: {}", tell(&hosts, &jobs));
        let outcome = place(&hosts, &jobs, Effort::default());
        let first = judge(&hosts, &cpus, &jobs, &outcome).unwrap_or_else(|w| told("first", w));
        // What stands may be told new rules, and a host be emptied.
        let mut again = jobs.clone();
        for (at, job) in again.iter_mut().enumerate() {
            if dice.once_in(4) {
                job.affinity = Arc::new(affinity(&mut dice));
            }
            job.stands = outcome.assigned[at].as_ref().map(|assigned| Stood {
                host: assigned.host,
                form: assigned.form,
                standing: Arc::new(assigned.fit.standing(&hosts[assigned.host].topology)),
                anchored: dice.once_in(4),
            });
        }
        if dice.once_in(3) {
            hosts[0].drained = true;
        }
        let second = place(&hosts, &again, Effort::default());
        let all = judge(&hosts, &cpus, &again, &second)
            .unwrap_or_else(|w| panic!("seed {seed}, second round: {w}: {}", tell(&hosts, &again)));
        let stood = places(&outcome);
        moved += usize::from(all && first && stood != places(&second));
        placed += usize::from(all);
        refused += usize::from(!all);
    }
    assert!(
        placed > 300 && refused > 300 && moved > 30,
        "it tries both: {placed} {refused} {moved}"
    );
}
