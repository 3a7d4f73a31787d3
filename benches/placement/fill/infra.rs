//! The search that is measured: one arrival after the other with all that stands, or everything at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet};
use infra_place::{Affinity, Ask, Effort, Form, Host, Job, Stood, View, place};

use super::rules::Free;
use super::{Order, Put};

/// One by one.
pub(crate) struct Infra {
    hosts: Vec<Host>,
    effort: Effort,
    name: &'static str,
    /// By number: what is there, and where.
    jobs: BTreeMap<usize, (Job, View)>,
}

impl Infra {
    pub(crate) fn new(name: &'static str, hosts: &[Free], effort: Effort) -> Self {
        Self {
            hosts: fleet(hosts),
            effort,
            name,
            jobs: BTreeMap::new(),
        }
    }
}

fn fleet(hosts: &[Free]) -> Vec<Host> {
    let host = |(at, free): (usize, &Free)| Host {
        name: HostName::new(format!("h{at:04}")),
        topology: Arc::clone(&free.machine.topology),
        room: free.machine.room.clone(),
        domains: vec![None],
        drained: false,
    };
    hosts.iter().enumerate().map(host).collect()
}

fn job(number: usize, ask: &Ask, hosts: usize) -> Job {
    let all: IdSet = (0..u32::try_from(hosts).unwrap_or(u32::MAX)).collect();
    let form = Form {
        ask: ask.clone(),
        hosts: Arc::new(all),
    };
    Job {
        name: Address::new(format!("workload.w{number:06}")),
        forms: Arc::from([form]),
        priority: 0,
        affinity: Arc::new(Affinity::default()),
        stands: None,
    }
}

impl Order for Infra {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&mut self, _: &[Free], number: usize, ask: &Ask) -> Vec<Put> {
        let mut numbers: Vec<usize> = self.jobs.keys().copied().collect();
        let mut jobs: Vec<Job> = self.jobs.values().map(|(job, _)| job.clone()).collect();
        numbers.push(number);
        jobs.push(job(number, ask, self.hosts.len()));
        let outcome = place(&self.hosts, &jobs, self.effort);
        if outcome.assigned.iter().any(Option::is_none) {
            return Vec::new();
        }
        let mut puts = Vec::new();
        for ((number, mut job), assigned) in numbers.into_iter().zip(jobs).zip(outcome.assigned) {
            let Some(assigned) = assigned.filter(|a| !a.stays) else {
                continue;
            };
            let host = assigned.host;
            let topology = &self.hosts[host].topology;
            let view = assigned.fit.view(topology);
            job.stands = Some(Stood {
                host,
                form: assigned.form,
                standing: Arc::new(assigned.fit.standing(topology)),
                anchored: false,
            });
            self.jobs.insert(number, (job, view.clone()));
            puts.push(Put { number, host, view });
        }
        puts
    }

    fn goes(&mut self, number: usize) {
        self.jobs.remove(&number);
    }
}

/// Places for all of these, those that find none left out.
pub(crate) fn at_once(hosts: &[Free], asks: &[(usize, &Ask)]) -> Vec<Put> {
    let fleet = fleet(hosts);
    let jobs: Vec<Job> = (asks.iter())
        .map(|(number, ask)| job(*number, ask, hosts.len()))
        .collect();
    let outcome = place(&fleet, &jobs, Effort::default());
    let places = asks.iter().zip(outcome.assigned);
    places
        .filter_map(|((number, _), assigned)| {
            let assigned = assigned?;
            Some(Put {
                number: *number,
                host: assigned.host,
                view: assigned.fit.view(&fleet[assigned.host].topology),
            })
        })
        .collect()
}
