//! Functions between text and other notations, and digests.

use super::{Fault, Outcome};
use crate::{Value, json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

fn text(args: &[Value]) -> &str {
    args[0].as_str().unwrap_or_default()
}

pub(super) fn base64encode(args: &[Value]) -> Outcome {
    Ok(base64_of(text(args).as_bytes()))
}

pub(super) fn base64_of(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

pub(super) fn base64decode(args: &[Value]) -> Outcome {
    let bytes = STANDARD
        .decode(text(args))
        .map_err(|_| Fault::at(0, "this is not base64"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::at(0, "what it decodes to is not UTF-8 text"))?;
    Ok(text.into())
}

pub(super) fn jsonencode(args: &[Value]) -> Outcome {
    json::to_text(&args[0])
        .map(Value::string)
        .map_err(Into::into)
}

pub(super) fn jsondecode(args: &[Value]) -> Outcome {
    json::from_text(text(args)).map_err(|e| Fault::at(0, e))
}

pub(super) fn sha256(args: &[Value]) -> Outcome {
    let mut hex = String::new();
    for byte in Sha256::digest(text(args)) {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex.into())
}

pub(super) fn urlencode(args: &[Value]) -> Outcome {
    let mut encoded = String::new();
    for byte in text(args).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            b' ' => encoded.push('+'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    Ok(encoded.into())
}
