//! `volume "data" { … }`: storage that outlives the workload that uses it.

use infra_api::{Address, HostName};
use infra_diag::Span;
use infra_lang::{BlockKind, Instance, Meta, Shape};

use super::read::{At, Reader};
use super::words::{size, word};

pub(super) const KIND: BlockKind = BlockKind {
    name: "volume",
    label: Some("name"),
    doc: "Storage that outlives the workloads which attach it by `disk { volume = volume.NAME }`.",
    attributes: &[
        size(
            "size",
            "Needed for virtual machines: what the guest sees. A container's volume has no limit of its own.",
        ),
        word(
            "host",
            Shape::Ref(&["host"]),
            "The host it is on; needed where there is more than one.",
        ),
    ],
    blocks: &[],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// A volume as declared.
#[derive(Clone, Debug)]
pub struct Volume {
    pub address: Address,
    pub size_bytes: Option<At<u64>>,
    pub host: Option<At<HostName>>,
    pub origin: Span,
}

impl Volume {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Self {
        let block = &instance.block;
        Self {
            address: Address::new(instance.address.to_string()),
            size_bytes: reader.bytes(block, "size"),
            host: super::host_of(block, reader),
            origin: instance.origin,
        }
    }
}
