//! Golden pages: `tests/view/NAME.txt` is what a person reads, styles aside. `INFRA_BLESS=1` rewrites them.

mod golden;
mod world;

use std::collections::BTreeMap;

use infra_api::{Address, HostName, IdSet, Impact, ResourceId, Runtime};
use infra_plan::Delta;
use serde_json::json;

use super::{Drift, Drifts, explain, graph, json as document, plan};
use crate::choose::{Hosts, RuledOut};
use crate::placing::{Constraint, HostRefusal};
use golden::{golden, same};
use world::{World, container, id, machine, placement, seed};

fn shown(name: &str, world: &World) {
    let made = world.plan();
    let view = world.view(&made);
    golden(name, &plan::plan(&view));
    let json = serde_json::to_string_pretty(&document::plan(&view)).unwrap();
    same(&format!("{name}.json"), &(json + "\n"));
}

/// A container, a machine and what they stand on.
fn quickstart() -> World {
    let mut world = World::new();
    let network = id("docker/network/demo.lan");
    let image = id("docker/image/infra/demo/cache:0123456789abcdef");
    world.want(
        "network.lan",
        "docker/network/demo.lan",
        json!({"name": "demo.lan", "bridge": "br-1a2b3c4d5e", "subnet": "10.77.0.0/24", "gateway": "10.77.0.1", "internal": false}),
    );
    world.want(
        "network.lan",
        "libvirt/network/demo.lan",
        json!({"name": "demo.lan", "uuid": "u", "bridge": "br-1a2b3c4d5e"}),
    );
    world.want(
        "image.cache",
        "docker/image/infra/demo/cache:0123456789abcdef",
        json!({"reference": "infra/demo/cache:0123456789abcdef", "sha256": "0123456789abcdef"}),
    );
    world.source("images/cache.tar");
    world.want(
        "workload.cache",
        "docker/container/demo.cache",
        container("demo.cache", "1"),
    );
    world.after(&[network.clone(), image]);
    world.want(
        "workload.cache",
        "docker/volume/demo.cache.data",
        json!({"name": "demo.cache.data"}),
    );
    world.want(
        "image.web",
        "libvirt/volume/infra-demo/image.web.kernel",
        json!({"volume": {"pool": "infra-demo", "name": "image.web.kernel"}, "format": "raw", "sha256": "ab", "size_bytes": 14_186_432}),
    );
    world.source("images/vmlinuz");
    world.want("workload.web", "libvirt/domain/demo.web", machine("0"));
    world.after(&[id("libvirt/volume/infra-demo/demo.web.seed.iso")]);
    world.want(
        "workload.web",
        "libvirt/volume/infra-demo/demo.web.seed.iso",
        seed("#cloud-config\nhostname: web\n"),
    );
    world.want(
        "host.r1",
        "libvirt/pool/infra-demo",
        json!({"name": "infra-demo", "path": "/var/lib/libvirt/images/infra/demo"}),
    );
    let cache = placement(Runtime::Container, "r1", true, "1", 64, "10.77.0.10");
    world.run("workload.cache", cache, &[Runtime::Container]);
    let web = placement(Runtime::Kvm, "r1", false, "0", 256, "10.77.0.20");
    world.run("workload.web", web, &[Runtime::Kvm]);
    world.output("url", json!("http://10.77.0.20/"));
    world.host("r1", 2);
    world
}

#[test]
fn fresh() {
    shown("fresh", &quickstart());
}

#[test]
fn nothing_to_do() {
    shown("nothing", &quickstart().applied());
}

/// Two CPUs change hands, live.
#[test]
fn swap() {
    let mut world = quickstart().applied();
    world.change("docker/container/demo.cache", |b| b["cpus"] = json!("0"));
    world.change("libvirt/domain/demo.web", |b| {
        b["vcpu_pins"]["0"] = json!("1");
    });
    world.pin("workload.cache", "0");
    world.pin("workload.web", "1");
    shown("swap", &world);
}

#[test]
fn drift_is_mended() {
    let mut world = quickstart().applied();
    world.meddle("docker/container/demo.cache", |b| b["cpus"] = json!("0-1"));
    world.meddle("docker/container/demo.cache", |b| {
        b["memory_bytes"] = json!(128 << 20);
    });
    world.lose("docker/volume/demo.cache.data");
    world.half_make("libvirt/pool/infra-demo", "it is defined and not started");
    world.stray("workload.old", "docker/container/demo.old");
    shown("drift-mended", &world);
}

