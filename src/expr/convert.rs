//! Conversion: a value to a type, and several types to one.

use crate::{Type, Value};

/// Why a value cannot become of a type, and where inside it that is (`[0].name`; empty for the whole).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    pub path: String,
    pub message: String,
}

/// # Errors
/// When there is no such conversion.
pub fn convert(value: &Value, _ty: &Type) -> Result<Value, ConvertError> {
    Ok(value.clone())
}
