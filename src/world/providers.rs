//! The registry of providers. One more is a crate and two lines: one here, one in `Cargo.toml`.

use std::collections::BTreeMap;

use infra_api::{HostName, Provider};

use crate::declared::Host;

/// All providers of this program.
#[must_use]
pub fn providers() -> Vec<Box<dyn Provider>> {
    vec![
        Box::new(infra_docker::Docker),
        #[cfg(feature = "libvirt")]
        Box::new(infra_libvirt::Libvirt::default()),
        Box::new(infra_kernel::Kernel),
        Box::new(infra_software::Software),
        Box::new(infra_systemd::Systemd),
    ]
}

/// Whether a provider has no daemon with a socket, but runs commands on its host.
pub(super) fn by_door(provider: &str) -> bool {
    matches!(provider, "kernel" | "software" | "systemd")
}

/// Where the daemons are: the declaration's word, unless the environment has another for the local host.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// By provider: `INFRA_DOCKER_ENDPOINT`, `INFRA_LIBVIRT_URI`.
    pub local: BTreeMap<String, String>,
}

impl Endpoints {
    /// Lets the providers begin what takes its time, for commands that ask daemons.
    pub fn warm_up(&self) {
        for provider in providers() {
            provider.warm_up(self.local.get(provider.name()).map(String::as_str));
        }
    }

    /// Where each provider's daemon of each host is, by `HOST/PROVIDER`.
    #[must_use]
    pub fn all(
        &self,
        hosts: &BTreeMap<HostName, Host>,
        providers: &[Box<dyn Provider>],
    ) -> BTreeMap<String, String> {
        let pairs = hosts
            .values()
            .flat_map(|host| providers.iter().map(move |p| (host, p.name())));
        pairs
            .map(|(host, provider)| (format!("{}/{provider}", host.name), self.of(host, provider)))
            .collect()
    }

    #[must_use]
    pub fn of(&self, host: &Host, provider: &str) -> String {
        let here = self.local.get(provider).filter(|_| host.login.is_none());
        here.cloned().unwrap_or_else(|| match provider {
            "docker" => host.docker_endpoint.clone(),
            "libvirt" => host.libvirt_uri.clone(),
            _ => host
                .login
                .as_ref()
                .map_or_else(|| "local".to_owned(), |login| format!("ssh://{login}")),
        })
    }
}
