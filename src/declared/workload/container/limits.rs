//! `limits { … }`: weights and limits beside CPUs and memory, which are the workload's own.

use std::collections::BTreeMap;

use infra_api::target::{BlockDevice, Limits};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{PATH, duration, size, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "limits",
    label: None,
    doc: "Weights and limits of the container's control group, beside the workload's `cpus` and `memory`.",
    attributes: &[
        whole(
            "cpu_shares",
            2,
            262_144,
            "Its weight where CPUs are short; others have 1024.",
        ),
        duration(
            "cpu_quota",
            "So much CPU time in each period, from 1 ms; not with dedicated CPUs, which it would take away again.",
        ),
        duration("cpu_period", "Of the quota, 1 ms to 1 s; 100 ms where it is not written."),
        duration(
            "cpu_realtime_runtime",
            "Real-time tasks may run so long in each real-time period. Needs control groups of version 1 and an engine \
             started with `--cpu-rt-runtime`.",
        ),
        duration("cpu_realtime_period", "Of `cpu_realtime_runtime`."),
        size(
            "memory_reservation",
            "What it is pressed back to where the host's memory is short; at most the workload's memory.",
        ),
        size(
            "swap",
            "On top of the workload's memory, which must be written; none where it is not written.",
        ),
        whole(
            "swappiness",
            0,
            100,
            "How readily its memory is swapped out. Needs control groups of version 1.",
        ),
        whole(
            "oom_score_adj",
            -1000,
            1000,
            "Who is killed first where the host's memory runs out: the higher.",
        ),
        word(
            "oom_kill_disable",
            Shape::Bool,
            "True: at its memory limit its processes wait and are not killed. Needs control groups of version 1.",
        )
        .default("false"),
        whole("blkio_weight", 10, 1000, "Its weight where disks are busy."),
    ],
    blocks: &[Nested::many(&DEVICE)],
    computed: &[],
    meta: Meta::NONE,
};

