//! The provider's name and its words for its objects: the middle of every resource id.

pub(crate) const PROVIDER: &str = "docker";
pub(crate) const IMAGE: &str = "image";
pub(crate) const NETWORK: &str = "network";
pub(crate) const VOLUME: &str = "volume";
pub(crate) const CONTAINER: &str = "container";
