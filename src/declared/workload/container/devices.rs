//! `device "/dev/…" { … }` and `device_request { … }`: devices of the host.

use std::collections::BTreeMap;

use infra_api::target::{Device, DeviceRequest, Devices};
use infra_lang::{Block, BlockKind, Meta, Shape, Text};

use crate::declared::read::Reader;
use crate::declared::words::{PATH, STRING_MAP, STRINGS, path, whole, word};

/// Of read, write and make.
static PERMISSIONS: Text = Text {
    name: "permissions of a device",
    example: "rwm",
    check: |text| match permissions(text) {
        Some(_) => Ok(()),
        None => Err("it is not made of `r`, `w` and `m`, each at most once".to_owned()),
    },
};

pub(super) static DEVICE: BlockKind = BlockKind {
    name: "device",
    label: Some("path"),
    doc: "A device node of the host, by its path there.",
    attributes: &[
        path(
            "target",
            "Where the container finds it; at the same path where it is not written.",
        ),
        word(
            "permissions",
            Shape::Text(&PERMISSIONS),
            "Read it, write it, make its node.",
        )
        .default("\"rwm\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static REQUEST: BlockKind = BlockKind {
    name: "device_request",
    label: None,
    doc: "Devices that a driver of the engine finds: GPUs, or what the Container Device Interface names.",
    attributes: &[
        word(
            "driver",
            Shape::String,
            "Such as `nvidia` or `cdi`; the engine's choice where it is not written.",
        ),
        whole(
            "count",
            -1,
            1024,
            "So many; -1 is all. Either this or `ids`.",
        ),
        word("ids", STRINGS, "These, as the driver names them."),
        word(
            "capabilities",
            STRINGS,
            "What the driver must offer, all of it: `[\"gpu\"]`.",
        ),
        word("options", STRING_MAP, "Of the driver."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Devices {
    let mut mapped = BTreeMap::new();
    for written in block.nested("device") {
        device(written, &mut mapped, reader);
    }
    Devices {
        mapped,
        requests: block
            .nested("device_request")
            .filter_map(|b| request(b, reader))
            .collect(),
        rules: rules(block, reader),
    }
}

fn device(block: &Block, mapped: &mut BTreeMap<String, Device>, reader: &mut Reader<'_>) {
    let Some(label) = &block.label else { return };
    let source = label.value.to_string();
    if let Err(why) = (PATH.check)(&source) {
        reader.error(
            "Not a device's path",
            label.span,
            why,
            "write it as `/dev/kvm`",
        );
        return;
    }
    let target = reader.string(block, "target").map(|target| target.value);
    let written = reader.string(block, "permissions");
    let permissions = written.and_then(|text| permissions(&text.value));
    let target = target.unwrap_or_else(|| source.clone());
    let device = Device {
        source,
        permissions: permissions.unwrap_or_else(|| "rwm".to_owned()),
    };
    if mapped.insert(target, device).is_some() {
        let text = "another device of the container is there already";
        reader.error(
            "Device mapped twice",
            label.span,
            text,
            "write another `target`",
        );
    }
}

/// In the order the engine writes them.
fn permissions(text: &str) -> Option<String> {
    let known = |c: char| "rwm".contains(c) && text.matches(c).count() == 1;
    let sorted: String = "rwm".chars().filter(|c| text.contains(*c)).collect();
    (!text.is_empty() && text.chars().all(known)).then_some(sorted)
}

fn request(block: &Block, reader: &mut Reader<'_>) -> Option<DeviceRequest> {
    let count = reader.whole::<i64>(block, "count");
    let ids = super::sorted(reader.strings(block, "ids"));
    let zero = count.as_ref().is_some_and(|count| count.value == 0);
    if count.is_some() != ids.is_empty() || zero {
        reader.error(
            "How many devices",
            block.span,
            "either `count`, which is not 0, or `ids` says how many it takes",
            "write one of them",
        );
        return None;
    }
    Some(DeviceRequest {
        driver: reader.string(block, "driver").map(|driver| driver.value),
        count: count.map(|count| count.value),
        ids,
        capabilities: super::sorted(reader.strings(block, "capabilities")),
        options: reader.string_map(block, "options"),
    })
}

fn rules(block: &Block, reader: &mut Reader<'_>) -> Vec<String> {
    let rules = super::sorted(reader.strings(block, "device_rules"));
    if let (Some(wrong), Some(written)) = (
        rules.iter().find(|r| !is_rule(r)),
        block.get("device_rules"),
    ) {
        let text = format!("`{wrong}` is not `TYPE MAJOR:MINOR PERMISSIONS`");
        reader.error(
            "Not a device rule",
            written.span,
            text,
            "write it as `c 1:3 mr` or `a *:* rwm`",
        );
    }
    rules
}

fn is_rule(rule: &str) -> bool {
    let number = |n: &str| n == "*" || (!n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<&str> = rule.split(' ').collect();
    let [kind, numbers, rights] = parts[..] else {
        return false;
    };
    let numbers = numbers.split_once(':');
    matches!(kind, "a" | "b" | "c")
        && numbers.is_some_and(|(major, minor)| number(major) && number(minor))
        && permissions(rights).is_some()
}
