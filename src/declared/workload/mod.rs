//! `workload "feed" { … }`: what a person wants to run, what it needs, and the forms in which it exists. The
//! neutral blocks (`cpus`, `memory`, `interface`, `disk`) mean the same in every runtime; one file each.

pub(super) mod bare_metal;
mod company;
mod container;
mod cpus;
mod device;
mod disk;
mod forms;
mod interface;
mod kvm;
mod measure;
mod memory;
mod needs;
mod numa;
mod remote;
mod stops;
mod timeouts;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, CpuPolicy, HostName, Runtime, names};
use infra_diag::Span;
use infra_expr::{Type, Value};
use infra_lang::{Block, BlockKind, Computed, Ignore, Instance, Meta, Nested, Origin, Shape};

pub use bare_metal::BareMetal;
pub use company::Company;
pub(super) use company::nobody;
pub use container::{Container, DiskMount, ImageRef, Limited, Mounted};
pub use cpus::Cpus;
pub use device::{Device, DeviceKind, DeviceNear};
pub use disk::Disk;
pub use interface::Interface;
pub use kvm::{Cdrom, Kvm, KvmImage};
pub use measure::{Measure, Metric};
pub use memory::{Memory, Pages};
pub use needs::Suits;
pub use numa::{Numa, NumaCell};
pub use stops::Stops;
pub use timeouts::Timeouts;
use update::Update;

use super::read::{At, Reader};
use super::words::{NAME, STRING_MAP, STRINGS, whole, word};

/// The host itself, where a label of hosts could stand.
pub const HOST: &str = "host";

pub(super) const KIND: BlockKind = BlockKind {
    name: "workload",
    label: Some("name"),
    doc: "Something to run. Where and as what is chosen from the forms it is given in.",
    attributes: &[
        word(
            "name",
            Shape::Text(&NAME),
            "The daemon's name for it, where that is not `PROJECT.NAME`: of a container or a machine that is imported, or that others know by it.",
        ),
        word(
            "runtime",
            Shape::OneOf(&["auto", "bare_metal", "container", "kvm"]),
            "What it runs as. `auto`: chosen among the forms given, by what it needs.",
        )
        .default("\"auto\""),
        word(
            "class",
            Shape::String,
            "A well-known kind of workload, which says what it needs: `infra classes` lists them. `needs` has the last word.",
        ),
        word(
            "host",
            Shape::Ref(&["host"]),
            "The host it runs on; chosen where it is not written.",
        ),
        word(
            "host_labels",
            STRING_MAP,
            "Only on hosts whose `labels` say all of this.",
        ),
        word(
            "apart",
            Shape::String,
            "Of the instances of this block no two are on one host (`\"host\"`), or on hosts with the same value of this label \
             (`\"rack\"`): a host without it gets none.",
        ),
        word(
            "spread",
            Shape::String,
            "The same as far as may be: as few instances on one host, or on hosts with the same value of this label, as on any.",
        ),
        word(
            "placement_groups",
            STRINGS,
            "Names under which others speak of it in `affinity` and `anti_affinity`.",
        ),
        whole(
            "priority",
            0,
            1000,
            "Who has more is placed first, and moves aside only for those who have as much.",
        )
        .default("0"),
        word(
            "restart",
            Shape::OneOf(&["auto", "never", "window"]),
            "When it may be stopped for a change while it runs, to be restarted or made anew. `auto`: at once. `never`: \
             the change is shown by every plan and not applied before somebody has stopped it; a virtual machine's definition is \
             changed at once, so that its next start, by whomever, is as wanted. `window`: it is applied \
             within `restart_window`. What needs that change waits with it; what changes in place does not.",
        )
        .default("\"auto\""),
        word(
            "restart_window",
            Shape::Text(&stops::WINDOW),
            "Days (all where none is written) and hours in UTC: `02:00-04:00`, `Sat,Sun 22:00-06:00`, `Mon-Fri …`.",
        ),
    ],
    blocks: &[
        Nested::one(&needs::KIND).unreadable(),
        Nested::one(&cpus::KIND),
        Nested::one(&memory::KIND),
        Nested::many(&company::AFFINITY),
        Nested::many(&company::ANTI_AFFINITY),
        Nested::one(&numa::KIND),
        Nested::many(&interface::KIND),
        Nested::many(&disk::KIND),
        Nested::many(&device::KIND),
        Nested::one(&container::KIND),
        Nested::one(&kvm::KIND),
        Nested::one(&bare_metal::KIND),
        Nested::one(&update::KIND),
        Nested::one(&timeouts::KIND),
        Nested::one(&measure::KIND).unreadable(),
    ],
    computed: &[
        Computed {
            name: "name",
            ty: || Type::String,
            origin: Origin::Derived(|project, address| {
                let address = Address::new(address.to_string());
                Value::string(names::object(&infra_api::Project::new(project), &address))
            }),
            doc: "The daemon's name for it.",
        },
        Computed {
            name: "uuid",
            ty: || Type::String,
            origin: Origin::Derived(|project, address| {
                let address = Address::new(address.to_string());
                Value::string(names::uuid(&infra_api::Project::new(project), &address))
            }),
            doc: "Its UUID, derived from project and address.",
        },
        Computed {
            name: "address",
            ty: || Type::String,
            origin: Origin::Allocated,
            doc: "The planned IPv4 address of its first interface; null without one, and in a network without `subnet`.",
        },
        Computed {
            name: "addresses",
            ty: || Type::Map(std::sync::Arc::new(Type::String)),
            origin: Origin::Allocated,
            doc: "The planned IPv4 address of each interface that has one, by its label.",
        },
    ],
    meta: Meta::ALL,
};

