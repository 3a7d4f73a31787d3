//! [`Limits`] ⇄ JSON. What an update changes and what it cannot take away again is in [`crate::impact`].

use std::collections::BTreeMap;

use bollard::models::{
    ContainerUpdateBody, HostConfig, ResourcesBlkioWeightDevice, ResourcesUlimits, ThrottleDevice,
};
use infra_api::target::{BlockDevice, Limits, Ulimit};
use serde::Deserialize;

use super::{Refused, integer, some};
use crate::text::decode::positive;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    pub(crate) memory: i64,
    memory_swap: i64,
    memory_reservation: i64,
    memory_swappiness: Option<i64>,
    cpu_shares: i64,
    cpu_quota: i64,
    cpu_period: i64,
    cpu_realtime_runtime: i64,
    cpu_realtime_period: i64,
    oom_score_adj: i16,
    oom_kill_disable: Option<bool>,
    blkio_weight: u16,
    blkio_weight_device: Option<Vec<Weight>>,
    blkio_device_read_bps: Option<Vec<Rate>>,
    blkio_device_write_bps: Option<Vec<Rate>>,
    #[serde(rename = "BlkioDeviceReadIOps")]
    blkio_device_read_iops: Option<Vec<Rate>>,
    #[serde(rename = "BlkioDeviceWriteIOps")]
    blkio_device_write_iops: Option<Vec<Rate>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Weight {
    path: String,
    weight: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rate {
    path: String,
    rate: u64,
}

/// The kernel's own period. To write it is to take another one away.
const PERIOD_US: i64 = 100_000;

/// What creating and updating set alike.
pub(crate) fn resources(
    wanted: &Limits,
    memory: Option<u64>,
    update: &mut ContainerUpdateBody,
) -> Result<(), Refused> {
    let number = |name: &str, n: Option<u64>| n.map(|n| integer(name, n)).transpose();
    update.cpu_shares = number("cpu_shares", wanted.cpu_shares)?;
    update.cpu_quota = number("cpu_quota_us", wanted.cpu_quota_us)?;
    update.cpu_period = number("cpu_period_us", wanted.cpu_period_us)?;
    update.memory_reservation =
        number("memory_reservation_bytes", wanted.memory_reservation_bytes)?;
    // The engine refuses a memory limit above the limit of memory and swap (409): always both.
    let both = memory.map(|memory| memory.saturating_add(wanted.swap_bytes.unwrap_or(0)));
    update.memory_swap = number("swap_bytes", both)?;
    update.blkio_weight = wanted.blkio_weight;
    Ok(())
}

/// What is not wanted any more, in the engine's words for none.
pub(crate) fn unset(update: &mut ContainerUpdateBody) {
    if update.cpu_quota.is_some() {
        update.cpu_period.get_or_insert(PERIOD_US);
    }
    update.cpu_quota.get_or_insert(-1);
    update.memory_reservation.get_or_insert(-1);
}

/// All of it, of which [`resources`] is the part that can be changed.
pub(crate) fn encode(
    wanted: &Limits,
    update: ContainerUpdateBody,
    host: &mut HostConfig,
) -> Result<(), Refused> {
    let Limits {
        cpu_shares: _,
        cpu_quota_us: _,
        cpu_period_us: _,
        cpu_realtime_runtime_us,
        cpu_realtime_period_us,
        memory_reservation_bytes: _,
        swap_bytes: _,
        swappiness,
        oom_score_adj,
        oom_kill_disable,
        blkio_weight: _,
        block_devices,
    } = wanted;
    host.cpu_shares = update.cpu_shares;
    host.cpu_quota = update.cpu_quota;
    host.cpu_period = update.cpu_period;
    host.memory_reservation = update.memory_reservation;
    host.memory_swap = update.memory_swap;
    host.blkio_weight = update.blkio_weight;
    let number = |name: &str, n: Option<u64>| n.map(|n| integer(name, n)).transpose();
    host.cpu_realtime_runtime = number("cpu_realtime_runtime_us", *cpu_realtime_runtime_us)?;
    host.cpu_realtime_period = number("cpu_realtime_period_us", *cpu_realtime_period_us)?;
    host.memory_swappiness = swappiness.map(i64::from);
    host.oom_score_adj = oom_score_adj.map(i64::from);
    host.oom_kill_disable = oom_kill_disable.then_some(true);
    throttle(block_devices, host)
}

fn throttle(devices: &BTreeMap<String, BlockDevice>, host: &mut HostConfig) -> Result<(), Refused> {
    let mut weights = Vec::new();
    let (mut read_bps, mut write_bps) = (Vec::new(), Vec::new());
    let (mut read_iops, mut write_iops) = (Vec::new(), Vec::new());
    for (path, device) in devices {
        let BlockDevice {
            weight,
            read_bps: read_rate,
            write_bps: write_rate,
            read_iops: reads,
            write_iops: writes,
        } = device;
        weights.extend(weight.map(|weight| ResourcesBlkioWeightDevice {
            path: Some(path.clone()),
            weight: Some(weight.into()),
        }));
        for (list, rate) in [
            (&mut read_bps, read_rate),
            (&mut write_bps, write_rate),
            (&mut read_iops, reads),
            (&mut write_iops, writes),
        ] {
            if let Some(rate) = rate {
                list.push(ThrottleDevice {
                    path: Some(path.clone()),
                    rate: Some(integer("block_devices", *rate)?),
                });
            }
        }
    }
    host.blkio_weight_device = some(weights);
    host.blkio_device_read_bps = some(read_bps);
    host.blkio_device_write_bps = some(write_bps);
    host.blkio_device_read_iops = some(read_iops);
    host.blkio_device_write_iops = some(write_iops);
    Ok(())
}

pub(crate) fn decode(found: &Found) -> Limits {
    let quota = positive(found.cpu_quota);
    let period = positive(found.cpu_period).filter(|_| quota.is_some());
    let swap = found.memory_swap.saturating_sub(found.memory);
    let has_swap = found.memory > 0 && found.memory_swap > 0;
    let swappiness = found.memory_swappiness.and_then(|n| u8::try_from(n).ok());
    Limits {
        cpu_shares: positive(found.cpu_shares),
        cpu_quota_us: quota,
        cpu_period_us: period.filter(|us| i64::try_from(*us) != Ok(PERIOD_US)),
        cpu_realtime_runtime_us: positive(found.cpu_realtime_runtime),
        cpu_realtime_period_us: positive(found.cpu_realtime_period),
        memory_reservation_bytes: positive(found.memory_reservation),
        swap_bytes: positive(swap).filter(|_| has_swap),
        swappiness,
        oom_score_adj: Some(found.oom_score_adj).filter(|score| *score != 0),
        oom_kill_disable: found.oom_kill_disable == Some(true),
        blkio_weight: Some(found.blkio_weight).filter(|weight| *weight != 0),
        block_devices: throttled(found),
    }
}

fn throttled(found: &Found) -> BTreeMap<String, BlockDevice> {
    let mut devices: BTreeMap<String, BlockDevice> = BTreeMap::new();
    for Weight { path, weight } in found.blkio_weight_device.iter().flatten() {
        devices.entry(path.clone()).or_default().weight = Some(*weight);
    }
    let mut rates = |list: &Option<Vec<Rate>>, of: fn(&mut BlockDevice) -> &mut Option<u64>| {
        for Rate { path, rate } in list.iter().flatten() {
            *of(devices.entry(path.clone()).or_default()) = Some(*rate);
        }
    };
    rates(&found.blkio_device_read_bps, |d| &mut d.read_bps);
    rates(&found.blkio_device_write_bps, |d| &mut d.write_bps);
    rates(&found.blkio_device_read_iops, |d| &mut d.read_iops);
    rates(&found.blkio_device_write_iops, |d| &mut d.write_iops);
    devices
}

pub(crate) fn ulimit(name: &str, limit: &Ulimit) -> ResourcesUlimits {
    let Ulimit { soft, hard } = limit;
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(*soft),
        hard: Some(*hard),
    }
}
