//! What things are called on a page, and in which order they stand; texts of others, made harmless.

use infra_api::{Address, HostName, IdSet, ResourceId};

/// `cache` for `workload.cache`; any other address as it is.
#[must_use]
pub fn short(address: &Address) -> &str {
    let text = address.as_str();
    text.strip_prefix("workload.").unwrap_or(text)
}

/// `workload.web` for `workload.web[2]`; nothing where it is the only instance.
#[must_use]
pub fn block(address: &Address) -> Option<&str> {
    let text = address.as_str();
    let parsed: infra_lang::Address = text.parse().ok()?;
    let key = parsed.key?.to_string();
    text.strip_suffix(key.as_str())
}

/// `container demo.cache`.
#[must_use]
pub fn object(id: &ResourceId) -> String {
    format!("{} {}", id.kind, id.name)
}

/// Control characters as escapes: what a daemon or a file says must not move the cursor.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// By module, kind, name and key, numbers by their value.
pub(super) fn order(address: &Address) -> (Option<infra_lang::Address>, &str) {
    (address.as_str().parse().ok(), address.as_str())
}

/// `CPU 1`, `CPUs 0-1`.
pub(super) fn ids(noun: &str, ids: &IdSet) -> String {
    let plural = if ids.len() == 1 { "" } else { "s" };
    format!("{noun}{plural} {ids}")
}

pub(super) fn hosts(names: &[HostName]) -> String {
    crate::placing::names(names.len(), names.iter())
}
