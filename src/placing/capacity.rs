//! How many more of given shapes fit, and what is left that they cannot use.

use infra_api::units::Bytes;
use infra_api::{Address, HostName, IdSet, Runtime, Settings, Variant};
use infra_place::{Ask, Form, Lack, Numa, Policy, fleet_capacity};
use schemars::JsonSchema;
use serde::Serialize;

use super::forms::Forms;
use super::refusal::{Constraint, HostRefusal, Refused};
use super::{Arranged, Asked, variants};
use crate::choose::Choice;

/// How many more of one shape fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Capacity {
    /// Whose shape it is.
    pub workloads: Vec<Address>,
    /// What one of them asks for.
    pub asks: String,
    /// As what one of them runs, the preferred first.
    #[serde(rename = "runtimes", serialize_with = "runtimes")]
    #[schemars(with = "Vec<Runtime>")]
    pub variants: Vec<Variant>,
    /// In all; null: what is counted does not end it.
    pub count: Option<u64>,
    /// Hosts that come into question, those that take as many in the same way together.
    pub hosts: Vec<HostCapacity>,
    /// Why other hosts do not come into question.
    pub ruled_out: Vec<HostRefusal>,
}

/// Each once.
fn runtimes<S: serde::Serializer>(variants: &[Variant], serializer: S) -> Result<S::Ok, S::Error> {
    let mut runtimes: Vec<Runtime> = variants.iter().map(|v| v.runtime).collect();
    runtimes.dedup();
    serializer.collect_seq(runtimes)
}

/// Of hosts that take as many in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostCapacity {
    pub hosts: Vec<HostName>,
    /// On each of them; null: what is counted does not end it.
    pub count: Option<u64>,
    /// Of these, how many lie on which nodes.
    pub nodes: Vec<OnNodes>,
    /// Why there is no further one.
    pub short: Vec<Short>,
    /// What is left of each node then.
    pub left: Vec<Left>,
}

/// So many on these nodes; on none where they are bound to none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OnNodes {
    pub nodes: IdSet,
    pub count: u64,
}

/// Why there is no further one as this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Short {
    #[serde(flatten)]
    pub variant: Variant,
    #[serde(flatten)]
    pub constraint: Constraint,
}

/// What is left of a node that holds no further one. What is not `lacking` is stranded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Left {
    pub node: u32,
    /// CPUs nobody has, and nobody is bound to.
    pub cpus: u32,
    /// Of these, threads whose cores others have a part of, where whole cores are asked for.
    pub blocked_threads: u32,
    /// Ordinary memory; null where the node does not tell.
    pub memory_bytes: Option<u64>,
    pub pages: Vec<Pages>,
    pub devices: Vec<String>,
    /// What is wanting for one more: `cpus`, `memory`, `pages`.
    pub lacking: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pages {
    pub size_bytes: u64,
    pub count: u64,
}

impl Arranged<'_> {
    /// How many more fit of each shape that these workloads have, where everything is as it was placed.
    #[must_use]
    pub fn capacity(&self, workloads: &[Asked<'_>]) -> Vec<Capacity> {
        let mut shapes: Vec<(Vec<Form>, infra_place::Affinity, Vec<Variant>, Capacity)> =
            Vec::new();
        for (workload, choice) in workloads {
            let variants = variants(choice, None, Settings::NONE);
            let mut forms = Forms::new(&self.fleet.served);
            let forms: Vec<Form> = forms.of(workload, choice, &variants).to_vec();
            let affinity = self.fleet.scopes.of(workload);
            let same = shapes.iter_mut().find(|(f, a, r, shape)| {
                let alike = *f == forms && *a == affinity && *r == variants;
                alike && (!forms.is_empty() || shape.ruled_out == ruled_out(choice))
            });
            if let Some((_, _, _, shape)) = same {
                shape.workloads.push(workload.address.clone());
                continue;
            }
            let shape = self.of_shape(&forms, &affinity, &variants);
            let shape = Capacity {
                workloads: vec![workload.address.clone()],
                ruled_out: ruled_out(choice),
                ..shape
            };
            shapes.push((forms, affinity, variants, shape));
        }
        shapes.into_iter().map(|(_, _, _, shape)| shape).collect()
    }

    fn of_shape(
        &self,
        forms: &[Form],
        affinity: &infra_place::Affinity,
        variants: &[Variant],
    ) -> Capacity {
        let (hosts, jobs) = (&self.fleet.hosts, &self.jobs);
        let found = fleet_capacity(hosts, jobs, &self.outcome, (forms, affinity));
        let short = |(form, constraint): &(usize, infra_place::Constraint)| Short {
            variant: variants[*form],
            constraint: Constraint::found(constraint, &self.fleet.scopes),
        };
        let host = |(on, of): &(IdSet, infra_place::Capacity)| HostCapacity {
            hosts: on.iter().map(|h| hosts[h as usize].name.clone()).collect(),
            count: of.count,
            nodes: (of.on_nodes.iter())
                .map(|(nodes, count)| OnNodes {
                    nodes: nodes.clone(),
                    count: *count,
                })
                .collect(),
            short: of.short.iter().map(short).collect(),
            left: of.left.iter().map(left).collect(),
        };
        Capacity {
            workloads: Vec::new(),
            asks: forms
                .first()
                .map_or_else(String::new, |form| asks(&form.ask)),
            variants: variants.to_vec(),
            count: found.count,
            hosts: found.hosts.iter().map(host).collect(),
            ruled_out: Vec::new(),
        }
    }
}

