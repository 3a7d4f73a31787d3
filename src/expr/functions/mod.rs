//! The functions of the language: one table, a file for each family.
//!
//! A signature is text, read when the function is first called: what the documentation shows is what is
//! checked. `name: type` is a parameter, `name?: type` may be left out, `type|null` may be null,
//! `type...` may be repeated; what follows the arrow is the type of the result.

mod collection;
mod conversion;
mod encoding;
mod environment;
mod file;
mod format;
mod network;
mod number;
mod set;
mod string;
mod table;

pub use table::FUNCTIONS;

use crate::eval::{Evaluated, Evaluator};
use crate::{Scope, Type, Value};
use hcl_edit::expr::FuncCall;
use infra_diag::{SourceId, Span};
use std::sync::OnceLock;

/// A function: its name, what it takes and gives, what it does in a line.
pub struct Function {
    pub name: &'static str,
    pub signature: &'static str,
    pub doc: &'static str,
    pub(crate) body: Body,
    parsed: OnceLock<Signature>,
}

type Outcome = Result<Value, Fault>;

/// What a function does, and how much of its arguments it sees.
pub(crate) enum Body {
    /// Sees plain values: the result is unknown if anything in the arguments is, sensitive likewise.
    Plain(fn(&[Value]) -> Outcome),
    /// Sees collections that may have unknown and sensitive values inside, and keeps them apart.
    Parts(fn(&[Value]) -> Outcome),
    /// Sees everything as it is.
    Raw(fn(&[Value]) -> Outcome),
    /// Plain, and reads files.
    Scoped(fn(&[Value], &dyn Scope) -> Outcome),
    /// Evaluates its arguments by itself.
    Lazy(fn(&mut Evaluator<'_>, &FuncCall, Span) -> Evaluated),
}

/// Why a function has no result: what is wrong with which argument, or with all of them together.
pub(crate) struct Fault {
    pub(crate) arg: Option<usize>,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
}

impl Fault {
    fn at(arg: usize, message: impl Into<String>) -> Self {
        Self {
            arg: Some(arg),
            message: message.into(),
            notes: Vec::new(),
        }
    }
}

impl<S: Into<String>> From<S> for Fault {
    fn from(message: S) -> Self {
        Self {
            arg: None,
            message: message.into(),
            notes: Vec::new(),
        }
    }
}

impl Function {
    fn new(name: &'static str, signature: &'static str, body: Body, doc: &'static str) -> Self {
        Self {
            name,
            signature,
            doc,
            body,
            parsed: OnceLock::new(),
        }
    }

    pub(crate) fn parsed(&self) -> &Signature {
        self.parsed.get_or_init(|| Signature::parse(self.signature))
    }

    /// How it is called, for hints.
    pub(crate) fn usage(&self) -> String {
        format!("{}{}", self.name, self.signature)
    }

    pub(crate) fn apply(&self, args: Vec<Value>, scope: &dyn Scope) -> Outcome {
        let secret = args.iter().any(Value::contains_sensitive);
        let mut sensitive = false;
        let args: Vec<Value> = match self.body {
            Body::Raw(body) => return body(&args),
            Body::Parts(_) => {
                sensitive = args.iter().any(Value::is_sensitive);
                args.into_iter().map(Value::without_mark).collect()
            }
            _ => args
                .into_iter()
                .map(|v| v.take_sensitive(&mut sensitive))
                .collect(),
        };
        let unknown: fn(&Value) -> bool = match self.body {
            Body::Parts(_) => Value::is_unknown,
            _ => Value::contains_unknown,
        };
        let result = match self.body {
            _ if args.iter().any(unknown) => Ok(Value::unknown(self.parsed().returns.clone())),
            Body::Plain(body) | Body::Parts(body) | Body::Raw(body) => body(&args),
            Body::Scoped(body) => body(&args, scope),
            Body::Lazy(_) => Err("it cannot be called here".into()),
        };
        match result {
            Ok(value) => Ok(value.with_sensitive(sensitive)),
            // What a function says may quote its arguments.
            Err(fault) if secret => Err(Fault {
                arg: fault.arg,
                ..Fault::from("it cannot use this sensitive value")
            }),
            Err(fault) => Err(fault),
        }
    }
}

/// A signature, read.
pub(crate) struct Signature {
    params: Vec<Param>,
    pub(crate) returns: Type,
}

pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
    optional: bool,
    repeated: bool,
}

impl Signature {
    fn parse(text: &'static str) -> Self {
        let (params, returns) = text.rsplit_once(" -> ").unwrap_or((text, "any"));
        let params = params
            .trim_start_matches('(')
            .strip_suffix(')')
            .unwrap_or_default();
        Self {
            params: split(params).into_iter().map(Param::parse).collect(),
            returns: parse_type(returns),
        }
    }

    pub(crate) fn required(&self) -> usize {
        self.params
            .iter()
            .filter(|p| !p.optional && !p.repeated)
            .count()
    }

    /// How many arguments there may be, if there is a limit.
    pub(crate) fn most(&self) -> Option<usize> {
        let limited = self.params.last().is_none_or(|p| !p.repeated);
        limited.then_some(self.params.len())
    }

    pub(crate) fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or_else(|| self.params.last())
    }
}

impl Param {
    fn parse(text: &'static str) -> Self {
        let (name, ty) = text.split_once(": ").unwrap_or((text, "any"));
        let (ty, repeated) = ty.strip_suffix("...").map_or((ty, false), |ty| (ty, true));
        let (ty, nullable) = ty
            .strip_suffix("|null")
            .map_or((ty, false), |ty| (ty, true));
        let (name, optional) = name
            .strip_suffix('?')
            .map_or((name, false), |name| (name, true));
        Self {
            name,
            ty: parse_type(ty),
            nullable,
            optional,
            repeated,
        }
    }
}

/// Splits at the commas that are not inside parentheses.
fn split(params: &'static str) -> Vec<&'static str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in params.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(params[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    if start < params.len() {
        parts.push(params[start..].trim());
    }
    parts
}

/// A test makes sure that every type in the table can be read.
fn parse_type(text: &str) -> Type {
    read_type(text).unwrap_or(Type::Any)
}

fn read_type(text: &str) -> Option<Type> {
    Type::parse(&text.parse().ok()?, SourceId(0)).ok()
}

/// The function of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS
        .binary_search_by(|f| f.name.cmp(name))
        .ok()
        .map(|i| &FUNCTIONS[i])
}

/// The candidate that a person most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = name
        .chars()
        .count()
        .div_ceil(3)
        .min(name.chars().count() / 2);
    let distances = candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(name, c), c));
    distances
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(FUNCTIONS.is_sorted_by_key(|f| f.name));
    }

    #[test]
    fn every_signature_can_be_read() {
        for function in FUNCTIONS.iter() {
            let (params, returns) = function.signature.rsplit_once(" -> ").expect(function.name);
            assert!(
                params.starts_with('(') && params.ends_with(')'),
                "{}",
                function.name
            );
            assert!(read_type(returns).is_some(), "{}", function.name);
            for param in split(&params[1..params.len() - 1]) {
                let (_, ty) = param.split_once(": ").expect(function.name);
                let ty = ty.trim_end_matches("...").trim_end_matches("|null");
                assert!(read_type(ty).is_some(), "{}: {ty}", function.name);
            }
        }
    }

    #[test]
    fn every_function_says_what_it_does() {
        for function in FUNCTIONS.iter() {
            assert!(
                function.doc.ends_with('.') && !function.doc.contains('\n'),
                "{}",
                function.name
            );
        }
    }
}
