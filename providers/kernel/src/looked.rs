//! What a kernel says of processes that are looked for: one script tells it in one round trip, and reads alone.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::Running;
use infra_api::running::{Function, Group, Most, Process};

use crate::numa_maps;
use crate::printed::{FILES_OF_WORDS, Printed, Words};
use crate::settings::said;
use crate::thread::{self, Found, TICK_NS};
use crate::tree::Tree;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What [`infra_api::Trace::text`] says of each: in the path of a control group or on a command line.
    pub traces: BTreeSet<String>,
    /// PCI addresses.
    pub functions: BTreeSet<String>,
    /// Files of the kernel's settings, by their whole paths, and what each is to say.
    pub settings: BTreeMap<String, String>,
    /// Where their memory is, too, which takes its time.
    pub memory: bool,
    /// Every other thread of the host, too.
    pub others: bool,
}

/// What the script says before its parts.
const HEAD: &str = "infra-running 1";

/// A script for `sh`, by stdin. The words that are looked for come to `grep` by its stdin: on a command line they would be
/// found there. Who looks at other users' processes is root.
#[must_use]
pub fn looking(search: &Search) -> String {
    let found = finding(search);
    let others = match search.others {
        true => format!(
            "printf '%s\\0' proc/[0-9]*/task/[0-9]*/stat | {FILES_OF_WORDS}\n\
             printf '%s\\0' proc/[0-9]*/task/[0-9]*/status | xargs -0 grep -a -s -H -Z _allowed_list\n"
        ),
        false => String::new(),
    };
    let functions = match search.functions.is_empty() {
        true => String::new(),
        false => format!(
            "for it in{}; do find sys/bus/pci/devices/$it/driver sys/bus/pci/devices/$it/iommu_group -maxdepth 0 -printf '%p\\t%l\\0' 2> /dev/null; done\n",
            quoted(&search.functions)
        ),
    };
    let said = said();
    format!(
        r#"LC_ALL=C; export LC_ALL; cd / || exit
for it in find grep xargs sed sort; do command -v $it > /dev/null || {{ echo "$it is not installed" >&2; exit 127; }}; done
printf '%s\0' '{HEAD}'
{said}pids=
{found}
files() {{
  printf '%s\0' proc/uptime proc/stat
  for it in $pids; do printf '%s\0' proc/$it/task/*/schedstat; done
  for it in {functions_searched}; do printf '%s\0' sys/bus/pci/devices/$it/numa_node; done
  for it in $pids; do
    for file in cmdline cgroup status limits{memory} task/*/status task/*/stat; do
      printf '%s\0' proc/$it/$file
    done
  done
}}
groups() {{
  for it in $pids; do cat proc/$it/cgroup 2> /dev/null; done | sort -u | while IFS=: read -r _ controllers group; do
    while [ -n "${{group%/}}" ]; do
      case ,$controllers, in ,,) for file in cpuset.cpus.effective cpuset.mems.effective memory.max pids.max cpu.stat; do printf '%s\0' "sys/fs/cgroup$group/$file"; done ;; esac
      case ,$controllers, in *,cpuset,*) for file in cpuset.effective_cpus cpuset.effective_mems; do printf '%s\0' "sys/fs/cgroup/cpuset$group/$file"; done ;; esac
      case ,$controllers, in *,memory,*) printf '%s\0' "sys/fs/cgroup/memory$group/memory.limit_in_bytes" ;; esac
      case ,$controllers, in *,pids,*) printf '%s\0' "sys/fs/cgroup/pids$group/pids.max" ;; esac
      case ,$controllers, in *,cpuacct,*) printf '%s\0' "sys/fs/cgroup/cpuacct$group/cpuacct.usage" ;; esac
      group=${{group%/*}}
    done
  done
}}
for it in $pids; do find proc/$it/fd -maxdepth 1 -lname '/dev/*' -printf '%p\t%l\0' 2> /dev/null; done
{functions}
printf '\0'
files | {FILES_OF_WORDS}
groups | {FILES_OF_WORDS}
{others}
says() {{ if [ -e "$1" ]; then printf '%s\0%s\n' "settings$1" "$(said "$1" "$2")"; fi; }}
{settings}
ip -o -4 addr show 2> /dev/null | grep -a -H -Z --label=addresses ''
printf '\0'
"#,
        memory = if search.memory { " numa_maps" } else { "" },
        functions_searched = quoted(&search.functions),
        settings = settings_said(&search.settings),
    )
}

fn settings_said(settings: &BTreeMap<String, String>) -> String {
    let quoted = infra_door::quoted;
    let lines = settings
        .iter()
        .map(|(file, value)| format!("says {} {}\n", quoted(file), quoted(value)));
    lines.collect()
}

/// Each word in quotes, with a blank before it.
fn quoted(words: &BTreeSet<String>) -> String {
    let words = words
        .iter()
        .map(|word| format!(" {}", infra_door::quoted(word)));
    words.collect()
}

/// Finds `pids`.
fn finding(search: &Search) -> String {
    match search.traces.is_empty() {
        true => String::new(),
        false => format!(
            "pids=$(printf '%s\\n'{} | grep -a -l -s -F -f - proc/[0-9]*/cgroup proc/[0-9]*/cmdline |\n\
             sed 's,proc/\\([0-9]*\\)/.*,\\1,' | sort -u)\n\
             pids=\"$pids $(for it in $pids; do echo vhost-$it; done | grep -l -s -x -F -f - proc/[0-9]*/comm | sed 's,[^0-9],,g')\"\n",
            quoted(&search.traces)
        ),
    }
}

