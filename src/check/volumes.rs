//! A declared volume is on one host and in one runtime, for everybody who attaches it; and no two machines write to it.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};

use super::View;
use crate::declared::Volume;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let (users, copied) = (users(view), copied(view));
    let taken: BTreeSet<&Address> = view.taken.values().collect();
    for volume in view.declared.volumes.values() {
        let Some((first, others)) = users.get(&volume.address).and_then(|u| u.split_first()) else {
            if !copied.contains(&volume.address) && !taken.contains(&volume.address) {
                diagnostics.push(idle(volume));
            }
            continue;
        };
        elsewhere(volume, first, first, diagnostics);
        diagnostics.extend(of_the_engine(volume, first));
        diagnostics.extend(of_machines(volume, first));
        for user in others {
            elsewhere(volume, user, first, diagnostics);
        }
        twice(first, others, diagnostics);
        diagnostics.extend(written_by_two(volume, first, others));
    }
}

struct User<'a> {
    workload: &'a Address,
    host: &'a HostName,
    runtime: Runtime,
    read_only: bool,
    span: Span,
}

/// Who attaches each volume, in the order of the workloads.
fn users<'a>(view: &View<'a>) -> BTreeMap<&'a Address, Vec<User<'a>>> {
    let mut users: BTreeMap<&Address, Vec<User<'_>>> = BTreeMap::new();
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        for disk in &workload.disks {
            let Some(named) = &disk.volume else { continue };
            users.entry(&named.value).or_default().push(User {
                workload: &workload.address,
                host: &placement.host,
                runtime: placement.runtime,
                read_only: disk.read_only,
                span: named.span,
            });
        }
    }
    users
}

/// What disks begin as.
fn copied<'a>(view: &View<'a>) -> BTreeSet<&'a Address> {
    let disks = view.declared.workloads.iter().flat_map(|w| &w.disks);
    let volumes = view.declared.volumes.values().map(|v| &v.storage);
    let storages = disks.map(|disk| &disk.storage).chain(volumes);
    let originals = storages.filter_map(|storage| storage.copy_of.as_ref());
    originals.map(|original| &original.value).collect()
}

/// A driver and its options are the container engine's: a machine's disk has none.
fn of_the_engine(volume: &Volume, user: &User<'_>) -> Option<Diagnostic> {
    let plain = volume.driver.is_none() && volume.options.is_empty();
    (user.runtime == Runtime::Kvm && !plain).then(|| {
        let text = format!("{} attaches it as a virtual machine's disk", user.workload);
        Diagnostic::error("Volume of the container engine")
            .at(volume.origin, "it has a driver or options of the engine")
            .at(user.span, text)
            .hint("leave `driver` and `options` out, or run the workload as a container")
    })
}

/// How a virtual disk is made is nothing to a directory of the engine's.
fn of_machines(volume: &Volume, user: &User<'_>) -> Option<Diagnostic> {
    let (word, span) = volume.storage.any()?;
    (user.runtime == Runtime::Container).then(|| {
        let text = format!("{} attaches it as a container's volume", user.workload);
        Diagnostic::error("Volume of virtual machines")
            .at(span, format!("`{word}` is a virtual disk's"))
            .at(user.span, text)
            .hint("leave it out, or run the workload as a virtual machine")
    })
}

fn idle(volume: &Volume) -> Diagnostic {
    let text = format!(
        "no workload attaches {}: it is made when one does; what is there of it stays",
        volume.address
    );
    Diagnostic::warning("Volume nobody uses")
        .at(volume.origin, text)
        .hint("attach it by `disk \"…\" { volume = volume.NAME }`")
}

/// The users of a volume stand workload by workload.
fn twice(first: &User<'_>, others: &[User<'_>], diagnostics: &mut Diagnostics) {
    let before = std::iter::once(first).chain(others);
    for (one, other) in before.zip(others) {
        if one.workload == other.workload {
            let text = format!("{} attaches it here too", other.workload);
            diagnostics.push(
                Diagnostic::error("Volume attached twice")
                    .at(other.span, text)
                    .at(one.span, "attached here")
                    .hint("leave one of the two out, or declare a volume for each"),
            );
        }
    }
}

