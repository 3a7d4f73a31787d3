//! Whether every name means something: each reference of each expression against what its module declares,
//! once per expression and also where nothing is ever evaluated because a `count` is zero.

use crate::schema::BlockKind;
use crate::syntax::{Expr, hinted};
use crate::tree::{Body, Call, Check, Declared, Item, Module, Repeat, Target, Tree};
use crate::words::suggest;
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::{Reference, Step, references};
use std::sync::Arc;

/// Checks a whole configuration.
pub(crate) fn check(tree: &Tree, found: &mut Diagnostics) {
    for module in &tree.modules {
        let mut checker = Checker {
            tree,
            module,
            found,
        };
        checker.module();
    }
}

/// Checks an expression that stands in the root module but not in the sources.
pub(crate) fn check_expression(tree: &Tree, expr: &Expr, found: &mut Diagnostics) {
    Checker {
        tree,
        module: &tree.modules[0],
        found,
    }
    .expr(expr, &Names::default());
}

/// Names that mean something only in some blocks.
#[derive(Clone, Default)]
struct Names {
    each: bool,
    count: bool,
    iterators: Vec<Arc<str>>,
}

impl Names {
    fn of(repeat: &Repeat) -> Self {
        let (each, count) = (
            matches!(repeat, Repeat::ForEach(_)),
            matches!(repeat, Repeat::Count(_)),
        );
        Self {
            each,
            count,
            iterators: Vec::new(),
        }
    }
}

struct Checker<'a> {
    tree: &'a Tree,
    module: &'a Module,
    found: &'a mut Diagnostics,
}

/// What `path` holds.
const PATHS: [&str; 2] = ["module", "root"];

/// What an instance or its module is referred to with, beside the kinds of the schema.
const ROOTS: [&str; 6] = ["var", "local", "module", "each", "count", "path"];

impl<'a> Checker<'a> {
    fn module(&mut self) {
        let module = self.module;
        let nothing = Names::default();
        for (_, _, variable) in module.variables.iter() {
            self.checks(&variable.validations, &nothing);
        }
        for (_, _, expr) in module.locals.iter() {
            self.expr(expr, &nothing);
        }
        for (_, _, output) in module.outputs.iter() {
            self.expr(&output.value, &nothing);
            self.checks(&output.preconditions, &nothing);
            self.targets(&output.depends_on, &nothing);
        }
        for (name, _, call) in module.calls.iter() {
            self.call(name, call);
        }
        if std::ptr::eq(module, &self.tree.modules[0]) {
            self.imports();
        }
        for (_, _, declared) in module.declared.values().flat_map(|table| table.iter()) {
            self.declared(declared);
        }
    }

    /// They stand in the root module only.
    fn imports(&mut self) {
        for import in &self.tree.imports {
            self.repeat(&import.repeat);
            let names = Names::of(&import.repeat);
            for expr in import.expressions() {
                self.expr(expr, &names);
            }
        }
    }

    fn checks(&mut self, checks: &[Check], names: &Names) {
        for check in checks {
            self.expr(&check.condition, names);
            self.expr(&check.message, names);
        }
    }

    fn call(&mut self, name: &str, call: &'a Call) {
        self.repeat(&call.repeat);
        let names = Names::of(&call.repeat);
        self.targets(&call.depends_on, &names);
        for (_, expr) in call.inputs.values() {
            self.expr(expr, &names);
        }
        let Some(target) = call.module.map(|index| &self.tree.modules[index]) else {
            return;
        };
        if target.partial {
            return;
        }
        for (input, (span, _)) in &call.inputs {
            if target.variables.get(input).is_none() {
                let error = Diagnostic::error("Unknown attribute")
                    .at(*span, format!("module `{name}` has no variable `{input}`"));
                self.found.push(hinted(
                    error,
                    suggest(input, target.variables.names(), "it takes"),
                ));
            }
        }
        for (input, _, variable) in target.variables.iter() {
            if variable.default.is_none() && !call.inputs.contains_key(input) {
                self.found.push(
                    Diagnostic::error("Missing attribute")
                        .at(call.header, format!("module `{name}` needs `{input}`"))
                        .at(variable.header, "it has no default")
                        .hint(format!("add {input} = …")),
                );
            }
        }
    }

    fn declared(&mut self, declared: &'a Declared) {
        self.repeat(&declared.repeat);
        let names = Names::of(&declared.repeat);
        self.targets(&declared.depends_on, &names);
        self.checks(&declared.lifecycle.preconditions, &names);
        let lifecycle = &declared.lifecycle;
        let flags = [&lifecycle.prevent_destroy, &lifecycle.create_before_destroy];
        for expr in flags.into_iter().flatten() {
            self.expr(expr, &names);
        }
        self.body(&declared.body, &names);
    }

