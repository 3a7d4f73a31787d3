//! Which declaration speaks of which, as written: nothing is evaluated, so it can be drawn even where
//! values are missing. What depends on what among instances is [`crate::Evaluation::edges`].

use crate::syntax::Expr;
use crate::tree::{Body, Check, Item, Lifecycle, Module, Repeat, Target, Tree};
use infra_expr::{Reference, Step, references};
use std::collections::{BTreeMap, BTreeSet};

/// Declarations by their names (`var.x`, `workload.a`, `module.m.local.y`), each with those it speaks of.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn graph(tree: &Tree) -> Graph {
    let mut drawing = Drawing {
        tree,
        graph: Graph::new(),
    };
    drawing.module(&tree.modules[0], "");
    drawing.graph
}

struct Drawing<'a> {
    tree: &'a Tree,
    graph: Graph,
}

impl<'a> Drawing<'a> {
    fn module(&mut self, module: &'a Module, path: &str) {
        for (name, _, variable) in module.variables.iter() {
            let checks = expressions_of(&variable.validations);
            self.node(module, path, format!("var.{name}"), checks, &[]);
        }
        for (name, _, expr) in module.locals.iter() {
            self.node(module, path, format!("local.{name}"), vec![expr], &[]);
        }
        for (name, _, output) in module.outputs.iter() {
            let mut all = expressions_of(&output.preconditions);
            all.push(&output.value);
            self.node(
                module,
                path,
                format!("output.{name}"),
                all,
                &output.depends_on,
            );
        }
        for (name, kind, declared) in module.declared() {
            let mut all = declared.body.expressions();
            all.extend(declared.repeat.expr());
            all.extend(declared.lifecycle.expressions());
            self.node(
                module,
                path,
                format!("{kind}.{name}"),
                all,
                &declared.depends_on,
            );
        }
        for (name, _, call) in module.calls.iter() {
            let repeat = call.repeat.expr().into_iter().collect();
            self.node(
                module,
                path,
                format!("module.{name}"),
                repeat,
                &call.depends_on,
            );
            let Some(inner) = call.module else { continue };
            let inner_path = format!("{path}module.{name}.");
            self.module(&self.tree.modules[inner], &inner_path);
            for (input, (_, expr)) in &call.inputs {
                let found = self.targets(module, path, &[expr]);
                let node = self
                    .graph
                    .entry(format!("{inner_path}var.{input}"))
                    .or_default();
                node.extend(found);
            }
        }
    }

    fn node(
        &mut self,
        module: &Module,
        path: &str,
        name: String,
        expressions: Vec<&Expr>,
        depends_on: &[Target],
    ) {
        let mut found = self.targets(module, path, &expressions);
        found.extend(
            depends_on
                .iter()
                .map(|target| format!("{path}{}.{}", target.kind, target.name)),
        );
        let name = format!("{path}{name}");
        found.remove(&name);
        self.graph.entry(name).or_default().extend(found);
    }

    fn targets(&self, module: &Module, path: &str, expressions: &[&Expr]) -> BTreeSet<String> {
        let all = expressions
            .iter()
            .flat_map(|expr| references(&expr.node, expr.source()));
        all.filter_map(|reference| self.target(module, path, &reference))
            .collect()
    }

    fn target(&self, module: &Module, path: &str, reference: &Reference) -> Option<String> {
        let (root, name) = (&*reference.root, reference.steps.first()?.name()?);
        if root == "module" {
            return self.output(module, path, name, reference);
        }
        module
            .declares(root, name)
            .then(|| format!("{path}{root}.{name}"))
    }

    /// The output of a module that is meant, or the module itself.
    fn output(
        &self,
        module: &Module,
        path: &str,
        name: &str,
        reference: &Reference,
    ) -> Option<String> {
        let call = module.calls.get(name)?;
        let outputs = call.module.map(|inner| &self.tree.modules[inner].outputs);
        let after = if matches!(call.repeat, Repeat::Once) {
            1
        } else {
            2
        };
        let output = reference.steps.get(after).and_then(Step::name);
        let known = output.filter(|name| outputs.is_some_and(|all| all.get(name).is_some()));
        Some(match known {
            Some(output) => format!("{path}module.{name}.output.{output}"),
            None => format!("{path}module.{name}"),
        })
    }
}

fn expressions_of(checks: &[Check]) -> Vec<&Expr> {
    checks
        .iter()
        .flat_map(|check| [&check.condition, &check.message])
        .collect()
}

impl Lifecycle {
    fn expressions(&self) -> Vec<&Expr> {
        let mut all = expressions_of(&self.preconditions);
        all.extend(&self.prevent_destroy);
        all.extend(&self.create_before_destroy);
        all
    }
}

impl Body {
    fn expressions(&self) -> Vec<&Expr> {
        let mut all: Vec<&Expr> = self
            .settings
            .values()
            .map(|setting| &setting.value)
            .collect();
        for item in self.items.values().flatten() {
            match item {
                Item::Block(body) => all.extend(body.expressions()),
                Item::Dynamic(dynamic) => {
                    all.push(&dynamic.for_each);
                    all.extend(&dynamic.labels);
                    all.extend(dynamic.content.expressions());
                }
            }
        }
        all
    }
}
