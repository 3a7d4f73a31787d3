//! What a provider says against a target in its own daemon's language, at the place where it is written.

use infra_api::{Objection, Target};
use infra_diag::{Diagnostic, Span};

use super::Inputs;
use crate::declared::Workload;

pub(super) fn objections(
    inputs: &Inputs<'_>,
    target: &Target,
    workload: &Workload,
) -> Vec<Diagnostic> {
    let providers = inputs.providers.iter();
    let against = providers.flat_map(|p| p.objections(inputs.project, target));
    let said = against.map(|Objection { path, why }| {
        Diagnostic::error("XML that cannot be")
            .at(place(workload, &path), why)
            .hint("paths and elements are those of `virsh dumpxml`, below <domain>")
    });
    said.collect()
}

fn place(workload: &Workload, path: &[String]) -> Span {
    let patch = match path {
        [patches, place] if patches == "patches" => place.parse::<usize>().ok(),
        _ => None,
    };
    let form = workload.kvm.as_ref();
    let patch = patch.and_then(|place| form?.patches.get(place));
    patch.map_or(workload.origin, |patch| patch.span)
}
