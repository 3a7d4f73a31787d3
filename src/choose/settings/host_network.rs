//! The host's own network stack for a container that publishes its ports under their own numbers: whoever asks it sees
//! no difference.

use infra_api::{Level, Need, Runtime, Setting};

use super::{Adding, Knob};
use crate::declared::Container;

const HOST: &str = "host";

pub(super) const KNOB: Knob = Knob {
    setting: Setting::HostNetwork,
    given: |workload, runtime, _| {
        let form = workload.container.as_ref();
        let mode = form.and_then(|form| form.confinement.network.as_deref());
        runtime == Runtime::Container && mode == Some(HOST)
    },
    adding: Some(Adding {
        open: |workload, runtime| {
            let form = workload.container.as_ref();
            let form = form.is_some_and(|form| same_outside(form));
            // What else it listens on would be on the host, too: not of who is to be kept apart.
            let apart = workload.suits.needs.get(Need::Security) >= Level::Medium;
            runtime == Runtime::Container && form && workload.interfaces.is_empty() && !apart
        },
        lacks: |_, _, host| {
            let security = host.facts.docker.as_ref()?.security.as_ref()?;
            let mapped = security.iter().any(|word| word.contains("userns"));
            mapped.then(|| {
                "its engine maps users: a container cannot have the host's network".to_owned()
            })
        },
        claims: false,
        add: |workload, _| {
            if let Some(form) = &mut workload.container {
                form.confinement.network = Some(HOST.to_owned());
                form.ports.clear();
            }
        },
    }),
};

fn same_outside(form: &Container) -> bool {
    let own = |name: &String| name.starts_with("net.");
    let ports = &form.ports;
    let same =
        |port: &infra_api::target::Port| port.host == port.container && port.host_address.is_none();
    form.confinement.network.is_none()
        && !ports.is_empty()
        && ports.iter().all(|port| same(&port.value))
        && !form.confinement.sysctls.keys().any(own)
}
