//! What a network is on: a bridge that is made, one that is there, or a device of the host.

use infra_api::target::Driver;
use infra_lang::Block;

use crate::declared::read::{At, Reader};

/// How it leads outside is asked only of a bridge that does, and what is served on it only of one that is made.
pub(super) fn check(block: &Block, reader: &mut Reader<'_>) {
    let driver = reader.string(block, "driver").map(|driver| driver.value);
    let driver = driver.filter(|driver| driver != "bridge");
    let forward = reader.string(block, "forward");
    if let Some(forward) = forward.as_ref().filter(|f| f.value != "nat") {
        if let Some(driver) = &driver {
            let text = format!("{driver} is beside the host's device and forwards nothing");
            let hint = "leave it out";
            reader.error("Attribute of another driver", forward.span, text, hint);
        } else if reader.bool(block, "internal") == Some(true) {
            reader.error(
                "Way out of an internal network",
                forward.span,
                "nothing outside is reached through it",
                "leave `forward` or `internal` out",
            );
        }
    }
    let existing = forward.filter(|f| f.value == "bridge" && driver.is_none());
    let unnamed = block.get("bridge").is_none_or(|b| b.value.is_null());
    if let (Some(forward), true) = (&existing, unnamed) {
        let hint = "write `bridge = \"br0\"`";
        let text = "the bridge is the host's own, and none is named";
        reader.error("Network on no bridge", forward.span, text, hint);
    }
    if driver.is_none() && existing.is_none() {
        return;
    }
    for word in ["dhcp", "dns"] {
        if let Some(written) = block.nested(word).next() {
            let text =
                "libvirt serves only bridges that it makes: on the host's own network others do";
            let hint = format!("leave `{word}` out");
            reader.error(
                "Service on a network that is there",
                written.span,
                text,
                hint,
            );
        }
    }
}

const MACVLAN: &[&str] = &["bridge", "private", "vepa", "passthru"];
const IPVLAN: &[&str] = &["l2", "l3", "l3s"];

pub(super) fn driver(block: &Block, reader: &mut Reader<'_>) -> Option<At<Driver>> {
    let name = reader.string(block, "driver")?;
    let parent = reader.string(block, "parent");
    let mode = reader.string(block, "mode");
    let modes = match name.value.as_str() {
        "macvlan" => MACVLAN,
        "ipvlan" => IPVLAN,
        "sriov" => &[],
        _ => {
            for (word, written) in [("parent", parent), ("mode", mode)] {
                if let Some(written) = written {
                    let text = format!("a bridge has no `{word}`");
                    let hint = "leave it out, or write `driver = \"macvlan\"`, `\"ipvlan\"` or `\"sriov\"`";
                    reader.error("Attribute of another driver", written.span, text, hint);
                }
            }
            return None;
        }
    };
    if let Some(mode) = mode
        .as_ref()
        .filter(|mode| !modes.contains(&mode.value.as_str()))
    {
        let text = format!("{} has no mode `{}`", name.value, mode.value);
        let hint = match modes {
            [] => "leave it out".to_owned(),
            modes => format!("it is one of {}", modes.join(", ")),
        };
        reader.error("Mode of another driver", mode.span, text, hint);
    }
    let Some(parent) = parent else {
        if block.get("parent").is_some_and(|p| !p.value.is_null()) {
            return None;
        }
        let text = format!(
            "{} is on a device of the host, and none is named",
            name.value
        );
        reader.error(
            "Network on no device",
            name.span,
            text,
            "write `parent = \"eth0\"`",
        );
        return None;
    };
    let usual = || modes.first().copied().unwrap_or_default().to_owned();
    let value = Driver {
        mode: mode.map_or_else(usual, |mode| mode.value),
        name: name.value,
        parent: parent.value,
    };
    Some(At {
        value,
        span: name.span,
    })
}

/// The bridge's name, where it is not derived.
pub(super) fn bridge(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let bridge = reader.string(block, "bridge")?;
    let driver = reader.string(block, "driver");
    if let Some(driver) = driver.filter(|driver| driver.value != "bridge") {
        let text = format!("{} has no bridge", driver.value);
        reader.error(
            "Attribute of another driver",
            bridge.span,
            text,
            "leave it out",
        );
    }
    Some(bridge.value)
}
