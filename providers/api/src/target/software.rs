//! What a process on the metal runs from: files that are unpacked on its host, and packages of the host's distribution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A tar archive of the person's, unpacked into a folder of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnpackedFiles {
    /// Below [`UnpackedFiles::FOLDER`]: the image, and the beginning of the archive's digest.
    pub name: String,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
}

impl UnpackedFiles {
    /// Where all of them are.
    pub const FOLDER: &str = "/var/lib/infra/files";

    /// Where one of that name is.
    #[must_use]
    pub fn path(name: &str) -> String {
        format!("{}/{name}", Self::FOLDER)
    }

    /// And the other way round; of any other path, that.
    #[must_use]
    pub fn name(path: &str) -> &str {
        let below = path.strip_prefix(Self::FOLDER);
        below
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(path)
    }
}

/// A package of the host's distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    /// As the distribution writes it. As observed also empty: it is not installed.
    pub version: String,
}
