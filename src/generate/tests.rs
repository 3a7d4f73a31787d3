//! What is written of a body makes the same body.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use infra_api::target::Container;
use infra_api::{Address, Cell, CpuPolicy, HostName, IdSet, Placement, Runtime, What};
use infra_lang::{Files, GivenValues, Memory, Mode};

use super::*;
use crate::configuration::{Configuration, Source};
use crate::lower::{Inputs, lower};

pub(super) fn configuration(text: &str) -> Configuration {
    let files = BTreeMap::from([("main.infra.hcl".to_owned(), text.as_bytes().to_vec())]);
    let files: Arc<dyn Files> = Arc::new(Memory(files));
    let source = Source::read(&files, "demo");
    let nothing = BTreeMap::new();
    let found = source.evaluate(
        &GivenValues::default(),
        Mode::Plan,
        &nothing,
        &mut str::to_owned,
    );
    assert!(
        !found.diagnostics.has_errors(),
        "{:?}\n{text}",
        found.diagnostics
    );
    found
}

/// What a text makes of its workload, its networks and its volumes.
fn targets(text: &str) -> Vec<What> {
    let found = configuration(text);
    let workload = &found.declared.workloads[0];
    let address = Address::new("workload.w");
    let cpus = workload
        .cpus
        .set
        .as_ref()
        .map_or_else(IdSet::new, |set| set.value.clone());
    let placement = Placement {
        runtime: Runtime::Container,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: HostName::new("local"),
        policy: CpuPolicy::Shared,
        cells: vec![Cell {
            node: None,
            cpus,
            vcpus: vec![],
            memory_bytes: 0,
            page_size_bytes: None,
        }],
        helpers: BTreeMap::new(),
        devices: vec![],
        addresses: found.addresses.get(&address).cloned().unwrap_or_default(),
        tiers: vec![],
    };
    let reference = match &workload.container.as_ref().unwrap().image.value {
        crate::declared::ImageRef::Registry(reference) => reference.clone(),
        crate::declared::ImageRef::Declared(_) => panic!("no image is declared"),
    };
    let tag = infra_api::ImageTag::new(&reference);
    let pinned = infra_api::Pinned::new(reference);
    let pinned = BTreeMap::from([((HostName::new("local"), tag), pinned)]);
    let (targets, diagnostics) = lower(&Inputs {
        project: &found.project,
        declared: &found.declared,
        placements: &BTreeMap::from([(address, placement)]),
        made_as: &infra_plan::MadeAs::default(),
        files: &BTreeMap::new(),
        pinned: &pinned,
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

/// Texts of their own, each read, written from what it makes, and read again.
fn comes_back(text: &str) {
    let made = targets(text);
    let mut declared = Declarations::default();
    let mut blocks = Vec::new();
    for what in &made {
        match what {
            What::ContainerNetwork(body) => {
                let name = label(&body.name);
                blocks.push(network(&name, body));
                declared
                    .networks
                    .insert(body.name.clone(), format!("network.{name}"));
            }
            What::ContainerVolume(body) => {
                let name = label(&body.name);
                blocks.push(volume(&name, body));
                declared
                    .volumes
                    .insert(body.name.clone(), format!("volume.{name}"));
            }
            _ => {}
        }
    }
    let body = main(&made);
    blocks.push(container("w", body, &declared));
    let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    let written = infra_lang::format(&blocks.join("\n"));
    let again = targets(&written);
    assert_eq!(main(&again), body, "\n{written}");
    let others = |all: &[What]| {
        let others = all
            .iter()
            .filter(|what| matches!(what, What::ContainerNetwork(_) | What::ContainerVolume(_)));
        let mut others: Vec<String> = others.map(|what| format!("{what:?}")).collect();
        others.sort();
        others
    };
    assert_eq!(others(&again), others(&made), "\n{written}");
}

fn main(all: &[What]) -> &Container {
    let container = |what: &'_ What| matches!(what, What::Container(_));
    match all.iter().find(|what| container(what)) {
        Some(What::Container(body)) => body,
        _ => panic!("there is no container"),
    }
}

const IMAGE: &str =
    "registry.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn of_little() {
    comes_back(&format!(
        r#"
        workload "w" {{
          container {{ image = "{IMAGE}" }}
        }}"#
    ));
}

#[test]
fn of_networks_and_disks() {
    comes_back(&format!(
        r#"
        network "lan" {{
          subnet   = "10.0.0.0/24"
          gateway  = "10.0.0.9"
          subnet6  = "fd00:0:0:1::/64"
          internal = true
          bridge   = "br-x"
          options  = {{ "com.docker.network.driver.mtu" = "1400" }}
          labels   = {{ team = "x" }}
        }}
        network "away" {{
          subnet = "10.0.1.0/24"
          driver = "macvlan"
          parent = "eth0.7"
          mode   = "vepa"
        }}
        volume "data" {{
          driver  = "other"
          options = {{ o = "size=1g" }}
          labels  = {{ team = "x" }}
        }}
        workload "w" {{
          name = "some-thing.else"
          cpus {{
            set    = "0-1,3"
            policy = "shared"
          }}
          memory {{ size = "1GiB" }}
          interface "a" {{
            network  = network.lan
            address  = "10.0.0.7"
            address6 = "fd00:0:0:1::77"
            aliases  = ["db", "w.other"]
          }}
          interface "b" {{ network = network.away }}
          disk "data" {{
            volume = volume.data
            mount  = "/data"
          }}
          container {{
            image = "{IMAGE}"
            mount {{
              disk      = "data"
              target    = "/again"
              read_only = true
              subpath   = "a/b"
              copy      = false
            }}
            mount {{
              source      = "/srv"
              target      = "/srv"
              propagation = "rslave"
              recursive   = false
            }}
            mount {{
              target = "/tmp"
              size   = "3MiB"
              mode   = "0700"
            }}
          }}
        }}"#
    ));
}

#[test]
fn of_everything_else() {
    comes_back(&format!(
        r#"
        workload "w" {{
          memory {{ size = "1GiB" }}
          container {{
            image                = "{IMAGE}"
            entrypoint           = []
            command              = ["sh", "-c", "echo \"$${{HOME}}\" %%{{x}}\n\t\\"]
            env                  = {{ A = "b", "c.d" = "", E = "\u0001" }}
            user                 = "1:2"
            working_dir          = "/srv"
            hostname             = "h"
            labels               = {{ "a.b/c" = "d" }}
            restart              = "on-failure"
            restart_retries      = 3
            pids                 = 7
            groups               = ["44", "video"]
            init                 = false
            tty                  = true
            stdin                = true
            stop_signal          = "SIGINT"
            stop_timeout         = "30s"
            privilege_escalation = true
            seccomp              = "unconfined"
            apparmor             = "web"
            selinux              = ["level:s0", "type:t"]
            runtime              = "runsc"
            ipc_mode             = "shareable"
            pid_mode             = "host"
            userns_mode          = "host"
            cgroupns_mode        = "private"
            cgroup_parent        = "work.slice"
            sysctls              = {{ "net.core.somaxconn" = "1024" }}
            shm_size             = "128MiB"
            storage_options      = {{ size = "20G" }}
            device_rules         = ["c 1:3 mr"]
            domainname           = "example"
            extra_hosts          = {{ db = "10.0.0.5", host = "host-gateway" }}
          }}
        }}"#
    ));
}

#[test]
fn of_every_block() {
    comes_back(&format!(
        r#"
        workload "w" {{
          memory {{ size = "1GiB" }}
          container {{
            image = "{IMAGE}"
            port {{
              host      = 8000
              container = 80
              count     = 2
              protocol  = "udp"
              address   = "127.0.0.1"
            }}
            file "/etc/a" {{
              content = "x"
              mode    = "0600"
              uid     = 1
              gid     = 2
            }}
            file "/etc/b" {{ content_base64 = "aw==" }}
            health_check {{
              command        = ["true"]
              interval       = "1500ms"
              timeout        = "2s"
              start_period   = "1m"
              start_interval = "500ms"
              retries        = 5
            }}
            log {{
              driver  = "local"
              options = {{ max-size = "10m" }}
            }}
            dns {{
              servers = ["10.0.0.1"]
              search  = ["example"]
              options = ["ndots:2"]
            }}
            capabilities {{
              drop = ["CHOWN"]
              add  = ["NET_ADMIN", "NET_RAW"]
            }}
            device "/dev/null" {{
              target      = "/dev/zilch"
              permissions = "r"
            }}
            device_request {{
              driver       = "nvidia"
              ids          = ["0", "1"]
              capabilities = ["gpu"]
              options      = {{ a = "b" }}
            }}
            ulimit "nofile" {{
              soft = 1
              hard = -1
            }}
          }}
        }}"#
    ));
}

#[test]
fn of_limits() {
    comes_back(&format!(
        r#"
        workload "w" {{
          memory {{ size = "1GiB" }}
          container {{
            image = "{IMAGE}"
            limits {{
              cpu_shares             = 512
              cpu_quota              = "50ms"
              cpu_period             = "200ms"
              memory_reservation     = "512MiB"
              swap                   = "1GiB"
              swappiness             = 5
              oom_score_adj          = -5
              oom_kill_disable       = true
              blkio_weight           = 300
              block_device "/dev/sda" {{
                weight     = 20
                read_rate  = "1MB"
                write_iops = 9
              }}
            }}
          }}
        }}"#
    ));
}

#[test]
fn of_all_capabilities_but_one() {
    comes_back(&format!(
        r#"workload "w" {{
          container {{
            image = "{IMAGE}"
            capabilities {{
              drop = ["MKNOD"]
              add  = ["ALL"]
            }}
          }}
        }}"#
    ));
}

#[test]
fn of_a_privileged_one_and_a_disabled_check() {
    comes_back(&format!(
        r#"workload "w" {{
          container {{
            image      = "{IMAGE}"
            privileged = true
            read_only = true
            network_mode = "none"
            health_check {{ disabled = true }}
            device_request {{
              count        = -1
              capabilities = ["gpu"]
            }}
          }}
        }}"#
    ));
}

#[test]
fn a_label_is_a_name() {
    for (name, wanted) in [("db", "db"), ("1-a.b", "n1_a_b"), ("a-b", "a_b"), ("", "n")] {
        assert_eq!(label(name), wanted);
        assert!(is_identifier(wanted));
    }
}
