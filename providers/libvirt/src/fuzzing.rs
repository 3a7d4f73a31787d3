//! For the fuzzer of the workspace alone: every reader of what a libvirt tells or a pool holds, given any bytes.
//! Each says whether it took them.

use std::collections::BTreeMap;

use infra_api::target::{VolumeRef, XmlPatch};

use crate::text::domain::Hypervisor;
use crate::text::patch::{apply, found};
use crate::text::pool::Pools;
use crate::text::theirs::{self, Around};
use crate::text::tree::Tree;
use crate::text::{companion, domain_read, network, pool, seed, volume};

#[must_use]
pub fn domain(xml: &str) -> bool {
    let pools = pools();
    let around = Around {
        pools: &pools,
        networks: &BTreeMap::new(),
        runs: Hypervisor::Qemu,
    };
    if let Ok(machine) = theirs::stored(xml, &around) {
        let _ = theirs::live(xml, &machine, &around);
        let _ = theirs::with_notes_of(xml.to_owned(), xml);
    }
    if let Ok(places) = domain_read::places(xml) {
        let _ = (
            places.of_volume(&wanted(), "/srv/demo/a"),
            places.drive(0),
            places.free("virtio"),
        );
    }
    domain_read::read(xml, &pools).is_ok()
}

/// A patch that anybody wrote, done to a machine's XML.
#[must_use]
pub fn patch(text: &str) -> bool {
    let (at, rest) = text.split_once('\n').unwrap_or((text, ""));
    let ways = [
        (Some(rest), None, false),
        (None, Some(rest), false),
        (None, None, true),
    ];
    let Ok(mut domain) = Tree::parse("<domain><devices><disk type='file'/></devices></domain>")
    else {
        return false;
    };
    let mut done = false;
    for (set, add, remove) in ways {
        let patch = XmlPatch {
            at: Some(at.to_owned()),
            set: set.map(str::to_owned),
            add: add.map(str::to_owned),
            remove,
        };
        done |= apply(&mut domain, &patch).is_ok();
        found(&mut domain, &patch);
    }
    done
}

#[must_use]
pub fn network(xml: &str) -> bool {
    network::read(xml).is_ok()
}

#[must_use]
pub fn volume(xml: &str) -> bool {
    let _ = theirs::storage::volume(xml, wanted(), &pools(), false);
    volume::read(xml, &pools()).is_ok()
}

#[must_use]
pub fn pool(xml: &str) -> bool {
    let _ = (theirs::storage::pool(xml), pool::groups(xml));
    pool::read(xml).is_ok()
}

#[must_use]
pub fn seed(image: &[u8]) -> bool {
    companion::Companion::read(image).is_some() || seed::read(wanted(), image).is_some()
}

fn pools() -> Pools {
    Pools([("demo".to_owned(), "/srv/demo".to_owned())].into())
}

fn wanted() -> VolumeRef {
    pools().volume("/srv/demo/disk")
}
