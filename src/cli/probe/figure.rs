//! What is measured: each figure with its unit, and which way is better.

use std::collections::BTreeMap;

use infra_suitability::Better;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One figure.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Steps of a job that computes and needs no memory, in millions a second.
    Cpu,
    /// Copying within a buffer larger than the caches, read and written, in GB/s.
    MemoryBandwidth,
    /// The same in another node's memory.
    RemoteMemoryBandwidth,
    /// From one place of such a buffer to the next, which the first names, in ns.
    MemoryLatency,
    /// The same in another node's memory.
    RemoteMemoryLatency,
    /// Writing 4 KiB past the page cache until they are kept, in us.
    DiskWriteLatency,
    /// Reading 4 KiB past the page cache, in us.
    DiskReadLatency,
    /// A byte there and back between two threads over TCP on the loopback address, in us.
    Loopback,
    /// A byte there and back between the host and it over TCP, in us; of a plain process over the loopback address.
    RoundTrip,
}

impl Figure {
    pub const ALL: [Self; 9] = [
        Self::Cpu,
        Self::MemoryBandwidth,
        Self::RemoteMemoryBandwidth,
        Self::MemoryLatency,
        Self::RemoteMemoryLatency,
        Self::DiskWriteLatency,
        Self::DiskReadLatency,
        Self::Loopback,
        Self::RoundTrip,
    ];
    pub(super) const OF_DISKS: [Self; 2] = [Self::DiskWriteLatency, Self::DiskReadLatency];
    pub(super) const REMOTE: [Self; 2] = [Self::RemoteMemoryBandwidth, Self::RemoteMemoryLatency];

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::MemoryBandwidth => "memory bandwidth",
            Self::RemoteMemoryBandwidth => "memory bandwidth, remote",
            Self::MemoryLatency => "memory latency",
            Self::RemoteMemoryLatency => "memory latency, remote",
            Self::DiskWriteLatency => "disk latency, writing",
            Self::DiskReadLatency => "disk latency, reading",
            Self::Loopback => "loopback round trip",
            Self::RoundTrip => "round trip from the host",
        }
    }

    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "Msteps/s",
            Self::MemoryBandwidth | Self::RemoteMemoryBandwidth => "GB/s",
            Self::MemoryLatency | Self::RemoteMemoryLatency => "ns",
            Self::DiskWriteLatency | Self::DiskReadLatency | Self::Loopback | Self::RoundTrip => {
                "us"
            }
        }
    }

    #[must_use]
    pub fn better(self) -> Better {
        match self {
            Self::Cpu | Self::MemoryBandwidth | Self::RemoteMemoryBandwidth => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// How much worse a value is than another.
    #[must_use]
    pub fn worse(self, value: f64, base: f64) -> f64 {
        match self.better() {
            Better::Higher => base / value,
            Better::Lower => value / base,
        }
    }
}

/// What one look came to: the line that a probe prints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Null is not known.
    pub figures: BTreeMap<Figure, Option<f64>>,
    /// Why not.
    #[serde(default)]
    pub unknown: BTreeMap<Figure, String>,
    /// What the disk is, as the kernel counts devices: what has the same number in two runtimes is the same disk.
    #[serde(default)]
    pub device: Option<String>,
}

impl Found {
    /// A rate or a time of nothing is none.
    pub(super) fn set(&mut self, figure: Figure, value: Result<f64, String>) {
        let value = value.and_then(|value| match value.is_finite() && value > 0.0 {
            true => Ok(value),
            false => Err(format!("it came to {value}")),
        });
        match value {
            Ok(value) => {
                self.figures.insert(figure, Some(value));
            }
            Err(why) => {
                self.figures.insert(figure, None);
                self.unknown.insert(figure, why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_is_above_one_whichever_way_is_better() {
        assert!((Figure::Cpu.worse(50.0, 100.0) - 2.0).abs() < 1e-9);
        assert!((Figure::MemoryLatency.worse(200.0, 100.0) - 2.0).abs() < 1e-9);
        assert!(Figure::Loopback.worse(5.0, 10.0) < 1.0);
    }

    #[test]
    fn what_is_unknown_is_null_and_says_why() {
        let mut found = Found::default();
        found.set(Figure::Cpu, Ok(12.5));
        found.set(Figure::Loopback, Ok(0.0));
        found.set(Figure::RemoteMemoryLatency, Err("one node".to_owned()));
        let line = serde_json::to_string(&found).unwrap();
        assert_eq!(
            line,
            r#"{"figures":{"cpu":12.5,"remote_memory_latency":null,"loopback":null},"unknown":{"remote_memory_latency":"one node","loopback":"it came to 0"},"device":null}"#
        );
        assert_eq!(serde_json::from_str::<Found>(&line).unwrap(), found);
    }
}
