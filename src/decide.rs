//! Declared + inventory → what is wanted on every daemon: the whole decision, pure.

use std::collections::BTreeMap;

use infra_api::{Address, HostName, Placement, Project, Provider, Resource, ResourceId, Runtime};
use infra_diag::Diagnostics;
use infra_lang::{Evaluation, Ignore};
use infra_plan::Desired;

use crate::addresses::Addresses;
use crate::check;
use crate::choose::{Choice, Homes, choose};
use crate::declared::{Declared, Workload};
use crate::inventory::Inventory;
use crate::lower::{self, FileFacts, main_resource};
use crate::place::{Placed, Refused, place};
use crate::refusals;

/// All a decision follows from.
pub struct Inputs<'a> {
    pub project: &'a Project,
    pub evaluation: &'a Evaluation,
    pub declared: &'a Declared,
    pub addresses: &'a Addresses,
    pub inventory: &'a Inventory,
    pub prior: &'a BTreeMap<Address, Placement>,
    /// Where declared volumes are.
    pub homes: &'a Homes,
    pub files: &'a BTreeMap<String, FileFacts>,
    pub pinned: &'a BTreeMap<(HostName, String), String>,
    pub providers: &'a [Box<dyn Provider>],
}

/// What was decided, and why.
#[derive(Debug, Default)]
pub struct Decision {
    pub choices: BTreeMap<Address, Choice>,
    pub placed: Placed,
    pub desired: Vec<Desired>,
    /// Declared order between workloads' objects.
    pub depends_on: Vec<(ResourceId, ResourceId)>,
    pub diagnostics: Diagnostics,
}

/// Decides everything.
#[must_use]
pub fn decide(inputs: &Inputs<'_>) -> Decision {
    let workloads = &inputs.declared.workloads;
    let choices: BTreeMap<Address, Choice> = workloads
        .iter()
        .map(|w| (w.address.clone(), choose(w, inputs.inventory, inputs.homes)))
        .collect();
    let pairs: Vec<(&Workload, &Choice)> = workloads
        .iter()
        .map(|w| (w, &choices[&w.address]))
        .collect();
    let mut placed = place(&pairs, inputs.inventory, inputs.prior);
    for (workload, choice) in &pairs {
        if choice.possible.is_empty() {
            placed.refused.push(Refused::by_gates(choice));
        }
        if let Some(placement) = placed.placements.get_mut(&workload.address) {
            placement.addresses = inputs
                .addresses
                .get(&workload.address)
                .cloned()
                .unwrap_or_default();
        }
    }
    let mut decision = Decision {
        placed,
        choices,
        ..Decision::default()
    };
    decision.refusals(workloads);
    decision.lower(inputs);
    let found = check::declared(&check::View {
        project: inputs.project,
        declared: inputs.declared,
        inventory: inputs.inventory,
        placements: &decision.placed.placements,
    });
    decision.diagnostics.extend(found);
    decision
}

impl Decision {
    fn refusals(&mut self, workloads: &[Workload]) {
        for refused in &self.placed.refused {
            let workload = workloads.iter().find(|w| w.address == refused.workload);
            self.diagnostics
                .extend(workload.map(|w| refusals::nowhere(w, refused)));
        }
    }

    fn lower(&mut self, inputs: &Inputs<'_>) {
        let (targets, found) = lower::lower(&lower::Inputs {
            project: inputs.project,
            declared: inputs.declared,
            placements: &self.placed.placements,
            files: inputs.files,
            pinned: inputs.pinned,
        });
        self.diagnostics.extend(found);
        let resources = targets.iter().flat_map(|target| {
            inputs
                .providers
                .iter()
                .flat_map(move |p| p.resources(inputs.project, target))
        });
        self.desired = resources
            .map(|r| self.desired_of(on_bridge(r), inputs))
            .collect();
        for workload in &inputs.declared.workloads {
            self.depends_on(workload, inputs);
        }
    }

    fn desired_of(&self, resource: Resource, inputs: &Inputs<'_>) -> Desired {
        let instance = resource
            .address
            .as_str()
            .parse()
            .ok()
            .and_then(|a| inputs.evaluation.instance(&a));
        let prevent_destroy = instance.is_some_and(|i| i.lifecycle.prevent_destroy);
        let placement = self.placed.placements.get(&resource.address);
        let is_main = placement
            .is_some_and(|p| main_resource(inputs.project, &resource.address, p) == resource.id);
        let ignore_changes = match (instance, placement) {
            (Some(instance), Some(p)) if is_main => ignored(
                &instance.lifecycle.ignore_changes,
                Some(p.runtime),
                &resource,
            ),
            (Some(instance), None) => ignored(&instance.lifecycle.ignore_changes, None, &resource),
            // A workload's volumes and seed: its `ignore_changes` speaks of its container or machine.
            _ => Vec::new(),
        };
        Desired {
            resource,
            prevent_destroy,
            ignore_changes,
        }
    }

