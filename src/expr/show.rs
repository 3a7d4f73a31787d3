//! Values as a person reads them: HCL, as Terraform's console prints it.

use crate::Value;

/// What stands for a value that must not be shown.
pub const SENSITIVE: &str = "(sensitive value)";

/// What stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after allocation)";

#[must_use]
pub fn show(_value: &Value) -> String {
    String::new()
}
