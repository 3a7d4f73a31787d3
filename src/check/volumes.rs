//! A declared volume is on one host and in one runtime, for everybody who attaches it.

use infra_api::{Address, HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};

use super::View;
use crate::declared::Volume;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    for volume in view.declared.volumes.values() {
        let users = users(view, &volume.address);
        let Some(first) = users.first() else {
            diagnostics.push(
                Diagnostic::warning("Volume nobody uses")
                    .at(
                        volume.origin,
                        format!(
                            "no workload attaches {}: it is made when one does; what is there of it stays",
                            volume.address
                        ),
                    )
                    .hint("attach it by `disk \"…\" { volume = volume.NAME }`"),
            );
            continue;
        };
        for user in &users {
            elsewhere(volume, user, first, diagnostics);
        }
    }
}

struct User {
    workload: Address,
    host: HostName,
    runtime: Runtime,
    span: Span,
}

fn users(view: &View<'_>, volume: &Address) -> Vec<User> {
    let mut users = Vec::new();
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        for disk in &workload.disks {
            if let Some(named) = disk.volume.as_ref().filter(|v| v.value == *volume) {
                users.push(User {
                    workload: workload.address.clone(),
                    host: placement.host.clone(),
                    runtime: placement.runtime,
                    span: named.span,
                });
            }
        }
    }
    users
}

fn elsewhere(volume: &Volume, user: &User, first: &User, diagnostics: &mut Diagnostics) {
    let home = volume.host.as_ref().map_or(&first.host, |h| &h.value);
    let error = |text: String, hint: &str| {
        Diagnostic::error("Volume out of reach")
            .at(user.span, text)
            .at(volume.origin, "declared here")
            .hint(hint)
    };
    if user.host != *home {
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
