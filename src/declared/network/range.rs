//! Which addresses a network gives: `subnet`, `gateway` and their IPv6 side, or none at all.

use std::net::{Ipv4Addr, Ipv6Addr};

use infra_api::target::Range6;
use infra_diag::Span;
use infra_lang::Block;
use ipnet::{Ipv4Net, Ipv6Net};

use crate::declared::read::{At, Reader};

/// The addresses that a network has to give.
#[derive(Clone, Debug)]
pub struct Range {
    pub subnet: At<Ipv4Net>,
    pub gateway: Ipv4Addr,
}

impl Range {
    /// Whether a host of the subnet may have an address.
    #[must_use]
    pub fn is_host(subnet: Ipv4Net, address: Ipv4Addr) -> bool {
        subnet.contains(&address) && address != subnet.network() && address != subnet.broadcast()
    }
}

/// `None` where the subnet is not known yet, `Some(None)` where there is none.
#[expect(
    clippy::option_option,
    reason = "what is unknown is another thing than what is not there"
)]
pub(super) fn read(block: &Block, origin: Span, reader: &mut Reader<'_>) -> Option<Option<Range>> {
    if block.get("subnet").is_none_or(|b| b.value.is_null()) {
        without(block, origin, reader);
        return Some(None);
    }
    let written = reader.string(block, "subnet")?;
    let subnet: Ipv4Net = written.value.parse().ok()?;
    let gateway = reader.ipv4(block, "gateway");
    if let Some(gateway) = gateway
        .as_ref()
        .filter(|g| !Range::is_host(subnet, g.value))
    {
        let text = format!("{} is no host's address in {subnet}", gateway.value);
        reader.error(
            "Gateway outside its subnet",
            gateway.span,
            text,
            "use an address of the subnet, or leave it out",
        );
    }
    Some(Some(Range {
        gateway: gateway.map_or_else(|| first_host(subnet), |g| g.value),
        subnet: At {
            value: subnet,
            span: written.span,
        },
    }))
}

/// Whether others give the addresses: on a bridge or a device that the host has. What is not known yet may be one.
fn is_others(block: &Block, reader: &mut Reader<'_>) -> bool {
    let mut word = |name: &str, usual: &str| -> Option<String> {
        let plain = |b: &At<infra_expr::Value>| !b.value.is_null();
        match block.get(name).filter(|b| plain(b)) {
            None => Some(usual.to_owned()),
            Some(_) => reader.string(block, name).map(|word| word.value),
        }
    };
    let driver = word("driver", "bridge");
    let forward = word("forward", "nat");
    driver.is_none_or(|driver| driver != "bridge") || forward.is_none_or(|lead| lead == "bridge")
}

/// What a network without a subnet cannot be.
fn without(block: &Block, origin: Span, reader: &mut Reader<'_>) {
    if !is_others(block, reader) {
        let text = "its bridge is made with it, and nobody else gives addresses there";
        let hint = "write `subnet = \"10.0.0.0/24\"`; only a network on a bridge or device of the host's own \
                    (`forward = \"bridge\"`, `driver = \"macvlan\"`, `\"ipvlan\"` or `\"sriov\"`) goes without";
        reader.error("Network without a subnet", origin, text, hint);
        return;
    }
    for name in ["gateway", "subnet6", "gateway6"] {
        if let Some(written) = block.get(name).filter(|b| !b.value.is_null()) {
            let text = "there is no `subnet`: addresses are others' to give";
            let hint = format!("write `subnet` as well, or leave `{name}` out");
            reader.error("Addresses of no subnet", written.span, text, hint);
        }
    }
    let mode = reader.string(block, "mode");
    if let Some(mode) = mode.filter(|mode| matches!(mode.value.as_str(), "l3" | "l3s")) {
        let text = "ipvlan leads to whom by his address in this mode, and there is no `subnet`";
        let hint = "write `subnet`, or `mode = \"l2\"`";
        reader.error("Way without addresses", mode.span, text, hint);
    }
}

/// The address that has the place in an IPv6 subnet which another has in an IPv4 one.
#[must_use]
pub fn counterpart(address: Ipv4Addr, subnet: Ipv4Net, subnet6: Ipv6Net) -> Ipv6Addr {
    let place = u32::from(address) - u32::from(subnet.network());
    Ipv6Addr::from(u128::from(subnet6.network()) + u128::from(place))
}

pub(super) fn ipv6(block: &Block, range: &Range, reader: &mut Reader<'_>) -> Option<At<Range6>> {
    let written = reader.string(block, "subnet6");
    let own = reader.ipv6(block, "gateway6");
    let Some(written) = written else {
        if let Some(own) = own {
            let hint = "write `subnet6` too, or leave it out";
            reader.error(
                "Gateway of no subnet",
                own.span,
                "there is no `subnet6`",
                hint,
            );
        }
        return None;
    };
    let subnet6: Ipv6Net = written.value.parse().ok()?;
    if let Some(own) = own.as_ref().filter(|own| !subnet6.contains(&own.value)) {
        let text = format!("{} is not in {subnet6}", own.value);
        let hint = "use an address of the subnet, or leave it out";
        reader.error("Gateway outside its subnet", own.span, text, hint);
    }
    let usual = || counterpart(range.gateway, range.subnet.value, subnet6);
    let value = Range6 {
        subnet: subnet6,
        gateway: own.map_or_else(usual, |own| own.value),
    };
    let span = written.span;
    Some(At { value, span })
}

fn first_host(subnet: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()) + 1)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_two_ends_of_a_subnet_are_nobodys() {
        let subnet: Ipv4Net = "10.0.0.0/29".parse().unwrap();
        let all = (0..16).map(|n| Ipv4Addr::new(10, 0, 0, n));
        let hosts: Vec<Ipv4Addr> = all.filter(|a| Range::is_host(subnet, *a)).collect();
        assert_eq!(hosts, subnet.hosts().collect::<Vec<_>>());
    }

    #[test]
    fn a_large_subnet_is_not_walked() {
        let subnet: Ipv4Net = "10.0.0.0/8".parse().unwrap();
        let begun = Instant::now();
        let last =
            (0..100).filter(|n| Range::is_host(subnet, Ipv4Addr::new(10, 255, 255, 254 - n)));
        assert_eq!(last.count(), 100);
        // Each has 16 million addresses before it.
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}
