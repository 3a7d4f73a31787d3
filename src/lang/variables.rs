//! Values that have a name in a module: variables with their types and validations, locals, outputs; and
//! the conditions that people state about them.

use crate::Mode;
use crate::engine::{Caller, Engine, Failed, ModuleId, Node, Outcome};
use crate::evaluation::Spanned;
use crate::fit::{shown, wrong_type};
use crate::inputs::ENVIRONMENT;
use crate::scope::Place;
use crate::tree::{Check, Target, Variable};
use infra_diag::{Diagnostic, Span};
use infra_expr::{Type, Value, convert};
use std::sync::Arc;

impl Engine {
    fn declared_variable(&self, module: ModuleId, name: &str) -> Outcome<&Variable> {
        self.declarations(module)
            .variables
            .get(name)
            .ok_or(Failed::SAID)
    }

    /// A variable's value, converted but not validated.
    pub(crate) fn raw_variable(&self, module: ModuleId, name: &Arc<str>) -> Outcome<Value> {
        let variable = self.declared_variable(module, name)?;
        let given = self.given(module, name)?;
        let given = given.filter(|given| !given.value.is_null() || variable.nullable);
        let given = match (given, &variable.default) {
            (Some(given), _) => given,
            (None, Some(default)) => default.clone(),
            (None, None) => return self.without_value(module, variable, name),
        };
        let value = given.value.with_sensitive(variable.sensitive);
        let value = convert(&value, &variable.constraint()).map_err(|error| {
            let origin = self.origin(module, name, variable);
            let diagnostic = wrong_type(&error, &format!("var.{name}"), origin);
            self.fail(match &variable.ty {
                Some(ty) => diagnostic.at(ty.span, "as its type says"),
                None => diagnostic,
            })
        })?;
        Ok(value.with_sensitive(variable.sensitive))
    }

    /// The value that comes from outside the module.
    fn given(&self, module: ModuleId, name: &str) -> Outcome<Option<Spanned<Value>>> {
        let at = self.module(module);
        let Some(caller) = &at.caller else {
            return Ok(self.inputs.values.get(name).cloned());
        };
        let call = self
            .declarations(caller.module)
            .calls
            .get(&caller.name)
            .ok_or(Failed::SAID)?;
        let Some((_, expr)) = call.inputs.get(name) else {
            return Ok(None);
        };
        let place = Place::repeated(self, caller.module, &caller.repetition);
        let value = self.evaluate(expr, &place)?;
        Ok(Some(Spanned {
            value,
            span: expr.span,
        }))
    }

    fn without_value(&self, module: ModuleId, variable: &Variable, name: &str) -> Outcome<Value> {
        let at = self.module(module);
        if at.caller.is_none() && self.inputs.mode == Mode::Validate {
            return Ok(Value::unknown(variable.constraint()).with_sensitive(variable.sensitive));
        }
        Err(self.fail(match &at.caller {
            None => Diagnostic::error("No value for variable")
                .at(
                    variable.header,
                    format!("`{name}` has no default and was given no value"),
                )
                .hint(format!(
                    "give one: --var {name}=…, {name} = … in a file *{}, or {ENVIRONMENT}{name}",
                    crate::inputs::SUFFIX
                )),
            // That it is not written at all was reported by `check.rs`.
            Some(caller) if !self.is_set(caller, name) => return Err(Failed::SAID),
            Some(_) => Diagnostic::error("No value for variable")
                .at(
                    self.origin(module, name, variable),
                    format!("`{name}` must not be null here"),
                )
                .at(variable.header, "it is not nullable and has no default"),
        }))
    }

    fn is_set(&self, caller: &Caller, name: &str) -> bool {
        let call = self.declarations(caller.module).calls.get(&caller.name);
        call.is_some_and(|call| call.inputs.contains_key(name))
    }

    /// Where a variable's value was written; its declaration where that must not be seen.
    fn origin(&self, module: ModuleId, name: &str, variable: &Variable) -> Span {
        // An error shows the text at its place.
        if variable.sensitive {
            return variable.header;
        }
        let at = self.module(module);
        let given = match &at.caller {
            None => self.inputs.values.get(name).map(|given| given.span),
            Some(caller) => {
                let call = self.declarations(caller.module).calls.get(&caller.name);
                call.and_then(|call| call.inputs.get(name))
                    .map(|(_, expr)| expr.span)
            }
        };
        let default = variable.default.as_ref().map(|default| default.span);
        given.or(default).unwrap_or(variable.header)
    }

    /// A variable's value once its validations hold.
    pub(crate) fn variable(&self, module: ModuleId, name: &Arc<str>) -> Outcome<Value> {
        let variable = self.declared_variable(module, name)?;
        let value = self.value(Node::Raw(module, name.clone()), variable.header)?;
        let place = Place::module(self, module);
        let mut outcome = Ok(value);
        // All of them: a person mends all that is wrong with a value at once.
        for validation in &variable.validations {
            let label = |message: &str| {
                Diagnostic::error("Validation failed")
                    .at(self.origin(module, name, variable), message)
                    .at(
                        validation.condition.span,
                        format!("`{name}` does not satisfy this"),
                    )
            };
            if self.said(self.holds(validation, &place, label)).is_err() {
                outcome = Err(Failed::SAID);
            }
        }
        outcome
    }

