//! Functions of IP networks.

use super::{Fault, Outcome, number::whole};
use crate::{Type, Value};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn network(args: &[Value]) -> Result<IpNet, Fault> {
    let text = args[0].as_str().unwrap_or_default();
    let net: IpNet = text
        .parse()
        .map_err(|_| Fault::at(0, format!("{text:?} is not a network such as 10.0.0.0/8")))?;
    Ok(net.trunc())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address of the same family as the network's with these bits.
fn address(net: &IpNet, bits: u128) -> IpAddr {
    match net {
        IpNet::V4(_) => Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).into(),
        IpNet::V6(_) => Ipv6Addr::from_bits(bits).into(),
    }
}

/// How many there are of what is numbered by so many bits, if that can be said at all.
fn count(bits: u8) -> Option<u128> {
    1u128.checked_shl(bits.into())
}

pub(super) fn cidrhost(args: &[Value]) -> Outcome {
    let net = network(args)?;
    let number = i128::from(whole(args, 1)?);
    let hosts = count(net.max_prefix_len() - net.prefix_len());
    let distance = number.unsigned_abs();
    let fits = hosts.is_none_or(|hosts| {
        if number < 0 {
            distance <= hosts
        } else {
            distance < hosts
        }
    });
    if !fits {
        return Err(Fault::at(1, format!("{net} has no host number {number}")));
    }
    let host = if number < 0 {
        bits(net.broadcast()) - (distance - 1)
    } else {
        bits(net.network()) + distance
    };
    Ok(address(&net, host).to_string().into())
}

pub(super) fn cidrnetmask(args: &[Value]) -> Outcome {
    match network(args)? {
        IpNet::V4(net) => Ok(net.netmask().to_string().into()),
        IpNet::V6(_) => Err(Fault::at(0, "only IPv4 networks have a netmask")),
    }
}

pub(super) fn cidrsubnet(args: &[Value]) -> Outcome {
    let net = network(args)?;
    let prefix = extended(&net, whole(args, 1)?, 1)?;
    let number = whole(args, 2)?;
    let subnets = count(prefix - net.prefix_len());
    let number = u128::try_from(number).map_err(|_| Fault::at(2, "it must not be negative"))?;
    if subnets.is_some_and(|subnets| number >= subnets) {
        return Err(Fault::at(
            2,
            format!("{net} has no subnet number {number} of prefix /{prefix}"),
        ));
    }
    let size = u32::from(net.max_prefix_len() - prefix);
    let start = bits(net.network()) + number.checked_shl(size).unwrap_or(0);
    Ok(format!("{}/{prefix}", address(&net, start)).into())
}

/// The network's prefix made longer.
fn extended(net: &IpNet, by: i64, arg: usize) -> Result<u8, Fault> {
    let by = u8::try_from(by).map_err(|_| Fault::at(arg, "it must be from 0 to 128"))?;
    let most = net.max_prefix_len();
    let prefix = net
        .prefix_len()
        .checked_add(by)
        .filter(|prefix| *prefix <= most);
    prefix.ok_or_else(|| {
        Fault::at(
            arg,
            format!("{net} cannot be divided by {by} bits: a prefix has {most} at most"),
        )
    })
}

pub(super) fn cidrsubnets(args: &[Value]) -> Outcome {
    let net = network(args)?;
    let (mut next, end) = (bits(net.network()), bits(net.broadcast()));
    let mut full = false;
    let mut subnets = Vec::new();
    for arg in 1..args.len() {
        let prefix = extended(&net, whole(args, arg)?, arg)?;
        // Of a whole IPv6 internet only one subnet can be asked for; it has no size that fits.
        let size = count(net.max_prefix_len() - prefix).unwrap_or(0);
        let start = next
            .checked_add(size.wrapping_sub(1))
            .map(|n| n & !size.wrapping_sub(1));
        let last = start.and_then(|start| start.checked_add(size.wrapping_sub(1)));
        let (Some(start), Some(last)) = (start, last.filter(|last| !full && *last <= end)) else {
            return Err(Fault::at(
                arg,
                format!("{net} has no room left for a subnet of prefix /{prefix}"),
            ));
        };
        subnets.push(Value::from(format!("{}/{prefix}", address(&net, start))));
        full = last == end;
        next = last.saturating_add(1);
    }
    Ok(Value::list(Type::String, subnets))
}
