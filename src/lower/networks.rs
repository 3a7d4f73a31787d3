//! One bridge for containers and machines: Docker makes it where a container of the host is on the network, and
//! libvirt attaches machines to it; where there are only machines, libvirt makes it.

use infra_api::target::{ContainerNetwork, MachineNetwork, OwnBridge};
use infra_api::{Address, HostName, Runtime, What, names};

use super::Lowering;
use crate::declared::Network;

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
        let bridge = names::bridge(self.inputs.project, self.made_as(&network.address));
        let name = self.name(&network.address);
        if containers {
            let what = ContainerNetwork {
                name: name.clone(),
                bridge: bridge.clone(),
                subnet: network.subnet.value,
                gateway: network.gateway,
                internal: network.internal,
            };
            self.push(host, &network.address, What::ContainerNetwork(what));
        }
        if machines {
            let own = OwnBridge {
                subnet: network.subnet.value,
                gateway: network.gateway,
                internal: network.internal,
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