    /// Whether a condition holds; one that is not known does for now.
    fn holds(
        &self,
        check: &Check,
        place: &Place<'_>,
        failure: impl FnOnce(&str) -> Diagnostic,
    ) -> Outcome<()> {
        let value = self.evaluate(&check.condition, place)?;
        let span = check.condition.span;
        let wrong = |text: &str| {
            let error = Diagnostic::error("Invalid condition").at(span, text);
            self.fail(error.hint("write a comparison, as in `length(var.name) > 0`"))
        };
        let condition = convert(&value, &Type::Bool)
            .map_err(|_| wrong("a condition is true or false, and this is neither"))?;
        if condition.is_unknown() {
            return Ok(());
        }
        match condition.as_bool() {
            None => Err(wrong("a condition is true or false, and this is null")),
            Some(true) => Ok(()),
            Some(false) => {
                let message = self.message(check, place)?;
                Err(self.fail(failure(&message)))
            }
        }
    }

    /// What the person wants said when the condition does not hold.
    fn message(&self, check: &Check, place: &Place<'_>) -> Outcome<String> {
        let value = self.evaluate(&check.message, place)?;
        if value.contains_sensitive() {
            return Ok("the message is sensitive and not shown".to_owned());
        }
        let text = convert(&value, &Type::String).ok();
        match text.as_ref().and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None if value.is_unknown() => Ok("the message is not known yet".to_owned()),
            None => Err(self.fail(Diagnostic::error("Invalid error message").at(
                check.message.span,
                format!("{} is no string", shown(&value)),
            ))),
        }
    }

    pub(crate) fn preconditions(
        &self,
        checks: &[Check],
        place: &Place<'_>,
        what: &str,
    ) -> Outcome<()> {
        let mut outcome = Ok(());
        for check in checks {
            let failure = |message: &str| {
                Diagnostic::error("Precondition failed")
                    .at(check.condition.span, message)
                    .note(format!("for `{what}`"))
            };
            if self.said(self.holds(check, place, failure)).is_err() {
                outcome = Err(Failed::SAID);
            }
        }
        outcome
    }

    pub(crate) fn local(&self, module: ModuleId, name: &Arc<str>) -> Outcome<Value> {
        let expr = self
            .declarations(module)
            .locals
            .get(name)
            .ok_or(Failed::SAID)?;
        self.evaluate(expr, &Place::module(self, module))
    }

    pub(crate) fn output(&self, module: ModuleId, name: &Arc<str>) -> Outcome<Value> {
        let output = self
            .declarations(module)
            .outputs
            .get(name)
            .ok_or(Failed::SAID)?;
        let place = Place::module(self, module);
        for target in &output.depends_on {
            for id in self.targets(target, &place)? {
                self.touch(id);
            }
        }
        let value = self.said(self.evaluate(&output.value, &place));
        let path = &self.module(module).path;
        self.preconditions(&output.preconditions, &place, &output_name(path, name))?;
        let value = value?;
        // Within the configuration marks go on; only what leaves it must say so.
        if path.is_root() && value.contains_sensitive() && !output.sensitive {
            return Err(self.fail(
                Diagnostic::error("Output is sensitive")
                    .at(output.value.span, "this comes from something sensitive")
                    .at(output.header, "and this output would show it")
                    .hint("add sensitive = true, or wrap what may be seen in nonsensitive(…)"),
            ));
        }
        Ok(value.with_sensitive(output.sensitive))
    }

    /// The instances that an entry of `depends_on` names.
    pub(crate) fn targets(&self, target: &Target, place: &Place<'_>) -> Outcome<Vec<u32>> {
        let module = place.module_id();
        let declarations = self.declarations(module);
        if &*target.kind == "module" {
            let name = declarations.calls.key(&target.name).ok_or(Failed::SAID)?;
            let modules = self.chosen(target, Node::Call(module, name.clone()), place)?;
            return modules.into_iter().try_fold(Vec::new(), |mut all, id| {
                all.extend(self.all_within(id, target.span)?);
                Ok(all)
            });
        }
        let table = declarations.declared.get_key_value(&*target.kind);
        let (kind, name) = table
            .and_then(|(kind, t)| Some((*kind, t.key(&target.name)?)))
            .ok_or(Failed::SAID)?;
        self.chosen(target, Node::Declared(module, kind, name.clone()), place)
    }

    fn chosen(&self, target: &Target, node: Node, place: &Place<'_>) -> Outcome<Vec<u32>> {
        let expansion = self.expansion(node, target.span)?;
        let Some(key) = &target.key else {
            return Ok(expansion.ids());
        };
        let key = self.evaluate(key, place)?;
        expansion.get(&key).map(|id| vec![id]).ok_or_else(|| {
            let text = format!(
                "`{}.{}` has no instance [{}]",
                target.kind,
                target.name,
                shown(&key)
            );
            self.fail(Diagnostic::error("No such instance").at(target.span, text))
        })
    }
}

fn output_name(path: &crate::ModulePath, name: &str) -> String {
    match path.is_root() {
        true => format!("output.{name}"),
        false => format!("{path}.output.{name}"),
    }
}