/// A virtual disk holds a file system that knows of one machine: written by two it is destroyed. The engine's volumes
/// are directories, which containers may share.
fn written_by_two(volume: &Volume, first: &User<'_>, others: &[User<'_>]) -> Option<Diagnostic> {
    let machine = |user: &&User<'_>| user.runtime == Runtime::Kvm;
    let machines = || std::iter::once(first).chain(others).filter(machine);
    let one = machines().next()?;
    let other = machines().find(|u| u.workload != one.workload)?;
    let writer = machines().find(|u| !u.read_only)?;
    let reader = if writer.workload == one.workload {
        other
    } else {
        one
    };
    let text = format!(
        "{} writes to {}, and {} has it too",
        writer.workload, volume.address, reader.workload
    );
    Some(
        Diagnostic::error("Volume of several machines")
            .at(writer.span, text)
            .at(volume.origin, "declared here")
            .hint("declare a volume for each, or write `read_only = true` on all the disks that name it"),
    )
}

fn elsewhere(volume: &Volume, user: &User<'_>, first: &User<'_>, diagnostics: &mut Diagnostics) {
    let home = volume.host.as_ref().map_or(first.host, |h| &h.value);
    let error = |text: String, hint: &str| {
        Diagnostic::error("Volume out of reach")
            .at(user.span, text)
            .at(volume.origin, "declared here")
            .hint(hint)
    };
    if user.host != home {
        let text = format!(
            "{} runs on {}, and the volume is on {home}",
            user.workload, user.host
        );
        diagnostics.push(error(text, "give the workload the volume's `host`"));
    } else if user.runtime != first.runtime {
        let text = format!(
            "{} is a {}, and {} is a {}",
            user.workload, user.runtime, first.workload, first.runtime
        );
        diagnostics.push(error(
            text,
            "a container's volume is no virtual disk: declare one for each",
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use infra_api::{CpuPolicy, Placement, Project};
    use infra_lang::{Files, GivenValues, Memory, Mode};

    use super::*;
    use crate::configuration::Source;
    use crate::declared::Declared;
    use crate::inventory::Inventory;

    fn one() -> Declared {
        let text = r#"
            volume "v" {}
            workload "w" {
              disk "d" {
                volume = volume.v
                mount  = "/d"
              }
              container { image = "registry.example/a:1" }
            }"#;
        let file = ("main.infra.hcl".to_owned(), text.into());
        let files: Arc<dyn Files> = Arc::new(Memory([file].into()));
        let given = GivenValues::default();
        Source::read(&files, "demo")
            .evaluate(&given, Mode::Plan, &BTreeMap::new(), &mut str::to_owned)
            .declared
    }

    fn many(count: usize) -> Declared {
        let one = one();
        let (volume, workload) = (&one.volumes[&Address::new("volume.v")], &one.workloads[0]);
        let mut many = Declared::default();
        for n in 0..count {
            let address = Address::new(format!("volume.v[{n}]"));
            let (mut volume, mut workload) = (volume.clone(), workload.clone());
            volume.address = address.clone();
            workload.address = Address::new(format!("workload.w[{n}]"));
            workload.disks[0].volume.as_mut().unwrap().value = address.clone();
            many.volumes.insert(address, volume);
            many.workloads.push(workload);
        }
        many
    }

    #[test]
    fn twice_the_volumes_take_twice_the_time() {
        let declared = many(10_000);
        let place = Placement {
            runtime: Runtime::Container,
            with: infra_api::Settings::NONE,
            needs: infra_api::Needs::default(),
            host: HostName::new("r1"),
            policy: CpuPolicy::Shared,
            cells: Vec::new(),
            helpers: BTreeMap::new(),
            devices: Vec::new(),
            addresses: BTreeMap::new(),
            tiers: Vec::new(),
        };
        let workloads = declared.workloads.iter();
        let placements = workloads.map(|w| (w.address.clone(), place.clone()));
        let view = View {
            project: &Project::new("demo"),
            declared: &declared,
            inventory: &Inventory::default(),
            placements: &placements.collect(),
            taken: &BTreeMap::new(),
        };
        let mut found = Diagnostics::new();
        let begun = Instant::now();
        check(&view, &mut found);
        // Looking at every workload for each volume takes 100 million looks.
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(found.is_empty());
    }
}