/// What the script printed.
///
/// # Errors
/// Where that is not all that it prints.
pub fn looked(output: &[u8]) -> Result<Running, String> {
    let text = String::from_utf8_lossy(output);
    let mut words = Words::behind(HEAD, &text)?;
    let mut tree = Printed::default();
    tree.entries(&mut words)?;
    tree.files(&mut words)?;
    Ok(running(&tree))
}

fn running(tree: &Printed) -> Running {
    let mut running = Running {
        settings: settings(tree),
        uptime_ms: uptime(tree),
        busy_ns: busy(tree),
        functions: functions(tree),
        addresses: addresses(tree),
        ..Running::default()
    };
    for pid in numbers(tree, "proc") {
        // A process that has ended meanwhile has none of them.
        match (
            line(tree, &format!("proc/{pid}/cgroup")),
            threads(tree, pid),
        ) {
            (_, threads) if threads.is_empty() => {}
            (Some(_), threads) => {
                let process = process(tree, pid, threads);
                for path in &process.groups {
                    groups(tree, path, &mut running.groups);
                }
                running.processes.insert(pid, process);
            }
            (None, threads) => {
                let programs = threads.into_iter().filter(|(_, found)| !found.kernels_own);
                running
                    .others
                    .extend(programs.map(|(id, found)| (id, found.thread)));
            }
        }
    }
    running
}

/// Those that are there, printed as `settings/proc/sys/…`.
fn settings(tree: &Printed) -> BTreeMap<String, String> {
    let said = |path: &str| {
        let file = path.strip_prefix("settings")?;
        Some((file.to_owned(), line(tree, path)?))
    };
    tree.paths().filter_map(said).collect()
}

