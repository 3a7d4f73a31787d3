//! Type constraints, read from the expressions they are written as.

use super::{Attribute, Type};
use crate::eval::span_of;
use crate::functions::nearest;
use crate::{constant, convert};
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};
use infra_diag::{Diagnostic, Diagnostics, SourceId, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

const SUMMARY: &str = "Invalid type";
const NAMES: [&str; 9] = [
    "any", "bool", "list", "map", "number", "object", "set", "string", "tuple",
];

pub(super) fn parse(expr: &Expression, source: SourceId) -> Result<Type, Diagnostics> {
    let mut parser = Parser {
        source,
        errors: Diagnostics::new(),
    };
    let ty = parser.ty(expr);
    if parser.errors.is_empty() {
        Ok(ty)
    } else {
        Err(parser.errors)
    }
}

struct Parser {
    source: SourceId,
    errors: Diagnostics,
}

impl Parser {
    /// What is wrong is noted, and `any` stands in for it.
    fn ty(&mut self, expr: &Expression) -> Type {
        match expr {
            Expression::Variable(name) => self.keyword(name.as_str(), expr),
            Expression::FuncCall(call) => self.constructor(call, expr),
            Expression::Parenthesis(inner) => self.ty(inner.inner()),
            Expression::String(text) => {
                let hint = format!("write {} without quotes", text.value());
                self.error(expr, "a type is not a string", Some(hint))
            }
            _ => self.error(expr, "this is not a type", Some(forms())),
        }
    }

    fn keyword(&mut self, name: &str, expr: &Expression) -> Type {
        match name {
            "any" => Type::Any,
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            "list" | "set" | "map" => {
                let hint = format!("say of what: {name}(string), or {name}(any)");
                self.error(
                    expr,
                    format!("{name} needs the type of its elements"),
                    Some(hint),
                )
            }
            "tuple" => self.error(
                expr,
                "tuple needs the types of its elements",
                Some("for example tuple([string, number])".into()),
            ),
            "object" => self.error(
                expr,
                "object needs its attributes",
                Some("for example object({ name = string })".into()),
            ),
            "optional" => self.misplaced_optional(expr),
            other => self.unknown(other, expr),
        }
    }

    fn constructor(&mut self, call: &FuncCall, expr: &Expression) -> Type {
        let name = call.name.name.as_str();
        if !matches!(name, "list" | "set" | "map" | "tuple" | "object") {
            return match name {
                "optional" => self.misplaced_optional(expr),
                _ if NAMES.contains(&name) => self.error(
                    expr,
                    format!("{name} takes no arguments"),
                    Some(format!("write {name}")),
                ),
                _ => self.unknown(name, expr),
            };
        }
        let mut args = call.args.iter();
        let (Some(arg), None) = (args.next(), args.next()) else {
            return self.error(
                expr,
                format!("{name} takes exactly one argument"),
                Some(forms()),
            );
        };
        match (name, arg) {
            ("list", _) => Type::list(self.ty(arg)),
            ("set", _) => Type::set(self.ty(arg)),
            ("map", _) => Type::map(self.ty(arg)),
            ("tuple", Expression::Array(items)) => {
                Type::Tuple(items.iter().map(|item| self.ty(item)).collect())
            }
            ("object", Expression::Object(object)) => self.object(object),
            ("tuple", _) => self.error(
                arg,
                "tuple takes the types of its elements in brackets",
                Some("for example tuple([string, number])".into()),
            ),
            _ => self.error(
                arg,
                "object takes its attributes in braces",
                Some("for example object({ name = string })".into()),
            ),
        }
    }

    fn object(&mut self, object: &Object) -> Type {
        let mut attributes = BTreeMap::new();
        for (key, value) in object {
            let attribute = self.attribute(value.expr());
            match key {
                ObjectKey::Ident(name) => {
                    attributes.insert(Arc::from(name.as_str()), attribute);
                }
                ObjectKey::Expression(Expression::Variable(name)) => {
                    attributes.insert(Arc::from(name.as_str()), attribute);
                }
                ObjectKey::Expression(Expression::String(name)) => {
                    attributes.insert(Arc::from(name.as_str()), attribute);
                }
                ObjectKey::Expression(other) => {
                    self.error(other, "an attribute is named by a plain word", None);
                }
            }
        }
        Type::Object(Arc::new(attributes))
    }

    fn attribute(&mut self, expr: &Expression) -> Attribute {
        let Expression::FuncCall(call) = expr else {
            return Attribute::required(self.ty(expr));
        };
        if call.name.name.as_str() != "optional" {
            return Attribute::required(self.ty(expr));
        }
        let args: Vec<_> = call.args.iter().collect();
        match args[..] {
            [ty] => Attribute::optional(self.ty(ty), None),
            [ty, default] => {
                let ty = self.ty(ty);
                let default = self.default(default, &ty);
                Attribute::optional(ty, default)
            }
            _ => {
                let hint = "write optional(string) or optional(string, \"default\")";
                self.error(
                    expr,
                    "optional takes a type and, if wanted, a default",
                    Some(hint.into()),
                );
                Attribute::required(Type::Any)
            }
        }
    }

    fn default(&mut self, expr: &Expression, ty: &Type) -> Option<crate::Value> {
        let value = match constant(expr, self.source) {
            Ok(value) => value,
            Err(errors) => {
                self.errors.extend(errors);
                return None;
            }
        };
        match convert(&value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                let text = format!("this default is not {ty}: {error}");
                self.error(expr, text, None);
                None
            }
        }
    }

    fn misplaced_optional(&mut self, expr: &Expression) -> Type {
        let hint = "use it directly as an attribute's type: object({ a = optional(string) })";
        self.error(
            expr,
            "only an attribute of an object can be optional",
            Some(hint.into()),
        )
    }

    fn unknown(&mut self, name: &str, expr: &Expression) -> Type {
        let hint = nearest(name, NAMES).map_or_else(forms, |near| format!("did you mean {near}?"));
        self.error(expr, format!("there is no type {name}"), Some(hint))
    }

    fn error(&mut self, expr: &Expression, label: impl Into<String>, hint: Option<String>) -> Type {
        let span: Span = span_of(expr, self.source);
        let mut diagnostic = Diagnostic::error(SUMMARY).at(span, label);
        diagnostic.hints.extend(hint);
        self.errors.push(diagnostic);
        Type::Any
    }
}

fn forms() -> String {
    "a type is string, number, bool, any, list(T), set(T), map(T), tuple([T, …]) or object({ a = T, … })".into()
}
