//! Text → declared things with their addresses: loading, evaluation, allocation, and evaluation of what was
//! waiting for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, Placement, Project};
use infra_diag::{Diagnostic, Diagnostics, Sources};
use infra_expr::{Type, Value};
use infra_lang::{
    About, Allocated, Evaluation, Evaluator, Files, GivenValues, Import, Mode, Moves, Program,
};

use crate::addresses::{self, Addresses};
use crate::declared::{Declared, SCHEMA};

/// A configuration that has been read: its project is known, its values are not.
pub struct Source {
    program: Program,
    pub sources: Sources,
    made_as: BTreeMap<infra_lang::Address, infra_lang::Address>,
}

/// A configuration with all its values.
pub struct Configuration {
    pub project: Project,
    pub evaluation: Evaluation,
    pub declared: Declared,
    pub addresses: Addresses,
    /// What it says about objects that somebody else has made.
    pub imports: Vec<Import>,
    pub sources: Sources,
    pub diagnostics: Diagnostics,
    /// Kept where further expressions may be asked for: not for a plan.
    evaluator: Option<Evaluator>,
}

impl Configuration {
    /// Evaluates an expression as if it stood in the root module, of a configuration that is looked at only.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn console(&mut self, text: &str) -> Result<Value, Diagnostics> {
        match &mut self.evaluator {
            Some(evaluator) => evaluator.console(text, &mut self.sources),
            None => {
                Err(Diagnostic::error("This configuration takes no further expressions").into())
            }
        }
    }
}

impl Source {
    /// Reads the folder that `files` shows. `folder_name` is the project's name where none is written.
    #[must_use]
    pub fn read(files: &Arc<dyn Files>, folder_name: &str) -> Self {
        let mut sources = Sources::new();
        let about = About {
            folder_name: folder_name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let program = Program::load(files, SCHEMA, &about, &mut sources);
        Self {
            program,
            sources,
            made_as: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn project(&self) -> Project {
        Project::new(self.program.project())
    }

    /// What it says about former addresses.
    #[must_use]
    pub fn moves(&self) -> Moves {
        self.program.moves()
    }

    /// Things that are named after the address they were made for: address now, and that one.
    pub fn name_as<'a>(&mut self, made_as: impl Iterator<Item = (&'a Address, &'a Address)>) {
        let parsed = |address: &Address| address.as_str().parse().ok();
        self.made_as = made_as
            .filter_map(|(now, made)| Some((parsed(now)?, parsed(made)?)))
            .collect();
    }

    /// Works everything out. `prior` is where workloads run now; `secret` keeps a secret and returns its digest.
    #[must_use]
    pub fn evaluate(
        self,
        given: &GivenValues,
        mode: Mode,
        prior: &BTreeMap<Address, Placement>,
        secret: &mut dyn FnMut(&str) -> String,
    ) -> Configuration {
        let project = self.project();
        let moves = self.moves();
        let Self {
            program,
            mut sources,
            made_as,
        } = self;
        let mut inputs = program.inputs(given, mode, &mut sources);
        inputs.made_as = made_as;
        let (first, evaluator) = program.evaluate(&inputs);
        let mut diagnostics = Diagnostics::new();
        let complete = mode == Mode::Plan && evaluator.is_complete();
        // Let go of where it is of no more use: it is larger than all that is made of it.
        let evaluator = (!complete).then_some(evaluator);
        // What is typed here may still miss values that wait for addresses: only interfaces and networks are used.
        let (early, early_found) = Declared::read(&first.instances, secret);
        let (addresses, found) = addresses::allocate(&early, prior);
        diagnostics.extend(found);
        let (mut evaluation, evaluator, declared, found) = match evaluator {
            None => (first, None, early, early_found),
            Some(evaluator) => {
                let allocated = allocated(&early, &addresses);
                drop(early);
                let (evaluation, evaluator) = evaluator.resolve(first, allocated);
                let evaluator = (mode == Mode::Validate).then_some(evaluator);
                let (declared, found) = Declared::read(&evaluation.instances, secret);
                (evaluation, evaluator, declared, found)
            }
        };
        let imports = std::mem::take(&mut evaluation.imports);
        let instances = evaluation.instances.iter();
        diagnostics.extend(moves.check(instances.map(|i| (&i.address, i.origin))));
        diagnostics.extend(evaluation.diagnostics.clone());
        diagnostics.extend(found);
        diagnostics.extend(project_name(&project));
        if !diagnostics.has_errors() {
            diagnostics.extend(declared.missing(&evaluation.instances));
            if mode == Mode::Plan {
                diagnostics.extend(addresses::obeyed(&declared, &addresses));
            }
        }
        Configuration {
            project,
            evaluation,
            declared,
            addresses,
            imports,
            sources,
            diagnostics,
            evaluator,
        }
    }
}

/// Daemons' names and paths begin with it.
fn project_name(project: &Project) -> Option<Diagnostic> {
    let name = project.as_str();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let good = (1..=40).contains(&name.len())
        && name.bytes().all(allowed)
        && name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
    (!good).then(|| {
        Diagnostic::error("Unusable project name")
            .note(format!("the project is called `{name}`; daemons' names and paths begin with it"))
            .hint("write `infra { project = \"…\" }` with 1 to 40 lower-case letters, digits, dashes and underscores")
    })
}

/// The addresses as the language wants them: of each workload its first one and all of them.
fn allocated(declared: &Declared, addresses: &Addresses) -> Allocated {
    let of = |workload: &crate::declared::Workload| {
        let id = workload.address.as_str().parse().ok()?;
        let own = addresses.get(&workload.address);
        let text = |address: &std::net::Ipv4Addr| Value::string(address.to_string());
        let first = workload
            .interfaces
            .first()
            .and_then(|i| own?.get(&i.label))
            .map(text);
        let all = own
            .into_iter()
            .flatten()
            .map(|(label, address)| (label.as_str(), text(address)));
        let values = BTreeMap::from([
            (
                "address".to_owned(),
                first.unwrap_or_else(|| Value::null_of(Type::String)),
            ),
            ("addresses".to_owned(), Value::map(Type::String, all)),
        ]);
        Some((id, values))
    };
    declared.workloads.iter().filter_map(of).collect()
}
