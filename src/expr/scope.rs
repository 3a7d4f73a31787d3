//! What an expression may ask of the world around it: names, and the texts of files. Nothing else: no
//! clock, no randomness, no environment.

use crate::Value;
use infra_diag::{Diagnostics, Span};
use std::sync::Arc;

/// One step of a traversal such as `module.m.out["a"]`, its index already evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Attr(Arc<str>, Span),
    Index(Value, Span),
}

impl Step {
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Attr(_, span) | Self::Index(_, span) => *span,
        }
    }

    /// The name or string key this step asks for.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Attr(name, _) => Some(name),
            Self::Index(key, _) => key.as_str(),
        }
    }
}

/// What names mean.
pub trait Scope {
    /// The value of `root`, which stands at `span`, after the first so many of the `steps`, and how many
    /// those were: the evaluator walks the rest. So `var.x.y` may be answered by the value of `x` and 1.
    /// `None` says that there is no such root; the evaluator then names the nearest of [`Scope::names`].
    fn lookup(
        &self,
        root: &str,
        span: Span,
        steps: &[Step],
    ) -> Option<Result<(Value, usize), Diagnostics>>;

    /// All roots, for the hint after a name that is not known.
    fn names(&self) -> Vec<String>;

    /// The files that `file`, `templatefile` and the like may read.
    fn files(&self) -> &dyn Files {
        &NoFiles
    }

    /// Whether this is the inside of a template file, which must not read another one, lest it read itself.
    fn in_template_file(&self) -> bool {
        false
    }
}

/// Files as functions see them. Paths are as the person wrote them; what they are relative to is the
/// implementation's business. An error is a short phrase such as "there is no such file".
pub trait Files {
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Whether there is a regular file of that path.
    ///
    /// # Errors
    /// When that cannot be found out, or there is something else than a file.
    fn exists(&self, path: &str) -> Result<bool, String>;

    /// Every regular file below `path`, as paths relative to it with `/` between, in any order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self, path: &str) -> Result<Vec<String>, String>;
}

/// A scope without names and without files.
pub struct Empty;

impl Scope for Empty {
    fn lookup(&self, _: &str, _: Span, _: &[Step]) -> Option<Result<(Value, usize), Diagnostics>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// No files at all.
pub struct NoFiles;

const NO_FILES: &str = "no files can be read here";

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Err(NO_FILES.into())
    }

    fn exists(&self, _: &str) -> Result<bool, String> {
        Err(NO_FILES.into())
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Err(NO_FILES.into())
    }
}
