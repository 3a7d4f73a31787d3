//! The language's own blocks, one function each: `infra`, `variable`, `output`, `module`; and the arguments
//! they share with declared blocks: `count`, `for_each`, `depends_on`.

use crate::evaluation::Spanned;
use crate::literal;
use crate::load::Name;
use crate::syntax::{Expr, Field, Section};
use crate::tree::{Call, Check, Output, Repeat, Target, Variable};
use crate::version::{Constraint, Version};
use hcl_edit::expr::{Expression, TraversalOperator};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::{Type, convert};
use std::sync::Arc;

/// Nothing of the language's own is right elsewhere.
pub(crate) fn nowhere(_: &str) -> Option<String> {
    None
}

/// `infra { project … required_version … }`: the project's name, if it says one.
pub(crate) fn infra(
    mut section: Section,
    version: Option<&Version>,
    found: &mut Diagnostics,
) -> Option<String> {
    section.no_label(found);
    let project_field = section.field("project");
    let span = project_field.as_ref().map(|field| field.value.span);
    let project = literal::string(project_field, found);
    if let Some(span) = span.filter(|_| project.as_deref() == Some("")) {
        found.push(Diagnostic::error("Invalid name").at(span, "a project's name is not empty"));
    }
    if let Some(field) = section.field("required_version") {
        required_version(field, version, found);
    }
    section.finish(nowhere, found);
    project
}

fn required_version(field: Field, version: Option<&Version>, found: &mut Diagnostics) {
    let span = field.value.span;
    let Some(text) = literal::string(Some(field), found) else {
        return;
    };
    match Constraint::parse(&text) {
        Err(part) => found.push(
            Diagnostic::error("Invalid version constraint")
                .at(span, format!("`{part}` is no constraint on versions"))
                .hint("write \">= 1.2, < 2.0\"; the operators are = != > >= < <= ~>"),
        ),
        Ok(constraint) => {
            if let Some(version) = version.filter(|version| !constraint.allows(version)) {
                found.push(
                    Diagnostic::error("Unsupported version")
                        .at(
                            span,
                            format!("this is infra {version}, which does not satisfy `{text}`"),
                        )
                        .hint("use another infra, or change required_version"),
                );
            }
        }
    }
}

pub(crate) fn variable(mut section: Section, found: &mut Diagnostics) -> Option<(Name, Variable)> {
    let name = section.name("name", found);
    let ty = section
        .field("type")
        .and_then(|field| variable_type(&field.value, found));
    let default = section
        .field("default")
        .and_then(|field| default(&field.value, ty.as_ref(), found));
    literal::string(section.field("description"), found);
    let sensitive = literal::bool(section.field("sensitive"), false, found);
    let nullable = literal::bool(section.field("nullable"), true, found);
    let validations = checks(section.sections("validation"), found);
    if let Some(default) = default.as_ref().filter(|d| d.value.is_null() && !nullable) {
        found.push(
            Diagnostic::error("Null where nothing may be null")
                .at(default.span, "the variable is not nullable")
                .hint("give another default, or remove nullable = false"),
        );
    }
    let header = section.header;
    section.finish(nowhere, found);
    let name = name.filter(|name| not_reserved(name, found))?;
    Some((
        name,
        Variable {
            header,
            ty,
            default,
            sensitive,
            nullable,
            validations,
        },
    ))
}

/// Names that mean something else in a `module` block, where variables are set.
const RESERVED: [&str; 8] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "depends_on",
    "lifecycle",
    "locals",
];

fn not_reserved(name: &Name, found: &mut Diagnostics) -> bool {
    let reserved = RESERVED.contains(&&*name.value);
    if reserved {
        let text = format!("`{}` means something else in a `module` block", name.value);
        found.push(
            Diagnostic::error("Reserved name")
                .at(name.span, text)
                .hint("choose another"),
        );
    }
    !reserved
}

fn variable_type(expr: &Expr, found: &mut Diagnostics) -> Option<Spanned<Type>> {
    match Type::parse(&expr.node, expr.source()) {
        Ok(value) => Some(Spanned {
            value,
            span: expr.span,
        }),
        Err(errors) => {
            found.extend(errors);
            None
        }
    }
}

fn default(
    expr: &Expr,
    ty: Option<&Spanned<Type>>,
    found: &mut Diagnostics,
) -> Option<Spanned<infra_expr::Value>> {
    let value = literal::value(expr, found)?;
    let fits = match ty {
        Some(ty) => convert(&value, &ty.value).map_err(|error| {
            found.push(
                crate::fit::wrong_type(&error, "default", expr.span)
                    .at(ty.span, format!("must be {}", ty.value)),
            );
        }),
        None => Ok(value),
    };
    // A default that is wrong still is one: the variable is not also said to be missing.
    let value = fits.unwrap_or_else(|()| infra_expr::Value::unknown(Type::Any));
    Some(Spanned {
        value,
        span: expr.span,
    })
}

pub(crate) fn checks(sections: Vec<Section>, found: &mut Diagnostics) -> Vec<Check> {
    sections
        .into_iter()
        .filter_map(|section| check(section, found))
        .collect()
}