#[test]
fn replaced() {
    let mut world = quickstart().applied();
    world.change("docker/network/demo.lan", |b| {
        b["subnet"] = json!("10.78.0.0/24");
    });
    world.change("docker/container/demo.cache", |b| {
        b["env"]["GREETING"] = json!("hello");
        b["command"] = json!([
            "memcached",
            "-u",
            "memcache",
            "-m",
            "128",
            "-c",
            "4096",
            "-v"
        ]);
    });
    world.change("libvirt/domain/demo.web", |b| {
        b["memory_bytes"] = json!(512 << 20);
    });
    shown("replaced", &world);
}

#[test]
fn secret_changes() {
    let mut world = quickstart().applied();
    world.change("docker/container/demo.cache", |b| {
        b["env"]["TOKEN"] = json!({"$secret": "hmac-sha256:2"});
        b["env"].as_object_mut().unwrap().remove("MODE");
    });
    world.secret_output("token", "hmac-sha256:2");
    shown("secret", &world);
}

#[test]
fn lines_change() {
    let mut world = quickstart();
    let before: String = (1..20).map(|n| format!("# line {n}\n")).collect();
    world.change("libvirt/volume/infra-demo/demo.web.seed.iso", |b| {
        *b = seed(&before);
    });
    let mut world = world.applied();
    let after = before
        .replace(
            "line 7\n",
            "line seven, which is now so long that it takes more columns than a page has\n",
        )
        .replace("# line 15\n", "");
    world.change("libvirt/volume/infra-demo/demo.web.seed.iso", |b| {
        *b = seed(&after);
    });
    shown("lines", &world);
}

#[test]
fn removed() {
    let mut world = quickstart().applied();
    world.forget("workload.cache");
    shown("removed", &world);
}

#[test]
fn destroyed() {
    let mut world = quickstart().applied();
    world.destroy();
    shown("destroyed", &world);
}

/// A dedicated workload whose place is taken stops for it.
#[test]
fn yields() {
    let mut world = quickstart().applied();
    for (one, address) in [
        ("docker/container/demo.cache", "10.77.0.20"),
        ("docker/container/demo.two", "10.77.0.10"),
    ] {
        if one.ends_with("two") {
            world.want("workload.two", one, container("demo.two", ""));
            world.settle(one, |b| {
                b["networks"]["demo.lan"]["address"] = json!("10.77.0.20")
            });
        }
        world.change(one, |b| {
            b["networks"]["demo.lan"]["address"] = json!(address)
        });
    }
    shown("yields", &world);
}

#[test]
fn several_hosts() {
    shown("hosts", &fleet());
}

fn fleet() -> World {
    let mut world = World::new();
    for (host, cpus) in [("r1", 8), ("r2", 8), ("r3", 2)] {
        world.host(host, cpus);
    }
    let on = |host, cpus| placement(Runtime::Kvm, host, true, cpus, 4096, "10.77.0.3");
    world.run("workload.feed[2]", on("r1", "1-2"), &[Runtime::Kvm]);
    world.run(
        "workload.feed[10]",
        on("r2", "1-2"),
        &[Runtime::Kvm, Runtime::Container],
    );
    world.prefer_not(
        "workload.feed[10]",
        Runtime::Container,
        "r2 has no Docker Engine",
    );
    let full = Constraint::DedicatedCpus {
        need: 2,
        have: 1,
        node: None,
        threads: String::new(),
    };
    world.pass_over("workload.feed[10]", Runtime::Kvm, "r1", full);
    let address = "module.eu.workload.front[\"frankfurt-am-main\"]";
    let shared = placement(Runtime::Container, "r3", false, "0-1", 512, "10.77.0.4");
    world.run(address, shared, &[Runtime::Container]);
    world.ran(
        address,
        placement(Runtime::Kvm, "r2", false, "3", 512, "10.77.0.4"),
    );
    world.want(
        address,
        "docker/container/demo.eu.front.frankfurt-am-main.a1b2c3",
        container("demo.eu.front.frankfurt-am-main.a1b2c3", ""),
    );
    world.on_host("r3");
    world.named(address);
    world
}

