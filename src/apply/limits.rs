//! How many steps may run at once.

use std::collections::BTreeMap;

use infra_api::HostName;

/// At once: on one daemon of one host, on one host, in all. No limit is lower than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    by_provider: BTreeMap<String, usize>,
    others: usize,
    by_daemon: BTreeMap<(HostName, String), usize>,
    by_host: BTreeMap<HostName, usize>,
    all: usize,
}

impl Default for Limits {
    /// Docker takes ten requests side by side gladly; libvirt serves five of a connection at once and queues
    /// the rest; of others nothing is known.
    fn default() -> Self {
        Self::new([("docker", 10), ("libvirt", 5)], 4)
    }
}

impl Limits {
    /// By the daemons' providers, and for all others.
    pub fn new<'a>(by_provider: impl IntoIterator<Item = (&'a str, usize)>, others: usize) -> Self {
        let at_least_one = |(name, limit): (&str, usize)| (name.to_owned(), limit.max(1));
        Self {
            by_provider: by_provider.into_iter().map(at_least_one).collect(),
            others: others.max(1),
            by_daemon: BTreeMap::new(),
            by_host: BTreeMap::new(),
            all: usize::MAX,
        }
    }

    /// Of one daemon, instead of what its provider's take.
    #[must_use]
    pub fn daemon(mut self, host: &HostName, provider: &str, limit: usize) -> Self {
        let daemon = (host.clone(), provider.to_owned());
        self.by_daemon.insert(daemon, limit.max(1));
        self
    }

    /// Of all daemons of a host together.
    #[must_use]
    pub fn host(mut self, host: &HostName, limit: usize) -> Self {
        self.by_host.insert(host.clone(), limit.max(1));
        self
    }

    /// Of everything together.
    #[must_use]
    pub fn in_all(mut self, limit: usize) -> Self {
        self.all = limit.max(1);
        self
    }

    pub(crate) fn of(&self, host: &HostName, provider: &str) -> usize {
        let own = self.by_daemon.get(&(host.clone(), provider.to_owned()));
        let limit = own.or_else(|| self.by_provider.get(provider));
        limit.copied().unwrap_or(self.others)
    }

    pub(crate) fn of_host(&self, host: &HostName) -> usize {
        self.by_host.get(host).copied().unwrap_or(usize::MAX)
    }

    pub(crate) fn all(&self) -> usize {
        self.all
    }
}
