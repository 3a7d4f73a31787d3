//! Values, types, functions and the evaluation of HCL expressions, with Terraform's semantics.
//!
//! The way in is [`evaluate`]: an expression as `hcl-edit` parsed it, and a [`Scope`] that knows what the
//! names mean. Knows nothing of files, blocks, modules or machines; does no I/O but through [`Files`].

mod convert;
mod eval;
pub mod functions;
pub mod json;
mod number;
mod references;
mod scope;
pub mod show;
#[cfg(test)]
mod tests;
mod types;
mod unify;
mod value;

pub use convert::{ConvertError, convert};
pub use eval::{UNKNOWN_NAME, constant, evaluate, evaluate_template};
pub use number::Number;
pub use references::{Reference, references};
pub use scope::{Empty, Files, NoFiles, Scope, Step};
pub use types::{Attribute, Type};
pub use value::{Kind, Map, Value};
