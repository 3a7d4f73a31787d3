//! Each kind of machine that cannot be.

use super::*;
use crate::facts::{Cpus, HugePages, IommuGroup, L3};

fn ids(text: &str) -> IdSet {
    text.parse().unwrap()
}

fn cpu(id: u32, siblings: &str) -> Cpu {
    Cpu {
        id,
        siblings: ids(siblings),
        ..Cpu::default()
    }
}

fn node(id: u32, cpus: &str) -> Node {
    Node {
        id,
        cpus: ids(cpus),
        ..Node::default()
    }
}

fn of_cpus(list: impl IntoIterator<Item = Cpu>) -> Facts {
    let list: Vec<Cpu> = list.into_iter().collect();
    let online = list.iter().map(|cpu| cpu.id).collect();
    Facts {
        cpus: Cpus {
            online,
            list,
            ..Cpus::default()
        },
        ..Facts::default()
    }
}

fn of_nodes(nodes: impl IntoIterator<Item = Node>) -> Facts {
    Facts {
        nodes: nodes.into_iter().collect(),
        ..of_cpus([cpu(0, "0"), cpu(1, "1")])
    }
}

/// What is said, without the files.
fn said(facts: &Facts) -> Vec<String> {
    let all = facts.contradictions();
    assert!(
        all.iter()
            .all(|c| c.files.iter().all(|file| file.starts_with("/sys/")))
    );
    all.into_iter().map(|c| c.what).collect()
}

#[test]
fn what_is_unknown_contradicts_nothing() {
    assert_eq!(said(&Facts::default()), [""; 0]);
    let mut facts = of_nodes([node(0, "0")]);
    facts.cpus.list = vec![Cpu::default(), cpu(1, "1,7")];
    facts.pci = vec![PciDevice {
        iommu_group: Some(3),
        numa_node: Some(9),
        physfn: Some("0000:00:01.0".into()),
        ..PciDevice::default()
    }];
    assert_eq!(said(&facts), [""; 0]);
}

#[test]
fn records_that_are_there_twice() {
    let mut facts = of_cpus([cpu(4, "4"), cpu(4, "4")]);
    facts.nodes = vec![node(2, ""), node(2, "")];
    facts.l3 = vec![l3(6, "4"), l3(6, "4")];
    facts.pci = vec![PciDevice::default(), PciDevice::default()];
    facts.pci[0].address = "0000:00:01.0".into();
    facts.pci[1].address = "0000:00:01.0".into();
    let twice = ["CPU 4", "node 2", "L3 group 6", "PCI device 0000:00:01.0"];
    assert_eq!(
        said(&facts),
        twice.map(|what| format!("{what} is described twice"))
    );
}

#[test]
fn cpus_that_run_and_are_not_there() {
    let mut facts = of_cpus([cpu(0, "0"), cpu(1, "1")]);
    facts.cpus.present = Some(ids("0"));
    facts.cpus.list.push(cpu(7, "7"));
    assert_eq!(
        said(&facts),
        [
            "CPU 1 is online and not present: present are 0",
            "CPU 7 is described and not online: online are 0-1",
        ]
    );
}

#[test]
fn a_core_is_one_thing_in_one_place() {
    assert_eq!(
        said(&of_cpus([cpu(0, "1"), cpu(1, "1")])),
        ["CPU 0 is no thread of its core, which has 1"]
    );
    assert_eq!(
        said(&of_cpus([cpu(0, "0-1"), cpu(1, "1")])),
        ["CPU 1 is in two cores: its own threads are 1, those of CPU 0 are 0-1"]
    );
    let mut alone = [cpu(0, "0"), cpu(1, "1")];
    alone.iter_mut().for_each(|cpu| cpu.core = Some(5));
    assert_eq!(
        said(&of_cpus(alone)),
        ["CPUs 0 and 1 are of core 5, and the threads of one are 0, of the other 1"]
    );
    type Place = fn(&mut Cpu) -> &mut Option<u32>;
    let places: [(&str, Place); 3] = [
        ("dies", |cpu| &mut cpu.die),
        ("packages", |cpu| &mut cpu.package),
        ("nodes", |cpu| &mut cpu.node),
    ];
    for (what, place) in places {
        let mut core = [cpu(0, "0-1"), cpu(1, "0-1")];
        for cpu in &mut core {
            cpu.core = Some(5);
            *place(cpu) = Some(cpu.id + 20);
        }
        assert_eq!(
            said(&of_cpus(core)),
            [format!(
                "CPUs 0 and 1 are threads of core 5, and in two {what}: 20 and 21"
            )]
        );
    }
}

