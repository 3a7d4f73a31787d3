//! What somebody else has made and is ours from now on: which objects `import` blocks and `infra import` mean, and
//! whether they can be had.

use std::collections::BTreeMap;

use infra_api::{Address, Facts, HostName, Observed, Project, ResourceId};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_lang::Import;
use infra_plan::{Before, Desired, Record};

use super::{Planned, Session};
use crate::cli::ui::Stop;
use crate::declared::{Declared, Place};
use crate::select::Selection;

/// An object to be taken over.
#[derive(Clone, Debug)]
pub struct Asked {
    pub to: Address,
    /// As its daemon calls it, or `[HOST/]docker/container/NAME`.
    pub id: String,
    /// Where both are written; absent: on the command line.
    spans: Option<(Span, Span)>,
}

impl Asked {
    /// Of the command line.
    #[must_use]
    pub fn new(to: Address, id: String) -> Self {
        let spans = None;
        Self { to, id, spans }
    }

    pub(super) fn written(import: &Import) -> Self {
        Self {
            to: Address::new(import.to.to_string()),
            id: import.id.clone(),
            spans: Some((import.to_span, import.id_span)),
        }
    }

    pub(super) fn error(&self, summary: &str, at_id: bool, why: String) -> Diagnostic {
        let error = Diagnostic::error(summary);
        match self.spans {
            Some((to, id)) => error.at(if at_id { id } else { to }, why),
            None => error.note(why),
        }
    }

    /// The objects that its id may mean, on any of these hosts.
    pub(super) fn candidates(&self, hosts: &[&HostName]) -> Vec<ResourceId> {
        let kinds: &[(&str, &str)] = match kind(&self.to) {
            "workload" => &[("docker", "container"), ("libvirt", "domain")],
            "network" => &[("docker", "network"), ("libvirt", "network")],
            "volume" => &[("docker", "volume"), ("libvirt", "volume")],
            "pool" => &[("libvirt", "pool")],
            _ => &[],
        };
        let all = hosts.iter().flat_map(|host| {
            let of = kinds.iter();
            of.map(|(provider, kind)| ResourceId::new(host, provider, kind, &self.id))
        });
        let whole = hosts.iter().flat_map(|host| {
            let whole: Option<ResourceId> = self.id.parse().ok();
            let short: Option<ResourceId> = format!("{host}/{}", self.id).parse().ok();
            [whole.filter(|id| id.host == **host), short]
        });
        let fits = |id: &ResourceId| kinds.contains(&(id.provider.as_str(), id.kind.as_str()));
        // No daemon's name has a slash, but for libvirt's volumes, which are in pools: `POOL/NAME`.
        let slashes = self.id.matches('/').count();
        let all = all.filter(|id| {
            let in_pool = (id.provider.as_str(), id.kind.as_str()) == ("libvirt", "volume");
            slashes == usize::from(in_pool)
        });
        all.chain(whole.flatten()).filter(fits).collect()
    }
}

/// The kind of what is declared at an address: `workload` of `module.m.workload.a[0]`.
pub(super) fn kind(address: &Address) -> &str {
    let parts: Vec<&str> = address.as_str().split('.').collect();
    let mut rest = &parts[..];
    while let ["module", _, after @ ..] = rest {
        rest = after;
    }
    rest.first().copied().unwrap_or_default()
}

/// Objects to be taken over: for which address each, and who asked.
pub(super) type Imports = BTreeMap<ResourceId, Asked>;

impl Planned {
    /// Takes everything out of the plan but what is taken over, as it is.
    pub fn only_imports(&mut self) {
        let plan = &mut self.plan;
        let mut result = self.session.prior().clone();
        for id in &plan.imports {
            let Some(record) = plan.result.resources.get(id) else {
                continue;
            };
            let step = plan.steps.iter().find(|step| step.resource == *id);
            let found = step.and_then(|step| match &step.before {
                Before::Present { body } => Some(body),
                Before::Absent | Before::Partial | Before::Removed => None,
            });
            let identity = step.map_or(&record.imported, |step| &step.imported);
            let place = plan.result.workloads.get(&record.address);
            let place = place.map(|place| (record.address.clone(), place.clone()));
            result.workloads.extend(place);
            let taken = Record {
                body: found.unwrap_or(&record.body).clone(),
                imported: identity.clone(),
                ..record.clone()
            };
            result.resources.insert(id.clone(), taken);
        }
        plan.result = result;
        plan.steps.clear();
        plan.secrets.clear();
    }
}

impl Session {
    /// What is asked for and not known already.
    fn asked(&self) -> Vec<Asked> {
        let written = self.configuration.imports.iter().map(Asked::written);
        let asked = written.chain(self.options.import.clone());
        asked.filter(|asked| !self.knows(&asked.to)).collect()
    }

    /// Whether the state has what is declared at an address itself.
    #[must_use]
    pub fn knows(&self, address: &Address) -> bool {
        let mut records = self.prior().resources.iter();
        records.any(|(id, record)| record.address == *address && own_kind(id) == kind(address))
    }