#[test]
fn what_has_drifted() {
    let delta = |path: &[&str], before, after| Delta {
        path: path.iter().map(|p| (*p).to_owned()).collect(),
        before,
        after,
        impact: Impact::Replace,
    };
    let mut drifts = Drifts::new();
    let mut add = |address: &str, name: &str, drift| {
        drifts.insert(id(name), (Address::new(address), drift));
    };
    let deltas = vec![
        delta(&["cpus"], Some(json!("1")), Some(json!("0-1"))),
        delta(
            &["env", "TOKEN"],
            Some(json!({"$secret": "a"})),
            Some(json!({"$secret": "b"})),
        ),
        delta(&["labels", "by.hand"], None, Some(json!("yes"))),
    ];
    add(
        "workload.cache",
        "docker/container/demo.cache",
        Drift::Changed { deltas },
    );
    add(
        "workload.cache",
        "docker/volume/demo.cache.data",
        Drift::Missing,
    );
    add("workload.old", "docker/container/demo.old", Drift::Stray);
    let what = "a network of Docker Compose project `shop`".to_owned();
    add(
        "network.lan",
        "docker/network/demo.lan",
        Drift::Taken { what },
    );
    let why = "its upload was cut off".to_owned();
    add(
        "image.web",
        "libvirt/volume/infra-demo/kernel",
        Drift::HalfMade { why },
    );
    golden("drift", &plan::drift(&drifts, true));
    let json = serde_json::to_string_pretty(&document::drift(&drifts, &BTreeMap::new())).unwrap();
    same("drift.json", &(json + "\n"));
    golden("drift-none", &plan::drift(&Drifts::new(), true));
}

#[test]
fn explained() {
    let mut world = fleet();
    let explained = |world: &World, address: &str| {
        let address = Address::new(address);
        explain::explain(&address, &world.decision, &world.inventory, None)
    };
    golden("explain", &explained(&world, "workload.feed[10]"));
    world.refuse("workload.feed[10]");
    golden("explain-nowhere", &explained(&world, "workload.feed[10]"));
    let made = world.plan();
    let json = serde_json::to_value(document::plan(&world.view(&made))).unwrap();
    let refused = &json["workloads"][1]["refused"];
    same(
        "refused.json",
        &(serde_json::to_string_pretty(refused).unwrap() + "\n"),
    );
}

/// The steps of a plan, beside what is declared.
#[test]
fn drawn() {
    let made = quickstart().plan();
    let files: std::sync::Arc<dyn infra_lang::Files> =
        std::sync::Arc::new(infra_lang::Memory(BTreeMap::new()));
    let source = crate::configuration::Source::read(&files, "demo");
    let given = infra_lang::GivenValues::default();
    let mut secret = |_: &str| String::new();
    let read = source.evaluate(
        &given,
        infra_lang::Mode::Plan,
        &BTreeMap::new(),
        &mut secret,
    );
    same("steps.dot", &graph::graph(&read.evaluation, Some(&made)));
}

/// Whatever is on it, a page is safe to print: no control characters of others.
#[test]
fn others_escapes_are_shown() {
    let mut world = quickstart();
    world.change("docker/container/demo.cache", |b| {
        b["command"] = json!(["\u{1b}[2J", "a\nb"]);
    });
    let text = plan::plan(&world.view(&world.plan()));
    assert!(text.contains(r"\u{1b}[2J"));
    assert!(!text.contains("\u{1b}[2J"));
}

fn refusal(runtime: Runtime, host: &str, constraint: Constraint) -> HostRefusal {
    HostRefusal {
        variant: runtime.into(),
        hosts: vec![HostName::new(host)],
        constraint,
    }
}

fn ruled_out(runtime: Runtime, host: &str, gate: &'static str, why: &str) -> RuledOut {
    RuledOut {
        runtime,
        hosts: Hosts::new([HostName::new(host)]),
        gate,
        why: why.to_owned(),
    }
}

fn ids(text: &str) -> IdSet {
    text.parse().unwrap()
}

fn on(host: &str, id: &ResourceId) -> ResourceId {
    ResourceId {
        host: HostName::new(host),
        ..id.clone()
    }
}
