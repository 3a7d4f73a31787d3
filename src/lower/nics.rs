//! A machine's NICs, and what the network they are in cannot be asked of them.

use infra_api::Placement;
use infra_api::target::{MachineInterface, MachineNetwork};

use super::Lowering;
use super::machine::turn;
use crate::declared::{Interface, Network, Workload};

/// Addresses of the virtual functions that its interfaces are: they are asked for after all its devices.
pub(super) fn functions(workload: &Workload, placement: &Placement) -> Vec<String> {
    let interfaces = workload
        .interfaces
        .iter()
        .filter(|nic| nic.function)
        .count();
    let devices = workload.devices.iter().map(|device| device.count as usize);
    let before = devices.sum::<usize>().saturating_sub(interfaces);
    let devices = placement.devices.iter().skip(before);
    devices.take(interfaces).cloned().collect()
}

impl Lowering<'_> {
    pub(super) fn interfaces(
        &mut self,
        workload: &Workload,
        placement: &Placement,
    ) -> Vec<MachineInterface> {
        let (mut interfaces, form) = (Vec::new(), workload.kvm.as_ref());
        let declared = self.inputs.declared;
        let mut functions = functions(workload, placement).into_iter().peekable();
        for nic in &workload.interfaces {
            let network = declared.networks.get(&nic.network.value);
            let address = placement.addresses.get(&nic.label).copied();
            let Some(network) = network else { continue };
            if address.is_none() && network.range.is_some() {
                continue;
            }
            self.fits(nic, network);
            self.alone(nic, network, placement);
            let written = nic.mac.as_ref().map(|mac| mac.value.clone());
            let mac = written.unwrap_or_else(|| self.mac(&workload.address, &nic.label));
            let attachment = match nic.vhost_user {
                // The switch has it in place of the bridge.
                Some(_) => MachineNetwork {
                    bridge: None,
                    ..self.attachment(network)
                },
                None => self.attachment(network),
            };
            interfaces.push(MachineInterface {
                model: nic.model.clone(),
                queues: nic.queues.as_ref().map(|queues| queues.value),
                mtu: nic.mtu,
                unplugged: nic.unplugged,
                bandwidth: nic.bandwidth.clone(),
                boot: form.and_then(|form| turn(form, "interface", &nic.label)),
                vlan: nic.vlan.as_ref().map(|vlan| vlan.value),
                function: functions.next_if(|_| nic.function),
                queue_size: nic.queue_size.as_ref().map(|size| size.value),
                vhost_user: nic.vhost_user.as_ref().map(|path| path.value.clone()),
                ..MachineInterface::new(mac, &attachment, address)
            });
        }
        interfaces
    }

    /// libvirt would take most of it without a word, and do nothing.
    fn fits(&mut self, nic: &Interface, network: &Network) {
        let driver = network.driver.as_ref();
        let driver = driver.map(|d| (d.value.name.as_str(), d.value.mode.as_str()));
        let vf = driver.is_some_and(|(name, _)| name == "sriov");
        let of_card = [
            ("model", nic.model.is_some()),
            ("queues", nic.queues.is_some()),
            ("queue_size", nic.queue_size.is_some()),
            ("vhost_user", nic.vhost_user.is_some()),
            ("link", nic.unplugged),
            ("bandwidth", nic.bandwidth.is_some()),
        ];
        for (word, _) in of_card.into_iter().filter(|(_, written)| vf && *written) {
            let text = format!(
                "its network gives it a VF, which the guest drives itself: it has no `{word}`"
            );
            let hint = format!("leave `{word}` out, or give it another network");
            self.error(nic.span, "Attribute of a card of QEMU's", &text, &hint);
        }
        if let (Some((name, _)), true) = (driver, nic.mtu.is_some()) {
            let text = format!(
                "on a network of {name} a packet is as large as the host's device lets it be"
            );
            let hint = "leave `mtu` out, and set the device's own";
            self.error(nic.span, "MTU of another's device", &text, hint);
        }
        if let (Some(socket), Some((name, _)), false) = (&nic.vhost_user, driver, vf) {
            let text = format!("its network is on a device of the host, by {name}");
            let hint = "leave one of the two out";
            self.error(socket.span, "Interface of two switches", &text, hint);
        }
        let tagged = matches!(driver, Some(("sriov", _) | ("macvlan", "passthru")));
        if let Some(vlan) = nic.vlan.as_ref().filter(|_| !tagged) {
            let text = "libvirt tags packets only of a VF: a Linux bridge and a shared device it leaves as they are";
            let hint = "give it a network with `driver = \"sriov\"`, or `\"macvlan\"` with `mode = \"passthru\"`; or one \
                        on a bridge or device of the VLAN, as in `parent = \"eth0.7\"`";
            self.error(vlan.span, "VLAN that nobody would tag", text, hint);
        }
    }

    /// In the mode passthru one interface has the device.
    pub(super) fn alone(&mut self, nic: &Interface, network: &Network, placement: &Placement) {
        let mode = network.driver.as_ref().map(|d| d.value.mode.as_str());
        let what = format!("passthru {}", network.address);
        if mode == Some("passthru") && !self.first(&placement.host, &what) {
            let text = format!("another interface of {} has its device", network.address);
            let hint = "in the mode passthru one has it: write another `mode`, or give this one another network";
            self.error(nic.span, "Device given to two interfaces", &text, hint);
        }
    }
}
