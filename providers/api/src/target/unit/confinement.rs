//! What a process on the metal may see and do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::container::is_false;

/// What it may not, unless it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitConfinement {
    /// True: the host's files are all there and can be written to, as its user may.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open: bool,
    /// Paths that it may write to. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
    /// A folder of its own below `/var/lib`, made for it and left when it goes: it holds its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_directory: Option<String>,
    /// Those that it keeps (`CAP_NET_ADMIN`). Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Devices that it may open, by path (`/dev/vfio/12`) or group (`char-input`). Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
}
