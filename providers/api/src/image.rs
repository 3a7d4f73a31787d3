//! An image as it is asked for, and what that stands for.

use crate::Failure;

/// A container image of a registry, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageTag {
    pub reference: String,
    pub pull: Pull,
    /// `OS/ARCHITECTURE[/VARIANT]`; absent: the host's own.
    pub platform: Option<String>,
}

/// Who says what a tag stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pull {
    /// Its registry; where that does not, what is known of it already.
    #[default]
    Newer,
    /// Its registry.
    Always,
    /// What is known of it already; else its registry.
    Missing,
    /// What the host has.
    Never,
}

/// What a tag stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub reference: String,
    /// Other than the host's own.
    pub platform: Option<String>,
    /// Why its registry did not say so, where it should have.
    pub unanswered: Option<Failure>,
}

impl Pinned {
    #[must_use]
    pub fn new(reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            platform: None,
            unanswered: None,
        }
    }
}

impl ImageTag {
    /// With the host's own platform, asked for as usual.
    #[must_use]
    pub fn new(reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            ..Self::default()
        }
    }
}
