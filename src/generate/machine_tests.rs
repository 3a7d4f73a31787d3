//! What is written of a machine makes the same machine.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::Machine;
use infra_api::{Address, Cell, CpuPolicy, HostName, IdSet, Placement, Runtime, Vcpu, What};

use super::tests::configuration;
use super::*;
use crate::declared::{NumaCell, Workload};
use crate::lower::{Inputs, lower};

/// Each on the n-th of its nodes.
fn cells(
    workload: &Workload,
    vcpus: Vec<Vcpu>,
    (cpus, nodes): (&IdSet, Option<IdSet>),
) -> Vec<Cell> {
    let numa = &workload.numa;
    let whole = Cell {
        node: nodes.and_then(|nodes| nodes.first()),
        vcpus: vcpus.clone(),
        cpus: cpus.clone(),
        memory_bytes: 0,
        page_size_bytes: workload.memory.page_sizes.as_ref().map(|p| p.value[0]),
    };
    let Some(on) = &numa.on else {
        return vec![whole];
    };
    let mut vcpus = vcpus.into_iter();
    let cell = |(node, cell): (u32, &NumaCell)| Cell {
        node: Some(node),
        vcpus: vcpus.by_ref().take(cell.cpus as usize).collect(),
        memory_bytes: cell.memory_bytes.as_ref().map_or(0, |m| m.value),
        page_size_bytes: cell.page_sizes.as_ref().map(|p| p.value[0]),
        cpus: cpus.clone(),
    };
    on.value.iter().zip(&numa.cells).map(cell).collect()
}

/// What a text makes of its machine and its networks, on CPUs and nodes as it asks for them.
fn targets(text: &str) -> Vec<What> {
    let found = configuration(text);
    let workload = &found.declared.workloads[0];
    let address = Address::new("workload.w");
    let (cpus, dedicated) = match &workload.cpus.set {
        Some(set) => (
            set.value.clone(),
            workload.cpus.policy == CpuPolicy::Dedicated,
        ),
        None => (IdSet::new(), false),
    };
    let mut free = cpus.iter();
    let vcpus = (0..workload.cpus.count).map(|id| Vcpu {
        id,
        cpu: if dedicated { free.next() } else { None },
    });
    let nodes = workload
        .memory
        .nodes
        .as_ref()
        .map(|nodes| nodes.value.clone());
    let placement = Placement {
        runtime: Runtime::Kvm,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: HostName::new("local"),
        policy: workload.cpus.policy,
        cells: cells(workload, vcpus.collect(), (&cpus, nodes)),
        helpers: BTreeMap::new(),
        devices: vec![],
        addresses: found.addresses.get(&address).cloned().unwrap_or_default(),
        tiers: vec![],
    };
    let (targets, diagnostics) = lower(&Inputs {
        project: &found.project,
        declared: &found.declared,
        placements: &BTreeMap::from([(address, placement)]),
        made_as: &infra_plan::MadeAs::default(),
        files: &BTreeMap::new(),
        pinned: &BTreeMap::new(),
        libvirt: &BTreeSet::new(),
        settings: &BTreeMap::new(),
        distances: &BTreeMap::new(),
        parents: &BTreeMap::new(),
        logical: &BTreeSet::new(),
        taken: &BTreeMap::new(),
    });
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    targets.into_iter().map(|target| target.what).collect()
}

fn main(all: &[What]) -> &Machine {
    let found = all.iter().find_map(|what| match what {
        What::Machine(body) => Some(&**body),
        _ => None,
    });
    found.expect("there is a machine")
}

