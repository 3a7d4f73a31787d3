//! What the kernel says of the task that reads: its affinity and its memory nodes.

use infra_api::IdSet;

use crate::reader::Reader;

/// The CPUs the task is bound to.
pub(crate) fn affinity(reader: &Reader<'_>) -> Option<IdSet> {
    field(reader, "Cpus_allowed_list:")
}

/// The nodes the task's cpuset leaves it.
pub(crate) fn memory_nodes(reader: &Reader<'_>) -> Option<IdSet> {
    field(reader, "Mems_allowed_list:")
}

fn field(reader: &Reader<'_>, name: &str) -> Option<IdSet> {
    let path = "proc/self/status";
    let status = reader.text(path)?;
    let text = status.lines().find_map(|line| line.strip_prefix(name))?;
    text.parse()
        .map_err(|error| reader.problem(path, error))
        .ok()
}