    fn body(&mut self, body: &'a Body, names: &Names) {
        for setting in body.settings.values() {
            self.expr(&setting.value, names);
        }
        for item in body.items.values().flatten() {
            match item {
                Item::Block(body) => self.body(body, names),
                Item::Dynamic(dynamic) => {
                    self.expr(&dynamic.for_each, names);
                    let mut names = names.clone();
                    names.iterators.push(dynamic.iterator.clone());
                    if let Some(labels) = &dynamic.labels {
                        self.expr(labels, &names);
                    }
                    self.body(&dynamic.content, &names);
                }
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat) {
        if let Some(expr) = repeat.expr() {
            self.expr(expr, &Names::default());
        }
    }

    fn targets(&mut self, targets: &[Target], names: &Names) {
        for target in targets {
            if let Some(key) = &target.key {
                self.expr(key, names);
            }
            let can_be = !matches!(&*target.kind, "var" | "local");
            let exists = can_be && self.module.declares(&target.kind, &target.name);
            if !exists && !self.module.partial {
                let error = self.no_target(target);
                self.found.push(error);
            }
        }
    }

    fn no_target(&self, target: &Target) -> Diagnostic {
        let (kind, name) = (&*target.kind, &*target.name);
        if kind != "module" && self.tree.schema.kind(kind).is_none() {
            return Diagnostic::error("Invalid dependency")
                .at(
                    target.span,
                    format!("`{kind}` is no kind of declared block"),
                )
                .hint("write depends_on = [workload.name, module.name]");
        }
        nothing(
            target.span,
            kind,
            &format!("{kind}.{name}"),
            name,
            self.module.names(kind),
        )
    }

    fn expr(&mut self, expr: &Expr, names: &Names) {
        for reference in references(&expr.node, expr.source()) {
            if let Some(error) = self.reference(&reference, names) {
                self.found.push(error);
            }
        }
    }

    fn reference(&self, reference: &Reference, names: &Names) -> Option<Diagnostic> {
        let root = &*reference.root;
        if names.iterators.iter().any(|iterator| **iterator == *root) {
            return None;
        }
        let is_kind = self.tree.schema.kind(root).is_some();
        if !is_kind && !ROOTS.contains(&root) {
            return Some(self.unknown_root(reference));
        }
        let Some(name) = reference.steps.first().and_then(Step::name) else {
            return Some(self.no_name(reference, is_kind));
        };
        match root {
            "each" if !names.each => Some(misplaced(reference, "for_each")),
            "count" if !names.count => Some(misplaced(reference, "count")),
            "each" => within(reference, name, &["key", "value"]),
            "count" => within(reference, name, &["index"]),
            "path" => within(reference, name, &PATHS),
            _ => self.declared_reference(reference, name),
        }
    }

    fn declared_reference(&self, reference: &Reference, name: &str) -> Option<Diagnostic> {
        let root = &*reference.root;
        if self.module.partial && !self.module.declares(root, name) {
            return None;
        }
        if !self.module.declares(root, name) {
            let (span, known) = (self.through(reference, 1), self.module.names(root));
            return Some(nothing(span, root, &format!("{root}.{name}"), name, known));
        }
        match root {
            "var" | "local" => None,
            "module" => self.output(reference, self.module.calls.get(name)?),
            kind => self.part(reference, name, self.module.declared.get(kind)?.get(name)?),
        }
    }

    /// `module.m.out`, `module.m[0].out`
    fn output(&self, reference: &Reference, call: &Call) -> Option<Diagnostic> {
        let target = &self.tree.modules[call.module?];
        let (index, output) = after_key(reference, &call.repeat)?;
        if target.outputs.get(output).is_some() || target.partial {
            return None;
        }
        let names = target.outputs.names().collect();
        let address = self.text(reference, index);
        Some(nothing(
            self.through(reference, index + 1),
            "output",
            &address,
            output,
            names,
        ))
    }

    /// `workload.a.env`, `workload.a[0].address`
    fn part(&self, reference: &Reference, name: &str, declared: &Declared) -> Option<Diagnostic> {
        let kind = declared.kind;
        let (index, part) = match after_key(reference, &declared.repeat) {
            Some(part) => part,
            None => return misses_key(reference, name, declared),
        };
        if readable_names(kind).any(|known| known == part) {
            return None;
        }
        let error = Diagnostic::error("Unknown attribute").at(
            reference.steps[index].span(),
            format!("`{}` has no attribute `{part}` to read", kind.name),
        );
        Some(hinted(error, suggest(part, readable_names(kind), "it has")))
    }

    /// The place of a reference's root and its first so many steps.
    fn through(&self, reference: &Reference, steps: usize) -> Span {
        let end = reference.steps[..steps]
            .last()
            .map_or(reference.span.end, |step| step.span().end);
        Span {
            end,
            ..reference.span
        }
    }

    /// A reference's first steps as one would write them.
    fn text(&self, reference: &Reference, upto: usize) -> String {
        let names = reference.steps[..=upto]
            .iter()
            .filter_map(|step| match step {
                Step::Attr(name, _) => Some(&**name),
                Step::Index(..) => None,
            });
        let names: Vec<&str> = names.collect();
        format!("{}.{}", reference.root, names.join("."))
    }

    fn no_name(&self, reference: &Reference, is_kind: bool) -> Diagnostic {
        let root = &*reference.root;
        let what = if is_kind { "the name of one" } else { "a name" };
        let error = Diagnostic::error("Incomplete reference").at(
            reference.span,
            format!("`{root}` must be followed by {what}"),
        );
        let example = self.module.names(root).first().copied().unwrap_or("name");
        error.hint(match root {
            "each" => "write each.key or each.value".to_owned(),
            "count" => "write count.index".to_owned(),
            "path" => "write path.module or path.root".to_owned(),
            root => format!("write {root}.{example}"),
        })
    }

    fn unknown_root(&self, reference: &Reference) -> Diagnostic {
        let root = &*reference.root;
        let error = Diagnostic::error("Unknown name")
            .at(reference.span, format!("there is no `{root}` here"));
        let hint = match root {
            "self" => "`self` means nothing here: write the block's own address".to_owned(),
            "data" | "resource" => format!("there is no `{root}` here: name a block by its kind"),
            "terraform" => "there are no workspaces: use a variable".to_owned(),
            root => return hinted(error, self.meant(root, reference.steps.is_empty())),
        };
        error.hint(hint)
    }

    /// What somebody meant by a name that is no root.
    fn meant(&self, root: &str, alone: bool) -> Option<String> {
        let as_member = |of: &str| alone && self.module.names(of).contains(&root);
        if let Some(of) = ["var", "local"].into_iter().find(|of| as_member(of)) {
            return Some(format!("write {of}.{root}"));
        }
        let roots = self
            .tree
            .schema
            .kinds
            .iter()
            .map(|kind| kind.name)
            .chain(ROOTS);
        match crate::words::nearest(root, roots) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if alone => Some(format!("write \"{root}\" if you mean the text")),
            None => None,
        }
    }
}

/// What expressions may read of an instance.
pub(crate) fn readable_names(
    kind: &'static BlockKind,
) -> impl Iterator<Item = &'static str> + Clone {
    let blocks = kind
        .blocks
        .iter()
        .filter(|nested| nested.readable)
        .map(|nested| nested.kind.name);
    let written = |name: &str| {
        kind.attributes
            .iter()
            .any(|attribute| attribute.name == name)
    };
    let computed = kind.computed.iter().map(|computed| computed.name);
    let computed = computed.filter(move |name| !written(name));
    let attributes = kind.attributes.iter().map(|attribute| attribute.name);
    attributes.chain(blocks).chain(computed).chain(["id"])
}

