//! What a machine's description says beside what is modelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One change of the XML that describes a machine. Exactly one of `set`, `add` and `remove` is wanted; where one was
/// found that does not hold, none is there, or another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XmlPatch {
    /// The way from `<domain>` to an element, or to its attribute: `devices/memballoon/@autodeflate`. Absent:
    /// `<domain>` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The attribute's value or the element's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// An element that the one there gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<String>,
    /// It is not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
}
