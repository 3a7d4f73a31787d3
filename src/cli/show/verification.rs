//! What came of verifying: a table for a person, a document for programs.

use infra_api::Project;
use schemars::JsonSchema;
use serde::Serialize;

use super::page::{BOLD, DIM, GREEN, Page, RED, YELLOW, pad, paint, width};
use crate::verify::{Check, Verdict};

/// `MAJOR.MINOR` of the document. A larger minor number only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// What `infra verify --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerificationDocument {
    /// `MAJOR.MINOR` of this document. A larger minor number only adds fields.
    pub format_version: String,
    pub project: Project,
    /// By the addresses of the workloads.
    pub checks: Vec<Check>,
    pub summary: Counts,
}

/// How many checks came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    pub holds: usize,
    pub fails: usize,
    pub unknown: usize,
    pub notes: usize,
}

impl Counts {
    #[must_use]
    pub fn of(checks: &[Check]) -> Self {
        let count = |verdict| {
            checks
                .iter()
                .filter(|check| check.verdict == verdict)
                .count()
        };
        Self {
            holds: count(Verdict::Holds),
            fails: count(Verdict::Fails),
            unknown: count(Verdict::Unknown),
            notes: count(Verdict::Note),
        }
    }
}

#[must_use]
pub fn document(project: &Project, checks: &[Check]) -> VerificationDocument {
    VerificationDocument {
        format_version: FORMAT_VERSION.to_owned(),
        project: project.clone(),
        checks: checks.to_vec(),
        summary: Counts::of(checks),
    }
}

/// Each workload with its checks.
#[must_use]
pub fn table(checks: &[Check]) -> String {
    let mut page = Page::default();
    each(&mut page, checks);
    page.line(&summary(checks));
    page.finish()
}

/// Those alone that are not so, or not known to be.
#[must_use]
pub fn failing(checks: &[Check]) -> String {
    let failing = |check: &&Check| matches!(check.verdict, Verdict::Fails | Verdict::Unknown);
    let checks: Vec<Check> = checks.iter().filter(failing).cloned().collect();
    let mut page = Page::default();
    each(&mut page, &checks);
    page.finish()
}

fn each(page: &mut Page, checks: &[Check]) {
    for checks in checks.chunk_by(|a, b| a.address == b.address && a.host == b.host) {
        if let Some(first) = checks.first() {
            page.line(&format!(
                "{} on {}",
                paint(BOLD, first.address.as_str()),
                first.host
            ));
        }
        rows(page, checks);
        page.blank();
    }
}

fn rows(page: &mut Page, checks: &[Check]) {
    let widest = |of: fn(&Check) -> &str| checks.iter().map(|c| width(of(c))).max().unwrap_or(0);
    let (what, expected) = (widest(|c| &c.what), widest(|c| &c.expected));
    for check in checks {
        let (style, word) = match check.verdict {
            Verdict::Holds => (GREEN, "holds"),
            Verdict::Note => (DIM, "note"),
            Verdict::Unknown => (YELLOW, "unknown"),
            Verdict::Fails => (RED, "FAILS"),
        };
        let line = format!(
            "  {}  {}  {}  {}",
            paint(style, &format!("{word:<7}")),
            pad(&check.what, what),
            pad(&check.expected, expected),
            check.found
        );
        page.line(line.trim_end());
    }
}

/// `12 checks hold, 1 fails.`
#[must_use]
pub fn summary(checks: &[Check]) -> String {
    let Counts {
        holds,
        fails,
        unknown,
        ..
    } = Counts::of(checks);
    let counted = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        _ => format!("{n} {many}"),
    };
    if checks.is_empty() {
        return "Nothing runs that could be verified.".to_owned();
    }
    let mut parts = vec![counted(holds, "check holds", "checks hold")];
    if fails > 0 {
        parts.push(counted(fails, "fails", "fail"));
    }
    if unknown > 0 {
        parts.push(counted(
            unknown,
            "could not be looked at",
            "could not be looked at",
        ));
    }
    format!("{}.", parts.join(", "))
}
