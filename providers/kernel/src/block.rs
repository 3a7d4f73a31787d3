//! Block devices: the PCI device that each hangs on, and the node of that.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::Facts;
use infra_api::facts::BlockDevice;

use crate::pci::is_address;
use crate::reader::Reader;

const BLOCK: &str = "sys/block";
/// What udev calls disks by: `by-id`, `by-path` and others.
const LINKS: &str = "dev/disk";

/// Nothing where the tree does not tell of any. `facts`: PCI devices and nodes are known.
pub(crate) fn read(reader: &Reader<'_>, facts: &Facts) -> Option<Vec<BlockDevice>> {
    let disks = reader.names(BLOCK);
    let mut all = Devices::default();
    for disk in &disks {
        let folder = format!("{BLOCK}/{disk}");
        let parts = reader.names(&folder).into_iter();
        let parts = parts.filter(|name| name.starts_with(disk.as_str()));
        let parts = parts.filter(|name| reader.exists(&format!("{folder}/{name}/partition")));
        all.disk_of.extend(parts.map(|part| (part, disk.clone())));
        all.disk_of.insert(disk.clone(), disk.clone());
        all.made_of
            .insert(disk.clone(), made_of(reader, disk, &disks));
        let pci = reader.link(&folder).and_then(|real| pci(&real));
        all.pci.extend(pci.map(|address| (disk.clone(), address)));
    }
    let links = links(reader);
    let told = all
        .disk_of
        .iter()
        .filter(|(_, disk)| is_there(reader, disk));
    let device = |(name, disk): (&String, &String)| {
        let below = all.below(disk);
        let node = |disk: &&String| facts.near(facts.pci(all.pci.get(*disk)?)?);
        let mut paths = links.get(name).cloned().unwrap_or_default();
        if name == disk {
            paths.extend(mapped(reader, disk));
        }
        BlockDevice {
            pci: same(below.iter().map(|disk| all.pci.get(*disk).cloned())),
            numa_node: same(below.iter().map(node)),
            paths: paths.into_iter().collect(),
            name: name.clone(),
        }
    };
    let devices: Vec<BlockDevice> = told.map(device).collect();
    (!disks.is_empty()).then_some(devices)
}

#[derive(Default)]
struct Devices {
    /// Of each partition, and of each disk itself.
    disk_of: BTreeMap<String, String>,
    /// What a disk is made of, where it is: disks and partitions.
    made_of: BTreeMap<String, Vec<String>>,
    pci: BTreeMap<String, String>,
}

