//! One bridge for containers and machines: Docker makes it where a container of the host is on the network, and
//! libvirt attaches machines to it; where there are only machines, libvirt makes it.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{ContainerNetwork, Lease, MachineNetwork, OwnBridge};
use infra_api::{Address, HostName, Runtime, What, names};

use super::Lowering;
use crate::declared::{MASQUERADE, Network};

impl Lowering<'_> {
    pub(super) fn networks(&mut self) {
        for network in self.inputs.declared.networks.values() {
            let hosts: Vec<HostName> = self.inputs.declared.hosts.keys().cloned().collect();
            for host in hosts {
                self.network_on(network, &host);
            }
        }
    }

    fn network_on(&mut self, network: &Network, host: &HostName) {
        let containers = self.is_used(&network.address, host, Runtime::Container);
        let machines = self.is_used(&network.address, host, Runtime::Kvm);
        let derived = || names::bridge(self.inputs.project, self.made_as(&network.address));
        let bridge = network.bridge.clone().unwrap_or_else(derived);
        let name = self.name(&network.address);
        if let (Some(dhcp), true) = (&network.dhcp, containers) {
            self.error(
                dhcp.span,
                "DHCP beside containers",
                "a container is in the network: the engine makes its bridge, and has no DHCP",
                "leave `dhcp` out, or give the containers a network of their own",
            );
        }
        if containers {
            let driver = network.driver.as_ref().map(|driver| driver.value.clone());
            let what = ContainerNetwork {
                name: name.clone(),
                bridge: driver.is_none().then(|| bridge.clone()),
                driver,
                subnet: network.subnet.value,
                gateway: network.gateway,
                ipv6: network.ipv6.as_ref().map(|range| range.value.clone()),
                internal: network.internal,
                options: options(network),
                labels: network.labels.clone(),
            };
            self.push(host, &network.address, What::ContainerNetwork(what));
        }
        if machines {
            self.for_machines(network, containers);
            let own = OwnBridge {
                subnet: network.subnet.value,
                gateway: network.gateway,
                internal: network.internal,
                routed: network.routed,
                dhcp: self.leases(network, host),
            };
            let what = MachineNetwork {
                name,
                uuid: names::uuid(self.inputs.project, self.made_as(&network.address)),
                bridge,
                own: (!containers).then_some(own),
            };
            self.push(host, &network.address, What::MachineNetwork(what));
        }
    }

    /// What a network of machines cannot be.
    fn for_machines(&mut self, network: &Network, containers: bool) {
        if let Some(driver) = &network.driver {
            self.error(
                driver.span,
                "Network that is not for machines",
                "a virtual machine is in it, and only containers are on a device of the host by this driver",
                "leave `driver` out, or give the machine another network",
            );
        }
        if let (Some(range), false) = (&network.ipv6, containers) {
            self.error(
                range.span,
                "Network that is not for machines",
                "only virtual machines are in it, and they are given no IPv6 addresses",
                "leave `subnet6` out",
            );
        }
    }

    /// The machines of a host that are on it, and whom the person names. A name is told once.
    fn leases(&self, network: &Network, host: &HostName) -> BTreeMap<String, Lease> {
        let Some(dhcp) = &network.dhcp else {
            return BTreeMap::new();
        };
        let name = self.name(&network.address);
        let mut names = BTreeSet::new();
        let mut leases = BTreeMap::new();
        for guest in &dhcp.value {
            names.insert(guest.name.value.clone());
            let lease = Lease {
                address: guest.address.value,
                name: Some(guest.name.value.clone()),
            };
            leases.insert(guest.mac.clone(), lease);
        }
        let targets = self.targets.iter().filter(|target| target.host == *host);
        for target in targets {
            let What::Machine(machine) = &target.what else {
                continue;
            };
            let called = names::hostname(self.made_as(&target.address));
            let nics = machine.interfaces.iter().filter(|nic| nic.network == name);
            for nic in nics {
                // libvirt takes no name that begins with a digit.
                let usable = called.starts_with(|c: char| c.is_ascii_alphabetic());
                let first = usable && names.insert(called.clone());
                let lease = Lease {
                    address: nic.address,
                    name: first.then(|| called.clone()),
                };
                leases.insert(nic.mac.clone(), lease);
            }
        }
        leases
    }

    fn is_used(&self, network: &Address, host: &HostName, runtime: Runtime) -> bool {
        self.inputs.declared.workloads.iter().any(|workload| {
            let here = self.inputs.placements.get(&workload.address);
            here.is_some_and(|p| p.host == *host && p.runtime == runtime)
                && workload
                    .interfaces
                    .iter()
                    .any(|i| i.network.value == *network)
        })
    }
}

/// The engine's bridge is NAT unless it is told otherwise.
fn options(network: &Network) -> BTreeMap<String, String> {
    let mut options = network.options.clone();
    if network.routed {
        options.insert(MASQUERADE.to_owned(), "false".to_owned());
    }
    options
}
