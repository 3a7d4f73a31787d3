//! Why there is no plan, said at the place of what asks for it.

use infra_api::Address;
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_lang::Evaluation;
use infra_plan::{Reason, Refusal};

/// One diagnostic for each refusal.
#[must_use]
pub fn diagnostics(refusals: &[Refusal], evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for refusal in refusals {
        diagnostics.push(one(refusal, evaluation));
    }
    diagnostics
}

fn one(refusal: &Refusal, evaluation: &Evaluation) -> Diagnostic {
    match refusal {
        Refusal::NameTaken { id, address, what } => {
            let error = Diagnostic::error("Name taken by an object that is not ours");
            placed(
                error,
                origin(address, evaluation),
                format!("`{address}` would be {id}"),
            )
            .note(format!("there: {what}"))
            .hint("rename or remove that object, or give this configuration another `project`")
        }
        Refusal::PreventDestroy {
            id,
            address,
            reason,
        } => {
            let error = Diagnostic::error("Destruction prevented");
            placed(
                error,
                origin(address, evaluation),
                format!("{id} of `{address}` would be destroyed"),
            )
            .note(why(reason))
            .hint("if that is wanted, apply `lifecycle { prevent_destroy = false }` first")
        }
        Refusal::Cycle(cycle) => {
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
    }
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
