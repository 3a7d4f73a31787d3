//! Why there is no plan, said at the place of what asks for it.

use std::collections::BTreeMap;

use infra_api::{Address, ResourceId, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_lang::Evaluation;
use infra_plan::{Cycle, Reason, Refusal};

use crate::declared::{Device, Workload};
use crate::placing::{Constraint, HostRefusal, Refused, names};

/// One diagnostic for each refusal; for all that is prevented at an address, one.
#[must_use]
pub fn diagnostics(refusals: &[Refusal], evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut prevented: BTreeMap<&Address, Diagnostic> = BTreeMap::new();
    for refusal in refusals {
        match refusal {
            Refusal::PreventDestroy {
                id,
                address,
                reason,
            } => {
                let error = prevented
                    .remove(address)
                    .unwrap_or_else(|| destruction(address, evaluation));
                prevented.insert(address, error.note(format!("{id}: {}", why(reason))));
            }
            Refusal::NameTaken { id, address, what } => {
                diagnostics.push(name_taken(id, address, what, evaluation));
            }
            Refusal::InUse {
                id,
                address,
                user,
                user_address,
            } => diagnostics.push(in_use((id, address), (user, user_address), evaluation)),
            Refusal::Cycle(cycle) => diagnostics.push(circle(cycle)),
        }
    }
    diagnostics.extend(prevented.into_values());
    diagnostics
}

fn destruction(address: &Address, evaluation: &Evaluation) -> Diagnostic {
    let error = Diagnostic::error("Destruction prevented");
    let span = origin(address, evaluation);
    let hint = match span {
        Some(_) => "if that is wanted, apply `lifecycle { prevent_destroy = false }` first",
        None => "declare it again; if it is to go, apply it without `prevent_destroy` first",
    };
    placed(
        error,
        span,
        format!("what `{address}` made would be destroyed"),
    )
    .hint(hint)
}

fn name_taken(id: &ResourceId, address: &Address, what: &str, from: &Evaluation) -> Diagnostic {
    let error = Diagnostic::error("Name taken by an object that is not ours");
    let text = format!("`{address}` would be {id}");
    placed(error, origin(address, from), text)
        .note(format!("there: {what}"))
        .hint("rename or remove that object, or give this configuration another `project`")
}

fn in_use(
    (id, address): (&ResourceId, &Address),
    (user, user_address): (&ResourceId, &Address),
    from: &Evaluation,
) -> Diagnostic {
    let error = Diagnostic::error("In use by what is left out");
    let text = format!("{id} would be removed or made anew");
    placed(error, origin(address, from), text)
        .note(format!("{user} stands on it"))
        .hint(format!(
            "plan `{user_address}` with it, or leave `{address}` out too"
        ))
}

fn circle(cycle: &Cycle) -> Diagnostic {
    let names: Vec<String> = cycle
        .0
        .iter()
        .chain(cycle.0.first())
        .map(ToString::to_string)
        .collect();
    Diagnostic::error("Steps wait for each other")
        .note(names.join(" → "))
        .hint("remove one of the `depends_on` that make the circle")
}

fn origin(address: &Address, evaluation: &Evaluation) -> Option<Span> {
    let address = address.as_str().parse().ok()?;
    evaluation.instance(&address).map(|i| i.origin)
}

fn placed(diagnostic: Diagnostic, span: Option<Span>, text: String) -> Diagnostic {
    match span {
        Some(span) => diagnostic.at(span, text),
        None => diagnostic.note(text),
    }
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::Replaced { attributes } if !attributes.is_empty() => {
            format!(
                "it would be made anew, because {} cannot be changed",
                attributes.join(", ")
            )
        }
        Reason::Replaced { .. } => "it would be made anew, as asked".to_owned(),
        Reason::ReplacedWith { resource } => {
            format!("it would be made anew, because {resource} is")
        }
        Reason::Destroy => "everything is being destroyed".to_owned(),
        Reason::Stray => "it carries this project's mark and is declared nowhere".to_owned(),
        _ => "its declaration is gone".to_owned(),
    }
}

/// Why workloads have no place, said where they ask for what there is not: instances of one block that are refused for
/// the same reasons together.
#[must_use]
pub fn nowhere(
    refused: &[(&Workload, &Refused)],
    held: &[&Address],
    nearest: &BTreeMap<Address, Vec<String>>,
) -> Vec<Diagnostic> {
    let mut alike: Vec<Alike> = Vec::new();
    let mut of_block: BTreeMap<Span, Vec<usize>> = BTreeMap::new();
    for (workload, refused) in refused {
        // That it is not given in another form is no news, where it is given in one.
        let reasons = refused.refused.iter().filter(|r| given(workload, r));
        let reasons: Vec<&HostRefusal> = reasons.collect();
        let block = of_block.entry(workload.origin).or_default();
        match block.iter().find(|at| alike[**at].reasons == reasons) {
            Some(at) => alike[*at].more += 1,
            None => {
                block.push(alike.len());
                alike.push(Alike {
                    workload,
                    more: 0,
                    reasons,
                });
            }
        }
    }
    alike
        .iter()
        .map(|alike| alike.told(held, nearest))
        .collect()
}

