//! Text → declared things with their addresses: loading, evaluation, allocation, and evaluation of what was
//! waiting for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, Placement, Project};
use infra_diag::{Diagnostic, Diagnostics, Sources};
use infra_expr::{Type, Value};
use infra_lang::{About, Allocated, Evaluation, Files, GivenValues, Mode, Moves, Program};

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
    pub sources: Sources,
    pub diagnostics: Diagnostics,
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
        mut self,
        given: &GivenValues,
        mode: Mode,
        prior: &BTreeMap<Address, Placement>,
        secret: &mut dyn FnMut(&str) -> String,
    ) -> Configuration {
        let project = self.project();
        let moves = self.moves();
        let mut inputs = self.program.inputs(given, mode, &mut self.sources);
        inputs.made_as = std::mem::take(&mut self.made_as);
        let first = self.program.evaluate(&inputs);
        let mut diagnostics = Diagnostics::new();
        // What is typed here may still miss values that wait for addresses: only interfaces and networks are used.
        let (early, _) = Declared::read(&first.instances, secret);
        let (addresses, found) = addresses::allocate(&early, prior);
        diagnostics.extend(found);
        let evaluation = first.resolve(allocated(&early, &addresses));
        let (declared, found) = Declared::read(&evaluation.instances, secret);
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
            sources: self.sources,
            diagnostics,
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
