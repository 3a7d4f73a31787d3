//! What hwloc ships as expected of a machine: its objects, from `.console` (what `lstopo -v` prints) or `.xml`.
//! Nothing here is shared with the reader of facts.

use std::collections::BTreeMap;
use std::path::Path;

use infra_api::IdSet;

/// One object of hwloc's tree.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// `Package`, `Core`, `NUMANode`, `PCIBridge` …
    pub(crate) kind: String,
    /// `Cluster` of a `Group`, `HBM` of a `NUMANode`.
    pub(crate) subtype: String,
    /// The kernel's number.
    pub(crate) id: Option<u32>,
    /// hwloc's own number.
    pub(crate) logical: Option<u32>,
    pub(crate) parent: Option<usize>,
    /// Memory of its own, as it is written: bytes, or a rounded number with its unit.
    pub(crate) memory: String,
    /// The address of a PCI device or bridge.
    pub(crate) address: String,
    /// `VENDOR:DEVICE CLASS`.
    pub(crate) identity: String,
    /// Pages of each size in bytes.
    pub(crate) pages: Vec<(u64, u64)>,
    /// CPUs below it.
    pub(crate) cpus: IdSet,
}

#[derive(Debug, Default)]
pub(crate) struct Shipped {
    pub(crate) objects: Vec<Object>,
    /// Distances from node to node, by the kernel's numbers.
    pub(crate) distances: BTreeMap<(u32, u32), u32>,
    /// CPUs of each kind, the least efficient first. Empty of a machine of one kind.
    pub(crate) kinds: Vec<IdSet>,
    /// Read bandwidth of nodes from their own CPUs.
    pub(crate) bandwidth: BTreeMap<u32, u64>,
}

impl Shipped {
    pub(crate) fn of(folder: &Path, name: &str) -> Shipped {
        let read = |kind: &str| std::fs::read_to_string(folder.join(format!("{name}.{kind}")));
        let mut shipped = match read("console") {
            Ok(text) => from_console(&text),
            Err(_) => from_xml(&read("xml").unwrap()),
        };
        shipped.count_cpus();
        shipped
    }

    /// Every object has the CPUs of those below it.
    fn count_cpus(&mut self) {
        for at in 0..self.objects.len() {
            let (true, Some(id)) = (self.objects[at].kind == "PU", self.objects[at].id) else {
                continue;
            };
            let mut here = Some(at);
            while let Some(above) = here {
                self.objects[above].cpus.insert(id);
                here = self.objects[above].parent;
            }
        }
    }

    pub(crate) fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects
            .iter()
            .filter(move |object| object.kind == kind)
    }

    /// The kernel's numbers by hwloc's own.
    fn by_logical(&self, kind: &str) -> BTreeMap<u32, u32> {
        let all = self.objects.iter().filter(|object| object.kind == kind);
        all.filter_map(|object| Some((object.logical?, object.id?)))
            .collect()
    }

    pub(crate) fn above<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a Object> {
        std::iter::successors(Some(object), |o| o.parent.map(|at| &self.objects[at])).skip(1)
    }

    /// The CPUs an object that has none of its own lies near: those of the nearest object above that has some.
    pub(crate) fn near(&self, object: &Object) -> IdSet {
        let mut cpus = self.above(object).map(|above| &above.cpus);
        cpus.find(|cpus| !cpus.is_empty())
            .cloned()
            .unwrap_or_default()
    }

    fn push(&mut self, object: Object) -> usize {
        self.objects.push(object);
        self.objects.len() - 1
    }
}

/// `    NUMANode(DRAM) L#0 (P#1 local=16GiB …)`, two blanks deeper for each object above.
fn from_console(text: &str) -> Shipped {
    let mut shipped = Shipped::default();
    let mut path: Vec<(usize, usize)> = Vec::new();
    // The tree of objects ends where the counts of each depth begin.
    let is_object = |line: &&str| line.contains(" L#");
    let objects = text
        .lines()
        .take_while(|line| !line.starts_with("depth 0:"));
    let machine = text
        .lines()
        .take(1)
        .filter(|line| line.starts_with("Machine"));
    for line in machine.chain(objects.skip(1).filter(is_object)) {
        let depth = line.len() - line.trim_start().len();
        path.retain(|(above, _)| *above < depth);
        let mut object = console_object(line.trim());
        object.parent = path.last().map(|(_, at)| *at);
        let at = shipped.push(object);
        path.push((depth, at));
    }
    let tail: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("depth 0:"))
        .collect();
    console_distances(&mut shipped, &tail);
    console_kinds(&mut shipped, &tail);
    console_bandwidth(&mut shipped, &tail);
    shipped
}

fn console_object(line: &str) -> Object {
    let head = line.split(' ').next().unwrap_or_default();
    let kind = head.split(['(', '[']).next().unwrap_or_default();
    let identity = match between(line, "class=", "(") {
        "" => String::new(),
        class => format!("{} {class}", between(line, " id=", " ")),
    };
    Object {
        kind: if kind == "PCI" { "PCIDev" } else { kind }.to_owned(),
        subtype: between(head, "(", ")").to_owned(),
        id: number(between(line, "(P#", "\n")),
        logical: number(between(line, " L#", "\n")),
        memory: between(line, "local=", " ")
            .trim_end_matches(')')
            .to_owned(),
        address: between(line, "busid=", " ").to_owned(),
        identity,
        ..Object::default()
    }
}

