//! Huge-page pools, and where huge pages are mounted.

use infra_api::facts::{HugePages, HugetlbfsMount};

use crate::mounts::Mount;
use crate::reader::Reader;

/// The pools of the whole host. Those of a node are in its `hugepages`.
pub(crate) const HOST: &str = "sys/kernel/mm/hugepages";

/// The pools of a directory with one `hugepages-SIZEkB` for each size.
pub(crate) fn read(reader: &Reader<'_>, directory: &str) -> Vec<HugePages> {
    let names = reader.names(directory);
    let pools = names
        .iter()
        .filter_map(|name| pool(reader, directory, name));
    let mut pools: Vec<HugePages> = pools.collect();
    pools.sort_by_key(|pool| pool.size_bytes);
    pools
}

fn pool(reader: &Reader<'_>, directory: &str, name: &str) -> Option<HugePages> {
    let kib: u64 = name
        .strip_prefix("hugepages-")?
        .strip_suffix("kB")?
        .parse()
        .ok()?;
    let count = |file: &str| reader.number(&format!("{directory}/{name}/{file}"));
    Some(HugePages {
        size_bytes: kib.checked_mul(1024)?,
        total: count("nr_hugepages"),
        free: count("free_hugepages"),
        reserved: count("resv_hugepages"),
        surplus: count("surplus_hugepages"),
    })
}

pub(crate) fn mounts(mounts: &[Mount], default_size: Option<u64>) -> Vec<HugetlbfsMount> {
    let huge = mounts.iter().filter(|mount| mount.kind == "hugetlbfs");
    huge.map(|mount| HugetlbfsMount {
        path: mount.path.clone(),
        size_bytes: match mount.option("pagesize") {
            Some(size) => size_of(size),
            None => default_size,
        },
    })
    .collect()
}

/// `2M`, `1G`, `64K`, in bytes.
fn size_of(text: &str) -> Option<u64> {
    let units = [("K", 10), ("M", 20), ("G", 30)];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))?;
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}
