//! Its addresses are on the host.

use super::Claim;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "addresses",
    holds: "The host has each address of a unit, on the device of its network.",
    source: "ip-address(8)",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let addresses = case.wanted.addresses.iter().map(|wanted| {
        let all = || case.running.addresses.iter();
        let holds =
            all().any(|(device, address)| *device == wanted.device && *address == wanted.address);
        let elsewhere = all().find(|(_, address)| address.addr() == wanted.address.addr());
        let found = match (holds, elsewhere) {
            (true, _) => format!("on {}", wanted.device),
            (false, Some((device, address))) => format!("{address} on {device}"),
            (false, None) => "nowhere on the host".to_owned(),
        };
        let what = format!("address {}", wanted.address);
        case.check(
            what,
            format!("on {}", wanted.device),
            found,
            Verdict::of(holds),
        )
    });
    addresses.collect()
}
