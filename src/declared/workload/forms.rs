//! Attributes beside the forms that only one form has: where a workload does not have that form they would mean nothing.

use infra_diag::Span;
use infra_lang::{Block, Given};

use super::KIND;
use crate::declared::read::Reader;

/// By nested block: what only a virtual machine has.
const MACHINES: [(&str, &[&str]); 4] = [
    ("cpus", &["maximum"]),
    ("memory", &["maximum", "page_size"]),
    ("interface", &["fabric", "model", "queues", "mtu", "link"]),
    (
        "disk",
        &[
            "path",
            "format",
            "pool",
            "allocation",
            "copy_of",
            "bus",
            "cache",
            "io",
            "discard",
            "serial",
            "queues",
            "iothread",
        ],
    ),
];

/// Attributes of blocks in these that only a virtual machine has.
const DEEPER: [(&str, &str, &str); 1] = [("numa", "cell", "page_size")];

/// Blocks in these that only a virtual machine has.
const IN_MACHINES: [(&str, &[&str]); 2] = [
    ("interface", &["bandwidth"]),
    ("disk", &["throttle", "remote"]),
];

/// What only a container has.
const CONTAINERS: [(&str, &[&str]); 1] = [("interface", &["address6", "aliases"])];

/// One error for each that nothing of the workload could have.
pub(super) fn meaningless(workload: &Block, reader: &mut Reader<'_>) {
    let has = |form| workload.nested(form).next().is_some();
    if !has("kvm") {
        attributes(workload, &MACHINES, ("kvm", "virtual machine"), reader);
        for (kind, blocks) in IN_MACHINES {
            let outer = workload.nested(kind);
            let inner = outer.flat_map(|outer| blocks.iter().flat_map(|name| outer.nested(name)));
            let spans: Vec<_> = inner.map(|inner| inner.span).collect();
            for span in spans {
                error(span, ("kvm", "virtual machine"), reader);
            }
        }
        let spans: Vec<_> = workload
            .nested("device")
            .map(|device| device.span)
            .collect();
        for span in spans {
            error(span, ("kvm", "virtual machine"), reader);
        }
        for (outer, inner, attribute) in DEEPER {
            let inner = workload.nested(outer).flat_map(|outer| outer.nested(inner));
            let written = inner.filter_map(|inner| inner.get(attribute));
            let spans: Vec<_> = written
                .filter(|a| !a.value.is_null())
                .map(|a| a.span)
                .collect();
            for span in spans {
                error(span, ("kvm", "virtual machine"), reader);
            }
        }
    }
    if !has("kvm") && !has("container") {
        let form = ("kvm", "virtual machine or a container");
        attributes(workload, &[("interface", &["mac"])], form, reader);
    }
    if !has("kvm") && !has("bare_metal") {
        let form = ("kvm", "virtual machine or a process on the metal");
        attributes(workload, &[("memory", &["mode"])], form, reader);
    }
    if !has("container") && !has("bare_metal") {
        let form = ("container", "container or a process on the metal");
        attributes(workload, &[("disk", &["mount"])], form, reader);
    }
    if !has("container") {
        attributes(workload, &CONTAINERS, ("container", "container"), reader);
    }
}

fn attributes(
    workload: &Block,
    of_form: &[(&str, &[&str])],
    form: (&str, &str),
    reader: &mut Reader<'_>,
) {
    for (kind, names) in of_form {
        for block in workload.nested(kind) {
            let written = names
                .iter()
                .filter_map(|name| Some((name, block.get(name)?)));
            for (name, given) in written {
                if !given.value.is_null() && !is_default(kind, name, given.value.as_str()) {
                    error(given.span, form, reader);
                }
            }
        }
    }
}

/// Whether that would hold without a word: a module that passes a null on says nothing.
fn is_default(kind: &str, name: &str, text: Option<&str>) -> bool {
    let mut kinds = KIND.blocks.iter().map(|nested| nested.kind);
    let kind = kinds.find(|block| block.name == kind);
    let attribute = kind.and_then(|kind| kind.attributes.iter().find(|a| a.name == name));
    match attribute.map(|attribute| attribute.given) {
        Some(Given::Default(usual)) => text.is_some_and(|text| usual == format!("\"{text}\"")),
        Some(Given::Required | Given::Optional) | None => false,
    }
}

fn error(span: Span, (form, named): (&str, &str), reader: &mut Reader<'_>) {
    let text = format!("only a {named} has it, and this workload has no `{form}` block");
    let hint = format!("leave it out, or write a `{form}` block");
    reader.error("Meaningless here", span, text, hint);
}