fn check(mut section: Section, found: &mut Diagnostics) -> Option<Check> {
    section.no_label(found);
    let condition = section.required("condition", found);
    let message = section.required("error_message", found);
    section.finish(nowhere, found);
    Some(Check {
        condition: condition?,
        message: message?,
    })
}

pub(crate) fn output(mut section: Section, found: &mut Diagnostics) -> Option<(Name, Output)> {
    let name = section.name("name", found);
    let value = section.required("value", found);
    let description = literal::string(section.field("description"), found);
    let sensitive = literal::bool(section.field("sensitive"), false, found);
    let depends_on = depends_on(&mut section, found);
    let preconditions = checks(section.sections("precondition"), found);
    let header = section.header;
    section.finish(nowhere, found);
    let (name, value) = (name?, value?);
    Some((
        name,
        Output {
            header,
            value,
            description,
            sensitive,
            depends_on,
            preconditions,
        },
    ))
}

/// A call, and the folder it names.
pub(crate) fn call(
    mut section: Section,
    found: &mut Diagnostics,
) -> Option<(Name, Option<Spanned<String>>, Call)> {
    let name = section.name("name", found);
    let source = source(&mut section, found);
    for unsupported in ["version", "providers"] {
        if let Some(field) = section.field(unsupported) {
            let text = format!("modules are local folders and have no `{unsupported}`");
            let error = Diagnostic::error("Unsupported argument").at(field.name.span, text);
            found.push(error.hint("remove it"));
        }
    }
    let repeat = repeat(&mut section, found);
    let depends_on = depends_on(&mut section, found);
    let header = section.header;
    let fields = section.all_fields().into_iter();
    let inputs = fields
        .map(|f| (f.name.value, (f.name.span, f.value)))
        .collect();
    section.finish(
        |_| Some("a module's inputs are attributes: name = …".to_owned()),
        found,
    );
    Some((
        name?,
        source,
        Call {
            header,
            module: None,
            repeat,
            inputs,
            depends_on,
        },
    ))
}

fn source(section: &mut Section, found: &mut Diagnostics) -> Option<Spanned<String>> {
    let Some(field) = section.field("source") else {
        found.push(crate::syntax::missing(
            section.header,
            "module",
            "source",
            "\"./modules/name\"",
        ));
        return None;
    };
    let span = field.value.span;
    let value = literal::string(Some(field), found)?;
    if value.starts_with("./") || value.starts_with("../") {
        return Some(Spanned { value, span });
    }
    let remote = value.contains(':') || value.split('/').next().is_some_and(|s| s.contains('.'));
    let hint = match remote || value.starts_with('/') {
        true => "fetch it yourself into a folder beside this one, and name that".to_owned(),
        false => format!("write \"./{value}\""),
    };
    found.push(
        Diagnostic::error("Unsupported module source")
            .at(
                span,
                "a source is a local folder and starts with `./` or `../`",
            )
            .hint(hint),
    );
    None
}

pub(crate) fn repeat(section: &mut Section, found: &mut Diagnostics) -> Repeat {
    match (section.field("count"), section.field("for_each")) {
        (Some(count), Some(for_each)) => {
            found.push(
                Diagnostic::error("Both count and for_each")
                    .at(for_each.name.span, "`for_each` says how many there are")
                    .at(count.name.span, "and so does `count`")
                    .hint("keep one of the two"),
            );
            Repeat::ForEach(for_each.value)
        }
        (Some(count), None) => Repeat::Count(count.value),
        (None, Some(for_each)) => Repeat::ForEach(for_each.value),
        (None, None) => Repeat::Once,
    }
}

pub(crate) fn depends_on(section: &mut Section, found: &mut Diagnostics) -> Vec<Target> {
    let Some(field) = section.field("depends_on") else {
        return Vec::new();
    };
    let Expression::Array(entries) = field.value.node else {
        found.push(no_target(
            field.value.span,
            "`depends_on` is a list of references",
        ));
        return Vec::new();
    };
    let source = field.value.span.source;
    let entries = entries.into_iter().map(|node| Expr::new(node, source));
    entries.filter_map(|entry| target(entry, found)).collect()
}

fn no_target(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("Invalid dependency")
        .at(span, text)
        .hint("write depends_on = [workload.name, module.name]")
}

fn target(entry: Expr, found: &mut Diagnostics) -> Option<Target> {
    let span = entry.span;
    let parts = target_parts(entry.node, span);
    if parts.is_none() {
        found.push(no_target(
            span,
            "this names no declared block and no module",
        ));
    }
    parts
}

/// `kind.name` or `kind.name[key]`, and nothing after it.
fn target_parts(node: Expression, span: Span) -> Option<Target> {
    let Expression::Traversal(traversal) = node else {
        return None;
    };
    let kind: Arc<str> = traversal.expr.as_variable()?.as_str().into();
    let mut operators = traversal
        .operators
        .into_iter()
        .map(hcl_edit::Decorated::into_value);
    let TraversalOperator::GetAttr(name) = operators.next()? else {
        return None;
    };
    let key = match operators.next() {
        None => None,
        Some(TraversalOperator::Index(key)) => Some(Expr::new(key, span.source)),
        Some(_) => return None,
    };
    let name = name.as_str().into();
    operators.next().is_none().then_some(Target {
        kind,
        name,
        key,
        span,
    })
}
