//! Memory of the host and of a node, and the size of a page.

use crate::reader::Reader;

/// What a `meminfo` file tells, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) total: Option<u64>,
    pub(crate) free: Option<u64>,
    pub(crate) reclaimable: Option<u64>,
    pub(crate) available: Option<u64>,
    pub(crate) hugepage: Option<u64>,
}

pub(crate) fn host(reader: &Reader<'_>) -> Memory {
    read(reader, "proc/meminfo")
}

pub(crate) fn of_node(reader: &Reader<'_>, directory: &str) -> Memory {
    read(reader, &format!("{directory}/meminfo"))
}

fn read(reader: &Reader<'_>, path: &str) -> Memory {
    let text = reader.text(path).unwrap_or_default();
    let field = |name: &str| field(reader, path, &text, name);
    Memory {
        total: field("MemTotal"),
        free: field("MemFree"),
        reclaimable: reclaimable(field),
        available: field("MemAvailable"),
        hugepage: field("Hugepagesize"),
    }
}

/// Cached files, and slabs that can be given back (`KReclaimable` counts these and more, where a
/// kernel has it).
fn reclaimable(field: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let files = field("Active(file)")?.checked_add(field("Inactive(file)")?)?;
    let slabs = field("KReclaimable").or_else(|| field("SReclaimable"));
    files.checked_add(slabs.unwrap_or(0))
}

/// `MemTotal:  16 kB`, before which a node's file has `Node 0`.
fn field(reader: &Reader<'_>, path: &str, text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| {
        let (label, value) = line.split_once(':')?;
        (label.split_whitespace().last() == Some(name)).then_some(value.trim())
    })?;
    let bytes = kib(value);
    if bytes.is_none() {
        reader.problem(
            path,
            format_args!("{name} is `{value}`, not a number of kB"),
        );
    }
    bytes
}

/// `16 kB`, in bytes: the kernel's kB are 1024.
fn kib(value: &str) -> Option<u64> {
    let number = value.strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// The size of an ordinary page. No file of the whole machine has it, but the mappings of every
/// process do.
pub(crate) fn page_bytes(reader: &Reader<'_>) -> Option<u64> {
    let path = "proc/self/smaps";
    // The kernel counts the pages of each mapping for it: the first one tells.
    let text = reader.quiet_head(path, 4096)?;
    field(reader, path, &text, "MMUPageSize")
}
