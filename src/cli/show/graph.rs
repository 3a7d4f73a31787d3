//! What depends on what, in DOT. An arrow points to what is needed.

use std::collections::BTreeSet;
use std::fmt::Write;

use infra_lang::{Address, Evaluation, Why};
use infra_plan::{Plan, Step, StepAction};

/// What depends on what, in DOT: declared instances, and with a plan its steps. What is said (`depends_on`) is solid,
/// what follows from an expression is dashed.
#[must_use]
pub fn graph(evaluation: &Evaluation, plan: Option<&Plan>) -> String {
    let mut dot = String::from("digraph infra {\n  rankdir = LR;\n  node [shape = box];\n");
    for instance in &evaluation.instances {
        line(
            &mut dot,
            &format!("  {};", quoted(&instance.address.to_string())),
        );
    }
    for (from, to, why) in edges(evaluation) {
        let style = match why {
            Why::DependsOn => "solid",
            Why::Reference => "dashed",
        };
        let (from, to) = (quoted(&from.to_string()), quoted(&to.to_string()));
        line(&mut dot, &format!("  {from} -> {to} [style = {style}];"));
    }
    if let Some(plan) = plan {
        steps(&mut dot, plan);
    }
    dot.push_str("}\n");
    dot
}

/// What is both said and implied is drawn as said.
fn edges(evaluation: &Evaluation) -> BTreeSet<(Address, Address, Why)> {
    let all = evaluation
        .edges()
        .into_iter()
        .map(|e| (e.from, e.to, e.why));
    let all: BTreeSet<_> = all.collect();
    let said =
        |from: &Address, to: &Address| all.contains(&(from.clone(), to.clone(), Why::DependsOn));
    all.iter()
        .filter(|(from, to, why)| *why == Why::DependsOn || !said(from, to))
        .cloned()
        .collect()
}

fn steps(dot: &mut String, plan: &Plan) {
    dot.push_str("  subgraph cluster_plan {\n    label = \"plan\";\n");
    for step in &plan.steps {
        let label = format!("{}. {} {}", step.number, verb(step), step.resource);
        line(
            dot,
            &format!("    {} [label = {}];", node(step.number), quoted(&label)),
        );
    }
    for step in &plan.steps {
        for needed in &step.needs {
            line(
                dot,
                &format!("    {} -> {};", node(step.number), node(*needed)),
            );
        }
    }
    dot.push_str("  }\n");
}

fn node(number: u32) -> String {
    format!("\"step {number}\"")
}

fn verb(step: &Step) -> &'static str {
    match step.action {
        StepAction::Create => "create",
        StepAction::Prepare => "prepare",
        StepAction::Update => "change",
        StepAction::Restart => "restart",
        StepAction::Replace => "replace",
        StepAction::Delete => "delete",
        StepAction::Migrate => "move",
    }
}

/// A text as DOT quotes it: a backslash would begin an escape in a label.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

fn line(dot: &mut String, text: &str) {
    let _ = writeln!(dot, "{text}");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use infra_lang::{Files, GivenValues, Memory, Mode};

    use super::*;
    use crate::configuration::Source;

    const CONFIGURATION: &str = r#"
network "lan" { subnet = "10.0.0.0/24" }
image "i" { archive = "i.tar" }
workload "a" {
  for_each = toset(["x"])
  interface "lan" { network = network.lan }
  container { image = image.i }
  depends_on = [network.lan]
}
"#;

    fn evaluation() -> Evaluation {
        let text = CONFIGURATION.as_bytes().to_vec();
        let files = Memory(BTreeMap::from([("main.infra.hcl".to_owned(), text)]));
        let files: Arc<dyn Files> = Arc::new(files);
        let given = GivenValues::default();
        let source = Source::read(&files, "demo");
        let mut secret = |_: &str| String::new();
        source
            .evaluate(&given, Mode::Plan, &BTreeMap::new(), &mut secret)
            .evaluation
    }

    #[test]
    fn instances() {
        let expected = r#"digraph infra {
  rankdir = LR;
  node [shape = box];
  "image.i";
  "network.lan";
  "workload.a[\"x\"]";
  "workload.a[\"x\"]" -> "image.i" [style = dashed];
  "workload.a[\"x\"]" -> "network.lan" [style = solid];
}
"#;
        assert_eq!(graph(&evaluation(), None), expected);
    }
}
