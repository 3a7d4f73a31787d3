//! What is wanted of a host's kernel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file below `/sys` or `/proc/sys`, tuned's own, or systemd's, that is to say something, now and after each start of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelSetting {
    /// By its whole path.
    pub file: String,
    /// Words with one blank between them. Of a file that lists what could be chosen: the one that is.
    pub value: String,
    /// As observed, where a start of the host would make another of it: what; empty, where it would be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_start: Option<String>,
}

impl KernelSetting {
    /// Where tuned says which profile is active.
    pub const TUNED: &str = "/etc/tuned/active_profile";

    /// Where systemd is told what starts only once Docker has: not what a file says, but the services that it knows of.
    pub const DOCKER_FIRST: &str = "/etc/systemd/system/docker.service.d";

    #[must_use]
    pub fn new(file: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            value: value.into(),
            next_start: None,
        }
    }

    /// What a file says, as [`Self::value`] would.
    #[must_use]
    pub fn said(text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let chosen = words
            .iter()
            .find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
        chosen.map_or_else(|| words.join(" "), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_what_a_file_says() {
        assert_eq!(KernelSetting::said("always [madvise] never\n"), "madvise");
        assert_eq!(
            KernelSetting::said("4096\t131072\t6291456\n"),
            "4096 131072 6291456"
        );
        assert_eq!(KernelSetting::said("\n"), "");
    }
}