static DEVICE: BlockKind = BlockKind {
    name: "block_device",
    label: Some("path"),
    doc: "What it may do with a block device of the host, by its path there.",
    attributes: &[
        whole("weight", 10, 1000, "Its weight where this disk is busy."),
        size("read_rate", "It reads at most so much a second."),
        size("write_rate", "It writes at most so much a second."),
        whole(
            "read_iops",
            1,
            i64::MAX,
            "It reads at most so often a second.",
        ),
        whole(
            "write_iops",
            1,
            i64::MAX,
            "It writes at most so often a second.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

const MILLISECOND: u64 = 1000;

/// The kernel's own period.
const PERIOD: u64 = 100 * MILLISECOND;

/// Limits as declared, with where those stand that the workload's CPUs and memory bear on.
#[derive(Clone, Debug, Default)]
pub struct Limited {
    pub limits: Limits,
    pub quota: Option<Span>,
    pub reservation: Option<Span>,
    pub swap: Option<Span>,
}

pub(super) fn read(block: Option<&Block>, reader: &mut Reader<'_>) -> Limited {
    let Some(block) = block else {
        return Limited::default();
    };
    let second = 1000 * MILLISECOND;
    let quota = time(block, "cpu_quota", MILLISECOND, u64::MAX, reader);
    let period = time(block, "cpu_period", MILLISECOND, second, reader);
    let reservation = reader.bytes(block, "memory_reservation");
    let swap = reader.bytes(block, "swap");
    goes_with(
        "cpu_period",
        period.as_ref(),
        "cpu_quota",
        quota.is_some(),
        reader,
    );
    let (runtime, rt_period) = realtime(block, reader);
    let limits = Limits {
        cpu_shares: number(block, "cpu_shares", reader),
        cpu_quota_us: quota.as_ref().map(|quota| quota.value),
        cpu_period_us: period.map(|period| period.value).filter(|us| *us != PERIOD),
        cpu_realtime_runtime_us: runtime,
        cpu_realtime_period_us: rt_period,
        memory_reservation_bytes: reservation.as_ref().map(|size| size.value),
        swap_bytes: swap
            .as_ref()
            .map(|size| size.value)
            .filter(|bytes| *bytes != 0),
        swappiness: number(block, "swappiness", reader),
        // 0 is everybody's.
        oom_score_adj: number(block, "oom_score_adj", reader).filter(|score| *score != 0),
        oom_kill_disable: reader.bool(block, "oom_kill_disable").unwrap_or(false),
        blkio_weight: number(block, "blkio_weight", reader),
        block_devices: devices(block, reader),
    };
    Limited {
        limits,
        quota: quota.map(|quota| quota.span),
        reservation: reservation.map(|size| size.span),
        swap: swap.map(|size| size.span),
    }
}

fn number<T: TryFrom<i64>>(block: &Block, name: &str, reader: &mut Reader<'_>) -> Option<T> {
    reader.whole(block, name).map(|n| n.value)
}

/// In microseconds, which is all the kernel knows.
fn time(
    block: &Block,
    name: &str,
    least: u64,
    most: u64,
    reader: &mut Reader<'_>,
) -> Option<At<u64>> {
    let ns = reader.nanoseconds(block, name)?;
    let span = block.get(name)?.span;
    let us = ns / 1000;
    if !(least..=most).contains(&us) {
        let most = match most {
            u64::MAX => String::new(),
            most => format!(" and at most {} ms", most / MILLISECOND),
        };
        let text = format!("`{name}` is at least {} ms{most}", least / MILLISECOND);
        reader.error("Time out of bounds", span, text, "write a time within them");
        return None;
    }
    Some(At { value: us, span })
}

fn goes_with<T>(
    name: &str,
    written: Option<&At<T>>,
    other: &str,
    is_there: bool,
    reader: &mut Reader<'_>,
) {
    if let Some(written) = written.filter(|_| !is_there) {
        let text = format!("`{name}` goes with `{other}`");
        let hint = format!("write `{other}` too, or leave it out");
        reader.error("Half of a limit", written.span, text, hint);
    }
}

fn realtime(block: &Block, reader: &mut Reader<'_>) -> (Option<u64>, Option<u64>) {
    let runtime = time(block, "cpu_realtime_runtime", 1, u64::MAX, reader);
    let period = time(block, "cpu_realtime_period", 1, u64::MAX, reader);
    goes_with(
        "cpu_realtime_runtime",
        runtime.as_ref(),
        "cpu_realtime_period",
        period.is_some(),
        reader,
    );
    if let (Some(runtime), Some(period)) = (&runtime, &period)
        && runtime.value > period.value
    {
        let text = "more than `cpu_realtime_period`";
        reader.error(
            "Longer than its period",
            runtime.span,
            text,
            "write a shorter time",
        );
    }
    (runtime.map(|us| us.value), period.map(|us| us.value))
}

fn devices(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, BlockDevice> {
    let mut devices = BTreeMap::new();
    for written in block.nested("block_device") {
        let Some(label) = &written.label else {
            continue;
        };
        let device = device(written, reader);
        if let Err(why) = (PATH.check)(&label.value) {
            reader.error(
                "Not a device's path",
                label.span,
                why,
                "write it as `/dev/sda`",
            );
        } else if device == BlockDevice::default() {
            let hint = "write a weight or a rate, or leave the block out";
            reader.error(
                "Limit of nothing",
                label.span,
                "nothing is limited here",
                hint,
            );
        } else if devices.insert(label.value.to_string(), device).is_some() {
            let text = "another block of it is there already";
            reader.error(
                "Device limited twice",
                label.span,
                text,
                "make one of the two",
            );
        }
    }
    devices
}

fn device(block: &Block, reader: &mut Reader<'_>) -> BlockDevice {
    let mut rate = |name| {
        let rate = reader.bytes(block, name)?;
        if rate.value == 0 {
            let hint = "write a rate, or leave it out";
            reader.error(
                "Rate of nothing",
                rate.span,
                "the engine takes 0 for no limit",
                hint,
            );
        }
        Some(rate.value)
    };
    let (read_bps, write_bps) = (rate("read_rate"), rate("write_rate"));
    BlockDevice {
        weight: number(block, "weight", reader),
        read_bps,
        write_bps,
        read_iops: number(block, "read_iops", reader),
        write_iops: number(block, "write_iops", reader),
    }
}
