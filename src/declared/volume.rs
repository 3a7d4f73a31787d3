//! `volume "data" { … }`: storage that outlives the workload that uses it.

use std::collections::BTreeMap;

use infra_api::{Address, HostName};
use infra_diag::Span;
use infra_lang::{BlockKind, Instance, Meta, Shape};

use super::read::{At, Reader};
use super::storage::{ALLOCATION, COPY_OF, POOL, Storage};
use super::words::{NAME, STRING_MAP, size, word};

pub(super) const KIND: BlockKind = BlockKind {
    name: "volume",
    label: Some("name"),
    doc: "Storage that outlives the workloads which attach it by `disk { volume = volume.NAME }`.",
    attributes: &[
        word(
            "name",
            Shape::Text(&NAME),
            "The daemon's name for it, where that is not `PROJECT.NAME`; of a virtual machine's disk all of it, as \
             `data.qcow2`.",
        ),
        size(
            "size",
            "Needed for virtual machines, but for a copy: what the guest sees. A container's volume has no limit of its own.",
        ),
        word(
            "format",
            Shape::OneOf(&["raw", "qcow2"]),
            "A virtual machine's: how it lies on the host; `qcow2` where it is not written, and a copy as its original.",
        ),
        POOL,
        ALLOCATION,
        COPY_OF,
        word(
            "host",
            Shape::Ref(&["host"]),
            "The host it is on; needed where there is more than one.",
        ),
        word(
            "driver",
            Shape::String,
            "Of the container engine; its own, a directory of the host, where it is not written.",
        ),
        word(
            "options",
            STRING_MAP,
            "Of the driver: `{ type = \"nfs\", o = \"addr=10.0.0.5\", device = \":/srv\" }`, or `{ type = \"hugetlbfs\", \
             device = \"hugetlbfs\", o = \"pagesize=2M\" }`.",
        ),
        word("labels", STRING_MAP, "Labels of the engine's volume."),
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
    pub storage: Storage,
    pub host: Option<At<HostName>>,
    /// Other than the container engine's own.
    pub driver: Option<String>,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub origin: Span,
}

impl Volume {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Self {
        let block = &instance.block;
        super::labels::check(block, reader);
        let driver = reader.string(block, "driver");
        if let Some(driver) = driver.as_ref().filter(|driver| driver.value.is_empty()) {
            let hint = "name a driver, or leave it out";
            reader.error("No volume driver", driver.span, "it is empty", hint);
        }
        Self {
            driver: driver.map(|d| d.value).filter(|name| name != "local"),
            options: reader.string_map(block, "options"),
            labels: reader.string_map(block, "labels"),
            address: Address::new(instance.address.to_string()),
            size_bytes: reader.bytes(block, "size"),
            storage: Storage::read(block, reader),
            host: super::host_of(block, reader),
            origin: instance.origin,
        }
    }
}