    fn depends_on(&mut self, workload: &Workload, inputs: &Inputs<'_>) {
        let main = |address: &Address| {
            self.placed
                .placements
                .get(address)
                .map(|p| main_resource(inputs.project, address, p))
        };
        let Some(own) = main(&workload.address) else {
            return;
        };
        let others: Vec<_> = workload
            .depends_on
            .iter()
            .filter_map(main)
            .map(|other| (own.clone(), other))
            .collect();
        self.depends_on.extend(others);
    }
}

/// A network of machines on a bridge that containers' network makes comes after it.
fn on_bridge(mut resource: Resource) -> Resource {
    let borrows = resource.id.provider == "libvirt"
        && resource.id.kind == "network"
        && resource.body.get("own").is_none();
    if borrows {
        resource.after.push(ResourceId::new(
            &resource.id.host,
            "docker",
            "network",
            &resource.id.name,
        ));
    }
    resource
}

/// Paths in the body for `lifecycle { ignore_changes = […] }`, which speaks the configuration's words.
fn ignored(ignore: &Ignore, runtime: Option<Runtime>, resource: &Resource) -> Vec<Vec<String>> {
    let paths = match ignore {
        Ignore::All => {
            let keys = resource
                .body
                .as_object()
                .map(|o| o.keys().cloned().collect())
                .unwrap_or_default();
            return Vec::into_iter(keys).map(|key| vec![key]).collect();
        }
        Ignore::These(paths) => paths,
    };
    let translated = |path: &String| {
        let words: Vec<&str> = path.split('.').collect();
        in_the_body(&words, runtime)
            .iter()
            .map(|path| path.split('.').map(str::to_owned).collect())
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(translated).collect()
}

/// Where an attribute of the configuration stands in a container's or a machine's body.
fn in_the_body(words: &[&str], runtime: Option<Runtime>) -> Vec<String> {
    let machine = runtime == Some(Runtime::Kvm);
    let these: &[&str] = match words {
        ["cpus", ..] if machine => &["vcpus", "vcpu_pins", "emulator_pin"],
        ["memory"] => &["memory_bytes", "memory_nodes", "page_size_bytes"],
        ["memory", "nodes"] => &["memory_nodes"],
        ["memory", "page_size"] => &["page_size_bytes"],
        ["memory", ..] => &["memory_bytes"],
        ["interface", ..] if machine => &["interfaces"],
        ["interface", ..] => &["networks"],
        ["disk", ..] if machine => &["disks"],
        ["disk", ..] | ["container", "mount", ..] => &["mounts"],
        ["container", "port", ..] => &["ports"],
        ["container", "ulimit"] => &["ulimits"],
        ["container", "restart_retries"] => &["restart.max_retries"],
        ["container"] => &[
            "image",
            "entrypoint",
            "command",
            "env",
            "user",
            "working_dir",
            "hostname",
            "labels",
            "ports",
            "mounts",
            "restart",
            "health_check",
            "ulimits",
            "pids",
        ],
        ["kvm", "image"] => &["boot.kernel", "boot.initramfs"],
        ["kvm", "cmdline"] => &["boot.cmdline"],
        ["kvm"] => &["boot", "acceleration", "autostart"],
        ["container" | "kvm", rest @ ..] => return vec![rest.join(".")],
        _ => return vec![words.join(".")],
    };
    these.iter().map(|path| (*path).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_found_in_the_body() {
        let body = |words: &str, runtime| {
            let words: Vec<&str> = words.split('.').collect();
            in_the_body(&words, Some(runtime)).join(" ")
        };
        for (words, container, machine) in [
            ("cpus", "cpus", "vcpus vcpu_pins emulator_pin"),
            ("memory.size", "memory_bytes", "memory_bytes"),
            ("interface", "networks", "interfaces"),
            ("disk", "mounts", "disks"),
        ] {
            assert_eq!(body(words, Runtime::Container), container);
            assert_eq!(body(words, Runtime::Kvm), machine);
        }
        assert_eq!(body("container.port", Runtime::Container), "ports");
        assert_eq!(body("container.env.A", Runtime::Container), "env.A");
        assert_eq!(body("kvm.cmdline", Runtime::Kvm), "boot.cmdline");
        assert_eq!(body("kvm.autostart", Runtime::Kvm), "autostart");
    }
}
