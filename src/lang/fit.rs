//! Values against the shapes of the schema: what an attribute's value must be, and what is said when it
//! is not. References are resolved elsewhere; here they are values like others.

use crate::schema::{Shape, Text};
use crate::words::{listed, nearest, with_article};
use infra_diag::{Diagnostic, Span};
use infra_expr::{ConvertError, Type, Value, convert, show};

/// Why a value does not fit, and where inside it that is.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) path: String,
    pub(crate) summary: &'static str,
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

impl Misfit {
    pub(crate) fn new(summary: &'static str, text: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            summary,
            text: text.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    fn inside(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }

    pub(crate) fn diagnostic(self, attribute: &str, span: Span) -> Diagnostic {
        let gap = if self.text.starts_with(':') { "" } else { " " };
        let text = format!("`{attribute}{}`{gap}{}", self.path, self.text);
        let error = Diagnostic::error(self.summary).at(span, text);
        crate::syntax::hinted(error, self.hint)
    }
}

pub(crate) fn wrong_type(error: &ConvertError, name: &str, span: Span) -> Diagnostic {
    let text = format!("`{name}{}`: {}", error.path, error.message);
    Diagnostic::error("Wrong type")
        .at(span, text)
        .hint(format!("give `{name}` what its `type` says"))
}

/// What becomes of a reference: its address as a string.
pub(crate) type Resolve<'a> = &'a dyn Fn(&Value, &'static [&'static str]) -> Result<Value, Misfit>;

/// The value as the shape has it. Null stays null at the top, where it means "not written".
pub(crate) fn fit(value: &Value, shape: &Shape, resolve: Resolve<'_>) -> Result<Value, Misfit> {
    if value.is_null() {
        return Ok(value.clone());
    }
    let fitted = match shape {
        Shape::Any => Ok(value.clone()),
        Shape::Bool => converted(value, &Type::Bool),
        Shape::Number => converted(value, &Type::Number),
        Shape::String => checked(value, no_zero),
        Shape::Of(ty) => converted(value, &ty()),
        Shape::Whole { min, max } => whole(value, *min, *max),
        Shape::Text(text) => checked(value, |word| {
            (text.check)(word).map_err(|why| malformed(value, word, text, &why))
        }),
        Shape::OneOf(words) => checked(value, |word| one_of(value, word, words)),
        Shape::Ref(kinds) => match value.is_unknown() {
            true => Ok(Value::unknown(Type::String)),
            false => resolve(value, kinds),
        },
        Shape::List(shape) => elements(value, shape, resolve).map(|v| Value::list(shape.ty(), v)),
        Shape::OneOrMore(shape) => match value.as_list() {
            Some(_) => elements(value, shape, resolve).map(|v| Value::list(shape.ty(), v)),
            None if value.is_unknown() => Err(Misfit::new(UNKNOWN, "")),
            None => fit(value, shape, resolve).map(|one| Value::list(shape.ty(), vec![one])),
        },
        Shape::Set(shape) => elements(value, shape, resolve).map(|v| Value::set(shape.ty(), v)),
        Shape::Map(shape) => members(value, shape, resolve),
    };
    let fitted = match (fitted, shape) {
        (Err(misfit), _) if misfit.summary == UNKNOWN => Ok(Value::unknown(shape.ty())),
        (fitted, _) => fitted,
    };
    fitted.map(|fitted| fitted.with_sensitive(value.is_sensitive()))
}

/// Not shown to anybody: the whole is not known, so it cannot be said not to fit.
const UNKNOWN: &str = "Unknown";

impl Shape {
    /// The type of the values that fit.
    pub(crate) fn ty(&self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Bool => Type::Bool,
            Self::Number | Self::Whole { .. } => Type::Number,
            Self::String | Self::Text(_) | Self::OneOf(_) | Self::Ref(_) => Type::String,
            Self::List(shape) | Self::OneOrMore(shape) => Type::list(shape.ty()),
            Self::Set(shape) => Type::set(shape.ty()),
            Self::Map(shape) => Type::map(shape.ty()),
            Self::Of(ty) => ty(),
        }
    }
}

fn converted(value: &Value, ty: &Type) -> Result<Value, Misfit> {
    convert(value, ty).map_err(|error| {
        Misfit::new("Wrong type", format!(": {}", error.message)).inside(&error.path)
    })
}

