//! Calls of functions.

use super::{Evaluated, Evaluator};
use crate::functions::{self, Body, Fault, Function, Signature, nearest};
use crate::{Value, convert};
use hcl_edit::expr::FuncCall;
use infra_diag::{Diagnostic, Span};

/// An argument and its place.
type Argument = (Value, Span);

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &FuncCall, span: Span) -> Evaluated {
        let Some(function) = self.function(call) else {
            // What else is wrong in the arguments is said at once.
            for arg in &call.args {
                self.eval(arg);
            }
            return None;
        };
        if let Body::Lazy(body) = function.body {
            return body(self, call, span);
        }
        let args = self.arguments(call)?;
        let Some(args) = args else {
            return Some(Value::unknown(function.parsed().returns.clone()));
        };
        let args = self.fit(function, args, span)?;
        self.apply(function, args, span)
    }

    fn function(&mut self, call: &FuncCall) -> Option<&'static Function> {
        let name = call.name.name.as_str();
        if !call.name.is_namespaced()
            && let Some(function) = functions::find(name)
        {
            return Some(function);
        }
        let span = self.span(&call.name.name);
        let diagnostic =
            Diagnostic::error("Unknown function").at(span, format!("there is no function {name}"));
        let near = nearest(name, functions::FUNCTIONS.iter().map(|f| f.name));
        self.report(near.into_iter().fold(diagnostic, |d, near| {
            d.hint(format!("did you mean {near}?"))
        }))
    }

    /// All arguments, the last one expanded if it says so; nothing inside if that is not known yet.
    #[expect(
        clippy::option_option,
        reason = "the outer one is the evaluator's: what is wrong has been noted"
    )]
    fn arguments(&mut self, call: &FuncCall) -> Option<Option<Vec<Argument>>> {
        let args: Vec<Option<Argument>> = call
            .args
            .iter()
            .map(|arg| Some((self.eval(arg)?, self.span(arg))))
            .collect();
        let mut args = args.into_iter().collect::<Option<Vec<_>>>()?;
        if !call.args.expand_final() {
            return Some(Some(args));
        }
        let Some((last, span)) = args.pop() else {
            return Some(Some(args));
        };
        if last.is_unknown() {
            return Some(None);
        }
        let Some(items) = last.as_list() else {
            let label = "what is expanded with ... must be a list, set or tuple";
            return self.report(Diagnostic::error(ARGUMENT).at(span, label));
        };
        args.extend(
            items
                .iter()
                .map(|v| (v.clone().with_sensitive(last.is_sensitive()), span)),
        );
        Some(Some(args))
    }

    /// Checks the arguments against the signature and converts them.
    fn fit(
        &mut self,
        function: &Function,
        args: Vec<Argument>,
        span: Span,
    ) -> Option<Vec<Argument>> {
        let signature = function.parsed();
        let enough = args.len() >= signature.required()
            && signature.most().is_none_or(|most| args.len() <= most);
        if !enough {
            return self.report(
                Diagnostic::error("Wrong number of arguments")
                    .at(span, count(function.name, signature, args.len()))
                    .hint(function.usage()),
            );
        }
        let args: Vec<_> = args
            .into_iter()
            .enumerate()
            .map(|(i, arg)| self.fit_one(function, i, arg))
            .collect();
        args.into_iter().collect()
    }

    fn fit_one(
        &mut self,
        function: &Function,
        index: usize,
        (value, span): Argument,
    ) -> Option<Argument> {
        let param = function.parsed().param(index)?;
        let problem = if value.is_null() && !param.nullable {
            format!("{} must not be null", param.name)
        } else {
            match convert(&value, &param.ty) {
                Ok(value) => return Some((value, span)),
                Err(error) => format!("{}: {error}", param.name),
            }
        };
        self.report(
            Diagnostic::error(ARGUMENT)
                .at(span, problem)
                .hint(function.usage()),
        )
    }

    fn apply(&mut self, function: &Function, args: Vec<Argument>, span: Span) -> Evaluated {
        let (values, spans): (Vec<Value>, Vec<Span>) = args.into_iter().unzip();
        match function.apply(values, self.scope) {
            Ok(value) => Some(value),
            Err(fault) => self.fault(function, &fault, &spans, span),
        }
    }

    fn fault<T>(
        &mut self,
        function: &Function,
        fault: &Fault,
        spans: &[Span],
        span: Span,
    ) -> Option<T> {
        let place = fault
            .arg
            .and_then(|i| spans.get(i))
            .copied()
            .unwrap_or(span);
        let diagnostic =
            Diagnostic::error(ARGUMENT).at(place, format!("{}: {}", function.name, fault.message));
        self.report(
            fault
                .notes
                .iter()
                .fold(diagnostic, |d, note| d.note(note.clone())),
        )
    }
}

const ARGUMENT: &str = "Invalid argument";

fn count(name: &str, signature: &Signature, given: usize) -> String {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let least = signature.required();
    match signature.most() {
        Some(most) if most == least => {
            format!("{name} takes {least} {}, not {given}", plural(least))
        }
        Some(most) => format!("{name} takes {least} to {most} arguments, not {given}"),
        None => format!(
            "{name} takes at least {least} {}, not {given}",
            plural(least)
        ),
    }
}
