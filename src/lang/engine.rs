//! Evaluation on demand: each thing is worked out when it is first asked for, once, and remembered with
//! what it was made from. What is asked for while it is being worked out is a cycle.
//!
//! What the things are and how each is worked out stands in the neighbours: `variables.rs`, `expand.rs`,
//! `decode.rs`, `scope.rs`.

use crate::evaluation::{Block, Instance};
use crate::expand::{Expansion, Repetition};
use crate::inputs::Inputs;
use crate::scope::{Names, Place};
use crate::syntax::Expr;
use crate::tree::{Declared, Module, Tree};
use crate::{Address, ModulePath, stack};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::{Value, evaluate};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

/// A module instance, as an index into [`Engine::modules`]; the root is 0.
pub(crate) type ModuleId = u32;
/// An instance of a declared block, as an index into [`Engine::instances`].
pub(crate) type InstanceId = u32;
type Name = Arc<str>;

/// A thing that is worked out once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// A variable's value before its validations.
    Raw(ModuleId, Name),
    Variable(ModuleId, Name),
    Local(ModuleId, Name),
    Output(ModuleId, Name),
    /// Which instances a module call has.
    Call(ModuleId, Name),
    /// All their outputs.
    Calls(ModuleId, Name),
    /// The outputs of one.
    Outputs(ModuleId),
    /// Which instances a declared block has.
    Declared(ModuleId, &'static str, Name),
    /// The block with all its instances, as an expression sees it.
    Whole(ModuleId, &'static str, Name),
    /// One instance, as an expression sees it.
    Object(InstanceId),
    Attribute(InstanceId, usize),
    /// Its nested blocks of one kind.
    Nested(InstanceId, usize),
}

/// What a thing comes to.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Value(Value),
    Expansion(Arc<Expansion>),
    Blocks(Arc<Vec<Arc<Block>>>),
}

/// Something went wrong. What is still to be said about it is in it; mostly it was said already.
///
/// Errors of a thing itself are reported as soon as they are found, for the thing is declared and wrong.
/// That it cannot be had at some place is an error of that place, and only if its value is needed there:
/// a conditional evaluates both its branches, and what is wrong with the other one does not matter.
#[derive(Clone, Debug)]
pub(crate) struct Failed(Option<Box<Diagnostic>>);

impl Failed {
    pub(crate) const SAID: Self = Self(None);
}

impl From<Diagnostic> for Failed {
    fn from(error: Diagnostic) -> Self {
        Self(Some(Box::new(error)))
    }
}

impl From<Failed> for Diagnostics {
    fn from(failed: Failed) -> Self {
        failed
            .0
            .map_or_else(Diagnostics::new, |error| Diagnostics::from(*error))
    }
}

pub(crate) type Outcome<T> = Result<T, Failed>;

/// The declared instances that a thing was made from; mostly none, and mostly the same as its parts'.
pub(crate) type Origins = Option<Arc<BTreeSet<InstanceId>>>;

#[derive(Debug)]
enum Memo {
    Busy,
    Done(Outcome<Answer>, Origins),
}

/// What is worked out or being worked out. Of instances there are many, and of each a few parts are asked for.
#[derive(Debug, Default)]
struct Memos {
    parts: Vec<Vec<(Part, Memo)>>,
    others: BTreeMap<Node, Memo>,
}

/// Of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Object,
    Attribute(usize),
    Nested(usize),
}

impl Memos {
    fn get(&self, node: &Node) -> Option<&Memo> {
        match part(node) {
            Some((id, part)) => {
                let mut known = self.parts.get(id)?.iter();
                known.find(|(p, _)| *p == part).map(|(_, memo)| memo)
            }
            None => self.others.get(node),
        }
    }

