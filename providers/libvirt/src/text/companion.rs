//! The small volume `NAME.infra` that stands beside each volume of ours and marks it, since volumes have no
//! metadata. It is written before its volume and says `complete` after it: what was cut off shows on the host.
//! It holds no content and no digest of any but an uploaded file's: seeds may hold secrets.

use infra_api::target::{Allocation, Original};
use infra_api::{Address, Mark, Project};
use serde::{Deserialize, Serialize};

/// Every companion has this length, so that one is overwritten in a single message and never grows.
pub(crate) const LENGTH: usize = 4096;

const SUFFIX: &str = ".infra";

const FORMAT_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Companion {
    format_version: u32,
    project: Project,
    address: Address,
    pub(crate) content: Content,
    pub(crate) complete: bool,
}

/// What the volume beside it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    File {
        sha256: String,
    },
    Disk,
    /// One that was made in a way that does not show in it.
    DiskMade {
        allocation: Allocation,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        copy_of: Option<Original>,
    },
    Seed,
    Ignition,
}

impl Companion {
    pub(crate) fn new(mark: &Mark, content: Content, complete: bool) -> Self {
        let Mark { project, address } = mark.clone();
        Self {
            format_version: FORMAT_VERSION,
            project,
            address,
            content,
            complete,
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            project: self.project.clone(),
            address: self.address.clone(),
        }
    }

    /// JSON, then blanks.
    pub(crate) fn write(&self) -> Result<Vec<u8>, String> {
        let mut bytes = serde_json::to_vec(self).map_err(|e| e.to_string())?;
        if bytes.len() > LENGTH {
            return Err(format!(
                "the address `{}` is too long to be marked",
                self.address
            ));
        }
        bytes.resize(LENGTH, b' ');
        Ok(bytes)
    }

    /// Nothing, where it was cut off before its first writing or is of a later shape.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(bytes).ok()?;
        (found.format_version == FORMAT_VERSION).then_some(found)
    }
}

/// The name of a volume's companion.
pub(crate) fn name(volume: &str) -> String {
    format!("{volume}{SUFFIX}")
}

/// The volume a companion belongs to.
pub(crate) fn volume_of(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
        .filter(|volume| !volume.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(address: &str) -> Mark {
        Mark {
            project: Project::new("demo"),
            address: Address::new(address),
        }
    }

    #[test]
    fn read_undoes_write() {
        for content in [
            Content::File {
                sha256: "00ff".into(),
            },
            Content::Disk,
            Content::DiskMade {
                allocation: Allocation::Full,
                copy_of: Some(Original::File {
                    sha256: "00ff".into(),
                    size_bytes: 512,
                }),
            },
            Content::Seed,
            Content::Ignition,
        ] {
            let companion = Companion::new(&mark("workload.a"), content, false);
            let bytes = companion.write().unwrap();
            assert_eq!(
                (bytes.len(), Companion::read(&bytes)),
                (LENGTH, Some(companion))
            );
        }
    }

    #[test]
    fn a_companion_that_was_never_written_is_none() {
        assert_eq!(Companion::read(&[0; LENGTH]), None);
        assert!(
            Companion::new(&mark(&"x".repeat(LENGTH)), Content::Disk, true)
                .write()
                .is_err()
        );
    }

    #[test]
    fn names() {
        assert_eq!(volume_of(&name("a.qcow2")), Some("a.qcow2"));
        assert_eq!((volume_of("a.qcow2"), volume_of(".infra")), (None, None));
    }
}
