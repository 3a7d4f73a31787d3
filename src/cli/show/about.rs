//! What a person wants to see of an object that is made: its main attributes, not all of them.

mod container;

use std::collections::BTreeMap;
use std::path::Path;

use infra_api::target::{
    Acceleration, Allocation, Boot, ContainerImage, ContainerNetwork, ContainerVolume, DiskVolume,
    Driver, FileVolume, GuestCell, HostDevice, IgnitionVolume, Machine, MachineDisk,
    MachineNetwork, Original, Pool, RemoteDisk, SeedVolume, VolumeRef, XmlPatch,
};
use infra_api::units::Bytes;
use infra_api::{IdSet, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::names;
use super::page::count;
use super::value;

/// Name and value, in the order they are shown.
type Rows = Vec<(String, String)>;

/// Of a body no struct fits to, so many attributes are shown.
const OTHERS: usize = 8;

/// An object's main attributes. A body is a struct of `target`; which one its fields say.
pub(super) fn about(body: &Value, source: Option<&Path>) -> Rows {
    let shapes: [&dyn Fn() -> Option<Vec<Row>>; 11] = [
        &|| of(body, container::rows),
        &|| of(body, machine),
        // Its name says all there is to say.
        &|| of(body, |_: ContainerImage| Vec::new()),
        &|| of(body, container_volume),
        &|| of(body, container_network),
        &|| of(body, machine_network),
        &|| of(body, disk),
        &|| of(body, file),
        &|| of(body, seed),
        &|| {
            of(body, |i: IgnitionVolume| {
                vec![row("config", &lines(&i.config))]
            })
        },
        &|| {
            of(body, |p: Pool| {
                vec![row("path", &p.path), some("volume group", p.volume_group)]
            })
        },
    ];
    let known = shapes.iter().find_map(|shape| shape());
    let rows = known.unwrap_or_else(|| others(body));
    let from = source.map(|path| row("from", &path.display().to_string()));
    let shown = rows.into_iter().chain([from.unwrap_or_default()]).flatten();
    shown.map(|(name, v)| (name, names::clean(&v))).collect()
}

/// Whether removing it loses what was written to it.
pub(super) fn holds_data(body: &Value) -> bool {
    of(body, |_: DiskVolume| ()).is_some() || of(body, |_: ContainerVolume| ()).is_some()
}

/// A row, or nothing where there is nothing to say.
type Row = Option<(String, String)>;

fn of<T: DeserializeOwned, R>(body: &Value, rows: impl Fn(T) -> R) -> Option<R> {
    T::deserialize(body).ok().map(rows)
}

fn row(name: &str, value: &dyn ToString) -> Row {
    let value = value.to_string();
    (!value.is_empty()).then(|| (name.to_owned(), value))
}

fn some(name: &str, value: Option<impl ToString>) -> Row {
    value.and_then(|v| row(name, &v))
}

fn each<T>(name: &str, items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> Row {
    let items: Vec<String> = items.into_iter().map(text).collect();
    row(name, &items.join(", "))
}

fn yes(name: &str, value: bool) -> Row {
    value.then(|| (name.to_owned(), "yes".to_owned()))
}

fn machine(m: Machine) -> Vec<Row> {
    let pages = m
        .page_size_bytes
        .map_or_else(String::new, |size| format!(" in pages of {}", Bytes(size)));
    vec![
        row("boot", &boot(&m)),
        yes("emulated", m.acceleration == Acceleration::Emulated),
        yes("uefi", m.hardware.firmware.is_some()),
        row("vcpus", &format!("{}{}", vcpus(&m), pins(&m.vcpu_pins))),
        each("emulator", emulator(&m), |cpus| names::ids("CPU", cpus)),
        row("memory", &format!("{}{pages}", memory(&m))),
        some("memory.nodes", m.memory_nodes),
        row("cells", &guest_cells(&m.cells)),
        each("disks", &m.disks, attached),
        each("devices", &m.hardware.host_devices, |device| match device {
            HostDevice::Pci { address } => address.clone(),
            HostDevice::Usb { vendor, product } => format!("USB {vendor}:{product}"),
        }),
        each("networks", &m.interfaces, |i| {
            let vlan = i.vlan.map(|id| format!(" VLAN {id}"));
            let address = i.address.map(|address| format!(" {address}"));
            format!(
                "{}{}{}",
                i.network,
                address.unwrap_or_default(),
                vlan.unwrap_or_default()
            )
        }),
        each("xml", &m.patches, patch),
    ]
}

/// `vCPUs 0-1, 2 GiB in pages of 1 GiB, node 0; …`.
fn guest_cells(cells: &[GuestCell]) -> String {
    let cell = |cell: &GuestCell| {
        let pages = cell.page_size_bytes;
        let pages = pages.map_or_else(String::new, |size| format!(" in pages of {}", Bytes(size)));
        let nodes = cell.nodes.as_ref();
        let nodes = nodes.map_or_else(String::new, |n| format!(", {}", names::ids("node", n)));
        let vcpus = names::ids("vCPU", &cell.vcpus);
        format!("{vcpus}, {}{pages}{nodes}", Bytes(cell.memory_bytes))
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    cells.join("; ")
}

fn patch(patch: &XmlPatch) -> String {
    let at = patch.at.as_deref().unwrap_or("domain");
    match (&patch.set, &patch.add) {
        (Some(value), _) => format!("{at} = {value}"),
        (_, Some(fragment)) => format!("{at} + {fragment}"),
        (None, None) => format!("{at} removed"),
    }
}

/// `nbd 10.0.0.5:10809 export`.
fn served(remote: &RemoteDisk) -> String {
    let servers = remote.servers.iter();
    let servers: Vec<String> = servers.map(|s| format!("{}:{}", s.host, s.port)).collect();
    format!("{} {} {}", remote.protocol, servers.join(","), remote.name)
}

fn vcpus(m: &Machine) -> String {
    match m.online_vcpus {
        Some(online) => format!("{online} of {}", m.vcpus),
        None => m.vcpus.to_string(),
    }
}

fn memory(m: &Machine) -> String {
    match m.balloon_bytes {
        Some(bytes) => format!("{} of {}", Bytes(bytes), Bytes(m.memory_bytes)),
        None => Bytes(m.memory_bytes).to_string(),
    }
}

/// What is in it.
fn attached(disk: &MachineDisk) -> String {
    match (&disk.volume, &disk.path, &disk.remote) {
        (Some(of), ..) => volume(of),
        (_, Some(path), _) => path.clone(),
        (.., Some(remote)) => served(remote),
        (None, None, None) => "an empty drive".to_owned(),
    }
}

/// Where the emulator's own threads run, where that is not with the vCPUs.
fn emulator(m: &Machine) -> Option<&IdSet> {
    let with_vcpus = |cpus: &&IdSet| m.vcpu_pins.values().all(|pin| pin == *cpus);
    m.emulator_pin.as_ref().filter(|cpus| !with_vcpus(cpus))
}

/// A file's size as a person says it: `13.5 MiB`.
fn rounded(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => Bytes(bytes).to_string(),
    }
}

/// `, on CPUs 0-1` or `: 0 on CPU 2, 1 on CPU 3`.
fn pins(pins: &BTreeMap<u32, IdSet>) -> String {
    let mut sets = pins.values();
    let Some(first) = sets.next() else {
        return String::new();
    };
    if sets.all(|set| set == first) {
        return format!(", on {}", names::ids("CPU", first));
    }
    let each: Vec<String> = pins
        .iter()
        .map(|(vcpu, cpus)| format!("{vcpu} on {}", names::ids("CPU", cpus)))
        .collect();
    format!(": {}", each.join(", "))
}

fn container_volume(v: ContainerVolume) -> Vec<Row> {
    vec![
        some("driver", v.driver),
        each("options", &v.options, |(name, v)| format!("{name}={v}")),
    ]
}

fn container_network(n: ContainerNetwork) -> Vec<Row> {
    vec![
        some("subnet", n.subnet),
        some("gateway", n.gateway),
        some("subnet6", n.ipv6.as_ref().map(|range| range.subnet)),
        some("gateway6", n.ipv6.as_ref().map(|range| range.gateway)),
        some("bridge", n.bridge),
        some("on", n.driver.as_ref().map(device)),
        yes("internal", n.internal),
    ]
}

/// `eth0 by macvlan (bridge)`.
fn device(driver: &Driver) -> String {
    let Driver { name, parent, mode } = driver;
    match mode.as_str() {
        "" => format!("{parent} by {name}"),
        mode => format!("{parent} by {name} ({mode})"),
    }
}

fn machine_network(n: MachineNetwork) -> Vec<Row> {
    let own = n.own.as_ref();
    vec![
        some("subnet", own.map(|o| o.subnet)),
        some("gateway", own.map(|o| o.gateway)),
        some("bridge", n.bridge.as_ref()),
        some("on", n.driver.as_ref().map(device)),
        yes("internal", own.is_some_and(|o| o.internal)),
        yes("routed", own.is_some_and(|o| o.routed)),
        each(
            "told by DHCP",
            own.iter().flat_map(|o| &o.dhcp),
            |(mac, lease)| {
                let name = lease.name.as_deref().unwrap_or(mac);
                format!("{name} {}", lease.address)
            },
        ),
        yes("dns", own.is_some_and(|o| o.dns.is_some())),
    ]
}

fn disk(d: DiskVolume) -> Vec<Row> {
    vec![
        row("size", &Bytes(d.capacity_bytes)),
        some("on top of", d.backing.as_ref().map(volume)),
        row("allocation", &allocation(d.allocation)),
        some("copy of", d.copy_of.as_ref().map(original)),
    ]
}

fn allocation(allocation: Allocation) -> &'static str {
    match allocation {
        Allocation::Sparse => "",
        Allocation::Metadata => "metadata",
        Allocation::Full => "full",
    }
}

fn original(original: &Original) -> String {
    match original {
        Original::File { size_bytes, .. } => format!("a file of {}", rounded(*size_bytes)),
        Original::Volume(of) => volume(of),
    }
}

fn file(f: FileVolume) -> Vec<Row> {
    vec![row("size", &rounded(f.size_bytes))]
}

fn seed(s: SeedVolume) -> Vec<Row> {
    vec![row("user_data", &lines(&s.user_data))]
}

fn lines(text: &Text) -> String {
    text.plain().map_or_else(
        || "(sensitive)".to_owned(),
        |text| count(text.lines().count(), "line"),
    )
}

fn others(body: &Value) -> Vec<Row> {
    let attributes = body.as_object().into_iter().flatten();
    attributes
        .filter(|(_, v)| !v.is_null())
        .take(OTHERS)
        .map(|(key, v)| {
            row(
                &value::path(std::slice::from_ref(key)),
                &value::value(key, v),
            )
        })
        .collect()
}

fn boot(m: &Machine) -> String {
    let disks = m.disks.iter().map(|d| (d.boot, attached(d)));
    let nics = m.interfaces.iter().map(|i| (i.boot, i.network.clone()));
    let turns = disks.chain(nics);
    let mut turns: Vec<_> = turns
        .filter_map(|(turn, what)| Some((turn?, what)))
        .collect();
    turns.sort();
    let turns: Vec<String> = turns.into_iter().map(|(_, what)| what).collect();
    match &m.boot {
        Boot::Kernel { kernel, .. } => volume(kernel),
        Boot::Disk if !turns.is_empty() => turns.join(", "),
        Boot::Disk if !m.boot_order.is_empty() => m.boot_order.join(", "),
        Boot::Disk => "the first disk".to_owned(),
    }
}

fn volume(v: &VolumeRef) -> String {
    format!("{}/{}", v.pool, v.name)
}
