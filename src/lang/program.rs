//! The way through: a configuration loaded, given values, evaluated, and evaluated again once addresses
//! are allocated.

use crate::engine::{Allocated, Engine, Failed, InstanceId, ModuleId, Node, Outcome};
use crate::evaluation::{Evaluation, Instance, Lifecycle, Module, Output};
use crate::inputs::{Given, Inputs, inputs};
use crate::schema::Schema;
use crate::scope::Place;
use crate::tree::{Target, Tree};
use crate::{Address, Files, Graph, Import, Moves, check, graph, load, stack};
use infra_diag::{Diagnostic, Diagnostics, Sources, Span};
use infra_expr::{Type, Value, convert};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the language must be told about where it runs.
#[derive(Clone, Debug)]
pub struct About {
    /// The project's name where the configuration does not say one.
    pub folder_name: String,
    /// The version that `required_version` speaks of.
    pub version: String,
}

/// What an evaluation is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything must have a value.
    #[default]
    Plan,
    /// Only whether it can be right: variables without a value are unknown.
    Validate,
}

/// A configuration, read and checked but not evaluated.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) tree: Arc<Tree>,
    diagnostics: Diagnostics,
}

impl Program {
    /// Reads the folder `.` of `files` and the modules it calls. What is wrong is found with the
    /// evaluation's diagnostics, or by [`Program::diagnostics`].
    #[must_use]
    pub fn load(
        files: &Arc<dyn Files>,
        schema: Schema,
        about: &About,
        sources: &mut Sources,
    ) -> Self {
        // Of nested text every level takes stack, and not every thread has much.
        stack::large(|_| {
            let mut diagnostics = Diagnostics::new();
            let tree = load::load(files, schema, about, sources, &mut diagnostics);
            check::check(&tree, &mut diagnostics);
            let tree = Arc::new(tree);
            Self { tree, diagnostics }
        })
    }

    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    #[must_use]
    pub fn project(&self) -> &str {
        &self.tree.project
    }

    /// What it says about former addresses.
    #[must_use]
    pub fn moves(&self) -> Moves {
        Moves::of(&self.tree)
    }

    /// Which declaration speaks of which, as written.
    #[must_use]
    pub fn graph(&self) -> Graph {
        graph::graph(&self.tree)
    }

    /// Reads the values of variables: environment, variable files and arguments.
    #[must_use]
    pub fn inputs(&self, given: &Given, mode: Mode, sources: &mut Sources) -> Inputs {
        inputs(&self.tree, given, mode, sources)
    }

    /// Evaluates everything that can be before addresses are allocated.
    #[must_use]
    pub fn evaluate(self, inputs: &Inputs) -> (Evaluation, Evaluator) {
        let mut diagnostics = self.diagnostics;
        diagnostics.extend(inputs.diagnostics.clone());
        let mut engine = Engine::new(self.tree, inputs.clone());
        let imports = engine.run(Engine::imports);
        finish(engine, imports, diagnostics)
    }
}

/// What an evaluation was made with, and by which it can go on. It is the larger part of the two.
#[derive(Debug)]
pub struct Evaluator {
    engine: Engine,
    diagnostics: Diagnostics,
}

impl Evaluator {
    /// Whether nothing that was asked for waits for an allocation: then there is nothing to resolve.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.engine.asked_early.get()
    }

    /// Evaluates what was not known, now that addresses are allocated. An attribute that an instance was
    /// allocated nothing for is null.
    #[must_use]
    pub fn resolve(self, first: Evaluation, allocated: Allocated) -> (Evaluation, Self) {
        let mut engine = self.engine;
        engine.allocated = Some(allocated);
        engine.forget_unknown();
        engine.settled = RefCell::new(
            first
                .instances
                .into_iter()
                .map(|i| (i.address.clone(), i))
                .filter(|(_, i)| !i.block.contains_unknown())
                .collect(),
        );
        finish(engine, first.imports, first.diagnostics)
    }
}

fn finish(
    mut engine: Engine,
    imports: Vec<Import>,
    mut diagnostics: Diagnostics,
) -> (Evaluation, Evaluator) {
    let (instances, outputs, modules) = engine.run(everything);
    diagnostics.extend(engine.take_diagnostics());
    let project = engine.tree.project.clone();
    let diagnostics = diagnostics.sorted();
    let evaluation = Evaluation {
        project,
        instances,
        outputs,
        modules,
        imports,
        diagnostics: diagnostics.clone(),
    };
    let evaluator = Evaluator {
        engine,
        diagnostics,
    };
    (evaluation, evaluator)
}

