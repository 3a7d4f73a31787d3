//! Names of things: hosts, projects, addresses, resources. Each has its own type, none is an index.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A host, by the label of its `host` block.
    HostName
}
name! {
    /// A configuration's name: `infra { project = "…" }`. Every mark carries it.
    Project
}
name! {
    /// Where a thing is declared: `workload.feed[0]`, `module.m.network.lan`, `host.r1`.
    Address
}

/// What is ours carries this: a Docker label, libvirt metadata, a line in a unit. State is rebuilt from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    pub project: Project,
    pub address: Address,
}

/// One object on one daemon of one host, written `r1/docker/container/demo.cache`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    pub host: HostName,
    /// The provider's name: `docker`, `libvirt`, …
    pub provider: String,
    /// The provider's word for it: `container`, `domain`, `volume`, …
    pub kind: String,
    /// The daemon's name for it. May hold slashes (an image reference does).
    pub name: String,
}

impl ResourceId {
    #[must_use]
    pub fn new(host: &HostName, provider: &str, kind: &str, name: &str) -> Self {
        Self {
            host: host.clone(),
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.host, self.provider, self.kind, self.name
        )
    }
}

impl FromStr for ResourceId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, '/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(host), Some(provider), Some(kind), Some(name)) if !name.is_empty() => {
                Ok(Self::new(&HostName::new(host), provider, kind, name))
            }
            _ => Err(format!("`{text}` is not HOST/PROVIDER/KIND/NAME")),
        }
    }
}

impl Serialize for ResourceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ResourceId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ResourceId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "HOST/PROVIDER/KIND/NAME, as in r1/docker/container/demo.cache",
            "pattern": "^[^/]+/[^/]+/[^/]+/.+$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_id_is_its_text() {
        let id = ResourceId::new(
            &HostName::new("r1"),
            "docker",
            "image",
            "infra/demo/cache:1",
        );
        assert_eq!(id.to_string(), "r1/docker/image/infra/demo/cache:1");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("r1/docker/image".parse::<ResourceId>().is_err());
        assert!("r1/docker/image/".parse::<ResourceId>().is_err());
    }
}
