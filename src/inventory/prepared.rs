//! What a host's kernel is to be set to, and the facts as they are then: what is placed is placed on a host that is prepared.

use infra_api::facts::{Facts, HugePages, Node};
use infra_api::target::KernelSetting;
use infra_diag::{Diagnostic, Diagnostics};

use super::{functions, gives_memory};
use crate::declared::{Host, HugePool};

/// Every setting, sorted by its file.
pub(super) fn prepare(
    host: &Host,
    facts: &mut Facts,
    diagnostics: &mut Diagnostics,
) -> Vec<KernelSetting> {
    let mut settings = host.prepared.settings.clone();
    for pool in &host.prepared.pools {
        settings.extend(pages(host, pool, facts, diagnostics));
    }
    settings.extend(functions::make(host, facts, diagnostics));
    diagnostics.extend(full(host, facts));
    settings.sort_by(|a, b| a.file.cmp(&b.file));
    settings
}

fn pages(
    host: &Host,
    pool: &HugePool,
    facts: &mut Facts,
    diagnostics: &mut Diagnostics,
) -> Vec<KernelSetting> {
    // Of a host that tells of no node nothing is known.
    if facts.nodes.is_empty() {
        return Vec::new();
    }
    let known: Vec<u32> = facts
        .nodes
        .iter()
        .filter(|n| gives_memory(n, facts))
        .map(|n| n.id)
        .collect();
    let refuse = |text: String, hint: String| {
        let error = Diagnostic::error("Huge pages that the host cannot have").at(pool.span, text);
        error.hint(hint)
    };
    for node in pool.nodes.keys().filter(|node| !known.contains(node)) {
        let text = format!("`{}` has no node {node} with memory", host.name);
        diagnostics.push(refuse(
            text,
            "`infra facts HOST` shows its nodes".to_owned(),
        ));
    }
    let mut settings = Vec::new();
    let (mut more, size) = (0, pool.page_bytes);
    for node in facts
        .nodes
        .iter_mut()
        .filter(|node| known.contains(&node.id))
    {
        let Some(count) = pool.nodes.get(&node.id).copied().or(pool.per_node) else {
            continue;
        };
        match grown(node, size, count) {
            Ok(grown) => {
                more += grown;
                let file = format!(
                    "/sys/devices/system/node/node{}/hugepages/hugepages-{}kB/nr_hugepages",
                    node.id,
                    size >> 10
                );
                settings.push(KernelSetting::new(file, count.to_string()));
            }
            Err((text, hint)) => diagnostics.push(refuse(text, hint)),
        }
    }
    if let Some(all) = facts
        .hugepages
        .iter_mut()
        .find(|all| all.size_bytes == size)
    {
        all.total = all.total.and_then(|total| total.checked_add_signed(more));
    }
    settings
}

/// Makes the node's pool what it is to be, and tells by how much that is more.
fn grown(node: &mut Node, size: u64, count: u64) -> Result<i64, (String, String)> {
    let bytes = |n: u64| infra_api::units::Bytes(n);
    let sizes: Vec<String> = node
        .hugepages
        .iter()
        .map(|pool| bytes(pool.size_bytes).to_string())
        .collect();
    let Some(pool) = node
        .hugepages
        .iter_mut()
        .find(|pool| pool.size_bytes == size)
    else {
        let text = format!("node {} has no pages of {}", node.id, bytes(size));
        return Err((text, format!("its kernel knows {}", sizes.join(", "))));
    };
    let HugePages { total, free, .. } = pool;
    let used = total.unwrap_or(0).saturating_sub(free.unwrap_or(0));
    let more = i64::try_from(count).unwrap_or(i64::MAX)
        - i64::try_from(total.unwrap_or(0)).unwrap_or(i64::MAX);
    (*total, *free) = (Some(count), Some(count.saturating_sub(used)));
    Ok(more)
}

/// So much of a node's memory is left to all that is not in huge pages: a host without it does not start.
const LEAST_LEFT: u64 = 256 << 20;

/// Pools that take more of a node than it can give.
fn full(host: &Host, facts: &Facts) -> Vec<Diagnostic> {
    let Some(first) = host.prepared.pools.first() else {
        return Vec::new();
    };
    let kept = host
        .reserve
        .as_ref()
        .map_or(0, |reserve| reserve.memory_per_node_bytes);
    let kept = kept.max(LEAST_LEFT);
    let bytes = infra_api::units::Bytes;
    let nodes = facts.nodes.iter().filter_map(|node| {
        let pools = node.hugepages.iter().map(super::pool_bytes);
        let taken = pools.fold(0, u64::saturating_add);
        let memory = node
            .memory_bytes
            .filter(|memory| taken.saturating_add(kept) > *memory)?;
        let text = format!(
            "node {} of `{}` has {}, its pools take {}, and {} stay out of them",
            node.id,
            host.name,
            bytes(memory),
            bytes(taken),
            bytes(kept)
        );
        let error = Diagnostic::error("Huge pages that the host cannot have").at(first.span, text);
        Some(error.hint("ask for fewer; pools that are there already count"))
    });
    nodes.collect()
}
