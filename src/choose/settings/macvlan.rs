//! A container in a network of macvlan or ipvlan: no bridge and no NAT is between it and the card.

use infra_api::{Runtime, Setting};

use super::Knob;

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Macvlan,
    given: |workload, runtime, networks| {
        let mut drivers = workload.interfaces.iter().map(|interface| {
            let network = networks.get(&interface.network.value);
            network.and_then(|network| network.driver.as_ref())
        });
        let all = drivers.all(|driver| {
            driver.is_some_and(|d| matches!(d.value.name.as_str(), "macvlan" | "ipvlan"))
        });
        runtime == Runtime::Container && !workload.interfaces.is_empty() && all
    },
    adding: None,
};
