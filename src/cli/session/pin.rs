//! Tags of registries pinned to what they stand for now.

use std::collections::BTreeMap;

use infra_api::{Failure, HostName, ImageTag, Pinned};
use infra_diag::{Diagnostic, Diagnostics, Span};

use super::Session;
use crate::declared::{At, Declared, ImageRef, Source, Workload};
use crate::inventory::Inventory;
use crate::world::World;

/// What tags stand for on each host.
pub(super) type Pins = BTreeMap<(HostName, ImageTag), Pinned>;

impl Session {
    /// Registry references pinned, on every host that might use them; and what is to be said of them.
    pub(super) async fn pin(
        &self,
        world: &World,
        inventory: &Inventory,
        declared: &Declared,
    ) -> (Pins, Diagnostics) {
        let tags = tags(declared);
        let offers = |host: &&HostName| {
            let facts = &inventory.hosts[*host].facts;
            facts.runtimes.container.as_ref().is_some_and(|o| o.offered)
        };
        let known = &self.prior().tags;
        let wanted = inventory.hosts.keys().filter(offers).flat_map(|host| {
            let tag = |tag: &ImageTag| {
                let known = known.get(&key(host, tag)).cloned();
                ((host.clone(), tag.clone()), known)
            };
            tags.keys().map(tag)
        });
        let (mut pins, mut said) = (Pins::new(), Diagnostics::new());
        for (key, result) in world.pin(wanted.collect()).await {
            match result {
                Ok(pinned) => {
                    let doubt = pinned.unanswered.as_ref().map(|why| {
                        doubtful(&key.1, tags.get(&key.1).copied(), &pinned.reference, why)
                    });
                    doubt.into_iter().for_each(|doubt| said.push(doubt));
                    pins.insert(key, pinned);
                }
                Err(failure) => said.push(unknown(&key.1, tags.get(&key.1).copied(), failure)),
            }
        }
        (pins, said)
    }
}

/// As the state has them.
pub(super) fn recorded(pins: &Pins) -> BTreeMap<String, String> {
    let mut recorded = BTreeMap::new();
    for ((host, tag), Pinned { reference, .. }) in pins {
        if tag.reference != *reference {
            recorded.insert(key(host, tag), reference.clone());
        }
    }
    recorded
}

fn key(host: &HostName, tag: &ImageTag) -> String {
    format!("{host} {}", tag.reference)
}

fn unknown(tag: &ImageTag, span: Option<Span>, why: Failure) -> Diagnostic {
    let error = Diagnostic::error("Image that cannot be had");
    let error = match span {
        Some(span) => error.at(span, why.cause),
        None => error.note(format!("`{}`: {}", tag.reference, why.cause)),
    };
    let error = error.note(why.doing);
    match why.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn doubtful(tag: &ImageTag, span: Option<Span>, taken: &str, why: &Failure) -> Diagnostic {
    let warning = Diagnostic::warning("Registry without an answer");
    let text = format!("what this stands for now is not known; `{taken}` is taken");
    let warning = match span {
        Some(span) => warning.at(span, text),
        None => warning.note(format!("`{}`: {text}", tag.reference)),
    };
    let warning = warning.note(format!("{}: {}", why.doing, why.cause));
    match &why.hint {
        Some(hint) => warning.hint(format!(
            "{hint}; `pull = \"missing\"` does not ask it again"
        )),
        None => warning.hint("`pull = \"missing\"` does not ask it again"),
    }
}

/// What containers would be pulled from registries, and where that is written.
fn tags(declared: &Declared) -> BTreeMap<ImageTag, Span> {
    let tag = |workload: &Workload| {
        let At { value, span } = &workload.container.as_ref()?.image;
        match value {
            ImageRef::Registry(reference) => Some((ImageTag::new(reference), *span)),
            ImageRef::Declared(address) => match &declared.images.get(address)?.source {
                Source::Reference(At { value, span }) => Some((value.clone(), *span)),
                _ => None,
            },
        }
    };
    declared.workloads.iter().filter_map(tag).collect()
}