fn l3(id: u32, cpus: &str) -> L3 {
    L3 {
        id,
        cpus: ids(cpus),
        size_bytes: None,
    }
}

#[test]
fn caches() {
    let mut facts = of_cpus([cpu(0, "0"), cpu(1, "1"), cpu(2, "2")]);
    facts.cpus.list[1].l3 = Some(4);
    facts.cpus.list[2].l3 = Some(8);
    facts.l3 = vec![l3(3, "0-1"), l3(4, "0")];
    assert_eq!(
        said(&facts),
        [
            "CPU 1 is in two L3 groups: 4 and 3",
            "CPU 0 is in two L3 groups: 3 and 4",
            "CPU 2 is in L3 group 8, which does not have it",
        ]
    );
}

#[test]
fn cpus_of_nodes() {
    let mut facts = of_nodes([node(0, "0-1"), node(1, "1"), node(3, "0,9")]);
    facts.cpus.list[0].node = Some(1);
    facts.cpus.list[1].node = Some(7);
    assert_eq!(
        said(&facts),
        [
            "CPU 1 is in two nodes: node 0 has 0-1, node 1 has 1",
            "node 3 has CPU 9, which is not online: online are 0-1",
            "CPU 0 is in two nodes: node 0 has 0-1, node 3 has 0,9",
            "CPU 0 is in node 1, which does not have it",
            "CPU 1 is in node 7, which does not have it",
        ]
    );
}

#[test]
fn memory_of_nodes() {
    let pool = HugePages {
        size_bytes: 64,
        total: Some(2),
        ..HugePages::default()
    };
    let pages = Node {
        memory_bytes: Some(100),
        hugepages: vec![pool],
        ..node(0, "")
    };
    let free = Node {
        memory_bytes: Some(100),
        free_bytes: Some(101),
        ..node(1, "")
    };
    assert_eq!(
        said(&of_nodes([pages, free])),
        [
            "node 0 has 100 bytes of memory, and 128 in huge pages",
            "node 1 has 100 bytes of memory, and 101 free",
        ]
    );
}

#[test]
fn rows_of_another_size() {
    let row = |id: u32, distances: &[u32]| Node {
        distances: distances.iter().map(|to| (*to, 10)).collect(),
        ..node(id, "")
    };
    assert_eq!(
        said(&of_nodes([row(0, &[0]), row(2, &[0, 2, 5]), row(4, &[])])),
        [
            "node 0 has 1 distances for 3 nodes: it has none to node 2",
            "node 2 has 3 distances for 3 nodes: it has none to node 4",
        ]
    );
    assert_eq!(
        said(&of_nodes([row(0, &[0, 5])])),
        ["node 0 has 2 distances for 1 nodes: there is no node 5"]
    );
}

#[test]
fn iommu_groups() {
    let device = |address: &str, group: u32| PciDevice {
        address: address.into(),
        iommu_group: Some(group),
        ..PciDevice::default()
    };
    let group = |id: u32, devices: &[&str]| IommuGroup {
        id,
        devices: devices.iter().map(|device| (*device).to_owned()).collect(),
    };
    let mut facts = Facts {
        pci: vec![
            device("a", 1),
            device("b", 2),
            device("c", 1),
            device("d", 1),
        ],
        iommu_groups: vec![group(1, &["a", "b"]), group(2, &["a", "d"])],
        ..Facts::default()
    };
    facts.pci[3].physfn = Some("d".into());
    assert_eq!(
        said(&facts),
        [
            "PCI device a is in two IOMMU groups: 1 and 2",
            "PCI device b is in two IOMMU groups: 2 and 1",
            "PCI device c is in IOMMU group 1, which does not have it",
            "PCI device d is a virtual function of itself",
        ]
    );
}
