//! What a container may use of its host: devices, and how much of everything.

use infra_api::target::{BlockDevice, Device, DeviceRequest, Devices, Limits};

use super::text::Block;

pub(super) fn devices_of(devices: &Devices, block: &mut Block) {
    let Devices {
        mapped,
        requests,
        rules: _,
    } = devices;
    for (
        target,
        Device {
            source,
            permissions,
        },
    ) in mapped
    {
        let mut device = Block::labelled("device", source);
        device.text("target", target);
        device.text("permissions", permissions);
        block.block(device);
    }
    for request in requests {
        let DeviceRequest {
            driver,
            count,
            ids,
            capabilities,
            options,
        } = request;
        let mut wanted = Block::new("device_request");
        wanted.maybe("driver", driver.as_deref());
        wanted.number("count", count.as_ref());
        wanted.list("ids", ids);
        wanted.list("capabilities", capabilities);
        wanted.map("options", options);
        block.block(wanted);
    }
}

pub(super) fn limited(limits: &Limits) -> Block {
    let Limits {
        cpu_shares,
        cpu_quota_us,
        cpu_period_us,
        cpu_realtime_runtime_us,
        cpu_realtime_period_us,
        memory_reservation_bytes,
        swap_bytes,
        swappiness,
        oom_score_adj,
        oom_kill_disable,
        blkio_weight,
        block_devices,
    } = limits;
    let micro = |us: &Option<u64>| us.map(|us| format!("{us}us"));
    let mut block = Block::new("limits");
    block.number("cpu_shares", cpu_shares.as_ref());
    block.maybe("cpu_quota", micro(cpu_quota_us).as_deref());
    block.maybe("cpu_period", micro(cpu_period_us).as_deref());
    block.maybe(
        "cpu_realtime_runtime",
        micro(cpu_realtime_runtime_us).as_deref(),
    );
    block.maybe(
        "cpu_realtime_period",
        micro(cpu_realtime_period_us).as_deref(),
    );
    block.size("memory_reservation", *memory_reservation_bytes);
    block.size("swap", *swap_bytes);
    block.number("swappiness", swappiness.as_ref());
    block.number("oom_score_adj", oom_score_adj.as_ref());
    block.flag("oom_kill_disable", *oom_kill_disable);
    block.number("blkio_weight", blkio_weight.as_ref());
    for (path, device) in block_devices {
        let BlockDevice {
            weight,
            read_bps,
            write_bps,
            read_iops,
            write_iops,
        } = device;
        let mut limit = Block::labelled("block_device", path);
        limit.number("weight", weight.as_ref());
        limit.size("read_rate", *read_bps);
        limit.size("write_rate", *write_bps);
        limit.number("read_iops", read_iops.as_ref());
        limit.number("write_iops", write_iops.as_ref());
        block.block(limit);
    }
    block
}
