//! One bridge for containers and machines: Docker makes it where a container of the host is on the network, and
//! libvirt attaches machines to it; where there are only machines, libvirt makes it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use infra_api::target::{
    ContainerNetwork, Dns, Lease, MachineInterface, MachineNetwork, OwnBridge,
};
use infra_api::{Address, HostName, Runtime, What, names};

use super::Lowering;
use crate::declared::{MASQUERADE, Network, Range};

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
        let mut containers = self.is_used(&network.address, host, Runtime::Container);
        let mut machines = self.is_used(&network.address, host, Runtime::Kvm);
        match self.maker(network, host) {
            Some("docker") => containers = true,
            Some(_) => machines = true,
            None => {}
        }
        if !containers && !machines {
            containers = self.is_taken(host, "docker", &network.address);
            machines = self.is_taken(host, "libvirt", &network.address);
        }
        if containers {
            self.for_containers(network);
            let what = ContainerNetwork {
                name: self.name(&network.address),
                bridge: self.bridge(network),
                driver: network.driver.as_ref().map(|driver| driver.value.clone()),
                subnet: network.range.as_ref().map(|range| range.subnet.value),
                gateway: network.range.as_ref().map(|range| range.gateway),
                ipv6: network.ipv6.as_ref().map(|range| range.value.clone()),
                internal: network.internal,
                options: options(network),
                labels: network.labels.clone(),
            };
            self.push(host, &network.address, What::ContainerNetwork(what));
        }
        if machines {
            self.for_machines(network, containers);
            let made = !containers && network.driver.is_none() && network.existing.is_none();
            let range = network.range.as_ref().filter(|_| made);
            let what = MachineNetwork {
                own: range.map(|range| self.own(network, range, host)),
                ..self.attachment(network)
            };
            self.push(host, &network.address, What::MachineNetwork(what));
        }
    }

    /// Whose network the bridge is, by its provider; nothing where nobody makes one. For processes on the metal alone
    /// libvirt makes it, where it is.
    pub(super) fn maker(&self, network: &Network, host: &HostName) -> Option<&'static str> {
        let used = |runtime| self.is_used(&network.address, host, runtime);
        let made = network.driver.is_none() && network.existing.is_none();
        match () {
            () if !made => None,
            () if used(Runtime::Container) => Some("docker"),
            () if used(Runtime::Kvm) => Some("libvirt"),
            () if used(Runtime::BareMetal) => Some(match self.inputs.libvirt.contains(host) {
                true => "libvirt",
                false => "docker",
            }),
            () => None,
        }
    }

    /// The Linux bridge's name; nothing where it is on a device of the host.
    pub(super) fn bridge(&self, network: &Network) -> Option<String> {
        let derived = || names::bridge(self.inputs.project, self.made_as(&network.address));
        let bridge = || network.bridge.clone().unwrap_or_else(derived);
        network.driver.is_none().then(bridge)
    }

    /// What its machines are attached to.
    pub(super) fn attachment(&self, network: &Network) -> MachineNetwork {
        MachineNetwork {
            name: self.name(&network.address),
            uuid: self.network_uuid(network),
            bridge: self.bridge(network),
            driver: network.driver.as_ref().map(|driver| driver.value.clone()),
            own: None,
        }
    }

    fn network_uuid(&self, network: &Network) -> String {
        let derived = || names::uuid(self.inputs.project, self.made_as(&network.address));
        network.uuid.clone().unwrap_or_else(derived)
    }

    fn own(&self, network: &Network, range: &Range, host: &HostName) -> OwnBridge {
        OwnBridge {
            subnet: range.subnet.value,
            gateway: range.gateway,
            internal: network.internal,
            routed: network.routed,
            dhcp: self.leases(network, host),
            dns: self.records(network, host),
        }
    }

    /// What a network of containers cannot be.
    fn for_containers(&mut self, network: &Network) {
        const WHAT: &str = "Network that is not for containers";
        let vf = network.driver.as_ref().filter(|d| d.value.name == "sriov");
        if let Some(driver) = vf {
            let text = "a container is in it, and the engine gives no VFs to containers";
            let hint = "write `driver = \"macvlan\"`, or give the container another network";
            self.error(driver.span, WHAT, text, hint);
        }
        if let Some(existing) = network.existing {
            let text = "a container is in it, and the engine would make the bridge its own: it gives it the gateway's \
                        address";
            let hint = "write `driver = \"macvlan\"` with the bridge as `parent`, or give the container another network";
            self.error(existing, WHAT, text, hint);
        }
        if let Some(dhcp) = &network.dhcp {
            self.error(
                dhcp.span,
                "DHCP beside containers",
                "a container is in the network: the engine makes its bridge, and has no DHCP",
                "leave `dhcp` out, or give the containers a network of their own",
            );
        }
        if let Some(dns) = &network.dns {
            self.error(
                dns.span,
                "DNS beside containers",
                "a container is in the network: the engine makes its bridge, and has no records of yours",
                "leave `dns` out, or give the containers a network of their own",
            );
        }
    }

    /// What a network of machines cannot be.
    fn for_machines(&mut self, network: &Network, containers: bool) {
        const WHAT: &str = "Network that is not for machines";
        let ipvlan = network.driver.as_ref().filter(|d| d.value.name == "ipvlan");
        if let Some(driver) = ipvlan {
            let text = "a virtual machine is in it, and only containers are on a device of the host by this driver";
            let hint = "write `driver = \"macvlan\"`, or give the machine another network";
            self.error(driver.span, WHAT, text, hint);
        } else if let (Some(driver), true) = (&network.driver, network.internal) {
            let text =
                "a virtual machine is in it, and nothing keeps it from what the device leads to";
            self.error(driver.span, WHAT, text, "leave `internal` out");
        }
        if let (Some(range), false) = (&network.ipv6, containers) {
            let text = "only virtual machines are in it, and they are given no IPv6 addresses";
            self.error(range.span, WHAT, text, "leave `subnet6` out");
        }
    }

    /// What is declared, and the machines of a host that are on it, by their names.
    fn records(&self, network: &Network, host: &HostName) -> Option<Dns> {
        let mut dns = network.dns.as_ref()?.value.clone();
        for guest in network.dhcp.iter().flat_map(|dhcp| &dhcp.value) {
            let name = dns.hosts.entry(guest.name.value.clone());
            name.or_insert(guest.address.value.into());
        }
        for (called, _, address) in self.nics_of(network, host) {
            // What is declared comes first, and then a machine's first NIC.
            dns.hosts.entry(called).or_insert(address.into());
        }
        Some(dns)
    }

    /// The NICs that a host's machines have in it, with the machines' names and the addresses.
    fn nics_of<'b>(
        &'b self,
        network: &Network,
        host: &HostName,
    ) -> Vec<(String, &'b MachineInterface, Ipv4Addr)> {
        let name = self.name(&network.address);
        let targets = self.targets.iter().filter(|target| target.host == *host);
        let mut found = Vec::new();
        for target in targets {
            if let What::Machine(machine) = &target.what {
                let called = names::hostname(self.made_as(&target.address));
                let nics = machine.interfaces.iter();
                let nics = nics.filter(|nic| nic.network == name);
                found.extend(nics.filter_map(|nic| Some((called.clone(), nic, nic.address?))));
            }
        }
        found
    }

    /// The machines of a host that are on it, and whom the person names. A name is told once.
    fn leases(&self, network: &Network, host: &HostName) -> BTreeMap<String, Lease> {
        let Some(dhcp) = &network.dhcp else {
            return BTreeMap::new();
        };
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
        for (called, nic, address) in self.nics_of(network, host) {
            // libvirt takes no name that begins with a digit.
            let usable = called.starts_with(|c: char| c.is_ascii_alphabetic());
            let first = usable && names.insert(called.clone());
            let lease = Lease {
                address,
                name: first.then_some(called),
            };
            leases.insert(nic.mac.clone(), lease);
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
