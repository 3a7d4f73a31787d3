//! How many more fit: in all, on each class of hosts, and what is left that they cannot use.

use infra_api::units::Bytes;
use infra_api::{Address, Project};
use schemars::JsonSchema;
use serde::Serialize;

use super::page::{BOLD, DOT, PLAIN, Page, count, paint};
use super::{names, place};
use crate::placing::{Capacity, HostCapacity, HostRefusal, Left, OnNodes};

/// `MAJOR.MINOR` of the document. A larger minor number only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// So many addresses of one shape are named; the document names them all.
const NAMED: usize = 3;

/// What `infra capacity --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CapacityDocument {
    /// `MAJOR.MINOR` of this document. A larger minor number only adds fields.
    pub format_version: String,
    /// The configuration's name.
    pub project: Project,
    /// Workloads of the configuration that have no place.
    pub without_place: Vec<Address>,
    pub shapes: Vec<Capacity>,
}

/// The document.
#[must_use]
pub fn document(
    project: &Project,
    shapes: Vec<Capacity>,
    without_place: Vec<Address>,
) -> CapacityDocument {
    CapacityDocument {
        format_version: FORMAT_VERSION.to_owned(),
        project: project.clone(),
        without_place,
        shapes,
    }
}

/// The same for a person.
#[must_use]
pub fn page(document: &CapacityDocument) -> String {
    let mut page = Page::default();
    if document.shapes.is_empty() {
        page.line("No workload is declared, so there is no shape to count.");
    }
    for shape in &document.shapes {
        page.blank();
        page.folded(&format!("{}  ", who(&shape.workloads)), PLAIN, &what(shape));
        page.line(&format!("  {}", many(shape.count)));
        for host in &shape.hosts {
            of_hosts(&mut page, host);
        }
        shape.ruled_out.iter().for_each(|r| ruled_out(&mut page, r));
    }
    if !document.without_place.is_empty() {
        page.blank();
        let without: Vec<&str> = document.without_place.iter().map(names::short).collect();
        page.folded("Without a place: ", PLAIN, &without.join(", "));
    }
    page.finish()
}

fn who(workloads: &[Address]) -> String {
    let mut named: Vec<&str> = workloads.iter().take(NAMED).map(names::short).collect();
    let more = match workloads.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("{more} more"),
    };
    named.extend(Some(more.as_str()).filter(|more| !more.is_empty()));
    paint(BOLD, &named.join(", "))
}

fn what(shape: &Capacity) -> String {
    let forms: Vec<&str> = shape
        .variants
        .iter()
        .map(|v| place::one(v.runtime))
        .collect();
    match forms.is_empty() {
        true => "no host comes into question".to_owned(),
        false => format!("{}{DOT}as {}", shape.asks, forms.join(", else ")),
    }
}

fn many(count: Option<u64>) -> String {
    match count {
        None => paint(BOLD, "without end: nothing that is counted is taken"),
        Some(0) => paint(BOLD, "no further one fits"),
        Some(1) => paint(BOLD, "1 more fits"),
        Some(n) => paint(BOLD, &format!("{n} more fit")),
    }
}

fn of_hosts(page: &mut Page, of: &HostCapacity) {
    let each = if of.hosts.len() > 1 { " each" } else { "" };
    let number = match of.count {
        None => "without end".to_owned(),
        Some(0) => "none".to_owned(),
        Some(n) => format!("{n}{each}"),
    };
    let nodes: Vec<String> = of.nodes.iter().filter_map(on_nodes).collect();
    let nodes = match nodes.is_empty() || of.count == Some(0) {
        true => String::new(),
        false => format!(": {}", nodes.join(", ")),
    };
    page.blank();
    page.folded(
        "  ",
        PLAIN,
        &format!("{}  {number}{nodes}", names::hosts(&of.hosts)),
    );
    for short in &of.short {
        let form = match of.short.len() {
            1 => String::new(),
            _ => format!("as {}, ", place::one(short.variant.runtime)),
        };
        page.folded("    then ", PLAIN, &format!("{form}{}", short.constraint));
    }
    for node in &of.left {
        let words = left(node);
        if !words.is_empty() {
            page.listed(&format!("    node {}  ", node.node), PLAIN, &words);
        }
    }
}

fn on_nodes(on: &OnNodes) -> Option<String> {
    let nodes = match on.nodes.is_empty() {
        true => return None,
        false => names::ids("node", &on.nodes),
    };
    Some(match on.count {
        0 => format!("on {nodes}"),
        count => format!("{count} on {nodes}"),
    })
}

/// What is left of a node, what of that is stranded first.
fn left(left: &Left) -> Vec<String> {
    let cpus = (left.cpus > 0).then(|| count(left.cpus as usize, "CPU"));
    let memory = left.memory_bytes.filter(|bytes| *bytes > 0).map(rounded);
    let pages = left
        .pages
        .iter()
        .map(|p| format!("{} pages of {}", p.count, Bytes(p.size_bytes)));
    let backing: Vec<String> = memory.into_iter().chain(pages).collect();
    let devices = (!left.devices.is_empty()).then(|| count(left.devices.len(), "device"));
    let lacks = |word: &str| left.lacking.iter().any(|l| l == word);
    let (no_cpus, no_memory, no_pages) = (lacks("cpus"), lacks("memory"), lacks("pages"));
    let wanting = match (no_cpus, no_memory || no_pages) {
        (true, false) => Some("CPUs"),
        (false, true) => Some(if no_pages { "pages" } else { "memory" }),
        _ => None,
    };
    let (stranded, rest): (Vec<String>, Vec<String>) = match wanting {
        Some("CPUs") => (backing, cpus.into_iter().collect()),
        Some(_) => (cpus.into_iter().collect(), backing),
        None => (Vec::new(), cpus.into_iter().chain(backing).collect()),
    };
    let (stranded, rest): (Vec<String>, Vec<String>) = match wanting {
        Some(_) => (stranded.into_iter().chain(devices).collect(), rest),
        None => (stranded, rest.into_iter().chain(devices).collect()),
    };
    let mut words = Vec::new();
    if let Some(wanting) = wanting.filter(|_| !stranded.is_empty()) {
        words.push(format!(
            "stranded without {wanting}: {}",
            stranded.join(", ")
        ));
    }
    if left.blocked_threads > 0 {
        let threads = count(left.blocked_threads as usize, "thread");
        words.push(format!(
            "stranded: {threads} on cores others have a part of"
        ));
    }
    words.extend((!rest.is_empty()).then(|| format!("left: {}", rest.join(", "))));
    words
}

/// Whole MiB: what a kernel keeps for itself is no round number.
fn rounded(bytes: u64) -> String {
    match bytes >> 20 {
        0 => Bytes(bytes).to_string(),
        mib => Bytes(mib << 20).to_string(),
    }
}

fn ruled_out(page: &mut Page, refusal: &HostRefusal) {
    page.blank();
    let lead = format!("  {}  ", names::hosts(&refusal.hosts));
    let form = place::one(refusal.variant.runtime);
    page.folded(
        &lead,
        PLAIN,
        &format!("not as {form}: {}", refusal.constraint),
    );
}
