//! What a workload needs of what it runs as: ten needs, each of four levels.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A need. The ten are those of the talk "When containers and virtualization do - and don't - work together".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Cpu,
    Memory,
    DiskLatency,
    DiskThroughput,
    NetworkLatency,
    NetworkThroughput,
    /// Isolation from whoever else runs on the host.
    Security,
    /// To go to another host while it runs.
    LiveMigration,
    /// To be there soon.
    DeploymentSpeed,
    /// A kernel or an operating system of its own.
    AlternativeOs,
}

impl Need {
    pub const ALL: [Self; 10] = [
        Self::Cpu,
        Self::Memory,
        Self::DiskLatency,
        Self::DiskThroughput,
        Self::NetworkLatency,
        Self::NetworkThroughput,
        Self::Security,
        Self::LiveMigration,
        Self::DeploymentSpeed,
        Self::AlternativeOs,
    ];

    /// The word in the configuration and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::DiskLatency => "disk_latency",
            Self::DiskThroughput => "disk_throughput",
            Self::NetworkLatency => "network_latency",
            Self::NetworkThroughput => "network_throughput",
            Self::Security => "security",
            Self::LiveMigration => "live_migration",
            Self::DeploymentSpeed => "deployment_speed",
            Self::AlternativeOs => "alternative_os",
        }
    }

    /// Whether a benchmark of the workload's own can tell how well it is met.
    #[must_use]
    pub fn is_of_speed(self) -> bool {
        self <= Self::NetworkThroughput
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How much something is needed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    None,
    Low,
    Medium,
    High,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];
    /// The words in the configuration, in the same order.
    pub const WORDS: [&'static str; 4] = ["none", "low", "medium", "high"];

    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The level of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The level of every need. In JSON those that are not `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Needs([Level; Need::ALL.len()]);

impl Needs {
    #[must_use]
    pub fn get(&self, need: Need) -> Level {
        self.0[need as usize]
    }

    pub fn set(&mut self, need: Need, level: Level) {
        self.0[need as usize] = level;
    }

    /// The same, but for one need.
    #[must_use]
    pub fn with(mut self, need: Need, level: Level) -> Self {
        self.set(need, level);
        self
    }

    /// Whether nothing is needed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Each need and its level.
    pub fn iter(&self) -> impl Iterator<Item = (Need, Level)> {
        let needs = *self;
        Need::ALL
            .into_iter()
            .map(move |need| (need, needs.get(need)))
    }
}

impl FromIterator<(Need, Level)> for Needs {
    fn from_iter<T: IntoIterator<Item = (Need, Level)>>(levels: T) -> Self {
        let each = levels.into_iter();
        each.fold(Self::default(), |needs, (need, level)| {
            needs.with(need, level)
        })
    }
}

impl Serialize for Needs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let some = self.iter().filter(|(_, level)| *level != Level::None);
        serializer.collect_map(some)
    }
}

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let levels = BTreeMap::<Need, Level>::deserialize(deserializer)?;
        Ok(levels.into_iter().collect())
    }
}

impl JsonSchema for Needs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Needs".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let level = generator.subschema_for::<Level>();
        let levels = Need::ALL
            .into_iter()
            .map(|need| (need.word().to_owned(), level.clone().into()));
        let levels: serde_json::Map<String, serde_json::Value> = levels.collect();
        schemars::json_schema!({
            "description": "The level of every need; one that is not there is `none`.",
            "type": "object",
            "properties": levels,
            "additionalProperties": false
        })
    }
}