fn whole(value: &Value, min: i64, max: i64) -> Result<Value, Misfit> {
    let number = converted(value, &Type::Number)?;
    if number.is_unknown() {
        return Ok(number);
    }
    let bounds = match (min, max) {
        (i64::MIN, i64::MAX) => String::new(),
        (min, i64::MAX) => format!(" of at least {min}"),
        (i64::MIN, max) => format!(" of at most {max}"),
        (min, max) => format!(" from {min} to {max}"),
    };
    match number.as_i64().is_some_and(|n| (min..=max).contains(&n)) {
        true => Ok(number),
        false => {
            let text = format!("is {}: it must be a whole number{bounds}", shown(value));
            Err(Misfit::new("Invalid value", text))
        }
    }
}

fn checked(value: &Value, check: impl Fn(&str) -> Result<(), Misfit>) -> Result<Value, Misfit> {
    let text = converted(value, &Type::String)?;
    text.as_str().map_or(Ok(()), check)?;
    Ok(text)
}

/// A zero byte ends a text for programs and the kernel, and formats have no place for it.
fn no_zero(word: &str) -> Result<(), Misfit> {
    match word.find('\0') {
        Some(at) => Err(
            Misfit::new("Invalid value", format!("has a zero byte, its byte {at}"))
                .hint(Some("no program, file name or daemon takes one".to_owned())),
        ),
        None => Ok(()),
    }
}

/// What is wrong with a text may quote it, so of a sensitive one it is not said.
fn malformed(value: &Value, word: &str, text: &Text, why: &str) -> Misfit {
    let said = match value.contains_sensitive() {
        true => format!("is not {}", text.name),
        false => format!("is {}: {why}", crate::address::quoted(word)),
    };
    let hint = format!("write {} such as \"{}\"", text.name, text.example);
    Misfit::new("Invalid value", said).hint(Some(hint))
}

fn one_of(value: &Value, word: &str, words: &[&str]) -> Result<(), Misfit> {
    if words.contains(&word) {
        return Ok(());
    }
    let hint = match nearest(word, words.iter().copied()) {
        Some(near) if !value.contains_sensitive() => format!("did you mean \"{near}\"?"),
        _ => format!("it is one of {}", listed(words, "and")),
    };
    Err(Misfit::new(
        "Invalid value",
        format!("cannot be {}", quoted(value, word)),
    )
    .hint(Some(hint)))
}

fn elements(value: &Value, shape: &Shape, resolve: Resolve<'_>) -> Result<Vec<Value>, Misfit> {
    if value.is_unknown() {
        return Err(Misfit::new(UNKNOWN, ""));
    }
    let Some(items) = value.as_list() else {
        let text = format!(
            "must be {}, not {}",
            with_article(&Type::list(shape.ty()).to_string()),
            kind(value)
        );
        return Err(
            Misfit::new("Wrong type", text).hint(Some("write it in brackets: [ … ]".to_owned()))
        );
    };
    let item = |(index, item)| {
        let fitted = fit(item, shape, resolve).and_then(not_null);
        fitted.map_err(|misfit| misfit.inside(&format!("[{index}]")))
    };
    items.iter().enumerate().map(item).collect()
}

fn members(value: &Value, shape: &Shape, resolve: Resolve<'_>) -> Result<Value, Misfit> {
    if value.is_unknown() {
        return Err(Misfit::new(UNKNOWN, ""));
    }
    let Some(members) = value.as_object() else {
        let text = format!(
            "must be {}, not {}",
            with_article(&Type::map(shape.ty()).to_string()),
            kind(value)
        );
        return Err(Misfit::new("Wrong type", text)
            .hint(Some("write it in braces: { key = … }".to_owned())));
    };
    let member = |(name, member): (&std::sync::Arc<str>, &Value)| {
        let fitted = fit(member, shape, resolve).and_then(not_null);
        let fitted = fitted.map_err(|m| m.inside(&format!("[{}]", crate::address::quoted(name))));
        fitted.map(|value| (name.clone(), value))
    };
    let members: Result<Vec<_>, _> = members.iter().map(member).collect();
    Ok(Value::map(shape.ty(), members?))
}

fn not_null(value: Value) -> Result<Value, Misfit> {
    match value.is_null() {
        true => Err(Misfit::new("Wrong type", "must not be null")),
        false => Ok(value),
    }
}

/// What sort of value it is, in a few words.
fn kind(value: &Value) -> String {
    let name = match value.type_of() {
        Type::Tuple(_) => "list".to_owned(),
        Type::Object(_) => "object".to_owned(),
        ty => ty.to_string(),
    };
    with_article(&name)
}

/// A value in a message; never one that must not be shown.
pub(crate) fn shown(value: &Value) -> String {
    match value.contains_sensitive() {
        true => show::SENSITIVE.to_owned(),
        false => show::show(value),
    }
}

fn quoted(value: &Value, word: &str) -> String {
    match value.contains_sensitive() {
        true => show::SENSITIVE.to_owned(),
        false => crate::address::quoted(word),
    }
}
