//! What is given on the command line, as a session takes it.

use std::collections::BTreeMap;

use infra_api::Address;

use super::{Global, Planning, Values};
use crate::cli::session::Options;
use crate::world::Endpoints;

impl Global {
    /// Which configuration, with which values.
    #[must_use]
    pub fn options(&self, values: &Values) -> Options {
        Options {
            directory: self.directory.clone(),
            state: self.state.clone(),
            given: values.given(),
            endpoints: endpoints(),
            ..Options::default()
        }
    }

    /// The same, for planning.
    #[must_use]
    pub fn planning(&self, planning: &Planning) -> Options {
        Options {
            facts: planning.facts.clone(),
            replace: planning.replace.iter().map(Address::new).collect(),
            rechoose: planning.rechoose.iter().map(Address::new).collect(),
            ..self.options(&planning.values)
        }
    }
}

/// Where the environment says that the daemons are.
pub(in crate::cli) fn endpoints() -> Endpoints {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let local = [
        ("docker", "INFRA_DOCKER_ENDPOINT"),
        ("libvirt", "INFRA_LIBVIRT_URI"),
    ];
    let local = local
        .into_iter()
        .filter_map(|(p, name)| Some((p.to_owned(), variable(name)?)));
    Endpoints {
        local: local.collect::<BTreeMap<_, _>>(),
    }
}