type Everything = (Vec<Instance>, BTreeMap<Arc<str>, Output>, Vec<Module>);

fn everything(engine: &Engine) -> Everything {
    let mut ids = Vec::new();
    let mut modules = Vec::new();
    engine.walk(0, &mut ids, &mut modules);
    let outputs = engine.root_outputs();
    let mut instances: Vec<_> = ids
        .into_iter()
        .filter_map(|id| engine.said(engine.finished(id)).ok())
        .collect();
    instances.sort_by(|a, b| a.address.cmp(&b.address));
    modules.sort_by(|a, b| a.path.cmp(&b.path));
    engine.waits_for_itself(&instances);
    (instances, outputs, modules)
}

impl Engine {
    /// Works out everything that a module instance declares, and those inside it.
    fn walk(&self, id: ModuleId, ids: &mut Vec<InstanceId>, modules: &mut Vec<Module>) {
        let module = self.declarations(id);
        modules.push(Module {
            path: self.module(id).path.clone(),
            folder: module.folder.clone(),
        });
        for (name, span, _) in module.variables.iter() {
            let _said = self.said(self.value(Node::Variable(id, name.clone()), span));
        }
        for (name, span, _) in module.locals.iter() {
            let _said = self.said(self.value(Node::Local(id, name.clone()), span));
        }
        for (kind, table) in &module.declared {
            for (name, span, _) in table.iter() {
                let node = Node::Declared(id, kind, name.clone());
                if let Ok(all) = self.said(self.expansion(node, span)) {
                    ids.extend(all.ids());
                }
            }
        }
        for (name, span, _) in module.calls.iter() {
            let node = Node::Call(id, name.clone());
            if let Ok(all) = self.said(self.expansion(node, span)) {
                all.ids()
                    .into_iter()
                    .for_each(|inner| self.walk(inner, ids, modules));
            }
        }
        for (name, span, _) in module.outputs.iter() {
            let _said = self.said(self.value(Node::Output(id, name.clone()), span));
        }
    }

    fn root_outputs(&self) -> BTreeMap<Arc<str>, Output> {
        let outputs = self.declarations(0).outputs.iter();
        let one = |(name, span, output): (&Arc<str>, Span, &crate::tree::Output)| {
            let node = Node::Output(0, name.clone());
            let value = self.value(node.clone(), span).ok()?;
            let origins = self.origins(&node);
            let instances = origins.iter().flat_map(|set| set.iter());
            let references = instances.map(|id| self.instance(*id).address.clone());
            let description = output.description.clone();
            let sensitive = output.sensitive;
            Some((
                name.clone(),
                Output {
                    value,
                    sensitive,
                    description,
                    references: references.collect(),
                    span: output.header,
                },
            ))
        };
        outputs.filter_map(one).collect()
    }

    /// An instance with everything that is known of it.
    fn finished(&self, id: InstanceId) -> Outcome<Instance> {
        let at = self.instance(id);
        let declared = self.block(&at);
        if let Some(settled) = self.settled.borrow_mut().remove(&at.address)
            && !declared.asks_beside_its_body()
        {
            return Ok(settled);
        }
        let place = Place::instance(self, &at);
        let block = self.said(self.decode(id));
        let address = at.address.to_string();
        let conditions = self.preconditions(&declared.lifecycle.preconditions, &place, &address);
        let depends_on = self.said(self.depends_on(&declared.depends_on, &place));
        let flag = |name, expr: &Option<crate::syntax::Expr>| match expr {
            Some(expr) => self.flag(expr, &place, name),
            None => Ok(false),
        };
        let lifecycle = &declared.lifecycle;
        let prevent_destroy = flag("prevent_destroy", &lifecycle.prevent_destroy);
        let create_before_destroy = flag("create_before_destroy", &lifecycle.create_before_destroy);
        conditions?;
        let mut depends_on = depends_on?;
        depends_on.extend(self.depends_on_of_modules(at.module)?);
        if depends_on.contains(&id) {
            let text = format!("`{address}` depends on itself");
            self.report([Diagnostic::error("Cycle").at(declared.body.header, text)]);
        }
        let ignore_changes = declared.lifecycle.ignore_changes.clone();
        Ok(Instance {
            address: at.address.clone(),
            kind: at.kind,
            block: block?,
            origin: declared.body.header,
            depends_on: self.addresses(depends_on, id),
            references: self.addresses(self.references(id), id),
            lifecycle: Lifecycle {
                prevent_destroy: prevent_destroy?,
                create_before_destroy: create_before_destroy?,
                ignore_changes,
            },
        })
    }