    fn insert(&mut self, node: Node, memo: Memo) {
        let Some((id, part)) = part(&node) else {
            self.others.insert(node, memo);
            return;
        };
        if self.parts.len() <= id {
            self.parts.resize_with(id + 1, Vec::new);
        }
        let parts = &mut self.parts[id];
        match parts.iter_mut().find(|(p, _)| *p == part) {
            Some((_, known)) => *known = memo,
            None => parts.push((part, memo)),
        }
    }

    fn retain(&mut self, keep: impl Fn(&Memo) -> bool) {
        for parts in &mut self.parts {
            parts.retain(|(_, memo)| keep(memo));
        }
        self.others.retain(|_, memo| keep(memo));
    }
}

fn part(node: &Node) -> Option<(usize, Part)> {
    let (id, part) = match node {
        Node::Object(id) => (id, Part::Object),
        Node::Attribute(id, index) => (id, Part::Attribute(*index)),
        Node::Nested(id, index) => (id, Part::Nested(*index)),
        _ => return None,
    };
    Some((*id as usize, part))
}

/// A thing being worked out, and where it was asked for.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) node: Node,
    pub(crate) asked: Span,
    origins: Origins,
}

#[derive(Debug)]
pub(crate) struct ModuleAt {
    /// Index into [`Tree::modules`].
    pub(crate) module: usize,
    pub(crate) path: ModulePath,
    pub(crate) caller: Option<Caller>,
}

/// The call that a module instance is of.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) module: ModuleId,
    pub(crate) name: Name,
    pub(crate) repetition: Repetition,
}

#[derive(Debug)]
pub(crate) struct InstanceAt {
    pub(crate) module: ModuleId,
    pub(crate) address: Address,
    pub(crate) kind: &'static str,
    pub(crate) repetition: Repetition,
}

/// What was allocated, by instance and attribute.
pub type Allocated = BTreeMap<Address, BTreeMap<String, Value>>;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) tree: Arc<Tree>,
    pub(crate) inputs: Inputs,
    pub(crate) modules: RefCell<Vec<Arc<ModuleAt>>>,
    pub(crate) instances: RefCell<Vec<Arc<InstanceAt>>>,
    /// `None` before allocation.
    pub(crate) allocated: Option<Allocated>,
    /// Whether something allocated was asked for before it was.
    pub(crate) asked_early: Cell<bool>,
    /// Instances that wait for nothing more; each is taken when all are gathered.
    pub(crate) settled: RefCell<BTreeMap<Address, Instance>>,
    /// The values of the schema's defaults, by the address of the attribute in its table.
    pub(crate) defaults: RefCell<BTreeMap<usize, Outcome<Value>>>,
    memo: RefCell<Memos>,
    pub(crate) frames: RefCell<Vec<Frame>>,
    diagnostics: RefCell<Diagnostics>,
    stack_end: Cell<usize>,
}

impl Engine {
    pub(crate) fn new(tree: Arc<Tree>, inputs: Inputs) -> Self {
        let root = ModuleAt {
            module: 0,
            path: ModulePath::default(),
            caller: None,
        };
        Self {
            tree,
            inputs,
            modules: RefCell::new(vec![Arc::new(root)]),
            instances: RefCell::default(),
            allocated: None,
            asked_early: Cell::new(false),
            settled: RefCell::default(),
            defaults: RefCell::default(),
            memo: RefCell::default(),
            frames: RefCell::default(),
            diagnostics: RefCell::default(),
            stack_end: Cell::new(0),
        }
    }

    /// Runs something on a stack that is large enough for the longest chains that people write.
    pub(crate) fn run<T: Send>(&mut self, f: impl FnOnce(&Engine) -> T + Send) -> T {
        // The whole engine goes to the other thread for a while: nothing in it is shared.
        let engine = self;
        stack::large(move |end| {
            engine.stack_end.set(end);
            f(engine)
        })
    }

    pub(crate) fn module(&self, id: ModuleId) -> Arc<ModuleAt> {
        self.modules.borrow()[id as usize].clone()
    }

