//! A domain's XML with the changes that nothing models, both ways; and what speaks against them.

use std::collections::BTreeMap;

use infra_api::Mark;
use infra_api::target::{Boot, Machine, XmlPatch};
use roxmltree::Node;
use serde_json::Value;

use super::super::domain_read;
use super::super::mark::{self, NAMESPACE};
use super::super::patch::{apply, found};
use super::super::pool::Pools;
use super::super::tree::Tree;
use super::super::xml::{El, el, parse};
use super::{Hypervisor, write as write_domain};

/// What is looked for where it is read again.
const NOTE: &str = "infra:patches";

pub(crate) fn note(patches: &[XmlPatch]) -> Option<El> {
    let list = serde_json::to_string(patches).ok()?;
    (!patches.is_empty()).then(|| el(NOTE).attr("list", list))
}

pub(crate) fn write(xml: String, patches: &[XmlPatch]) -> Result<String, String> {
    if patches.is_empty() {
        return Ok(xml);
    }
    let mut domain = Tree::parse(&xml)?;
    for patch in patches {
        apply(&mut domain, patch).map_err(|why| told(patch, &why))?;
    }
    domain.document()
}

fn told(patch: &XmlPatch, why: &str) -> String {
    let at = patch.at.as_deref().unwrap_or("<domain>");
    format!("the XML at `{at}`: {why}")
}

/// The patches as they hold, and the document without what they have added; nothing where there are none.
pub(crate) fn read(xml: &str) -> Result<Option<(Vec<XmlPatch>, String)>, String> {
    if !xml.contains(NOTE) {
        return Ok(None);
    }
    let patches = parse(xml, |root| Some(noted(root)))?;
    let mut domain = Tree::parse(xml)?;
    let patches = patches.iter().map(|patch| found(&mut domain, patch));
    let patches = patches.collect();
    domain.document().map(|rest| Some((patches, rest)))
}

fn noted(root: Node) -> Vec<XmlPatch> {
    let notes = mark::node(root)
        .into_iter()
        .flat_map(|mark| mark.children());
    let mut lists = notes.filter(|n| n.has_tag_name((NAMESPACE, "patches")));
    let list = lists.find_map(|note| serde_json::from_str(note.attribute("list")?).ok());
    list.unwrap_or_default()
}

/// Why patches cannot be, each with its place among them. What an earlier one does is done for a later one.
pub(crate) fn objections(machine: &Machine, mark: &Mark) -> Vec<(usize, String)> {
    let bare = Machine {
        patches: Vec::new(),
        ..machine.clone()
    };
    let pools = pools(machine);
    let domain = write_domain(&bare, mark, &pools, Hypervisor::Qemu);
    // What else is wrong with it is said by others.
    let Ok(mut domain) = domain.and_then(|xml| Tree::parse(&xml)) else {
        return Vec::new();
    };
    let mut against = Vec::new();
    for (place, patch) in machine.patches.iter().enumerate() {
        let mut changed = domain.clone();
        match apply(&mut changed, patch).and_then(|()| harmless(&domain, &changed, patch, &pools)) {
            Ok(()) => domain = changed,
            Err(why) => against.push((place, why)),
        }
    }
    against
}

/// What infra models reads as before: a patch of that would be a change that every plan takes back. A device that is
/// added is nobody else's.
fn harmless(before: &Tree, after: &Tree, patch: &XmlPatch, pools: &Pools) -> Result<(), String> {
    let mut after = after.clone();
    if patch.at.as_deref() == Some("devices") && patch.add.is_some() {
        found(&mut after, patch);
    }
    let machine = |domain: &Tree| -> Result<Value, String> {
        let machine = domain_read::plain(&domain.document()?, pools);
        let machine = machine
            .map_err(|_| "no machine could be without it")?
            .machine;
        serde_json::to_value(machine).map_err(|e| e.to_string())
    };
    let changed = differing(&machine(before)?, &machine(&after)?);
    match changed.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "infra writes and reads that itself, as {}: there is an attribute for it",
            changed.join(", ")
        )),
    }
}

/// `vcpus`, `hardware.on_crash`.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let (Some(one), Some(other)) = (before.as_object(), after.as_object()) else {
        return Vec::new();
    };
    let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = keys
        .into_iter()
        .filter(|key| one.get(*key) != other.get(*key));
    differ
        .flat_map(|key| match (one.get(key), other.get(key)) {
            (Some(one), Some(other)) if key == "hardware" => differing(one, other),
            _ => vec![format!("`{key}`")],
        })
        .collect()
}

/// A place for each pool that a path is needed in.
fn pools(machine: &Machine) -> Pools {
    let volumes = match &machine.boot {
        Boot::Disk => Vec::new(),
        Boot::Kernel {
            kernel, initramfs, ..
        } => std::iter::once(kernel).chain(initramfs).collect(),
    };
    let ignition = machine.ignition.as_ref().map(|ignition| &ignition.volume);
    let places = volumes
        .into_iter()
        .chain(ignition)
        .map(|volume| (volume.pool.clone(), format!("/{}", volume.pool)));
    Pools(places.collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests;