/// Rows and columns are named by hwloc's own numbers, in the order of the objects.
fn console_distances(shipped: &mut Shipped, tail: &[&str]) {
    let nodes = shipped.by_logical("NUMANode");
    let mut lines = tail
        .iter()
        .skip_while(|line| !line.contains("name NUMALatency"));
    let numbers = |line: &str| -> Vec<u32> {
        line.split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect()
    };
    let columns = lines.nth(1).map(|line| numbers(line)).unwrap_or_default();
    for line in lines.take(columns.len()) {
        let row = numbers(line);
        let Some((from, row)) = row.split_first() else {
            continue;
        };
        for (to, distance) in columns.iter().zip(row) {
            let pair = (nodes[from], nodes[to]);
            shipped.distances.insert(pair, *distance);
        }
    }
}

/// `CPU kind #1 efficiency 1 cpuset 0x00000fff`
fn console_kinds(shipped: &mut Shipped, tail: &[&str]) {
    let kinds = tail.iter().filter(|line| line.starts_with("CPU kind #"));
    let masks = kinds.map(|line| between(line, "cpuset ", " "));
    keep_kinds(shipped, masks);
}

fn keep_kinds<'a>(shipped: &mut Shipped, masks: impl Iterator<Item = &'a str>) {
    let kinds: Vec<IdSet> = masks.map(mask).collect();
    if kinds.len() > 1 {
        shipped.kinds = kinds;
    }
}

/// `  NUMANode L#2 = 1000 from cpuset 0x0000000c (Group L#1)`
fn console_bandwidth(shipped: &mut Shipped, tail: &[&str]) {
    let nodes = shipped.by_logical("NUMANode");
    let lines = tail
        .iter()
        .skip_while(|line| !line.contains("name `ReadBandwidth'"));
    for line in lines
        .skip(1)
        .take_while(|line| line.starts_with("  NUMANode"))
    {
        let logical = number(between(line, "L#", "\n")).unwrap();
        let value = u64::from(number(between(line, "= ", "\n")).unwrap());
        shipped.bandwidth.insert(nodes[&logical], value);
    }
}

/// One tag a line: `<object type="PU" os_index="3" …/>`.
fn from_xml(text: &str) -> Shipped {
    let mut shipped = Shipped::default();
    let mut path: Vec<usize> = Vec::new();
    let mut distances = (Vec::new(), Vec::new());
    let mut latency = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("<object ") {
            let mut object = xml_object(line);
            object.parent = path.last().copied();
            let at = shipped.push(object);
            if !line.ends_with("/>") {
                path.push(at);
            }
        } else if line == "</object>" {
            path.pop();
        } else if let (true, Some(at)) = (line.starts_with("<page_type"), path.last()) {
            let count = |key| attribute(line, key).parse().unwrap();
            shipped.objects[*at]
                .pages
                .push((count("size"), count("count")));
        } else if line.starts_with("<distances2") {
            latency = attribute(line, "name") == "NUMALatency";
        } else if latency && line.starts_with("<indexes") {
            distances.0.extend(content(line));
        } else if latency && line.starts_with("<u64values") {
            distances.1.extend(content(line));
        }
    }
    let pairs = distances
        .0
        .iter()
        .flat_map(|from| distances.0.iter().map(|to| (*from, *to)));
    shipped.distances = pairs.zip(distances.1.iter().copied()).collect();
    let kinds = text
        .lines()
        .filter(|line| line.trim().starts_with("<cpukind "));
    keep_kinds(&mut shipped, kinds.map(|line| attribute(line, "cpuset")));
    shipped
}

fn xml_object(line: &str) -> Object {
    let kind = match (attribute(line, "type"), attribute(line, "bridge_type")) {
        ("Bridge", "0-1") => "HostBridge",
        ("Bridge", _) => "PCIBridge",
        (kind, _) => kind,
    };
    let pci = attribute(line, "pci_type");
    let identity = match pci.split_once(' ') {
        Some((class, rest)) => format!("{} {class}", between(rest, "[", "]")),
        None => String::new(),
    };
    Object {
        kind: kind.to_owned(),
        subtype: attribute(line, "subtype").to_owned(),
        id: attribute(line, "os_index").parse().ok(),
        memory: attribute(line, "local_memory").to_owned(),
        address: attribute(line, "pci_busid").to_owned(),
        identity,
        ..Object::default()
    }
}

fn attribute<'a>(line: &'a str, key: &str) -> &'a str {
    between(line, &format!(" {key}=\""), "\"")
}

fn content(line: &str) -> Vec<u32> {
    let inside = between(line, ">", "<");
    inside
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect()
}

fn between<'a>(line: &'a str, start: &str, end: &str) -> &'a str {
    let rest = line.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or(rest, |(inner, _)| inner)
}

fn number(text: &str) -> Option<u32> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// `0x00000055,0x55555555`, the highest word first.
fn mask(text: &str) -> IdSet {
    let words = text.split(',').rev().zip(0..);
    let bits = words.flat_map(|(word, at)| {
        let word = u32::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0);
        (0..32)
            .filter(move |bit| word >> bit & 1 == 1)
            .map(move |bit| at * 32 + bit)
    });
    bits.collect()
}