    /// Facts know what is ours by marks: what is imported, or asked for, is ours too, and in nobody's way. Nor is what
    /// has a name that is declared as such: it is imported as well, or the name is taken, which is said elsewhere.
    pub(super) fn count_imports(&self, facts: &mut BTreeMap<HostName, Facts>) {
        let records = self.prior().resources.iter();
        let records = records.filter(|(_, record)| record.imported.is_some());
        let known = records.map(|(id, record)| (id.clone(), record.address.clone()));
        let hosts: Vec<&HostName> = self.configuration.declared.hosts.keys().collect();
        let asked = self.asked().into_iter().flat_map(|asked| {
            let candidates = asked.candidates(&hosts).into_iter();
            candidates.map(move |id| (id, asked.to.clone()))
        });
        let named = self.configuration.declared.names.iter();
        let named = named.flat_map(|(address, name)| {
            let same = Asked::new(address.clone(), name.clone());
            let candidates = same.candidates(&hosts).into_iter();
            candidates.map(move |id| (id, address.clone()))
        });
        for (id, address) in known.chain(asked).chain(named) {
            if let Some(facts) = facts.get_mut(&id.host) {
                count(facts, &id, &address, self.project());
            }
        }
    }

    /// The wanted objects that are asked for.
    ///
    /// # Errors
    /// What is asked for and not declared so.
    pub(super) fn imports(
        &self,
        desired: &[Desired],
        selection: &Selection,
    ) -> Result<Imports, Stop> {
        let hosts: Vec<&HostName> = self.configuration.declared.hosts.keys().collect();
        let (mut imports, mut found) = (Imports::new(), Diagnostics::new());
        for asked in self.asked() {
            if selection.leaves_out(&asked.to) {
                continue;
            }
            let own = desired.iter().map(|d| &d.resource);
            let own: Vec<&ResourceId> = own
                .filter(|r| r.address == asked.to)
                .map(|r| &r.id)
                .collect();
            let candidates = asked.candidates(&hosts);
            let meant: Vec<&ResourceId> = own
                .iter()
                .copied()
                .filter(|id| candidates.contains(id))
                .collect();
            if meant.is_empty() {
                found.push(self.unmet(&asked, &own));
            }
            imports.extend(meant.into_iter().map(|id| (id.clone(), asked.clone())));
        }
        match found.has_errors() {
            true => Err(self.said(found)),
            false => Ok(imports),
        }
    }

