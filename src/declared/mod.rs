//! What a person declared, evaluated and typed: hosts, networks, volumes, images, workloads. One file a block:
//! its words (the schema), its struct and its reading stand together.

mod fabric;
mod host;
mod image;
mod kernel;
mod labels;
mod network;
mod pool;
mod read;
mod slice;
mod storage;
mod suitability;
mod volume;
mod words;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::{Block, Instance, Schema};
use infra_suitability::{Measurement, Table};

pub use fabric::Fabric;
pub use host::{DOCKER_ENDPOINT, Host, LIBVIRT_URI, POOL_PATH, Reserve};
pub use image::{Image, Source};
pub use kernel::{HugePool, Prepared};
pub(crate) use network::MASQUERADE;
pub use network::{Guest, Network, Range, counterpart};
pub use pool::{Place, Pool};
pub use read::{At, Reader};
pub use slice::Slice;
pub use storage::Storage;
pub use volume::Volume;
pub use workload::{
    BareMetal, Cdrom, Company, Container, Cpus, Device, DeviceKind, DeviceNear, Disk, DiskMount,
    HOST, ImageRef, Interface, Kvm, KvmImage, Limited, Measure, Memory, Metric, Mounted, Numa,
    NumaCell, Pages, Stops, Suits, Timeouts, Workload,
};

/// The words of the language that are about machines.
pub static SCHEMA: Schema = Schema {
    kinds: &[
        host::KIND,
        network::KIND,
        pool::KIND,
        volume::KIND,
        image::KIND,
        slice::KIND,
        workload::KIND,
        suitability::KIND,
    ],
};

/// A whole configuration, typed.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    pub hosts: BTreeMap<HostName, Host>,
    pub networks: BTreeMap<Address, Network>,
    pub pools: BTreeMap<Address, Pool>,
    pub volumes: BTreeMap<Address, Volume>,
    pub images: BTreeMap<Address, Image>,
    pub slices: BTreeMap<Address, Slice>,
    /// In the order of their addresses.
    pub workloads: Vec<Workload>,
    /// What daemons call those that are not named after project and address.
    pub names: BTreeMap<Address, String>,
    /// What runtimes are chosen by; nothing where nobody needs anything.
    pub table: Option<Arc<Table>>,
    /// What was measured of workloads, beside the configuration.
    pub evidence: Arc<[Measurement]>,
}

