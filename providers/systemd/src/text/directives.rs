//! One directive of a unit file a line: what of a unit it says, both ways.

use std::fmt::Display;
use std::str::FromStr;

use infra_api::IdSet;
use infra_api::target::{MemoryPolicy, Ulimit, Unit, UnitFolder};

use super::words::{unwhole, whole, word, words};

/// A directive that says one attribute.
pub(crate) struct Directive {
    pub(crate) name: &'static str,
    /// Nothing where the unit does not say it.
    pub(crate) write: fn(&Unit) -> Option<String>,
    /// Nothing where that is not understood.
    pub(crate) read: fn(&mut Unit, &str) -> Option<()>,
}

/// A number, or whatever else is written as it is.
fn plain<T: Display>(value: &Option<T>) -> Option<String> {
    value.as_ref().map(T::to_string)
}

/// An empty value takes back what was said before.
fn parsed<T: FromStr>(text: &str) -> Option<Option<T>> {
    match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

/// A number that has a word for none.
fn limited<T: FromStr>(text: &str) -> Option<Option<T>> {
    match text {
        "infinity" => Some(None),
        text => parsed(text),
    }
}

fn text(value: &Option<String>) -> Option<String> {
    value.as_deref().map(whole)
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| unwhole(text))
}

fn list(items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| {
        items
            .iter()
            .map(|item| word(item, false))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

fn sorted(text: &str) -> Option<Vec<String>> {
    let mut items = words(text, false)?;
    items.sort();
    items.dedup();
    Some(items)
}

/// What is written into a running unit's control group: the directives, and each as it says nothing.
pub(crate) const LIVE: &[(&str, &str)] = &[
    ("AllowedCPUs", ""),
    ("AllowedMemoryNodes", ""),
    ("MemoryMax", "infinity"),
    ("MemoryLow", "0"),
    ("MemorySwapMax", "infinity"),
    ("TasksMax", "infinity"),
    ("CPUWeight", "100"),
    ("IOWeight", "100"),
];

/// The assignments that make a running unit's control group as it is wanted.
pub(crate) fn live(unit: &Unit) -> Vec<String> {
    assignments(unit, LIVE.iter())
}

pub(super) fn assignments<'a>(
    unit: &Unit,
    live: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Vec<String> {
    let of = |name: &str| {
        DIRECTIVES
            .iter()
            .find(|d| d.name == name)
            .and_then(|d| (d.write)(unit))
    };
    let all = live
        .map(|(name, none)| format!("{name}={}", of(name).unwrap_or_else(|| (*none).to_owned())));
    all.filter(|assignment| !assignment.ends_with('='))
        .collect()
}

/// Of the section `Service`, in the order they are written.
pub(crate) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "ExecStart",
        write: |u| {
            Some(
                u.exec
                    .iter()
                    .map(|text| word(text, true))
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        },
        read: |u, text| {
            u.exec = words(text, true)?;
            Some(())
        },
    },
    Directive {
        name: "User",
        write: |u| text(&u.user),
        read: |u, t| {
            u.user = said(t);
            Some(())
        },
    },
    Directive {
        name: "Group",
        write: |u| text(&u.group),
        read: |u, t| {
            u.group = said(t);
            Some(())
        },
    },
    Directive {
        name: "WorkingDirectory",
        write: |u| text(&u.working_dir),
        read: |u, t| {
            u.working_dir = said(t);
            Some(())
        },
    },
    Directive {
        name: "Restart",
        write: |u| text(&u.life.restart),
        read: |u, t| {
            u.life.restart = said(t).filter(|word| word != "no");
            Some(())
        },
    },
    Directive {
        name: "RestartSec",
        write: |u| plain(&u.life.restart_delay_s),
        read: |u, t| {
            u.life.restart_delay_s = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "WatchdogSec",
        write: |u| plain(&u.life.watchdog_s),
        read: |u, t| {
            u.life.watchdog_s = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "KillSignal",
        write: |u| text(&u.life.stop_signal),
        read: |u, t| {
            u.life.stop_signal = said(t);
            Some(())
        },
    },
    Directive {
        name: "TimeoutStopSec",
        write: |u| plain(&u.life.stop_timeout_s),
        read: |u, t| {
            u.life.stop_timeout_s = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "AllowedCPUs",
        write: |u| plain(&u.place.cpus),
        read: |u, t| {
            u.place.cpus = ids(t)?;
            Some(())
        },
    },
    Directive {
        name: "AllowedMemoryNodes",
        write: |u| plain(&u.place.memory_nodes),
        read: |u, t| {
            u.place.memory_nodes = ids(t)?;
            Some(())
        },
    },
    Directive {
        name: "NUMAPolicy",
        write: |u| Some(u.place.memory_policy.as_ref()?.mode.clone()),
        read: |u, t| {
            let mut policy = u.place.memory_policy.take().unwrap_or_else(no_policy);
            policy.mode = t.to_owned();
            u.place.memory_policy = Some(policy).filter(|p| !p.mode.is_empty());
            Some(())
        },
    },
    Directive {
        name: "NUMAMask",
        write: |u| Some(u.place.memory_policy.as_ref()?.nodes.to_string()),
        read: |u, t| {
            let mut policy = u.place.memory_policy.take().unwrap_or_else(no_policy);
            policy.nodes = ids(t)?.unwrap_or_default();
            u.place.memory_policy = Some(policy);
            Some(())
        },
    },
    Directive {
        name: "MemoryMax",
        write: |u| plain(&u.limits.memory_bytes),
        read: |u, t| {
            u.limits.memory_bytes = bytes(t)?;
            Some(())
        },
    },
    Directive {
        name: "MemoryLow",
        write: |u| plain(&u.limits.memory_low_bytes),
        read: |u, t| {
            u.limits.memory_low_bytes = bytes(t)?.filter(|b| *b != 0);
            Some(())
        },
    },
    Directive {
        name: "MemorySwapMax",
        write: |u| plain(&u.limits.swap_bytes),
        read: |u, t| {
            u.limits.swap_bytes = bytes(t)?;
            Some(())
        },
    },
    Directive {
        name: "TasksMax",
        write: |u| plain(&u.limits.pids),
        read: |u, t| {
            u.limits.pids = limited(t)?;
            Some(())
        },
    },
    Directive {
        name: "CPUWeight",
        write: |u| plain(&u.limits.cpu_weight),
        read: |u, t| {
            u.limits.cpu_weight = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "IOWeight",
        write: |u| plain(&u.limits.io_weight),
        read: |u, t| {
            u.limits.io_weight = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "CPUSchedulingPolicy",
        write: |u| text(&u.scheduling.policy),
        read: |u, t| {
            u.scheduling.policy = said(t).filter(|word| word != "other");
            Some(())
        },
    },
    Directive {
        name: "CPUSchedulingPriority",
        write: |u| plain(&u.scheduling.priority),
        read: |u, t| {
            u.scheduling.priority = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "Nice",
        write: |u| plain(&u.scheduling.nice),
        read: |u, t| {
            u.scheduling.nice = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "IOSchedulingClass",
        write: |u| text(&u.scheduling.io_class),
        read: |u, t| {
            u.scheduling.io_class = said(t);
            Some(())
        },
    },
    Directive {
        name: "IOSchedulingPriority",
        write: |u| plain(&u.scheduling.io_priority),
        read: |u, t| {
            u.scheduling.io_priority = parsed(t)?;
            Some(())
        },
    },
    Directive {
        name: "BindPaths",
        write: |u| folders(u, false),
        read: |u, t| read_folders(u, t, false),
    },
    Directive {
        name: "BindReadOnlyPaths",
        write: |u| folders(u, true),
        read: |u, t| read_folders(u, t, true),
    },
    Directive {
        name: "StateDirectory",
        write: |u| text(&u.confinement.state_directory),
        read: |u, t| {
            u.confinement.state_directory = said(t);
            Some(())
        },
    },
    Directive {
        name: "ReadWritePaths",
        write: |u| list(&u.confinement.writable),
        read: |u, t| {
            u.confinement.writable = sorted(t)?;
            Some(())
        },
    },
];

/// What may be written more than once: limits, by their names, and devices.
pub(crate) fn limit_lines(unit: &Unit) -> impl Iterator<Item = String> {
    let limit = |n: i64| match n {
        -1 => "infinity".to_owned(),
        n => n.to_string(),
    };
    let line = move |(name, ulimit): (&String, &Ulimit)| {
        let name = name.to_ascii_uppercase();
        format!("Limit{name}={}:{}", limit(ulimit.soft), limit(ulimit.hard))
    };
    unit.ulimits.iter().map(line)
}

pub(crate) fn read_limit(unit: &mut Unit, name: &str, text: &str) -> Option<()> {
    let limit = |text: &str| match text {
        "infinity" => Some(-1),
        text => text.parse().ok(),
    };
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let ulimit = Ulimit {
        soft: limit(soft)?,
        hard: limit(hard)?,
    };
    unit.ulimits.insert(name.to_ascii_lowercase(), ulimit);
    Some(())
}

/// `HOST:HERE`, each a word.
fn folders(unit: &Unit, read_only: bool) -> Option<String> {
    let folders = unit
        .folders
        .iter()
        .filter(|(_, folder)| folder.read_only == read_only);
    let words: Vec<String> = folders
        .map(|(at, folder)| word(&format!("{}:{at}", folder.path), false))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn read_folders(unit: &mut Unit, text: &str, read_only: bool) -> Option<()> {
    unit.folders
        .retain(|_, folder| folder.read_only != read_only);
    for word in words(text, false)? {
        let (path, at) = word.split_once(':')?;
        let path = path.to_owned();
        unit.folders
            .insert(at.to_owned(), UnitFolder { path, read_only });
    }
    Some(())
}

fn no_policy() -> MemoryPolicy {
    MemoryPolicy {
        mode: String::new(),
        nodes: IdSet::new(),
    }
}

/// A set of ids as systemd takes and shows it: `0-3 8` and `0-3,8`.
fn ids(text: &str) -> Option<Option<IdSet>> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(",");
    parsed(&text)
}

/// As we write them, and with the units that a person may.
fn bytes(text: &str) -> Option<Option<u64>> {
    let (number, shift) = match text.char_indices().last() {
        Some((at, 'K')) => (&text[..at], 10),
        Some((at, 'M')) => (&text[..at], 20),
        Some((at, 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = limited(number)?;
    match number {
        Some(number) => number.checked_shl(shift).map(Some),
        None => Some(None),
    }
}
