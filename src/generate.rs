//! Bodies of objects → the declarations that would make them. Pure. What the language cannot say is a comment in the
//! block, never left out in silence.

mod container;
mod devices;
mod text;

use std::collections::BTreeMap;

use infra_api::target::{ContainerNetwork, ContainerVolume, Driver, Range6};

pub use self::container::container;
pub use self::text::Block;
use self::text::is_identifier;

/// What is declared, by the name its daemon has for it: `network.lan`, `volume.data`.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    pub networks: BTreeMap<String, String>,
    pub volumes: BTreeMap<String, String>,
}

/// `import { to = …  id = … }`.
#[must_use]
pub fn import(to: &str, id: &str) -> Block {
    let mut block = Block::new("import");
    block.raw("to", to);
    block.text("id", id);
    block
}

#[must_use]
pub fn network(label: &str, body: &ContainerNetwork) -> Block {
    let ContainerNetwork {
        name,
        bridge,
        driver,
        subnet,
        gateway,
        ipv6,
        internal,
        options,
        labels,
    } = body;
    let mut block = Block::labelled("network", label);
    block.text("name", name);
    block.text("subnet", &subnet.to_string());
    if subnet.hosts().next() != Some(*gateway) {
        block.text("gateway", &gateway.to_string());
    }
    if let Some(Range6 { subnet, gateway }) = ipv6 {
        block.text("subnet6", &subnet.to_string());
        block.text("gateway6", &gateway.to_string());
    }
    block.flag("internal", *internal);
    block.maybe("bridge", bridge.as_deref());
    if let Some(Driver { name, parent, mode }) = driver {
        block.text("driver", name);
        block.text("parent", parent);
        block.text("mode", mode);
    }
    block.map("options", options);
    block.map("labels", labels);
    block
}

#[must_use]
pub fn volume(label: &str, body: &ContainerVolume) -> Block {
    let ContainerVolume {
        name,
        driver,
        options,
        labels,
    } = body;
    let mut block = Block::labelled("volume", label);
    block.text("name", name);
    block.maybe("driver", driver.as_deref());
    block.map("options", options);
    block.map("labels", labels);
    block
}

/// A name in the language for what a daemon calls so.
#[must_use]
pub fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let label: String = name.chars().map(plain).collect();
    match is_identifier(&label) {
        true => label,
        false => format!("n{label}"),
    }
}

#[cfg(test)]
mod tests;
