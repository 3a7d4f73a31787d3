//! Functions of paths and files. Paths are text; only the scope's [`Files`](crate::Files) touches a disk.

use super::encoding::base64_of;
use super::{Fault, Outcome};
use crate::{Map, Scope, Step, Type, Value, evaluate_template};
use hcl_edit::template::Template;
use infra_diag::{Diagnostics, SourceId, Span};

fn path(args: &[Value]) -> &str {
    args[0].as_str().unwrap_or_default()
}

fn read(args: &[Value], scope: &dyn Scope) -> Result<Vec<u8>, Fault> {
    scope.files().read(path(args)).map_err(|e| Fault::at(0, e))
}

fn read_text(args: &[Value], scope: &dyn Scope) -> Result<String, Fault> {
    let hint = "it is not UTF-8 text; filebase64 reads any file";
    String::from_utf8(read(args, scope)?).map_err(|_| Fault::at(0, hint))
}

pub(super) fn basename(args: &[Value]) -> Outcome {
    let path = path(args);
    let trimmed = path.trim_end_matches('/');
    Ok(match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        (_, trimmed) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
    .into())
}

pub(super) fn dirname(args: &[Value]) -> Outcome {
    let Some((parent, _)) = path(args).rsplit_once('/') else {
        return Ok(".".into());
    };
    Ok(clean(parent, path(args).starts_with('/')).into())
}

/// The path without `.`, without empty parts and without `..` where that can be resolved.
fn clean(path: &str, absolute: bool) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".into(),
        (false, joined) => joined,
    }
}

pub(super) fn file(args: &[Value], scope: &dyn Scope) -> Outcome {
    Ok(read_text(args, scope)?.into())
}

pub(super) fn filebase64(args: &[Value], scope: &dyn Scope) -> Outcome {
    Ok(base64_of(&read(args, scope)?))
}

pub(super) fn fileexists(args: &[Value], scope: &dyn Scope) -> Outcome {
    scope
        .files()
        .exists(path(args))
        .map(Value::bool)
        .map_err(|e| Fault::at(0, e))
}

pub(super) fn fileset(args: &[Value], scope: &dyn Scope) -> Outcome {
    let pattern = args[1].as_str().unwrap_or_default();
    let alternatives = braces(pattern).ok_or_else(|| Fault::at(1, "a brace is not closed"))?;
    let files = scope
        .files()
        .list(path(args))
        .map_err(|e| Fault::at(0, e))?;
    let matching = files
        .into_iter()
        .filter(|file| alternatives.iter().any(|p| matches(p, file)));
    Ok(Value::set(Type::String, matching.map(Value::from)))
}

/// The patterns that a pattern with `{a,b}` stands for.
fn braces(pattern: &str) -> Option<Vec<String>> {
    const MOST: usize = 1000;
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        let Some(end) = pattern.find('}') else {
            if pattern.contains('{') || done.len() >= MOST {
                return None;
            }
            done.push(pattern);
            continue;
        };
        // The innermost pair first, so that pairs may be nested.
        let start = pattern[..end].rfind('{')?;
        let choices = pattern[start + 1..end].split(',');
        open.extend(
            choices.map(|choice| format!("{}{choice}{}", &pattern[..start], &pattern[end + 1..])),
        );
    }
    Some(done)
}

/// Whether a path is as the pattern says: `*` and `?` within a part of the path, `**` over any parts.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| *part != ".").collect();
    let path: Vec<&str> = path.split('/').collect();
    wild(
        &pattern,
        &path,
        |part| *part == "**",
        |part, name| {
            let (part, name): (Vec<char>, Vec<char>) =
                (part.chars().collect(), name.chars().collect());
            wild(&part, &name, |c| *c == '*', |p, c| *p == '?' || p == c)
        },
    )
}

/// Matches with wildcards that stand for any number of items. Only the last wildcard seen is ever
/// reconsidered, which is enough, and keeps the cost to the product of the lengths.
fn wild<T>(
    pattern: &[T],
    items: &[T],
    any: impl Fn(&T) -> bool,
    same: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut p, mut i, mut retry) = (0, 0, None);
    loop {
        match pattern.get(p) {
            Some(part) if any(part) => {
                retry = Some((p, i));
                p += 1;
                continue;
            }
            Some(part) if items.get(i).is_some_and(|item| same(part, item)) => {
                (p, i) = (p + 1, i + 1);
                continue;
            }
            None if i == items.len() => return true,
            _ => {}
        }
        match retry {
            Some((star, from)) if from < items.len() => {
                retry = Some((star, from + 1));
                (p, i) = (star + 1, from + 1);
            }
            _ => return false,
        }
    }
}

pub(super) fn templatefile(args: &[Value], scope: &dyn Scope) -> Outcome {
    let Some(variables) = args[1].as_object() else {
        return Err(Fault::at(1, "the variables must be an object or a map"));
    };
    if scope.in_template_file() {
        return Err("a template file cannot read another one".into());
    }
    let text = read_text(args, scope)?;
    let wrong = |what: String| {
        let mut fault = Fault::at(0, format!("there is something wrong in {}", path(args)));
        fault.notes.push(what);
        fault
    };
    let template: Template = text.parse().map_err(|e: hcl_edit::parser::Error| {
        let place = e.location();
        wrong(format!(
            "{}:{}:{}: {}",
            path(args),
            place.line(),
            place.column(),
            e.message()
        ))
    })?;
    let inner = TemplateScope {
        variables,
        outer: scope,
    };
    evaluate_template(&template, SourceId(0), &inner)
        .map_err(|errors| wrong(describe(&errors, path(args), &text)))
}

/// The errors in a template file. The file is not among the sources, so places are told in words.
fn describe(errors: &Diagnostics, path: &str, text: &str) -> String {
    let line = |span: Span| {
        text.get(..span.start as usize)
            .map_or(1, |before| before.matches('\n').count() + 1)
    };
    let each = errors.iter().map(|error| match error.labels.first() {
        Some(label) => format!(
            "{path}:{}: {}: {}",
            line(label.span),
            error.summary,
            label.text
        ),
        None => error.summary.clone(),
    });
    each.collect::<Vec<_>>().join("\n")
}

/// The names in a template file are the variables it is given, and nothing else.
struct TemplateScope<'a> {
    variables: &'a Map,
    outer: &'a dyn Scope,
}

impl Scope for TemplateScope<'_> {
    fn lookup(
        &self,
        root: &str,
        _: Span,
        _: &[Step],
    ) -> Option<Result<(Value, usize), Diagnostics>> {
        self.variables.get(root).map(|value| Ok((value.clone(), 0)))
    }

    fn names(&self) -> Vec<String> {
        self.variables.keys().map(|name| name.to_string()).collect()
    }

    fn files(&self) -> &dyn crate::Files {
        self.outer.files()
    }

    fn in_template_file(&self) -> bool {
        true
    }
}