/// By gates that a form could have passed: that it has no such form is no news.
fn ruled_out(choice: &Choice) -> Vec<HostRefusal> {
    let mut refused = Refused::by_gates(choice).refused.to_vec();
    let form =
        |r: &HostRefusal| matches!(&r.constraint, Constraint::Gate { gate, .. } if gate == "form");
    if !choice.possible.is_empty() || !refused.iter().all(form) {
        refused.retain(|r| !form(r));
    }
    refused
}

fn left(left: &infra_place::Left) -> Left {
    let word = |lack: &Lack| match lack {
        Lack::Cpus => "cpus".to_owned(),
        Lack::Memory => "memory".to_owned(),
        Lack::Pages => "pages".to_owned(),
    };
    let pages = |(size, count): &(u64, u64)| Pages {
        size_bytes: *size,
        count: *count,
    };
    Left {
        node: left.node,
        cpus: left.cpus,
        blocked_threads: left.blocked,
        memory_bytes: left.bytes,
        pages: left.pages.iter().map(pages).collect(),
        devices: left.devices.clone(),
        lacking: left.lacks.iter().map(word).collect(),
    }
}

/// What is asked for, in words.
pub(super) fn asks(ask: &Ask) -> String {
    let cpus = &ask.cpus;
    let plural = if cpus.count == 1 { "" } else { "s" };
    let mut words = vec![match (cpus.policy, &cpus.set) {
        (Policy::Dedicated(_), Some(set)) => format!("CPU{plural} {set}"),
        (Policy::Shared, Some(set)) => format!("CPU{plural} {set} shared"),
        (Policy::Dedicated(threads), None) => {
            format!(
                "{} dedicated CPU{plural}{}",
                cpus.count,
                threads.words().trim_end_matches(',')
            )
        }
        (Policy::Shared, None) => format!("{} shared CPU{plural}", cpus.count),
    }];
    if ask.helpers > 0 {
        words.push(format!("{} for helper threads", ask.helpers));
    }
    if ask.memory.bytes > 0 {
        let pages = |size: &u64| match *size {
            0 => "ordinary".to_owned(),
            size => Bytes(size).to_string(),
        };
        let sizes: Vec<String> = ask.memory.page_sizes.iter().map(pages).collect();
        let pages = match sizes.is_empty() {
            true => String::new(),
            false => format!(" in {} pages", sizes.join(" or ")),
        };
        words.push(format!("{}{pages}", Bytes(ask.memory.bytes)));
    }
    match &ask.numa {
        Numa::Auto => {}
        Numa::Nodes(1) => words.push("on one node".to_owned()),
        Numa::Nodes(count) => words.push(format!("in {count} NUMA cells")),
        Numa::Cells(cells) => words.push(format!("in {} NUMA cells", cells.len())),
    }
    if let Some(nodes) = &ask.memory.nodes {
        words.push(format!("on node {nodes}"));
    }
    let devices = ask.devices.iter().filter(|d| d.count > 0);
    words.extend(devices.map(|d| format!("{} of `{}`", d.count, d.kind)));
    words.join(", ")
}