impl Devices {
    /// The disks that are made of nothing else, below one.
    fn below<'a>(&'a self, disk: &'a String) -> BTreeSet<&'a String> {
        let (mut ends, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![disk];
        while let Some(disk) = open.pop() {
            // A saved tree may be wrong: nothing is made of itself.
            if !seen.insert(disk) {
                continue;
            }
            match self.made_of.get(disk).filter(|parts| !parts.is_empty()) {
                Some(parts) => open.extend(parts.iter().map(|p| self.disk_of.get(p).unwrap_or(p))),
                None => drop(ends.insert(disk)),
            }
        }
        ends
    }
}

/// What all of them say, where they say the same.
fn same<T: PartialEq>(mut all: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

/// An empty drive, and what nothing is bound to, is no disk; the paths of an NVMe disk are hidden.
fn is_there(reader: &Reader<'_>, disk: &str) -> bool {
    let is = |file: &str, value: u64| {
        let file = format!("{BLOCK}/{disk}/{file}");
        reader.exists(&file) && reader.number(&file) == Some(value)
    };
    !is("size", 0) && !is("hidden", 1)
}

/// Its entry is a link to where it really lies: below its PCI device, `…/0000:3b:00.0/nvme/nvme0/nvme0n1`.
fn pci(real: &str) -> Option<String> {
    let mut above = real.rsplit('/').skip(1);
    above.find(|name| is_address(name)).map(str::to_owned)
}

/// What the kernel says it is made of. An NVMe disk that is reached by several controllers is in none of their folders:
/// `nvme0n1` is made of its paths `nvme0c0n1`, `nvme0c1n1`.
fn made_of(reader: &Reader<'_>, disk: &str, disks: &[String]) -> Vec<String> {
    let slaves = reader.names(&format!("{BLOCK}/{disk}/slaves"));
    let path = |other: &&String| {
        let (system, space) = disk.rsplit_once('n')?;
        let controller = other.strip_prefix(system)?.strip_prefix('c')?;
        let controller = controller.strip_suffix(space)?.strip_suffix('n')?;
        controller.parse::<u32>().ok()
    };
    let paths = disks.iter().filter(|other| path(other).is_some());
    slaves.into_iter().chain(paths.cloned()).collect()
}

/// Paths by the names that device mapper and LVM have for it: `vg-my--data` is `data` of the group `vg-my`.
fn mapped(reader: &Reader<'_>, disk: &str) -> Vec<String> {
    let Some(name) = reader.line(&format!("{BLOCK}/{disk}/dm/name")) else {
        return Vec::new();
    };
    let mut paths = vec![format!("/dev/mapper/{name}")];
    let uuid = reader.line(&format!("{BLOCK}/{disk}/dm/uuid"));
    if uuid.is_some_and(|uuid| uuid.starts_with("LVM-")) {
        // A hyphen of a name is written twice; the single one stands between group and volume.
        let plain = name.replace("--", "\0");
        let parts = plain.split_once('-');
        paths.extend(
            parts.map(|(group, volume)| format!("/dev/{group}/{volume}").replace('\0', "-")),
        );
    }
    paths
}

/// By the kernel's name: what udev calls it.
fn links(reader: &Reader<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for by in reader.names(LINKS) {
        for link in reader.names(&format!("{LINKS}/{by}")) {
            let path = format!("{LINKS}/{by}/{link}");
            if let Some(name) = reader.link_name(&path) {
                all.entry(name).or_default().insert(format!("/{path}"));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::tree::Root;

    /// Two nodes, a controller on each, and lines of `PATH VALUE` or `PATH -> TARGET`.
    fn read_of(lines: &[&str]) -> Vec<BlockDevice> {
        let dir = tempfile::tempdir().unwrap();
        let pci = ["0000:3b:00.0 0", "0000:af:00.0 1"];
        let pci = pci.map(|line| line.replace(' ', "/numa_node "));
        let pci = pci.map(|line| format!("sys/bus/pci/devices/{line}"));
        let nodes = ["0", "1"].map(|n| format!("sys/devices/system/node/node{n}/cpulist {n}"));
        let cpus = ["sys/devices/system/cpu/online 0-1".to_owned()];
        let own = lines.iter().map(|line| (*line).to_owned());
        for line in cpus.into_iter().chain(nodes).chain(pci).chain(own) {
            let (path, value) = line.split_once(' ').unwrap();
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match value.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None => fs::write(path, format!("{value}\n")).unwrap(),
            }
        }
        let (facts, problems) = crate::read(&Root::at(dir.path()));
        assert!(problems.is_empty(), "{problems:?}");
        facts.block_devices.unwrap_or_default()
    }

    /// Name, the bus of its PCI device, node.
    fn told(devices: &[BlockDevice]) -> Vec<String> {
        let told = |device: &BlockDevice| {
            let pci = device.pci.as_deref().map_or("-", |address| &address[5..7]);
            let node = device.numa_node.map_or("-".to_owned(), |n| n.to_string());
            format!("{} {pci} {node}", device.name)
        };
        devices.iter().map(told).collect()
    }

    const DISKS: [&str; 6] = [
        "sys/devices/pci0000:3a/0000:3b:00.0/host0/block/sda/size 8",
        "sys/devices/pci0000:3a/0000:3b:00.0/host0/block/sda/sda1/partition 1",
        "sys/block/sda -> ../devices/pci0000:3a/0000:3b:00.0/host0/block/sda",
        "sys/devices/pci0000:ae/0000:af:00.0/nvme/nvme1/nvme1n1/size 8",
        "sys/devices/pci0000:ae/0000:af:00.0/nvme/nvme1/nvme1n1/nvme1n1p2/partition 2",
        "sys/block/nvme1n1 -> ../devices/pci0000:ae/0000:af:00.0/nvme/nvme1/nvme1n1",
    ];

    fn beside(lines: &[&str]) -> Vec<BlockDevice> {
        read_of(&[&DISKS[..], lines].concat())
    }

    #[test]
    fn disks_and_partitions_are_where_their_controllers_are() {
        let all = beside(&[]);
        let expected = ["nvme1n1 af 1", "nvme1n1p2 af 1", "sda 3b 0", "sda1 3b 0"];
        assert_eq!(told(&all), expected);
        let none = crate::read(&Root::at("/nonexistent")).0;
        assert_eq!(none.block_devices, None);
    }

    #[test]
    fn what_is_made_of_disks_is_where_all_of_them_are() {
        let all = beside(&[
            "sys/devices/virtual/block/dm-0/slaves/nvme1n1p2 x",
            "sys/block/dm-0 -> ../devices/virtual/block/dm-0",
            "sys/devices/virtual/block/dm-1/slaves/dm-0 x",
            "sys/block/dm-1 -> ../devices/virtual/block/dm-1",
            "sys/devices/virtual/block/md0/slaves/dm-1 x",
            "sys/devices/virtual/block/md0/slaves/sda1 x",
            "sys/block/md0 -> ../devices/virtual/block/md0",
            "sys/devices/virtual/block/md1/slaves/md1 x",
            "sys/block/md1 -> ../devices/virtual/block/md1",
        ]);
        let expected = ["dm-0 af 1", "dm-1 af 1", "md0 - -", "md1 - -"];
        assert_eq!(told(&all)[..4], expected);
    }

    #[test]
    fn disks_of_several_controllers_of_one_node_are_on_it() {
        let all = read_of(&[
            "sys/bus/pci/devices/0000:b0:00.0/numa_node 1",
            "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/size 8",
            "sys/block/nvme0n1 -> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
            "sys/devices/pci0000:ae/0000:af:00.0/nvme/nvme0/nvme0c0n1/hidden 1",
            "sys/block/nvme0c0n1 -> ../devices/pci0000:ae/0000:af:00.0/nvme/nvme0/nvme0c0n1",
            "sys/devices/pci0000:ae/0000:b0:00.0/nvme/nvme1/nvme0c1n1/hidden 1",
            "sys/block/nvme0c1n1 -> ../devices/pci0000:ae/0000:b0:00.0/nvme/nvme1/nvme0c1n1",
        ]);
        assert_eq!(told(&all), ["nvme0n1 - 1"]);
    }

    #[test]
    fn nothing_is_known_of_what_hangs_nowhere_and_empty_drives_are_none() {
        let all = beside(&[
            "sys/devices/virtual/block/loop0/size 0",
            "sys/block/loop0 -> ../devices/virtual/block/loop0",
            "sys/devices/virtual/block/loop1/size 8",
            "sys/block/loop1 -> ../devices/virtual/block/loop1",
        ]);
        assert_eq!(told(&all)[0], "loop1 - -");
    }

    #[test]
    fn paths_are_those_of_device_mapper_lvm_and_udev() {
        let all = beside(&[
            "sys/devices/virtual/block/dm-0/dm/name vg--a-my--data",
            "sys/devices/virtual/block/dm-0/dm/uuid LVM-x",
            "sys/block/dm-0 -> ../devices/virtual/block/dm-0",
            "sys/devices/virtual/block/dm-1/dm/name crypt-data",
            "sys/devices/virtual/block/dm-1/dm/uuid CRYPT-x",
            "sys/block/dm-1 -> ../devices/virtual/block/dm-1",
            "dev/disk/by-id/ata-x -> ../../sda",
            "dev/disk/by-path/pci-x -> ../../sda",
            "dev/disk/by-id/ata-x-part1 -> ../../sda1",
        ]);
        let paths = |name: &str| all.iter().find(|d| d.name == name).unwrap().paths.clone();
        assert_eq!(
            paths("dm-0"),
            ["/dev/mapper/vg--a-my--data", "/dev/vg-a/my-data"]
        );
        assert_eq!(paths("dm-1"), ["/dev/mapper/crypt-data"]);
        assert_eq!(
            paths("sda"),
            ["/dev/disk/by-id/ata-x", "/dev/disk/by-path/pci-x"]
        );
        assert_eq!(paths("sda1"), ["/dev/disk/by-id/ata-x-part1"]);
        assert_eq!(paths("nvme1n1"), [""; 0]);
    }
}