fn text(tree: &Printed, path: &str) -> Option<String> {
    let bytes = tree.head(path, u64::MAX).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn line(tree: &Printed, path: &str) -> Option<String> {
    Some(text(tree, path)?.lines().next()?.trim().to_owned())
}

/// The names in a folder that are numbers.
fn numbers(tree: &Printed, folder: &str) -> Vec<u32> {
    let names = tree.list(folder).unwrap_or_default();
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn threads(tree: &Printed, pid: u32) -> BTreeMap<u32, Found> {
    let folder = format!("proc/{pid}/task");
    let thread = |id: u32| {
        let file = |name: &str| text(tree, &format!("{folder}/{id}/{name}"));
        let parsed = thread::parse(
            &file("stat")?,
            &file("status")?,
            file("schedstat").as_deref(),
        )?;
        Some((id, parsed))
    };
    numbers(tree, &folder)
        .into_iter()
        .filter_map(thread)
        .collect()
}

fn process(tree: &Printed, pid: u32, threads: BTreeMap<u32, Found>) -> Process {
    let file = |name: &str| text(tree, &format!("proc/{pid}/{name}"));
    let command = file("cmdline").unwrap_or_default();
    let status = file("status").unwrap_or_default();
    let opened = tree.list(&format!("proc/{pid}/fd")).unwrap_or_default();
    let opened = opened
        .iter()
        .filter_map(|fd| tree.link(&format!("proc/{pid}/fd/{fd}")).ok());
    Process {
        command: command
            .trim_end_matches(['\n', '\0'])
            .split('\0')
            .map(str::to_owned)
            .collect(),
        groups: paths(&file("cgroup").unwrap_or_default()),
        started: threads.get(&pid).map_or(0, |found| found.started),
        threads: threads
            .into_iter()
            .map(|(id, found)| (id, found.thread))
            .collect(),
        // An empty one is one that may not be read: every process has some memory, and the kernel's own are none.
        memory: file("numa_maps").map(|maps| numa_maps::parse(&maps)),
        locked_bytes: thread::field(&status, "VmLck").and_then(kilobytes),
        limits: limits(&file("limits").unwrap_or_default()),
        opened: opened.collect(),
    }
}

fn kilobytes(text: &str) -> Option<u64> {
    let kilobytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The paths of a process's groups, each once; that of the cpuset first, then version 2's one.
fn paths(text: &str) -> Vec<String> {
    let parts = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let rank = match controllers {
            it if it.split(',').any(|name| name == "cpuset") => 0,
            "" => 1,
            _ => 2,
        };
        Some((rank, path.to_owned()))
    };
    let mut ranked: Vec<(u8, String)> = text.lines().filter_map(parts).collect();
    ranked.sort();
    let mut paths = Vec::new();
    for (_, path) in ranked {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The group at a path, and those above it.
fn groups(tree: &Printed, path: &str, groups: &mut BTreeMap<String, Group>) {
    let mut path = path.trim_end_matches('/');
    while !path.is_empty() && !groups.contains_key(path) {
        groups.insert(path.to_owned(), group(tree, path));
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

fn group(tree: &Printed, path: &str) -> Group {
    let read = |old: &str, new: &str| {
        let first = line(
            tree,
            &format!("sys/fs/cgroup/{}", old.replacen('*', path, 1)),
        );
        first.or_else(|| line(tree, &format!("sys/fs/cgroup{path}/{new}")))
    };
    let most = |text: String| match text.parse() {
        // Version 1 writes the largest number that is a multiple of a page.
        Ok(number) if number < u64::MAX / 2 - (1 << 16) => Some(Most::At(number)),
        Ok(_) => Some(Most::None),
        Err(_) => (text == "max").then_some(Most::None),
    };
    let set = |text: String| text.parse().ok();
    // The first line of `cpu.stat`, in microseconds.
    let ran = |text: String| match text.strip_prefix("usage_usec ") {
        Some(microseconds) => microseconds.parse::<u64>().ok()?.checked_mul(1000),
        None => text.parse().ok(),
    };
    Group {
        cpus: read("cpuset*/cpuset.effective_cpus", "cpuset.cpus.effective").and_then(set),
        nodes: read("cpuset*/cpuset.effective_mems", "cpuset.mems.effective").and_then(set),
        memory_bytes: read("memory*/memory.limit_in_bytes", "memory.max").and_then(most),
        pids: read("pids*/pids.max", "pids.max").and_then(most),
        ran_ns: read("cpuacct*/cpuacct.usage", "cpu.stat").and_then(ran),
    }
}

/// The kernel's names of limits, and those of `ulimits`.
const LIMITS: [(&str, &str); 16] = [
    ("Max address space", "as"),
    ("Max core file size", "core"),
    ("Max cpu time", "cpu"),
    ("Max data size", "data"),
    ("Max file locks", "locks"),
    ("Max file size", "fsize"),
    ("Max locked memory", "memlock"),
    ("Max msgqueue size", "msgqueue"),
    ("Max nice priority", "nice"),
    ("Max open files", "nofile"),
    ("Max pending signals", "sigpending"),
    ("Max processes", "nproc"),
    ("Max realtime priority", "rtprio"),
    ("Max realtime timeout", "rttime"),
    ("Max resident set", "rss"),
    ("Max stack size", "stack"),
];

fn limits(text: &str) -> BTreeMap<String, (Option<u64>, Option<u64>)> {
    let limit = |line: &str| {
        let (name, known) = LIMITS.iter().find(|(name, _)| line.starts_with(name))?;
        let mut words = line[name.len()..].split_whitespace();
        let mut next = || words.next().map(|word| word.parse().ok());
        Some(((*known).to_owned(), (next()?, next()?)))
    };
    text.lines().filter_map(limit).collect()
}

fn uptime(tree: &Printed) -> u64 {
    let text = line(tree, "proc/uptime").unwrap_or_default();
    let seconds = text.split_whitespace().next().unwrap_or_default();
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    // The kernel writes hundredths.
    let whole = number(whole).saturating_mul(1000);
    whole.saturating_add(number(part).saturating_mul(10))
}

/// `cpuN` and its ticks: user, nice, system, idle, iowait, irq, softirq. (What `schedstat` counts grows only when a task
/// leaves its CPU, and one that spins does not.)
fn busy(tree: &Printed) -> BTreeMap<u32, u64> {
    let text = text(tree, "proc/stat").unwrap_or_default();
    let cpu = |line: &str| {
        let mut words = line.strip_prefix("cpu")?.split_whitespace();
        let cpu = words.next()?.parse().ok()?;
        let ticks: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        let busy = [0, 1, 2, 5, 6].map(|at| ticks.get(at).copied());
        let busy = busy.into_iter().collect::<Option<Vec<u64>>>()?;
        let busy = busy.into_iter().fold(0, u64::saturating_add);
        Some((cpu, busy.saturating_mul(TICK_NS)))
    };
    // The line without a number is of all together.
    let cpus = text.lines().filter(|line| !line.starts_with("cpu "));
    cpus.filter_map(cpu).collect()
}

fn functions(tree: &Printed) -> BTreeMap<String, Function> {
    let names = tree.list("sys/bus/pci/devices").unwrap_or_default();
    let function = |name: String| {
        let folder = format!("sys/bus/pci/devices/{name}");
        let last = |file: &str| {
            let link = tree.link(&format!("{folder}/{file}")).ok()?;
            Some(link.rsplit('/').next()?.to_owned())
        };
        let function = Function {
            driver: last("driver"),
            iommu_group: last("iommu_group").and_then(|group| group.parse().ok()),
            node: line(tree, &format!("{folder}/numa_node")).and_then(|node| node.parse().ok()),
        };
        (name, function)
    };
    names.into_iter().map(function).collect()
}

/// `2: eth0    inet 10.0.0.1/24 brd …`.
fn addresses(tree: &Printed) -> BTreeSet<(String, ipnet::Ipv4Net)> {
    let text = text(tree, "addresses").unwrap_or_default();
    let address = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let device = words.next()?.to_owned();
        let net = words.skip_while(|word| *word != "inet").nth(1)?;
        Some((device, net.parse().ok()?))
    };
    text.lines().filter_map(address).collect()
}

#[cfg(test)]
#[path = "looked_tests.rs"]
mod tests;
