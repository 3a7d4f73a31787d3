//! PCI devices: what they are, where they are near, and their virtual functions.

use infra_api::facts::{NetInterface, PciDevice, Sriov};

use crate::reader::Reader;

const DEVICES: &str = "sys/bus/pci/devices";

pub(crate) fn read(reader: &Reader<'_>) -> Vec<PciDevice> {
    let names = reader.names(DEVICES);
    let addresses = names.into_iter().filter(|name| is_address(name));
    let mut devices: Vec<PciDevice> = addresses.map(|address| device(reader, address)).collect();
    devices.sort_by_cached_key(|device| sort_key(&device.address));
    devices
}

fn device(reader: &Reader<'_>, address: String) -> PciDevice {
    let path = format!("{DEVICES}/{address}");
    let file = |name: &str| format!("{path}/{name}");
    PciDevice {
        vendor: hex(reader, &file("vendor"), 4),
        device: hex(reader, &file("device"), 4),
        class: hex(reader, &file("class"), 6),
        driver: reader.link_name(&file("driver")),
        numa_node: reader.id(&file("numa_node")),
        local_cpus: local_cpus(reader, &path),
        host_bridge: host_bridge(reader, &path),
        parent: parent(reader, &path),
        iommu_group: iommu_group(reader, &file("iommu_group")),
        physfn: reader.link_name(&file("physfn")),
        sriov: sriov(reader, &path),
        interfaces: interfaces(reader, &path),
        address,
    }
}

/// `DOMAIN:BUS:DEVICE.FUNCTION` in hexadecimal; a domain may have more than four digits.
pub(crate) fn is_address(name: &str) -> bool {
    parts(name).is_some()
}

fn parts(name: &str) -> Option<[u32; 4]> {
    let (domain, rest) = name.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    Some([
        number(domain)?,
        number(bus)?,
        number(device)?,
        number(function)?,
    ])
}

/// As numbers, so that domain 10000 comes after 0001.
fn sort_key(address: &str) -> Option<[u32; 4]> {
    parts(address)
}

/// `0x8086`, as its digits.
fn hex(reader: &Reader<'_>, path: &str, digits: usize) -> Option<String> {
    let text = reader.text(path)?;
    let number = text.strip_prefix("0x").unwrap_or(&text);
    if number.len() == digits && number.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(number.to_ascii_lowercase());
    }
    reader.problem(
        path,
        format_args!("`{text}` is not {digits} hexadecimal digits"),
    );
    None
}

fn local_cpus(reader: &Reader<'_>, path: &str) -> Option<infra_api::IdSet> {
    let list = reader.list(&format!("{path}/local_cpulist"));
    list.or_else(|| reader.mask(&format!("{path}/local_cpus")))
}

/// The entries of the bus are links to where devices really lie: in the directories of the bridges
/// above them.
fn parent(reader: &Reader<'_>, path: &str) -> Option<String> {
    let real = reader.link(path)?;
    let above = real.rsplit('/').nth(1)?;
    is_address(above).then(|| above.to_owned())
}

/// The nearest root bus above: `pci0000:3a`. Some devices are host bridges themselves.
fn host_bridge(reader: &Reader<'_>, path: &str) -> Option<String> {
    let real = reader.link(path)?;
    let above = real.rsplit('/').skip(1);
    let mut roots = above.filter(|name| is_root(name));
    roots.next().map(str::to_owned)
}

/// `pciDOMAIN:BUS`.
fn is_root(name: &str) -> bool {
    let numbers = name
        .strip_prefix("pci")
        .and_then(|rest| rest.split_once(':'));
    let hex = |text: &str| u32::from_str_radix(text, 16).is_ok();
    numbers.is_some_and(|(domain, bus)| hex(domain) && hex(bus))
}

fn iommu_group(reader: &Reader<'_>, path: &str) -> Option<u32> {
    let name = reader.link_name(path)?;
    name.parse()
        .map_err(|_| reader.problem(path, format_args!("`{name}` is not a group")))
        .ok()
}

fn sriov(reader: &Reader<'_>, path: &str) -> Option<Sriov> {
    let total = format!("{path}/sriov_totalvfs");
    reader.text(&total)?;
    let total: Option<u32> = reader.number(&total);
    let functions = reader.ids(path, "virtfn");
    let links = functions
        .iter()
        .map(|number| format!("{path}/virtfn{number}"));
    (total != Some(0)).then(|| Sriov {
        total,
        configured: reader.number(&format!("{path}/sriov_numvfs")),
        vfs: links.filter_map(|link| reader.link_name(&link)).collect(),
        offset: reader.number(&format!("{path}/sriov_offset")),
        stride: reader.number(&format!("{path}/sriov_stride")),
        vf_device: reader
            .text(&format!("{path}/sriov_vf_device"))
            .filter(|id| id.len() == 4 && id.bytes().all(|b| b.is_ascii_hexdigit())),
    })
}

/// Interfaces lie below their device; virtio has a bus of its own between the two.
fn interfaces(reader: &Reader<'_>, path: &str) -> Vec<NetInterface> {
    let names = reader.names(path);
    let virtio = names.iter().filter(|name| name.starts_with("virtio"));
    let holders = virtio.map(|name| format!("{path}/{name}/net"));
    let mut interfaces: Vec<NetInterface> = holders
        .chain([format!("{path}/net")])
        .flat_map(|net| interfaces_in(reader, &net))
        .collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    interfaces
}

fn interfaces_in(reader: &Reader<'_>, net: &str) -> Vec<NetInterface> {
    let interface = |name: String| NetInterface {
        mac: reader.line(&format!("{net}/{name}/address")),
        mtu: reader.number(&format!("{net}/{name}/mtu")),
        speed_mbit: speed(reader, &format!("{net}/{name}/speed")),
        state: reader.line(&format!("{net}/{name}/operstate")),
        name,
    };
    reader.names(net).into_iter().map(interface).collect()
}

/// While a link is down its speed cannot be read, or is -1; old kernels write that unsigned.
fn speed(reader: &Reader<'_>, path: &str) -> Option<u32> {
    let speed: u32 = reader.quiet(path)?.parse().ok()?;
    (speed != u32::MAX && speed != 65_535).then_some(speed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert!(is_address("0000:3b:00.0") && is_address("10000:00:04.0"));
        assert!(!is_address("pci0000:00") && !is_address("0000:00:01") && !is_address("x:y:z.0"));
        assert!(is_root("pci0000:3a") && is_root("pci10000:e0"));
        assert!(!is_root("0000:3a:00.0") && !is_root("pci_bus") && !is_root("pci0000"));
        assert!(sort_key("0001:00:00.0") < sort_key("10000:00:00.0"));
    }
}
