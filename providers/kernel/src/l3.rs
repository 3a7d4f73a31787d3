//! L3 caches: which CPUs share one.

use infra_api::IdSet;
use infra_api::facts::L3;

use crate::partition::{Group, partition};
use crate::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>, online: &IdSet) -> Vec<L3> {
    let groups = partition(online, |cpu| {
        let cache = directory(reader, cpu)?;
        let list = reader.list(&format!("{cache}/shared_cpu_list"));
        let cpus = list.or_else(|| reader.mask(&format!("{cache}/shared_cpu_map")))?;
        // Some old machines have a cache that nobody shares: it is its core's.
        let cpus = match cpus.is_empty() {
            true => threads(reader, cpu).unwrap_or(cpus),
            false => cpus,
        };
        Some((cpus, reader.id(&format!("{cache}/id"))))
    });
    groups.tell(reader, |cpu| directory(reader, cpu).unwrap_or_default());
    groups
        .into_groups()
        .into_iter()
        .map(|group| record(reader, group))
        .collect()
}

fn threads(reader: &Reader<'_>, cpu: u32) -> Option<IdSet> {
    let topology = format!("sys/devices/system/cpu/cpu{cpu}/topology");
    reader.mask_or_list(&topology, &["core_cpus", "thread_siblings"])
}

fn record(reader: &Reader<'_>, Group { id, cpus }: Group) -> L3 {
    let cache = cpus.first().and_then(|cpu| directory(reader, cpu));
    let size_bytes = cache.and_then(|cache| size(reader, &format!("{cache}/size")));
    L3 {
        id,
        cpus,
        size_bytes,
    }
}

/// Where a CPU's L3 cache is described.
fn directory(reader: &Reader<'_>, cpu: u32) -> Option<String> {
    let caches = format!("sys/devices/system/cpu/cpu{cpu}/cache");
    let indices = reader.ids(&caches, "index");
    let mut paths = indices.iter().map(|index| format!("{caches}/index{index}"));
    paths.find(|path| reader.number::<u32>(&format!("{path}/level")) == Some(3))
}

/// `30720K`, in bytes.
fn size(reader: &Reader<'_>, path: &str) -> Option<u64> {
    let text = reader.text(path)?;
    let kib = text
        .strip_suffix('K')
        .and_then(|number| number.parse::<u64>().ok());
    let bytes = kib.and_then(|kib| kib.checked_mul(1024));
    if bytes.is_none() {
        reader.problem(path, format_args!("`{text}` is not a size like `30720K`"));
    }
    // Firmware that does not know writes 0.
    bytes.filter(|bytes| *bytes > 0)
}