    /// Those of objects that are there without a mark and can be had: what their daemons know them by.
    ///
    /// # Errors
    /// All that cannot be had.
    pub(super) fn importable(
        &self,
        imports: &Imports,
        observed: &BTreeMap<ResourceId, Observed>,
    ) -> Result<BTreeMap<ResourceId, String>, Stop> {
        let (mut importable, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
        let there = |asked: &Asked| {
            let mut same = imports.iter().filter(|(_, other)| other.to == asked.to);
            same.any(|(id, _)| !matches!(observed.get(id), None | Some(Observed::Absent)))
        };
        for (id, asked) in imports {
            match observed.get(id) {
                // Of a network that two daemons have a part of, one may have its part already.
                None | Some(Observed::Absent) if there(asked) => {}
                None | Some(Observed::Absent) => {
                    let why = format!("there is no {} `{}` on {}", id.kind, id.name, id.host);
                    let hint = "correct the name, or remove this: then it is made";
                    diagnostics.push(asked.error("Nothing to import", true, why).hint(hint));
                }
                // It carries our mark: nothing else is needed to take it over.
                Some(Observed::Present { .. } | Observed::Partial { .. }) => {}
                Some(Observed::Foreign { what, unmarked }) => match unmarked.as_deref() {
                    Some(found) => match &found.body {
                        Ok(_) => drop(importable.insert(id.clone(), found.identity.clone())),
                        Err(why) => diagnostics.push(
                            asked
                                .error(
                                    "Nothing that infra can make",
                                    true,
                                    format!("{what}: {why}"),
                                )
                                .hint("change that first, or declare it anew under another name"),
                        ),
                    },
                    None => diagnostics.push(
                        asked
                            .error("Nothing to import", true, what.clone())
                            .hint("import only what carries nobody's mark"),
                    ),
                },
            }
        }
        match diagnostics.has_errors() {
            true => Err(self.said(diagnostics)),
            false => Ok(importable),
        }
    }

    fn unmet(&self, asked: &Asked, own: &[&ResourceId]) -> Diagnostic {
        let Asked { to, id, .. } = asked;
        if let Some((why, hint)) = needless(to, &self.configuration.declared) {
            return asked
                .error("Import of what needs none", false, why)
                .hint(hint);
        }
        let name = id.rsplit('/').next().unwrap_or(id);
        match own.iter().find(|own| own_kind(own) == kind(to)) {
            None if self.is_declared(to) => {
                let why = format!("no daemon of a declared host has `{id}`, and nobody uses `{to}`");
                let volume = "correct the name; a volume of libvirt is `POOL/NAME`";
                let hint = if kind(to) == "volume" { volume } else { "correct the name" };
                asked.error("Nothing to import", true, why).hint(hint)
            }
            None => asked
                .error("Import of what is not declared", false, format!("nothing is made for `{to}`"))
                .hint(
                    "declare it; `infra plan --generate-config-out FILE` writes a block for what an `import` block names",
                ),
            Some(own) => {
                let text = format!("`{to}` is the {} `{}` on {}", own.kind, own.name, own.host);
                let pool = own.provider == "libvirt" && own.kind == "volume";
                let hint = match id.trim_end_matches(name).trim_end_matches('/').rsplit('/').next() {
                    Some(other) if pool && !other.is_empty() => format!(
                        "write `name = \"{name}\"` in it, and the `pool` that libvirt calls `{other}`"
                    ),
                    _ => format!("write `name = \"{name}\"` in it"),
                };
                asked.error("Import of another name", true, text).hint(hint)
            }
        }
    }

    fn is_declared(&self, to: &Address) -> bool {
        let address = to.as_str().parse().ok();
        let instance = address.and_then(|address| self.configuration.evaluation.instance(&address));
        instance.is_some()
    }

    /// What `import` blocks say of a state that is lost: marks do not tell of these objects.
    pub fn imported_before(&self) -> BTreeMap<ResourceId, Address> {
        let hosts: Vec<&HostName> = self.configuration.declared.hosts.keys().collect();
        let asked = self.configuration.imports.iter().map(Asked::written);
        let all = asked.flat_map(|asked| {
            let candidates = asked.candidates(&hosts);
            candidates.into_iter().map(move |id| (id, asked.to.clone()))
        });
        all.collect()
    }

    pub(super) fn said(&self, found: Diagnostics) -> Stop {
        Stop::Diagnostics(found.sorted(), Box::new(self.configuration.sources.clone()))
    }
}

fn count(facts: &mut Facts, id: &ResourceId, address: &Address, project: &Project) {
    let ours = Some(project.to_string());
    let owner = format!("{}:{}", id.provider, id.name);
    for used in facts.used.iter_mut().filter(|used| used.owner == owner) {
        used.owner = address.to_string();
        used.project.clone_from(&ours);
    }
    if id.kind != "network" {
        return;
    }
    let docker = facts.docker.iter_mut().flat_map(|d| &mut d.networks);
    let docker = docker.map(|n| ("docker", &n.name, &mut n.project));
    let libvirt = facts.libvirt.iter_mut().flat_map(|l| &mut l.networks);
    let libvirt = libvirt.map(|n| ("libvirt", &n.name, &mut n.project));
    for (provider, name, project) in docker.chain(libvirt) {
        if provider == id.provider && *name == id.name && project.is_none() {
            project.clone_from(&ours);
        }
    }
}

/// The kind of block that an object is itself, and not only a part of.
pub(super) fn own_kind(id: &ResourceId) -> &str {
    match id.kind.as_str() {
        "container" | "domain" => "workload",
        kind => kind,
    }
}

/// Why what is declared at an address is no object to be taken over, and what to do.
fn needless(to: &Address, declared: &Declared) -> Option<(String, &'static str)> {
    match kind(to) {
        "image" => Some((
            format!(
                "`{to}` is known by its content: where that is there already, it is used as it is"
            ),
            "remove the import: the next plan finds it by its digest",
        )),
        "host" => Some((
            format!("`{to}` is a machine, and no object of a daemon"),
            "remove the import: declaring a host is all it takes",
        )),
        "pool" => match declared.pools.get(to)?.place {
            Place::Existing(_) => Some((
                format!("`{to}` is `existing`: it stays somebody else's, and is used as it is"),
                "remove the import; or write `name` with `path` or `volume_group`, for a pool that is yours from now on",
            )),
            Place::Path(_) | Place::VolumeGroup(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_name_or_says_more() {
        let host = HostName::new("r1");
        let means = |to: &str, id: &str| {
            let asked = Asked::new(Address::new(to), id.to_owned());
            let found = asked.candidates(&[&host]);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let both = ["r1/docker/container/db", "r1/libvirt/domain/db"];
        assert_eq!(means("workload.a", "db"), both);
        assert_eq!(means("module.m[0].workload.a[\"x.y\"]", "db"), both);
        assert_eq!(means("workload.a", "docker/container/db"), both[..1]);
        assert_eq!(means("workload.a", both[1]), both[1..]);
        assert_eq!(means("volume.a", "v"), ["r1/docker/volume/v"]);
        assert_eq!(means("volume.a", "p/v"), ["r1/libvirt/volume/p/v"]);
        let whole = "r1/libvirt/volume/p/v";
        assert_eq!(means("volume.a", whole), [whole]);
        assert_eq!(means("volume.a", "libvirt/volume/p/v"), [whole]);
        assert_eq!(means("pool.a", "p"), ["r1/libvirt/pool/p"]);
        assert!(means("workload.a", "docker/volume/v").is_empty());
        assert!(means("host.a", "r1").is_empty());
    }
}