/// The step after the name and, where there are several instances, after the key of one.
fn after_key<'a>(reference: &'a Reference, repeat: &Repeat) -> Option<(usize, &'a str)> {
    let index = match (repeat, reference.steps.get(1)?) {
        (Repeat::Once, _) => 1,
        (Repeat::Count(_), Step::Attr(..)) => return None,
        _ => 2,
    };
    Some((index, reference.steps.get(index)?.name()?))
}

/// `workload.a.env` where `a` has a `count`.
fn misses_key(reference: &Reference, name: &str, declared: &Declared) -> Option<Diagnostic> {
    let (Repeat::Count(_), Some(Step::Attr(part, _))) = (&declared.repeat, reference.steps.get(1))
    else {
        return None;
    };
    let address = format!("{}.{name}", reference.root);
    Some(
        Diagnostic::error("Missing index")
            .at(
                reference.span,
                format!("`{address}` has a count, so there may be several"),
            )
            .hint(format!(
                "write {address}[0].{part} for one, {address}[*].{part} for all"
            )),
    )
}

fn nothing(span: Span, root: &str, address: &str, name: &str, known: Vec<&str>) -> Diagnostic {
    let error =
        Diagnostic::error("Reference to nothing").at(span, format!("there is no `{address}`"));
    let declare = || match root {
        "var" => format!("declare it: variable \"{name}\" {{ … }}"),
        "local" => format!("declare it: locals {{ {name} = … }}"),
        root => format!("declare it: {root} \"{name}\" {{ … }}"),
    };
    let near = crate::words::nearest(name, known.iter().copied());
    error.hint(near.map_or_else(declare, |near| format!("did you mean `{near}`?")))
}

fn misplaced(reference: &Reference, argument: &str) -> Diagnostic {
    let root = &reference.root;
    Diagnostic::error("Misplaced reference")
        .at(
            reference.span,
            format!("`{root}` means something only in a block with `{argument}`"),
        )
        .hint(format!(
            "add {argument} = … to the block, or name the value otherwise"
        ))
}

fn within(reference: &Reference, name: &str, known: &[&str]) -> Option<Diagnostic> {
    if known.contains(&name) {
        return None;
    }
    let root = &reference.root;
    let error = Diagnostic::error("Reference to nothing")
        .at(reference.span, format!("`{root}` has no `{name}`"));
    Some(hinted(
        error,
        suggest(name, known.iter().copied(), "it has"),
    ))
}
