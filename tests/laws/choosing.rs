//! Hosts are judged by kinds: what is said of a kind is said of each of its hosts alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra::choose::{Candidate, Choice, Chooser, Home, Homes};
use infra::configuration::Source;
use infra::declared::Declared;
use infra::inventory::Inventory;
use infra_api::facts::Offer;
use infra_api::{Address, Facts, HostName, Project, Runtime};
use infra_lang::{Files, GivenValues, Memory, Mode};

/// Each asks for something that some hosts lack, so that every gate closes somewhere.
const WORKLOADS: &str = r#"
volume "data" { size = "1GiB" }
image "guest" { disk = "guest.raw" }
workload "plain" {
  container { image = "registry.example/a:1" }
}
workload "named" {
  host = host.h03
  container { image = "registry.example/a:1" }
}
workload "labelled" {
  host_labels = { disks = "nvme" }
  container { image = "registry.example/a:1" }
}
workload "kata" {
  container {
    image   = "registry.example/a:1"
    runtime = "kata"
  }
}
workload "guarded" {
  container {
    image    = "registry.example/a:1"
    apparmor = "mine"
  }
}
workload "swapping" {
  container {
    image      = "registry.example/a:1"
    limits { swappiness = 3 }
  }
}
workload "quota" {
  container {
    image = "registry.example/a:1"
    limits { cpu_quota = "20ms" }
  }
}
workload "guest" {
  kvm { image = image.guest }
}
workload "emulated" {
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
workload "q35" {
  kvm {
    image        = image.guest
    machine      = "q35"
  }
}
workload "efi" {
  kvm {
    image    = image.guest
    firmware    = "uefi"
    secure_boot = true
  }
}
workload "device" {
  kvm {
    image = image.guest
    host_device { pci = "0000:00:03.0" }
  }
}
workload "functions" {
  memory { size = "1GiB" }
  device "nic" { fabric = "fast" }
  kvm { image = image.guest }
}
"#;

fn base() -> Facts {
    Facts::from_json(include_str!("../hosts/r1.json")).unwrap()
}

type Change = fn(&mut Facts);

/// One for each thing that gates look at of a host.
const CHANGES: &[Change] = &[
    |_| {},
    |f| f.runtimes.container = Some(Offer::new(Err("it is down".to_owned()))),
    |f| f.runtimes.kvm = None,
    |f| f.docker.as_mut().unwrap().api_version = Some("1.40".to_owned()),
    |f| f.docker.as_mut().unwrap().runtimes = Some(["kata".to_owned()].into()),
    |f| f.docker.as_mut().unwrap().security = Some([].into()),
    |f| f.docker.as_mut().unwrap().limits = Some([].into()),
    |f| f.docker.as_mut().unwrap().cgroup_version = Some(1),
    |f| f.docker = None,
    |f| f.libvirt = None,
    |f| f.libvirt.as_mut().unwrap().emulated = Some(false),
    |f| f.libvirt.as_mut().unwrap().machines = vec!["pc".to_owned()],
    |f| f.libvirt.as_mut().unwrap().devices.firmware = Some(Vec::new()),
    |f| f.libvirt.as_mut().unwrap().devices.secure_boot = Some(false),
    |f| f.versions.libvirt = Some("6.0.0".to_owned()),
    |f| {
        f.pci[0].address = "0000:00:04.0".to_owned();
        f.iommu_groups[0].devices = vec!["0000:00:04.0".to_owned()];
    },
    |f| {
        f.pci[0].iommu_group = None;
        f.iommu_groups.clear();
    },
    |f| {
        let other = infra_api::facts::PciDevice {
            address: "0000:00:05.0".to_owned(),
            driver: Some("e1000".to_owned()),
            ..f.pci[0].clone()
        };
        f.pci.push(other);
        f.iommu_groups[0].devices.push("0000:00:05.0".to_owned());
    },
    |f| f.pci[0].driver = None,
    |f| f.hostname = Some("another".to_owned()),
];

/// Each change on two hosts, one with another label.
fn world() -> (Declared, Inventory) {
    let mut text = "infra { project = \"p\" }\n".to_owned();
    let mut facts = BTreeMap::new();
    for (n, change) in CHANGES.iter().enumerate() {
        for (twin, disks) in ["nvme", "hdd"].into_iter().enumerate() {
            let name = format!("h{:02}", 2 * n + twin);
            // The last are like the first but for this.
            let fabric = match n {
                0 => "fabric \"fast\" { parents = [\"0000:00:03.0\"] }",
                _ => "",
            };
            text += &format!(
                "host \"{name}\" {{\nlabels = {{ disks = \"{disks}\", rack = \"{n}\" }}\n{fabric}\n}}\n"
            );
            let mut found = base();
            change(&mut found);
            facts.insert(HostName::new(name), found);
        }
    }
    let files = BTreeMap::from([(
        "main.infra.hcl".to_owned(),
        format!("{text}{WORKLOADS}").into_bytes(),
    )]);
    let files: Arc<dyn Files> = Arc::new(Memory(files));
    let source = Source::read(&files, "p");
    let mut secret = |_: &str| String::new();
    let read = source.evaluate(
        &GivenValues::default(),
        Mode::Plan,
        &BTreeMap::new(),
        &mut secret,
    );
    assert!(!read.diagnostics.has_errors(), "{:?}", read.diagnostics);
    let hosts = &read.declared.hosts;
    let (inventory, found) = Inventory::new(hosts, facts, &Project::new("p"));
    // The card needs no functions here.
    let other = |d: &&infra_diag::Diagnostic| !d.summary.starts_with("Fabric `fast`");
    assert_eq!(found.iter().find(other), None);
    (read.declared, inventory)
}

/// The verdicts of one host.
fn of(choice: &Choice, host: &HostName) -> (Vec<Candidate>, Vec<(Candidate, String)>) {
    let possible = choice.candidates().filter(|c| c.host == *host);
    let losers = choice.losers().into_iter();
    let losers = losers.filter(|(c, ..)| c.host == *host);
    let told = |(c, gate, why): (Candidate, &str, &str)| (c, format!("{gate}: {why}"));
    (possible.collect(), losers.map(told).collect())
}

#[test]
fn a_kind_is_judged_as_each_of_its_hosts() {
    let (declared, inventory) = world();
    let home = Home {
        host: HostName::new("h05"),
        runtime: Some(Runtime::Container),
    };
    let homes = Homes::from([(Address::new("volume.data"), home)]);
    let (workloads, none) = (&declared.workloads, Declared::default());
    assert_eq!(workloads.len(), 13);
    let mut all = Chooser::new(workloads, &inventory, &homes, &none);
    let choices: Vec<Choice> = workloads.iter().map(|w| all.choose(w)).collect();
    let mut gates: Vec<&str> = choices
        .iter()
        .flat_map(|c| c.ruled_out.iter().map(|r| r.gate))
        .collect();
    gates.sort_unstable();
    gates.dedup();
    let hosts_gates = ["device", "engine", "hardware", "host", "labels", "offered"];
    assert!(hosts_gates.iter().all(|g| gates.contains(g)), "{gates:?}");
    for (name, host) in &inventory.hosts {
        let only = Inventory {
            hosts: BTreeMap::from([(name.clone(), host.clone())]),
        };
        let mut alone = Chooser::new(workloads, &only, &homes, &none);
        for (workload, choice) in workloads.iter().zip(&choices) {
            let alone = alone.choose(workload);
            assert_eq!(of(choice, name), of(&alone, name), "{}", workload.address);
        }
    }
}

/// Many hosts of one kind take no more room in what is said than one.
#[test]
fn what_is_said_is_said_by_kind() {
    let (declared, inventory) = world();
    let homes = Homes::new();
    let mut chooser = Chooser::new(&declared.workloads, &inventory, &homes, &declared);
    let plain = &declared
        .workloads
        .iter()
        .find(|w| w.address.as_str() == "workload.plain");
    let choice = chooser.choose(plain.unwrap());
    let container = |r: &&infra::choose::RuledOut| r.runtime == Runtime::Container;
    let out: Vec<_> = choice.ruled_out.iter().filter(container).collect();
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(out[0].hosts.len(), 2);
    let again = chooser.choose(plain.unwrap());
    assert!(Arc::ptr_eq(&choice.ruled_out, &again.ruled_out));
}