fn networks(all: &[What]) -> Vec<&MachineNetwork> {
    let network = |what: &'_ What| matches!(what, What::MachineNetwork(_));
    let found = all.iter().filter(|what| network(what));
    let found = found.filter_map(|what| match what {
        What::MachineNetwork(body) => Some(body),
        _ => None,
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// A text, read, written from what it makes, and read again.
pub(super) fn comes_back(text: &str) -> String {
    let made = targets(text);
    let nics = main(&made).interfaces.iter().map(|nic| nic.mac.clone());
    let mut declared = Declarations {
        nics: nics.collect(),
        ..Declarations::default()
    };
    let mut blocks = Vec::new();
    for body in networks(&made) {
        let name = label(&body.name);
        blocks.push(machine_network(&name, body, &declared));
        let to = format!("network.{name}");
        declared.networks.insert(body.name.clone(), to);
    }
    blocks.push(machine("w", main(&made), &declared));
    let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    let written = infra_lang::format(&blocks.join("\n"));
    let again = targets(&written);
    assert_eq!(main(&again), main(&made), "\n{written}");
    assert_eq!(networks(&again), networks(&made), "\n{written}");
    written
}

#[test]
fn of_little() {
    let written = comes_back(
        r#"workload "w" {
          memory { size = "1GiB" }
          disk "root" { path = "/srv/root.raw" }
          kvm { acceleration = "emulated" }
        }"#,
    );
    assert!(!written.contains('#'), "{written}");
}

#[test]
fn of_disks() {
    comes_back(
        r#"
        workload "w" {
          cpus { count = 2 }
          memory { size = "1GiB" }
          disk "root" {
            path     = "/srv/root.qcow2"
            format   = "qcow2"
            cache    = "none"
            io       = "native"
            discard  = "ignore"
            serial   = "root-1"
            queues   = 2
            iothread = 1
            throttle {
              read_bytes  = "50MB"
              write_bytes = "60MB"
              read_iops   = 7
              write_iops  = 8
            }
          }
          disk "logs" {
            path = "/dev/vg0/logs"
            bus  = "scsi"
            throttle {
              bytes = "1MB"
              iops  = 9
            }
          }
          disk "far" {
            read_only = true
            remote {
              protocol = "rbd"
              servers  = ["10.0.0.5", "[fd00::5]:1"]
              name     = "pool/image"
              user     = "me"
              secret   = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"
            }
          }
          kvm {
            iothreads = 1
            boot      = ["disk.logs", "cdrom.tools", "disk.root"]
            cdrom "empty" {}
            cdrom "tools" { path = "/srv/tools.iso" }
          }
        }"#,
    );
}

#[test]
fn of_numa() {
    comes_back(
        r#"
        workload "w" {
          numa {
            on = "0,3"
            cell {
              cpus      = 2
              memory    = "3GiB"
              page_size = "1GiB"
            }
            cell {
              cpus   = 1
              memory = "1GiB"
            }
          }
          disk "root" { path = "/srv/root.raw" }
          kvm {}
        }"#,
    );
}

/// What no declaration makes is left out, and told.
#[test]
fn of_a_guest_with_odd_nodes() {
    let text = r#"workload "w" {
        cpus { count = 2 }
        memory { size = "2GiB" }
        numa {
          on = "0,3"
          cell {
            cpus = 1
            memory = "1GiB"
 }
          cell {
            cpus = 1
            memory = "1GiB"
 }
        }
        disk "root" { path = "/srv/root.raw" }
        kvm {}
      }"#;
    let all = targets(text);
    let mut body = main(&all).clone();
    let written = |body: &Machine| machine("w", body, &Declarations::default()).to_string();
    assert!(written(&body).contains("numa {"));
    body.cells[0].vcpus = [1].into();
    body.cells[1].vcpus = [0].into();
    let text = written(&body);
    assert!(!text.contains("numa {"), "{text}");
    assert!(
        text.contains("NUMA nodes that no declaration makes"),
        "{text}"
    );
}

#[test]
fn of_everything_else() {
    comes_back(
        r#"
        workload "w" {
          cpus { set = "2-3,5-6" }
          memory {
            size      = "1GiB"
            page_size = "2MiB"
          }
          disk "root" { path = "/srv/root.raw" }
          kvm {
            uuid        = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"
            autostart   = false
            stop_timeout = "90s"
            console_log = "/srv/w.log"
            boot        = ["cdrom", "network", "disk"]
            title       = "A \"title\""
            description = "What it is"
            machine     = "pc-q35-7.2"
            firmware    = "uefi"
            secure_boot = true
            hyperv      = true
            on_poweroff = "preserve"
            on_reboot   = "destroy"
            on_crash    = "coredump-restart"
            locked_memory = true
            video       = "virtio"
            vsock_cid   = 7
            panic       = true
            rng         = false
            agent       = true
            ready {
              agent   = true
              console = "login:"
            }
            xml {
              at  = "devices/memballoon/@autodeflate"
              set = "on"
            }
            xml {
              at  = "devices"
              add = "<sound model='ich9'/>"
            }
            xml { add = "<pm><suspend-to-mem enabled='no'/></pm>" }
            xml {
              at     = "devices/controller[@index='16']"
              remove = true
            }
          }
        }"#,
    );
}

#[test]
fn of_shared_cpus_and_a_port_of_a_file() {
    comes_back(
        r#"
        workload "w" {
          cpus {
            count  = 2
            set    = "0-1"
            policy = "shared"
          }
          memory { size = "1GiB" }
          disk "root" { path = "/srv/root.raw" }
          kvm {
            console_log   = "none"
            shared_memory = true
            balloon       = false
            serial {
              type = "file"
              path = "/srv/port"
            }
          }
        }"#,
    );
}

#[test]
fn of_every_block() {
    comes_back(
        r#"
        workload "w" {
          cpus { count = 4 }
          memory { size = "1GiB" }
          disk "root" { path = "/srv/root.raw" }
          kvm {
            video = "virtio"
            cpu {
              mode     = "custom"
              model    = "EPYC"
              check    = "none"
              features = { svm = "disable" }
            }
            topology {
              sockets = 1
              cores   = 2
              threads = 2
            }
            tpm {
              version = "1.2"
              model   = "tis"
            }
            clock {
              offset = "localtime"
              timer "pit" {}
              timer "hpet" { present = true }
              timer "tsc" { tick_policy = "merge" }
            }
            graphics {
              protocol = "spice"
              port     = 5901
            }
            watchdog { action = "poweroff" }
            filesystem "share" { source = "/srv/share" }
            host_device { pci = "0000:3b:02.1" }
            host_device { usb = "1d6b:0002" }
            serial {}
            serial {
              type = "unix"
              path = "/run/port"
            }
            serial {
              type    = "tcp"
              address = "127.0.0.2"
              port    = 4555
            }
          }
        }"#,
    );
}

/// What no declaration can say is a comment, and nothing of it is left out in silence.
#[test]
fn what_cannot_be_said_is_noted() {
    let made = targets(
        r#"workload "w" {
          memory { size = "1GiB" }
          disk "root" { path = "/srv/root.raw" }
          kvm { console_log = "none" }
        }"#,
    );
    let body = Machine {
        vcpus: 2,
        vcpu_pins: BTreeMap::from([(0, IdSet::from([0, 1])), (1, IdSet::from([2]))]),
        emulator_pin: Some(IdSet::from([0])),
        state: "shutoff".into(),
        next_start: Some("x".into()),
        ..main(&made).clone()
    };
    let written = machine("w", &body, &Declarations::default()).to_string();
    for note in [
        "pinned to CPUs of their own",
        "emulator's and I/O threads",
        "it is shutoff",
        "changed for its next start",
    ] {
        assert!(written.contains(note), "{note}: {written}");
    }
}
