//! Values of the root module's variables that come from outside, in Terraform's order: environment, files
//! `*.auto.vars.hcl` by name, then the command line as it was written. Later ones win.

use crate::evaluation::Spanned;
use crate::literal;
use crate::load::read;
use crate::parse::parse;
use crate::syntax::{Expr, contents, hinted};
use crate::tree::{Table, Tree, Variable};
use crate::words::suggest;
use crate::{Address, Files, Mode};
use infra_diag::{Diagnostic, Diagnostics, Sources, Span};
use infra_expr::{Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const SUFFIX: &str = ".auto.vars.hcl";

/// How the environment's variables begin.
pub(crate) const ENVIRONMENT: &str = "INFRA_VAR_";

/// What a person gave beside the configuration itself.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The environment: those whose name starts with `INFRA_VAR_` are looked at.
    pub environment: Vec<(String, String)>,
    /// `--var` and `--var-file` in their order.
    pub arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `name=value`
    Var(String),
    /// A path
    File(String),
}

/// Values for the root module's variables.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    pub(crate) values: BTreeMap<Arc<str>, Spanned<Value>>,
    pub(crate) mode: Mode,
    pub(crate) diagnostics: Diagnostics,
    /// Instances that are named after another address: the one they were made for.
    pub made_as: BTreeMap<Address, Address>,
}

pub(crate) fn inputs(tree: &Tree, given: &Given, mode: Mode, sources: &mut Sources) -> Inputs {
    let variables = &tree.modules[0].variables;
    let inputs = Inputs {
        mode,
        ..Inputs::default()
    };
    let mut reader = Reader {
        files: &*tree.files,
        variables,
        sources,
        inputs,
        missing: tree.modules[0].partial,
    };
    reader.environment(&given.environment);
    reader.auto_files();
    for argument in &given.arguments {
        match argument {
            Argument::Var(text) => reader.argument(text),
            Argument::File(path) => reader.file(path),
        }
    }
    reader.inputs
}

struct Reader<'a> {
    files: &'a dyn Files,
    variables: &'a Table<Variable>,
    sources: &'a mut Sources,
    inputs: Inputs,
    /// Not all declarations could be read.
    missing: bool,
}

impl Reader<'_> {
    fn environment(&mut self, environment: &[(String, String)]) {
        let mut sorted: Vec<_> = environment.iter().collect();
        sorted.sort();
        for (name, text) in sorted {
            let Some(variable) = name.strip_prefix(ENVIRONMENT) else {
                continue;
            };
            // The environment is shared by all configurations: what this one does not know is not meant.
            if let Some(declared) = self.variables.get(variable) {
                self.text(variable, declared, text, name);
            }
        }
    }

    fn auto_files(&mut self) {
        let mut names = self.files.names(".").unwrap_or_default();
        names.retain(|name| name.ends_with(SUFFIX) && !name.starts_with('.'));
        names.sort();
        for name in names {
            self.file(&name);
        }
    }

    fn file(&mut self, path: &str) {
        let Some(text) = read(self.files, path, &mut self.inputs.diagnostics) else {
            return;
        };
        let parsed = parse(path, &text, self.sources, &mut self.inputs.diagnostics);
        let (fields, sections) = contents(parsed.body, parsed.source);
        for field in fields {
            let (name, span) = (field.name.value, field.value.span);
            if self.variables.get(&name).is_none() {
                self.undeclared_in_file(&name, field.name.span);
                continue;
            }
            let value = literal::value(&field.value, &mut self.inputs.diagnostics);
            let value = value.unwrap_or_else(|| Value::unknown(Type::Any));
            self.inputs.values.insert(name, Spanned { value, span });
        }
        for section in sections {
            let text = format!("`{}` is a block", section.kind.value);
            self.inputs.diagnostics.push(
                Diagnostic::error("Block in a variables file").at(section.header, text).hint(
                    "a variables file only sets values: name = …; declare in a file *.infra.hcl",
                ),
            );
        }
    }

    fn undeclared_in_file(&mut self, name: &str, span: Span) {
        if self.missing {
            return;
        }
        let warning = Diagnostic::warning("Value for undeclared variable")
            .at(span, format!("there is no variable `{name}`"));
        let hint = suggest(name, self.variables.names(), "there are");
        self.inputs.diagnostics.push(hinted(warning, hint));
    }

    /// `--var name=value`
    fn argument(&mut self, argument: &str) {
        let Some((name, text)) = argument.split_once('=') else {
            let span = whole(self.sources, "--var", argument);
            let error = Diagnostic::error("Invalid --var").at(span, "there is no `=` in it");
            self.inputs
                .diagnostics
                .push(error.hint("write --var name=value"));
            return;
        };
        let name = name.trim();
        match self.variables.get(name) {
            Some(declared) => self.text(name, declared, text, &format!("--var {name}")),
            None if self.missing => {}
            None => {
                let span = whole(self.sources, "--var", argument);
                let span = Span {
                    end: span.start + length(name),
                    ..span
                };
                let error = Diagnostic::error("Value for undeclared variable")
                    .at(span, format!("there is no variable `{name}`"));
                let hint = suggest(name, self.variables.names(), "there are");
                self.inputs.diagnostics.push(hinted(error, hint));
            }
        }
    }

    /// A bare text: literal where a plain string is as good as an expression, as Terraform has it.
    fn text(&mut self, name: &str, declared: &Variable, text: &str, from: &str) {
        let literal = match declared.ty.as_ref().map(|ty| &ty.value) {
            None | Some(Type::Bool | Type::Number | Type::String) => true,
            Some(_) => false,
        };
        let text = if literal { text } else { text.trim() };
        let span = whole(self.sources, from, text);
        let value = match literal {
            true => Value::string(text),
            false => self.expression(text, span, declared),
        };
        self.inputs
            .values
            .insert(name.into(), Spanned { value, span });
    }

    /// What is wrong is unknown: reported once, and nothing that depends on it is said to be missing.
    fn expression(&mut self, text: &str, span: Span, declared: &Variable) -> Value {
        let mut found = Diagnostics::new();
        let value = match crate::hints::expression(text, span.source) {
            Ok(node) => literal::value(&Expr::new(node, span.source), &mut found),
            Err(error) => {
                found.push(error);
                None
            }
        };
        // An error shows the text it is about.
        if declared.sensitive && found.has_errors() {
            let text = "the value given for this is no valid expression";
            found = Diagnostic::error("Invalid syntax")
                .at(declared.header, text)
                .into();
        }
        self.inputs.diagnostics.extend(found);
        value.unwrap_or_else(|| Value::unknown(Type::Any))
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Registers a text that is not from a file.
fn whole(sources: &mut Sources, name: &str, text: &str) -> Span {
    Span::new(sources.add(name, text), 0..text.len())
}
