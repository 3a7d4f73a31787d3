//! Networks beside plain bridges, and volumes beside plain directories.

use std::collections::BTreeMap;

use bollard::query_parameters::StopContainerOptions;
use infra_api::target::{
    Container, ContainerNetwork, ContainerVolume, Driver, Endpoint, Mount, Range6,
};
use infra_api::{Resource, What};

use crate::rig::{Rig, live};
use crate::things::root;

fn network(rig: &Rig, word: &str, change: impl FnOnce(&mut ContainerNetwork)) -> Resource {
    let plain = rig.network(word, false);
    let mut body: ContainerNetwork = serde_json::from_value(plain.body.into_value()).unwrap();
    change(&mut body);
    rig.resource(plain.address.as_str(), What::ContainerNetwork(body))
}

fn pair(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

#[test]
fn both_families_with_options() {
    live("ipv6", 31, |rig| async move {
        let image = rig.image("a", &root("ipv6"));
        let lan = network(&rig, "lan", |body| {
            body.ipv6 = Some(Range6 {
                subnet: "fd00:231:31::/64".parse().unwrap(),
                gateway: "fd00:231:31::1".parse().unwrap(),
            });
            body.options = pair("com.docker.network.driver.mtu", "1400");
            body.labels = pair("team", "net");
        });
        for wanted in [&image, &lan] {
            rig.create(wanted).await;
            rig.expect(wanted).await;
            rig.create(wanted).await;
        }
        let at = |address6: &str| Endpoint {
            address6: Some(address6.parse().unwrap()),
            aliases: vec!["db".into(), "one".into()],
            ..rig.endpoint(9)
        };
        let on = |address6| BTreeMap::from([(lan.id.name.clone(), at(address6))]);
        let body = Container {
            networks: on("fd00:231:31::9"),
            ..rig.container("a", &image)
        };
        rig.create(&rig.workload(&body)).await;
        rig.expect(&rig.workload(&body)).await;
        let process = rig.process(&body.name).await;
        let net = std::fs::read_to_string(format!("/proc/{}/net/if_inet6", process.1)).unwrap();
        assert!(net.contains("fd000231003100000000000000000009"), "{net}");
        let moved = Container {
            networks: on("fd00:231:31::a"),
            ..body.clone()
        };
        rig.try_update(&body, &moved).await.unwrap();
        rig.expect(&rig.workload(&moved)).await;
        assert_eq!(rig.process(&body.name).await, process);
    });
}

#[test]
fn a_mac_of_its_own() {
    const MAC: &str = "02:00:5e:00:35:09";
    live("mac", 35, |rig| async move {
        let image = rig.image("a", &root("mac"));
        let lan = rig.network("lan", false);
        for wanted in [&image, &lan] {
            rig.create(wanted).await;
        }
        let at = |last, mac: Option<&str>| Endpoint {
            mac: mac.map(str::to_owned),
            ..rig.endpoint(last)
        };
        let with = |end| Container {
            networks: BTreeMap::from([(lan.id.name.clone(), end)]),
            ..rig.container("a", &image)
        };
        let body = with(at(9, Some(MAC)));
        rig.create(&rig.workload(&body)).await;
        rig.expect(&rig.workload(&body)).await;
        let process = rig.process(&body.name).await;
        let kernel = || {
            let path = format!("/proc/{}/root/sys/class/net/eth0/address", process.1);
            std::fs::read_to_string(path).unwrap().trim().to_owned()
        };
        assert_eq!(kernel(), MAC);
        // What the engine would take another container for: an endpoint that is connected anew has another MAC.
        for other in [
            at(10, Some(MAC)),
            at(9, Some("02:00:5e:00:35:0a")),
            at(9, None),
        ] {
            let failure = rig.try_update(&body, &with(other)).await.unwrap_err();
            assert!(failure.cause.contains("cannot be changed"), "{failure:?}");
        }
        assert_eq!(rig.process(&body.name).await, process);
        // While it stands still the engine tells of none.
        let stopped = Container {
            state: "exited".into(),
            ..body.clone()
        };
        let stop = rig
            .raw
            .stop_container(&body.name, None::<StopContainerOptions>);
        stop.await.unwrap();
        rig.expect(&rig.workload(&stopped)).await;
        rig.delete(&rig.workload(&body).id).await.unwrap();
        // And one that nobody asked for is nobody's.
        let plain = with(at(9, None));
        rig.create(&rig.workload(&plain)).await;
        rig.expect(&rig.workload(&plain)).await;
        // Nor is it given one in place.
        let failure = rig.try_update(&plain, &body).await.unwrap_err();
        assert!(failure.cause.contains("cannot be changed"), "{failure:?}");
        rig.delete(&rig.workload(&plain).id).await.unwrap();
        // In each of several networks, where the engine can; else a plan does not come so far.
        let wan = rig.network("wan", true);
        rig.create(&wan).await;
        let second = Endpoint {
            mac: Some("02:00:5e:00:36:09".to_owned()),
            ..rig.endpoint(139)
        };
        let mut both = body.clone();
        both.networks.insert(wan.id.name.clone(), second);
        let version = rig.raw.client_version();
        if (version.major_version, version.minor_version) >= (1, 44) {
            rig.create(&rig.workload(&both)).await;
            rig.expect(&rig.workload(&both)).await;
        }
    });
}

/// While a container stands still its network can be removed; one of the same name is another to the engine.
#[test]
fn a_network_that_was_made_anew() {
    live("renewed", 36, |rig| async move {
        let image = rig.image("a", &root("renewed"));
        let lan = rig.network("lan", false);
        for wanted in [&image, &lan] {
            rig.create(wanted).await;
        }
        let body = rig.container("a", &image);
        rig.create(&rig.workload(&body)).await;
        let stop = rig
            .raw
            .stop_container(&body.name, None::<StopContainerOptions>);
        stop.await.unwrap();
        rig.raw.remove_network(&lan.id.name).await.unwrap();
        rig.create(&lan).await;
        rig.try_update(&body, &body).await.unwrap();
        rig.expect(&rig.workload(&body)).await;
        let (_, pid) = rig.process(&body.name).await;
        let net = std::fs::read_to_string(format!("/proc/{pid}/net/fib_trie")).unwrap();
        let address = body.networks[&lan.id.name].address.unwrap();
        assert!(net.contains(&address.to_string()), "{net}");
    });
}

#[test]
fn on_a_device_of_the_host() {
    live("device", 32, |rig| async move {
        let image = rig.image("a", &root("device"));
        rig.create(&image).await;
        for (name, mode) in [("macvlan", "private"), ("ipvlan", "l2")] {
            let lan = network(&rig, "lan", |body| {
                body.bridge = None;
                body.driver = Some(Driver {
                    name: name.into(),
                    parent: parent(),
                    mode: mode.into(),
                });
            });
            rig.create(&lan).await;
            rig.expect(&lan).await;
            // Not every kernel has ipvlan, which shows at the start alone.
            if name == "macvlan" {
                let wanted = rig.workload(&rig.container("a", &image));
                rig.create(&wanted).await;
                rig.expect(&wanted).await;
                rig.delete(&wanted.id).await.unwrap();
            }
            rig.delete(&lan.id).await.unwrap();
        }
    });
}

/// The first device that is none of the engine's.
fn parent() -> String {
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap();
    let names = devices.lines().filter_map(|line| line.split_once(':'));
    let mut names = names.map(|(name, _)| name.trim());
    names.find(|name| name.starts_with('e')).unwrap().to_owned()
}

#[test]
fn volumes_with_options() {
    live("volumes", 33, |rig| async move {
        let image = rig.image("a", &root("volumes"));
        rig.stand(&image).await;
        let mut options = pair("type", "tmpfs");
        options.extend(pair("device", "tmpfs"));
        options.extend(pair("o", "size=1m"));
        let volume = ContainerVolume {
            name: rig.name("memory"),
            driver: None,
            options,
            labels: pair("team", "data"),
        };
        let wanted = rig.resource("volume.memory", What::ContainerVolume(volume.clone()));
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        rig.create(&wanted).await;
        let body = Container {
            mounts: BTreeMap::from([("/m".into(), Mount::volume(volume.name, false))]),
            ..rig.container("a", &image)
        };
        rig.create(&rig.workload(&body)).await;
        rig.expect(&rig.workload(&body)).await;
        let (_, pid) = rig.process(&body.name).await;
        let mounts = std::fs::read_to_string(format!("/proc/{pid}/mounts")).unwrap();
        assert!(
            mounts
                .lines()
                .any(|line| line.starts_with("tmpfs /m tmpfs") && line.contains("size=1024k")),
            "{mounts}"
        );
    });
}
