//! A network that somebody else has made, as one that infra could have made. Pure.

use infra_api::target::MachineNetwork;

use super::super::compare::{differences, named};
use super::super::network;
use super::super::tree::{Child, Tree};
use super::nobody;
use super::usual::{each_child, put};

/// Its body; or in what it differs from all that infra makes.
pub(crate) fn stored(xml: &str) -> Result<MachineNetwork, String> {
    let body = network::read(xml)?.network;
    let theirs = usual(Tree::parse(xml)?.compact());
    let ours = usual(Tree::parse(&network::write(&body, &nobody())?)?.compact());
    let differ = differences(&ours, &theirs);
    if differ.is_empty() {
        return Ok(body);
    }
    let told = differ.iter().map(|patch| {
        let (place, set) = (named(patch), patch.set.as_deref());
        match (set, patch.remove) {
            (_, true) => format!("it has no `{place}`"),
            (Some(value), _) => format!("`{place}` is `{value}`"),
            (None, false) => format!("it has `{place}`"),
        }
    });
    let told: Vec<String> = told.collect();
    Err(format!(
        "it is no network that infra makes: {}",
        told.join(", ")
    ))
}

/// Without what libvirt fills in by itself.
fn usual(mut network: Tree) -> Tree {
    network
        .attributes
        .retain(|(name, _)| name != "connections" && !name.starts_with("xmlns"));
    let filled_in = |child: &Child| matches!(child, Child::Element(e) if matches!(e.name.as_str(), "metadata" | "mac"));
    network.children.retain(|child| !filled_in(child));
    // Where nothing is said of it there is DNS.
    network.children.retain(
        |child| !matches!(child, Child::Element(e) if e.name == "dns" && e.attributes.is_empty() && e.children.is_empty()),
    );
    each_child(&mut network, "forward", &mut |forward| {
        // libvirt repeats the first of its devices.
        let device = forward.elements().find(|e| e.name == "interface");
        let device = device.and_then(|e| e.attribute("dev")).map(str::to_owned);
        forward
            .attributes
            .retain(|(name, value)| name != "dev" || Some(value) != device.as_ref());
        forward
            .children
            .retain(|child| !matches!(child, Child::Element(nat) if is_usual_nat(nat)));
    });
    each_child(&mut network, "ip", &mut |ip| {
        let prefix = ip.attribute("netmask").and_then(|mask| mask.parse().ok());
        let prefix = prefix.and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok());
        if let Some(prefix) = prefix {
            ip.attributes.retain(|(name, _)| name != "netmask");
            put(ip, "prefix", &prefix.to_string());
        }
        ip.attributes
            .retain(|(name, value)| name != "family" || value != "ipv4");
    });
    network
}

/// The ports that libvirt takes for NAT unless it is told otherwise.
fn is_usual_nat(nat: &Tree) -> bool {
    let mut ports = nat.elements();
    let usual = |port: &Tree| {
        port.name == "port"
            && port.attribute("start") == Some("1024")
            && port.attribute("end") == Some("65535")
    };
    nat.name == "nat"
        && nat.attributes.is_empty()
        && ports.next().is_none_or(usual)
        && ports.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_infra_could_have_made_is_its_body() {
        let found = include_str!("../golden/network-as-read.xml");
        assert_eq!(stored(found), Ok(network::read(found).unwrap().network));
        let with_dns = found.replace("<dns enable='no'/>", "");
        let own = stored(&with_dns).unwrap().own.unwrap();
        assert_eq!(own.dns, Some(infra_api::target::Dns::default()));
        let shared = found.replace(
            "<ip address='10.1.2.1' prefix='24'>",
            "<ip address='10.1.2.1' netmask='255.255.255.0'>",
        );
        assert_eq!(stored(&shared), stored(found));
        let device = "<network><name>a</name><uuid>u</uuid><forward dev='eth0' mode='bridge'><interface dev='eth0'/></forward></network>";
        assert!(stored(device).is_ok(), "{:?}", stored(device));
    }

    #[test]
    fn what_it_could_not_is_said() {
        let found = include_str!("../golden/network-as-read.xml");
        for (from, to, why) in [
            (
                "<dns enable='no'/>",
                "<dns forwardPlainNames='no'/>",
                "`dns`",
            ),
            (
                "</ip>",
                "<dhcp><range start='10.1.2.2' end='10.1.2.9'/></dhcp></ip>",
                "`ip/dhcp`",
            ),
            ("mode='nat'", "mode='open'", "`forward/@mode` is `open`"),
            ("stp='on'", "stp='off'", "`bridge/@stp` is `off`"),
        ] {
            assert!(found.contains(from), "{from} in {found}");
            let told = stored(&found.replacen(from, to, 1)).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
