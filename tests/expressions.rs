//! Golden cases of expressions: `tests/expressions/*.txt` holds what Terraform answers, and the `.ours` file
//! beside each what we say where Terraform reports an error or where we differ on purpose.
//! `INFRA_BLESS=1` rewrites the `.ours` files, never Terraform's answers.

use infra_diag::{Diagnostic, Diagnostics, SourceId, Span};
use infra_expr::{Scope, Step, Type, Value, evaluate, show};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One case of a golden file.
#[derive(Debug, Default)]
struct Case {
    /// After `>`; more lines after `|`.
    expression: String,
    /// As Terraform prints it.
    value: Vec<String>,
    /// After `:`.
    ty: String,
    /// After `!`: Terraform reports an error.
    error: bool,
    /// After `~`: why we differ.
    differs: bool,
}

/// `local.unknown` is not known yet, `var.secret` is sensitive.
struct World;

impl Scope for World {
    fn lookup(
        &self,
        root: &str,
        _: Span,
        steps: &[Step],
    ) -> Option<Result<(Value, usize), Diagnostics>> {
        match (root, steps.first().and_then(Step::name)) {
            ("local", Some("unknown")) => Some(Ok((Value::unknown(Type::Any), 1))),
            ("var", Some("secret")) => Some(Ok((Value::string("hidden").with_sensitive(true), 1))),
            ("local" | "var", _) => {
                let span = steps
                    .first()
                    .map_or(Span::new(SourceId(0), 0..0), Step::span);
                Some(Err(Diagnostic::error("unknown name")
                    .at(span, "it is not declared")
                    .into()))
            }
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["local".into(), "var".into()]
    }
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(expression) = line.strip_prefix("> ") {
            cases.push(Case {
                expression: expression.into(),
                ..Case::default()
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            continue;
        };
        match line.split_at_checked(2) {
            Some(("| ", more)) => write!(case.expression, "\n{more}").unwrap(),
            Some((": ", ty)) => case.ty = ty.into(),
            Some(("! ", _)) => case.error = true,
            Some(("~ ", _)) => case.differs = true,
            _ => case.value.push(line.into()),
        }
    }
    for case in &mut cases {
        while case.value.last().is_some_and(String::is_empty) {
            case.value.pop();
        }
    }
    cases
}

fn evaluated(expression: &str) -> Result<Value, String> {
    let parsed = expression
        .parse()
        .map_err(|e: hcl_edit::parser::Error| format!("! syntax: {}\n", e.message()))?;
    evaluate(&parsed, SourceId(0), &World).map_err(|errors| told(&errors.sorted(), expression))
}

/// Errors in short: what, why, and the part of the expression it is about.
fn told(errors: &Diagnostics, expression: &str) -> String {
    let mut out = String::new();
    for error in errors {
        writeln!(out, "! {}", error.summary).unwrap();
        for label in &error.labels {
            writeln!(
                out,
                "    {} [{}]",
                label.text,
                expression[label.span.range()].replace('\n', "\\n")
            )
            .unwrap();
        }
        error
            .notes
            .iter()
            .for_each(|note| writeln!(out, "    note: {note}").unwrap());
        error
            .hints
            .iter()
            .for_each(|hint| writeln!(out, "    hint: {hint}").unwrap());
    }
    out
}

fn described(value: &Value) -> String {
    let ty = show::describe(&value.type_of()).replace('\n', "");
    ty.split(' ')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn printed(value: &Value) -> String {
    show::show(value).replace(show::UNKNOWN, "(known after apply)")
}

/// What is wrong with the case, and what belongs in the file of ours.
fn check(case: &Case) -> (Option<String>, Option<String>) {
    let result = evaluated(&case.expression);
    let ours = match &result {
        Ok(value) => format!("{}\n: {}\n", printed(value), described(value)),
        Err(told) => told.clone(),
    };
    let said = format!("> {}\n{ours}", case.expression.replace('\n', "\n| "));
    let agrees = match &result {
        Err(_) => case.error,
        Ok(value) => {
            let same =
                case.value.join("\n") == printed(value) && squeezed(&case.ty) == described(value);
            !case.error && same
        }
    };
    if case.differs {
        let stale = agrees.then(|| format!("> {}: does not differ any more", case.expression));
        return (stale, Some(said));
    }
    match (agrees, result) {
        (true, Ok(_)) => (None, None),
        (true, Err(_)) => (None, Some(said)),
        (false, _) => (
            Some(format!("{said}  but Terraform says {}", case.expected())),
            None,
        ),
    }
}

fn squeezed(ty: &str) -> String {
    ty.split(' ')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

impl Case {
    fn expected(&self) -> String {
        if self.error {
            "error".into()
        } else {
            format!("{}\n: {}", self.value.join("\n"), self.ty)
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/expressions")
}

#[test]
fn as_terraform_says() {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut failures = Vec::new();
    let mut count = 0;
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
    {
        let cases = parse(&fs::read_to_string(path).unwrap());
        count += cases.len();
        let (wrong, ours): (Vec<_>, Vec<_>) = cases.iter().map(check).unzip();
        failures.extend(wrong.into_iter().flatten());
        let ours = ours.into_iter().flatten().collect::<Vec<_>>().join("\n");
        failures.extend(compare(&path.with_extension("ours"), &ours));
    }
    assert!(count > 0, "there are no cases");
    assert!(
        failures.is_empty(),
        "{} of {count} cases:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// Compares with the file, or writes it if asked to.
fn compare(path: &Path, ours: &str) -> Option<String> {
    if env::var_os("INFRA_BLESS").is_some_and(|v| v == "1") {
        fs::write(path, ours).unwrap();
        return None;
    }
    let before = fs::read_to_string(path).unwrap_or_default();
    if before == ours {
        return None;
    }
    let line = before
        .lines()
        .zip(ours.lines())
        .position(|(a, b)| a != b)
        .unwrap_or(0);
    let now = ours.lines().nth(line).unwrap_or_default();
    Some(format!(
        "{}:{}: is now: {now}\n  (INFRA_BLESS=1 accepts it)",
        path.display(),
        line + 1
    ))
}
