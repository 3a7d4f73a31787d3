//! A text that may be a secret. A secret's value is in no plan, state, mark or log: its digest stands there,
//! and the value is put in its place just before the daemon is called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The key under which a digest stands in a body: `{"$secret": "hmac-sha256:…"}`.
pub const SECRET: &str = "$secret";

/// A text, or the keyed digest of a secret one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    Plain(String),
    Secret {
        /// `hmac-sha256:` and the digest of the value under the project's key, in hexadecimal digits.
        #[serde(rename = "$secret")]
        digest: String,
    },
}

impl Text {
    /// The text itself; of a secret whose value has not been put in, nothing.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Secret { .. } => None,
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}
