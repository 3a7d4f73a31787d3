//! Values as they stand in a check.

use std::collections::BTreeMap;

use infra_api::IdSet;
use infra_api::units::Bytes;

pub(super) fn size(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

/// `CPU 3`, `CPUs 0-3`.
pub(super) fn cpus(set: &IdSet) -> String {
    named("CPU", set)
}

pub(super) fn nodes(set: &IdSet) -> String {
    named("node", set)
}

fn named(what: &str, set: &IdSet) -> String {
    match set.len() {
        0 => format!("no {what}"),
        1 => format!("{what} {set}"),
        _ => format!("{what}s {set}"),
    }
}

/// How many say what: `CPU 3 (4 threads), CPUs 0-7 (1 thread: worker)`. Names are told where there is more than one answer.
pub(super) fn answers<'a, T: Ord>(
    said: impl Iterator<Item = (T, &'a str)>,
    one: &str,
    words: impl Fn(&T) -> String,
) -> String {
    let mut all: BTreeMap<T, Vec<&str>> = BTreeMap::new();
    for (answer, who) in said {
        all.entry(answer).or_default().push(who);
    }
    let several = all.len() > 1;
    let answer = |(answer, who): (&T, &Vec<&str>)| {
        let many = counted(who.len(), one);
        let names = match several {
            true => format!(": {}", some(who)),
            false => String::new(),
        };
        format!("{} ({many}{names})", words(answer))
    };
    match all.is_empty() {
        true => format!("no {one}"),
        false => all.iter().map(answer).collect::<Vec<_>>().join(", "),
    }
}

/// A few of many names, each once.
pub(super) fn some(names: &[&str]) -> String {
    const MOST: usize = 3;
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let rest = names.len().saturating_sub(MOST);
    let mut text = names[..names.len().min(MOST)].join(", ");
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    text
}

/// Hundredths of a percent are enough: `99.98 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// `1 thread`, `2 threads`.
pub(super) fn counted(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        _ => format!("{n} {one}s"),
    }
}