impl Declared {
    /// Types what was evaluated. Unknown values count as not written: they come with the next evaluation.
    pub fn read(
        instances: &[Instance],
        secret: &mut dyn FnMut(&str) -> String,
    ) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let (mut declared, mut own) = (Self::default(), Vec::new());
        let workloads = instances.iter().filter(|i| i.kind == workload::KIND.name);
        // They are large: no room is made for more of them than there are.
        declared.workloads.reserve_exact(workloads.count());
        for instance in instances {
            let mut found = Diagnostics::new();
            let mut reader = Reader {
                diagnostics: &mut found,
                secret,
            };
            if instance.kind == suitability::KIND.name {
                own.extend(suitability::Own::read(instance, &mut reader));
            }
            declared.add(instance, &mut reader);
            // What is said of values that are not known yet may not be true.
            if !instance.block.contains_unknown() {
                diagnostics.extend(found);
            }
        }
        diagnostics.extend(declared.resolve_needs(&own));
        for form in declared.workloads.iter_mut().filter_map(|w| w.kvm.as_mut()) {
            form.resolve(&declared.images);
        }
        if declared.hosts.is_empty() {
            let host = Host::local();
            declared.hosts.insert(host.name.clone(), host);
        }
        (declared, diagnostics)
    }

    /// The table, and what each workload needs by its class.
    fn resolve_needs(&mut self, own: &[suitability::Own]) -> Diagnostics {
        let asked = |w: &Workload| w.suits.class.is_some() || !w.suits.needs.is_none();
        if own.is_empty() && !self.workloads.iter().any(asked) {
            return Diagnostics::new();
        }
        let (table, mut diagnostics) = suitability::table(own);
        for workload in &mut self.workloads {
            let unknown = workload.suits.resolve(&table).err();
            diagnostics.extend(unknown.map(|unknown| *unknown));
        }
        self.table = Some(Arc::new(table));
        diagnostics
    }

    /// What runtimes are chosen by.
    #[must_use]
    pub fn table(&self) -> Arc<Table> {
        let known = self.table.clone();
        known.unwrap_or_else(|| Arc::new(Table::built_in()))
    }

    /// What is missing as a whole. Asked where nothing else is wrong: of a misspelt block this would be the echo.
    #[must_use]
    pub fn missing(&self, instances: &[Instance]) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let known: BTreeMap<String, &Instance> = instances
            .iter()
            .map(|i| (i.address.to_string(), i))
            .collect();
        let instance = |address: &Address| known.get(address.as_str()).copied();
        diagnostics.extend(workload::nobody(&self.workloads));
        for workload in &self.workloads {
            diagnostics.extend(instance(&workload.address).and_then(|i| form(workload, i)));
            // The language has checked references; the address of an image may also be a string.
            match workload.container.as_ref().map(|c| &c.image) {
                Some(At {
                    value: ImageRef::Declared(address),
                    span,
                }) if instance(address).is_none() => diagnostics.push(
                    Diagnostic::error("Reference to nothing")
                        .at(*span, format!("there is no `{address}`"))
                        .hint("declare it, or write a registry's reference"),
                ),
                _ => {}
            }
        }
        diagnostics
    }

    fn add(&mut self, instance: &Instance, reader: &mut Reader<'_>) {
        let address = || Address::new(instance.address.to_string());
        if let Some(name) = reader.string(&instance.block, "name") {
            self.names.insert(address(), name.value);
        }
        match instance.kind {
            "host" => {
                let host = Host::read(instance, reader);
                if let Some(other) = self.hosts.insert(host.name.clone(), host) {
                    same_host(instance, &other, reader);
                }
            }
            "network" => self
                .networks
                .extend(Network::read(instance, reader).map(|n| (address(), n))),
            "pool" => self
                .pools
                .extend(Pool::read(instance, reader).map(|p| (address(), p))),
            "volume" => {
                self.volumes
                    .insert(address(), Volume::read(instance, reader));
            }
            "image" => self
                .images
                .extend(Image::read(instance, reader).map(|i| (address(), i))),
            "slice" => drop(self.slices.insert(address(), Slice::read(instance, reader))),
            // Laid over the table, before anything is chosen by it.
            "suitability" => {}
            "workload" => self.workloads.push(Workload::read(instance, reader)),
            other => unreachable!("the schema has no kind `{other}`"),
        }
    }
}

/// Hosts are known by their labels alone, in whichever module they stand.
fn same_host(instance: &Instance, other: &Host, reader: &mut Reader<'_>) {
    let mut error = Diagnostic::error("Host declared twice")
        .at(
            instance.origin,
            format!("`{}` has the label of another host", instance.address),
        )
        .hint("declare hosts once, in the root module");
    if let Some(origin) = other.origin {
        error = error.at(origin, "the other one");
    }
    reader.diagnostics.push(error);
}

/// A workload is given in some form, and in the one that is named. Asked of the block: what a form says may be
/// unknown yet.
fn form(workload: &Workload, instance: &Instance) -> Option<Diagnostic> {
    let given = |runtime: Runtime| instance.block.nested(runtime.word()).next().is_some();
    if !Runtime::ALL.into_iter().any(given) {
        let text = format!("nothing says what `{}` is to run", workload.address);
        return Some(
            Diagnostic::error("Workload without a form")
                .at(workload.origin, text)
                .hint("write a block `container` or `kvm`, or both"),
        );
    }
    let named = workload.runtime.as_ref().filter(|n| !given(n.value))?;
    let word = named.value.word();
    Some(
        Diagnostic::error("Runtime without its form")
            .at(named.span, format!("it has no block `{word}`"))
            .hint(format!("write the block `{word}`, or leave `runtime` out")),
    )
}

/// `host = host.r1` of a block: the host's name.
fn host_of(block: &Block, reader: &mut Reader<'_>) -> Option<At<HostName>> {
    let address = reader.string(block, "host")?;
    let name = address
        .value
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_owned();
    Some(At {
        value: HostName::new(name),
        span: address.span,
    })
}