    /// What a module instance declares.
    pub(crate) fn declarations(&self, id: ModuleId) -> &Module {
        let module = self.modules.borrow()[id as usize].module;
        &self.tree.modules[module]
    }

    pub(crate) fn instance(&self, id: InstanceId) -> Arc<InstanceAt> {
        self.instances.borrow()[id as usize].clone()
    }

    /// The block that an instance is of.
    pub(crate) fn block(&self, at: &InstanceAt) -> &Declared {
        let table = &self.declarations(at.module).declared[at.kind];
        table
            .get(&at.address.name)
            .expect("an instance is of a declared block")
    }

    pub(crate) fn report(&self, found: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.borrow_mut().extend(found);
    }

    /// Reports an error; for use as `return Err(engine.fail(…))`.
    pub(crate) fn fail(&self, error: Diagnostic) -> Failed {
        self.diagnostics.borrow_mut().push(error);
        Failed::SAID
    }

    /// Reports what is still to be said of a failure.
    pub(crate) fn said<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        outcome.map_err(|failed| {
            self.report(Diagnostics::from(failed));
            Failed::SAID
        })
    }

    /// Everything reported since it was last asked.
    pub(crate) fn take_diagnostics(&self) -> Diagnostics {
        self.diagnostics.take()
    }

    pub(crate) fn evaluate(&self, expr: &Expr, place: &Place<'_>) -> Outcome<Value> {
        evaluate(&expr.node, expr.source(), &Names { place, expr }).map_err(|errors| {
            self.report(errors);
            Failed::SAID
        })
    }

    pub(crate) fn value(&self, node: Node, asked: Span) -> Outcome<Value> {
        match self.force(node, asked)? {
            Answer::Value(value) => Ok(value),
            answer => unreachable!("a value was asked for and is {answer:?}"),
        }
    }

    pub(crate) fn expansion(&self, node: Node, asked: Span) -> Outcome<Arc<Expansion>> {
        match self.force(node, asked)? {
            Answer::Expansion(expansion) => Ok(expansion),
            answer => unreachable!("an expansion was asked for and is {answer:?}"),
        }
    }

    pub(crate) fn blocks(&self, node: Node, asked: Span) -> Outcome<Arc<Vec<Arc<Block>>>> {
        match self.force(node, asked)? {
            Answer::Blocks(blocks) => Ok(blocks),
            answer => unreachable!("blocks were asked for and are {answer:?}"),
        }
    }

    /// The answer to a node, worked out now or remembered. `asked` is the place that needs it.
    fn force(&self, node: Node, asked: Span) -> Outcome<Answer> {
        if let Some(known) = self.remembered(&node, asked) {
            return known;
        }
        if stack::is_low(self.stack_end.get()) {
            return Err(too_deep(asked).into());
        }
        self.memo.borrow_mut().insert(node.clone(), Memo::Busy);
        self.frames.borrow_mut().push(Frame {
            node: node.clone(),
            asked,
            origins: None,
        });
        let answer = self.said(self.work_out(&node, asked));
        let frame = self.frames.borrow_mut().pop();
        let origins = frame.and_then(|frame| frame.origins);
        self.came_from(&node, &origins);
        self.memo
            .borrow_mut()
            .insert(node, Memo::Done(answer.clone(), origins));
        answer
    }

    fn remembered(&self, node: &Node, asked: Span) -> Option<Outcome<Answer>> {
        let memo = self.memo.borrow();
        match memo.get(node)? {
            Memo::Done(answer, origins) => {
                self.came_from(node, origins);
                Some(answer.clone())
            }
            Memo::Busy => {
                // While a variable is validated, its own value is what is looked at.
                if let Node::Variable(module, name) = node
                    && let Some(Memo::Done(answer, _)) = memo.get(&Node::Raw(*module, name.clone()))
                {
                    return Some(answer.clone());
                }
                drop(memo);
                Some(Err(self.cycle(node, asked).into()))
            }
        }
    }

    fn work_out(&self, node: &Node, asked: Span) -> Outcome<Answer> {
        Ok(match node {
            Node::Raw(module, name) => Answer::Value(self.raw_variable(*module, name)?),
            Node::Variable(module, name) => Answer::Value(self.variable(*module, name)?),
            Node::Local(module, name) => Answer::Value(self.local(*module, name)?),
            Node::Output(module, name) => Answer::Value(self.output(*module, name)?),
            Node::Call(module, name) => self.expand_call(*module, name)?.into(),
            Node::Calls(module, name) => Answer::Value(self.whole_call(*module, name, asked)?),
            Node::Outputs(module) => Answer::Value(self.outputs(*module, asked)?),
            Node::Declared(module, kind, name) => self.expand_declared(*module, kind, name)?.into(),
            Node::Whole(module, kind, name) => {
                Answer::Value(self.whole_declared(*module, kind, name, asked)?)
            }
            Node::Object(instance) => Answer::Value(self.object(*instance, asked)?),
            Node::Attribute(instance, index) => Answer::Value(self.attribute(*instance, *index)?),
            Node::Nested(instance, index) => {
                Answer::Blocks(Arc::new(self.nested(*instance, *index)?))
            }
        })
    }

    /// Notes that what is being worked out was made from a node: from the instance itself where it is
    /// part of one, else from what the node was made from.
    fn came_from(&self, node: &Node, origins: &Origins) {
        match node {
            Node::Object(id) | Node::Attribute(id, _) | Node::Nested(id, _) => self.touch(*id),
            _ => self.add_origins(origins),
        }
    }

    /// Notes that what is being worked out was made from an instance.
    pub(crate) fn touch(&self, id: InstanceId) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            let set = Arc::make_mut(frame.origins.get_or_insert_default());
            set.insert(id);
        }
    }

    fn add_origins(&self, origins: &Origins) {
        let (Some(new), mut frames) = (origins, self.frames.borrow_mut()) else {
            return;
        };
        let Some(frame) = frames.last_mut() else {
            return;
        };
        match &mut frame.origins {
            Some(old) if Arc::ptr_eq(old, new) => {}
            Some(old) => Arc::make_mut(old).extend(new.iter().copied()),
            none => *none = Some(new.clone()),
        }
    }

    /// What an answered node was made from.
    pub(crate) fn origins(&self, node: &Node) -> Origins {
        match self.memo.borrow().get(node) {
            Some(Memo::Done(_, origins)) => origins.clone(),
            _ => None,
        }
    }

    /// What was worked out of an instance's own attributes and blocks was made from these.
    pub(crate) fn origins_within(&self, id: InstanceId, all: &mut BTreeSet<InstanceId>) {
        let memo = self.memo.borrow();
        for (part, memo) in memo.parts.get(id as usize).into_iter().flatten() {
            if let (Part::Attribute(_) | Part::Nested(_), Memo::Done(_, Some(origins))) =
                (part, memo)
            {
                all.extend(origins.iter().copied());
            }
        }
    }

    /// Forgets every answer that something unknown is in.
    pub(crate) fn forget_unknown(&self) {
        let known = |answer: &Answer| match answer {
            Answer::Value(value) => !value.contains_unknown(),
            Answer::Expansion(_) => true,
            Answer::Blocks(blocks) => !blocks.iter().any(|b| b.contains_unknown()),
        };
        self.memo.borrow_mut().retain(|memo| match memo {
            Memo::Done(Ok(answer), _) => known(answer),
            _ => true,
        });
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("Too deep")
        .at(
            span,
            "this is the end of a chain of references that is too long to follow",
        )
        .hint("shorten the chain")
}

impl Block {
    /// Whether anything in it waits for addresses to be allocated.
    #[must_use]
    pub fn contains_unknown(&self) -> bool {
        self.attributes.values().any(|a| a.value.contains_unknown())
            || self.blocks.iter().any(|b| b.contains_unknown())
    }
}