    fn flag(&self, expr: &crate::syntax::Expr, place: &Place<'_>, name: &str) -> Outcome<bool> {
        let value = self.evaluate(expr, place)?;
        let flag = convert(&value, &Type::Bool)
            .ok()
            .and_then(|value| value.as_bool());
        flag.ok_or_else(|| {
            let text = format!("`{name}` must be true or false");
            let error = Diagnostic::error("Wrong type").at(expr.span, text);
            self.fail(error.hint("write `true`, `false` or a comparison"))
        })
    }

    fn depends_on(&self, targets: &[Target], place: &Place<'_>) -> Outcome<BTreeSet<InstanceId>> {
        let mut all = BTreeSet::new();
        for target in targets {
            all.extend(self.targets(target, place)?);
        }
        Ok(all)
    }

    /// What the modules around an instance depend on.
    fn depends_on_of_modules(&self, module: ModuleId) -> Outcome<BTreeSet<InstanceId>> {
        let mut all = BTreeSet::new();
        let mut at = self.module(module);
        while let Some(caller) = &at.caller {
            let call = self
                .declarations(caller.module)
                .calls
                .get(&caller.name)
                .ok_or(Failed::SAID)?;
            let place = Place::repeated(self, caller.module, &caller.repetition);
            all.extend(self.depends_on(&call.depends_on, &place)?);
            let outer = self.module(caller.module);
            at = outer;
        }
        Ok(all)
    }

    /// What an instance's expressions were made from, and those that say how many there are of it and of
    /// the modules around it.
    fn references(&self, id: InstanceId) -> BTreeSet<InstanceId> {
        let at = self.instance(id);
        let mut nodes = vec![Node::Declared(at.module, at.kind, at.address.name.clone())];
        let mut module = self.module(at.module);
        while let Some(caller) = &module.caller {
            nodes.push(Node::Call(caller.module, caller.name.clone()));
            let outer = self.module(caller.module);
            module = outer;
        }
        let mut all = BTreeSet::new();
        self.origins_within(id, &mut all);
        for origins in nodes.iter().filter_map(|node| self.origins(node)) {
            all.extend(origins.iter().copied());
        }
        all
    }

    fn addresses(&self, ids: BTreeSet<InstanceId>, but: InstanceId) -> BTreeSet<Address> {
        let others = ids.into_iter().filter(|id| *id != but);
        others.map(|id| self.instance(id).address.clone()).collect()
    }

    /// Every instance in a module instance and those inside it.
    pub(crate) fn all_within(&self, module: ModuleId, asked: Span) -> Outcome<Vec<InstanceId>> {
        let declarations = self.declarations(module);
        let mut all = Vec::new();
        for (kind, table) in &declarations.declared {
            for (name, ..) in table.iter() {
                let node = Node::Declared(module, kind, name.clone());
                all.extend(self.expansion(node, asked)?.ids());
            }
        }
        for (name, ..) in declarations.calls.iter() {
            for inner in self
                .expansion(Node::Call(module, name.clone()), asked)?
                .ids()
            {
                all.extend(self.all_within(inner, asked)?);
            }
        }
        Ok(all)
    }
}

/// An expression that is not in the sources, as `console` reads it.
impl Evaluator {
    /// Evaluates an expression as if it stood in the root module.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn console(&mut self, text: &str, sources: &mut Sources) -> Result<Value, Diagnostics> {
        let text = text.trim();
        let source = sources.add("console", text);
        let node = crate::hints::expression(text, source)?;
        let expr = crate::syntax::Expr::new(node, source);
        let mut found = Diagnostics::new();
        check::check_expression(&self.engine.tree, &expr, &mut found);
        if found.has_errors() {
            return Err(found);
        }
        let value = self
            .engine
            .run(|engine| engine.said(engine.evaluate(&expr, &Place::module(engine, 0))));
        let found = self.engine.take_diagnostics();
        value.map_err(|_| match found.is_empty() {
            true => self.diagnostics.clone(),
            false => found,
        })
    }
}
