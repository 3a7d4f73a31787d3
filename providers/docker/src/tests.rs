//! The provider's pure half: resources and impact.

use std::collections::BTreeMap;
use std::path::PathBuf;

use infra_api::target::{Container, ContainerImage, Endpoint, Port};
use infra_api::{Address, Text};

use super::*;

fn target(what: What) -> Target {
    Target {
        host: HostName::new("r1"),
        address: Address::new("workload.a"),
        what,
    }
}

fn only(what: What) -> Resource {
    let mut all = Docker.resources(&Project::new("demo"), &target(what));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

pub(crate) fn container() -> Container {
    Container {
        name: "demo.a".into(),
        image: "infra/demo/a:0123456789abcdef".into(),
        state: "running".into(),
        hostname: "a".into(),
        ..Container::default()
    }
}

#[test]
fn a_container_comes_after_what_it_uses() {
    let port = |host| Port {
        host,
        container: 80,
        protocol: "tcp".into(),
        host_address: None,
    };
    let endpoint = |aliases: &[&str]| Endpoint {
        address: "10.9.0.2".parse().ok(),
        address6: None,
        aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
        mac: None,
    };
    let resource = only(What::Container(Box::new(Container {
        ports: vec![port(81), port(80), port(81)],
        networks: BTreeMap::from([("demo.lan".into(), endpoint(&["c", "b", "a"]))]),
        mounts: BTreeMap::from([
            ("/d".into(), Mount::volume("demo.data", false)),
            ("/e".into(), Mount::bind("/etc", true)),
        ]),
        ..container()
    })));
    let after: Vec<String> = resource.after.iter().map(ToString::to_string).collect();
    let image = "r1/docker/image/infra/demo/a:0123456789abcdef";
    assert_eq!(
        after,
        [
            image,
            "r1/docker/network/demo.lan",
            "r1/docker/volume/demo.data"
        ]
    );
    assert_eq!(resource.id.to_string(), "r1/docker/container/demo.a");
    assert_eq!(resource.body["ports"][0]["host"], 80);
    assert_eq!(resource.body["ports"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        resource.body["networks"]["demo.lan"]["aliases"],
        json!(["b", "c"])
    );
}

#[test]
fn an_image_carries_its_file() {
    let image = ContainerImage {
        reference: "infra/demo/a:01".into(),
        sha256: Some("01".into()),
        platform: None,
    };
    let from = ImageSource::Archive(PathBuf::from("a.tar"));
    let resource = only(What::ContainerImage(image.clone(), from));
    assert_eq!(resource.source, Some(PathBuf::from("a.tar")));
    assert_eq!(
        resource.body,
        json!({"reference": "infra/demo/a:01", "sha256": "01"})
    );
    assert_eq!(
        only(What::ContainerImage(image, ImageSource::Registry)).source,
        None
    );
}

#[test]
fn what_is_not_for_docker_is_left() {
    let pool = infra_api::target::Pool {
        name: "p".into(),
        path: "/p".into(),
        volume_group: None,
    };
    assert_eq!(
        Docker.resources(&Project::new("demo"), &target(What::Pool(pool))),
        []
    );
}

fn impact_of(kind: &str, path: &str, removed: bool) -> Impact {
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    Docker.impact(kind, &path, removed)
}

#[test]
fn what_changes_in_place() {
    let everything = Container {
        env: BTreeMap::from([("A".into(), Text::from("a"))]),
        cpus: Some([0].into()),
        memory_nodes: Some([0].into()),
        memory_bytes: Some(1),
        pids: Some(1),
        restart: Some(infra_api::target::Restart {
            policy: "always".into(),
            max_retries: None,
        }),
        networks: BTreeMap::from([(
            "n".into(),
            Endpoint {
                address: "10.0.0.2".parse().ok(),
                address6: None,
                aliases: Vec::new(),
                mac: None,
            },
        )]),
        ..container()
    };
    let body = json!(everything);
    let names = body
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    let live: Vec<&str> = names
        .filter(|name| impact_of(CONTAINER, name, false) == Impact::InPlace)
        .collect();
    assert_eq!(
        live,
        [
            "cpus",
            "memory_bytes",
            "memory_nodes",
            "networks",
            "pids",
            "restart",
            "state"
        ]
    );
}

#[test]
fn what_can_be_taken_away_in_place() {
    for (attribute, expected) in [
        ("cpus", Impact::Replace),
        ("memory_nodes", Impact::Replace),
        ("memory_bytes", Impact::Replace),
        ("pids", Impact::InPlace),
        ("restart", Impact::InPlace),
        ("restart.max_retries", Impact::InPlace),
        ("networks.n", Impact::InPlace),
        ("env.A", Impact::Replace),
        ("limits.cpu_shares", Impact::Replace),
        ("limits.cpu_quota_us", Impact::InPlace),
        ("limits.cpu_period_us", Impact::InPlace),
        ("limits.memory_reservation_bytes", Impact::InPlace),
        ("limits.swap_bytes", Impact::InPlace),
        ("limits.blkio_weight", Impact::Replace),
        ("files./etc/x", Impact::Replace),
        ("files", Impact::Replace),
    ] {
        assert_eq!(
            impact_of(CONTAINER, attribute, true),
            expected,
            "{attribute}"
        );
    }
}

#[test]
fn what_a_change_takes() {
    for (attribute, expected) in [
        ("limits.cpu_shares", Impact::InPlace),
        ("limits.blkio_weight", Impact::InPlace),
        ("limits.swappiness", Impact::Replace),
        ("limits.block_devices", Impact::Replace),
        ("limits.cpu_realtime_runtime_us", Impact::Replace),
        ("limits", Impact::Replace),
        ("files./etc/x", Impact::Replace),
        ("files./etc/x.content", Impact::Restart),
        ("files./etc/x.mode", Impact::Restart),
        ("files./etc/x.binary", Impact::Replace),
        ("security.drop", Impact::Replace),
        ("confinement.shm_bytes", Impact::Replace),
    ] {
        assert_eq!(
            impact_of(CONTAINER, attribute, false),
            expected,
            "{attribute}"
        );
    }
    assert_eq!(
        impact_of(CONTAINER, "networks.n.address", false),
        Impact::InPlace
    );
    for kind in [IMAGE, NETWORK, VOLUME] {
        assert_eq!(impact_of(kind, "name", false), Impact::Replace);
        assert_eq!(impact_of(kind, "state", false), Impact::Replace);
    }
}
