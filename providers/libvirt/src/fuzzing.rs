//! For the fuzzer of the workspace alone: every reader of what a libvirt tells or a pool holds, given any bytes.
//! Each says whether it took them.

use infra_api::target::VolumeRef;

use crate::text::pool::Pools;
use crate::text::{companion, domain_read, network, pool, seed, volume};

#[must_use]
pub fn domain(xml: &str) -> bool {
    if let Ok(places) = domain_read::places(xml, &pools()) {
        let _ = (
            places.of_volume(&wanted()),
            places.drive(0),
            places.free("virtio"),
        );
    }
    domain_read::read(xml, &pools()).is_ok()
}

#[must_use]
pub fn network(xml: &str) -> bool {
    network::read(xml).is_ok()
}

#[must_use]
pub fn volume(xml: &str) -> bool {
    volume::read(xml, &pools()).is_ok()
}

#[must_use]
pub fn pool(xml: &str) -> bool {
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