/// A workload as declared.
#[derive(Clone, Debug)]
pub struct Workload {
    pub address: Address,
    /// Absent: `auto`.
    pub runtime: Option<At<Runtime>>,
    pub suits: Suits,
    pub host: Option<At<HostName>>,
    pub host_labels: BTreeMap<String, String>,
    /// `host` or a label of hosts.
    pub apart: Option<At<String>>,
    pub spread: Option<At<String>>,
    pub placement_groups: Vec<String>,
    pub company: Vec<Company>,
    pub priority: i32,
    pub cpus: Cpus,
    pub memory: Memory,
    pub numa: Numa,
    pub interfaces: Vec<Interface>,
    pub disks: Vec<Disk>,
    pub devices: Vec<Device>,
    /// Each is large, and most have one of the two.
    pub container: Option<Box<Container>>,
    pub kvm: Option<Box<Kvm>>,
    pub bare_metal: Option<BareMetal>,
    pub update: Option<Update>,
    pub timeouts: Timeouts,
    pub measure: Option<Box<Measure>>,
    pub stops: Stops,
    pub depends_on: BTreeSet<Address>,
    pub prevent_destroy: bool,
    pub ignore_changes: Ignore,
    pub origin: Span,
}

impl Workload {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Self {
        let block = &instance.block;
        let one = |name: &'static str| block.nested(name).next();
        container::alone(one("container"), one("interface"), reader);
        forms::meaningless(block, reader);
        let mut cpus = Cpus::read(one("cpus"), reader);
        let mut memory = Memory::read(one("memory"), reader);
        let numa = Numa::read(block, (&mut cpus, &mut memory), reader);
        let kvm = one("kvm").and_then(|b| Kvm::read(b, reader)).map(Box::new);
        emulator_cpus(&cpus, kvm.as_deref(), reader);
        Self {
            address: Address::new(instance.address.to_string()),
            runtime: reader.string(block, "runtime").and_then(named_runtime),
            suits: Suits::read(block, reader),
            host: super::host_of(block, reader),
            host_labels: reader.string_map(block, "host_labels"),
            apart: reader.string(block, "apart"),
            spread: reader.string(block, "spread"),
            placement_groups: reader
                .strings(block, "placement_groups")
                .unwrap_or_default(),
            company: Company::read_all(block, reader),
            priority: reader.whole(block, "priority").map_or(0, |n| n.value),
            cpus,
            memory,
            numa,
            interfaces: block
                .nested("interface")
                .filter_map(|b| Interface::read(b, reader))
                .collect(),
            disks: block
                .nested("disk")
                .map(|b| Disk::read(b, reader))
                .collect(),
            devices: block
                .nested("device")
                .filter_map(|b| Device::read(b, reader))
                .collect(),
            container: one("container")
                .and_then(|b| Container::read(b, reader))
                .map(Box::new),
            kvm,
            bare_metal: one("bare_metal").and_then(|b| BareMetal::read(b, reader)),
            timeouts: one("timeouts")
                .map(|b| Timeouts::read(b, reader))
                .unwrap_or_default(),
            measure: one("measure")
                .and_then(|b| Measure::read(b, reader))
                .map(Box::new),
            stops: Stops::read(block, reader),
            update: one("update").map(|b| Update::read(b, reader)),
            depends_on: instance
                .depends_on
                .iter()
                .map(|a| Address::new(a.to_string()))
                .collect(),
            prevent_destroy: instance.lifecycle.prevent_destroy,
            ignore_changes: instance.lifecycle.ignore_changes.clone(),
            origin: instance.origin,
        }
    }

    /// Whether it is given in the form of a runtime.
    #[must_use]
    pub fn has_form(&self, runtime: Runtime) -> bool {
        match runtime {
            Runtime::BareMetal => self.bare_metal.is_some(),
            Runtime::Container => self.container.is_some(),
            Runtime::Kvm => self.kvm.is_some(),
        }
    }

    /// The interfaces by their labels.
    #[must_use]
    pub fn interfaces_by_label(&self) -> BTreeMap<&str, &Interface> {
        self.interfaces
            .iter()
            .map(|i| (i.label.as_str(), i))
            .collect()
    }
}

/// Labels become parts of daemons' names.
fn plain_label(block: &Block, reader: &mut Reader<'_>) {
    let Some(label) = &block.label else { return };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if label.value.is_empty() || label.value.len() > 40 || !label.value.chars().all(allowed) {
        let text = format!("`{}` cannot be part of a daemon's name", label.value);
        let hint = "use up to 40 letters, digits, dashes and underscores";
        reader.error("Unusable label", label.span, text, hint);
    }
}

fn named_runtime(word: At<String>) -> Option<At<Runtime>> {
    let value = Runtime::ALL.into_iter().find(|r| r.word() == word.value)?;
    Some(At {
        value,
        span: word.span,
    })
}

/// CPUs of the emulator's own beside vCPUs that have none would be no gain.
fn emulator_cpus(cpus: &Cpus, kvm: Option<&Kvm>, reader: &mut Reader<'_>) {
    let asked = kvm.and_then(|kvm| kvm.emulator_cpus.as_ref());
    if let Some(asked) = asked.filter(|_| cpus.policy == CpuPolicy::Shared) {
        reader.error(
            "Emulator's own CPUs beside shared ones",
            asked.span,
            "the machine's vCPUs have no CPUs of their own",
            "write `cpus { policy = \"dedicated\" }`, or leave `emulator_cpus` out",
        );
    }
}