/// Instances of one block that are refused for the same reasons.
struct Alike<'a> {
    /// The first of them.
    workload: &'a Workload,
    more: usize,
    reasons: Vec<&'a HostRefusal>,
}

impl Alike<'_> {
    /// Whether what it needs, and nothing else, rules out what it is given as.
    fn by_needs(&self) -> bool {
        let gates = self.reasons.iter().map(|r| &r.constraint);
        let mut gates = gates.filter_map(|constraint| match constraint {
            Constraint::Gate { gate, .. } if gate != "form" && gate != "word" => Some(gate),
            _ => None,
        });
        let first = gates.next();
        first.is_some_and(|gate| gate == "needs") && gates.all(|gate| gate == "needs")
    }

    fn told(&self, held: &[&Address], nearest: &BTreeMap<Address, Vec<String>>) -> Diagnostic {
        let workload = self.workload;
        let address = &workload.address;
        let (who, fit) = match self.more {
            0 => (format!("`{address}`"), "fits"),
            more => (format!("`{address}` and {more} more"), "fit"),
        };
        let full = self
            .reasons
            .iter()
            .find_map(|r| asked(&r.constraint, workload));
        let error = match full {
            Some(span) => Diagnostic::error("No host has room for a workload")
                .at(span, format!("{who} {fit} nowhere"))
                .hint("`infra facts HOST` shows what a host has and what is taken"),
            None if self.by_needs() => Diagnostic::error("Needs that nothing it is given as meets")
                .at(
                    workload.suits.span.unwrap_or(workload.origin),
                    format!("{who} can run nowhere"),
                )
                .hint(
                    "ask for less in `needs`, or give it a form that meets them; `trust = \"same_tenant\"` lets it share a \
                     kernel with its neighbours",
                ),
            None => Diagnostic::error("No host can run a workload")
                .at(workload.origin, format!("{who} can run nowhere"))
                .hint("`infra facts HOST` shows what a host offers, and why not the rest"),
        };
        let error = self
            .reasons
            .iter()
            .fold(error, |error, reason| error.note(told(reason)));
        let ways = nearest.get(address).into_iter().flatten();
        let error = ways.fold(error, |error, way| error.hint(way.clone()));
        match held {
            [] => error,
            [first, rest @ ..] => error.hint(match rest.len() {
                0 => format!("`{first}` is left out and keeps its place: plan it with it"),
                more => format!("`{first}` and {more} more are left out and keep their places"),
            }),
        }
    }
}

fn given(workload: &Workload, refusal: &HostRefusal) -> bool {
    workload.has_form(refusal.variant.runtime)
}

/// Where it asks for what a constraint is about; nothing where a gate closed.
fn asked(constraint: &Constraint, workload: &Workload) -> Option<Span> {
    let (cpus, memory, numa) = (&workload.cpus, &workload.memory, &workload.numa);
    let span = match constraint {
        Constraint::Gate { .. } => return None,
        Constraint::NamedCpus { .. } => cpus.set.as_ref().map(|s| s.span),
        Constraint::DedicatedCpus { .. }
        | Constraint::SharedCpus { .. }
        | Constraint::OneL3 { .. }
        | Constraint::Helpers { .. }
        | Constraint::Overcommit { .. } => cpus.span,
        Constraint::NamedNodes { .. } => numa.named(memory).map(|n| n.span),
        Constraint::Memory { .. } => memory.size_bytes.as_ref().map(|s| s.span),
        Constraint::HugePages { .. } => pages(workload),
        Constraint::Cells { .. } => numa.span,
        Constraint::Devices { kind, .. } => device(workload, kind),
        Constraint::Together { .. }
        | Constraint::Apart { .. }
        | Constraint::Elsewhere { .. }
        | Constraint::Nowhere { .. }
        | Constraint::Drained
        | Constraint::Undecided { .. } => None,
    };
    Some(span.unwrap_or(workload.origin))
}

fn device(workload: &Workload, kind: &str) -> Option<Span> {
    let asks = |device: &&Device| crate::placing::device_kind(&device.kind) == kind;
    let device = workload.devices.iter().find(asks)?;
    Some(device.span)
}

/// Where pages are asked for, of all of it or of a cell.
fn pages(workload: &Workload) -> Option<Span> {
    let cells = workload.numa.cells.iter();
    let all = workload.memory.page_sizes.as_ref();
    let mut pages = all
        .into_iter()
        .chain(cells.filter_map(|c| c.page_sizes.as_ref()));
    pages.next().map(|pages| pages.span)
}

fn told(refusal: &HostRefusal) -> String {
    let HostRefusal {
        variant,
        hosts,
        constraint,
    } = refusal;
    let hosts = names(hosts.len(), hosts.iter());
    let own = match (variant.runtime, constraint) {
        (Runtime::Kvm, Constraint::Memory { .. }) => " (with what QEMU takes for itself)",
        _ => "",
    };
    format!("{variant} on {hosts}: {constraint}{own}")
}
