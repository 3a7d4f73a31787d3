//! What somebody else has made: what it is, and that only the very object which was imported is touched.

use infra_api::target::*;
use infra_api::*;
use serde_json::{Value, json};
use virt::domain::Domain;

use crate::bench::*;

/// The document without our mark, where it has one.
fn unmarked(xml: &str) -> String {
    match (xml.find("<metadata>"), xml.split_once("</metadata>")) {
        (Some(start), Some((_, rest))) => format!("{}{rest}", &xml[..start]),
        _ => xml.to_owned(),
    }
}

/// What nobody's object is: its UUID and its body.
async fn theirs(b: &Bench, id: &ResourceId) -> (String, Result<Value, String>) {
    match b.read(id).await {
        Observed::Foreign {
            unmarked: Some(found),
            ..
        } => (found.identity, found.body),
        other => panic!("{id}: {other:?}"),
    }
}

/// Every change of it is refused without its UUID, and with another's.
async fn is_refused(b: &Bench, id: &ResourceId, changes: &[Action]) {
    let before = b.read(id).await;
    for change in changes {
        for imported in [None, Some("1b4e28ba-2fa1-4d2e-883f-0016d3cca427")] {
            let refused = b.apply_to(id, imported, change.clone()).await.unwrap_err();
            assert!(
                refused.cause.contains("was not made by infra"),
                "{change:?}: {refused}"
            );
            assert_eq!(b.read(id).await, before, "{change:?}");
        }
    }
}

fn update(before: &impl serde::Serialize, after: &impl serde::Serialize, impact: Impact) -> Action {
    Action::Update {
        before: json!(before),
        after: json!(after),
        impact,
    }
}

/// Somebody's machine, made as we would have.
fn by_hand(b: &Bench, machine: &Machine) -> Domain {
    let domain = b.domain_by_hand(machine);
    let xml = unmarked(&domain.xml_desc(0).unwrap());
    domain.destroy().unwrap();
    domain.undefine().unwrap();
    let domain = b.by_hand().define_domain_xml_flags(&xml, 0).unwrap();
    domain.create().unwrap();
    domain
}

#[test]
fn a_machine_is_known_by_its_uuid() {
    on_mock("imported", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            by_hand(b, &machine);
            let (uuid, body) = theirs(b, &id).await;
            assert_eq!((&uuid, body), (&machine.uuid, Ok(json!(machine))));
            let more = Machine {
                memory_bytes: 128 * MIB,
                ..machine.clone()
            };
            let create = Action::Create {
                body: json!(machine),
                source: None,
                anew: false,
            };
            let prepare = Action::Prepare { after: json!(more) };
            let restart = update(&machine, &more, Impact::Restart);
            let changes = [create, prepare, restart.clone(), Action::Delete];
            is_refused(b, &id, &changes).await;
            // With the first change it carries the mark.
            b.apply_to(&id, Some(&uuid), restart).await.unwrap();
            assert_eq!(b.machine(&id).await, more);
            by_hand(b, &more);
            let prepare = Action::Prepare {
                after: json!(machine),
            };
            b.apply_to(&id, Some(&uuid), prepare).await.unwrap();
            b.machine(&id).await;
            by_hand(b, &more);
            b.apply_to(&id, Some(&uuid), Action::Delete).await.unwrap();
            assert_eq!(b.read(&id).await, Observed::Absent);
        })
    });
}

#[test]
fn a_network_is_known_by_its_uuid() {
    on_mock("network", |b| Box::pin(a_strangers_network(b)));
}

#[test]
fn live_a_network_is_known_by_its_uuid() {
    live("network-uuid", |b| Box::pin(a_strangers_network(b)));
}

async fn a_strangers_network(b: &Bench) {
    let network = b.network("10.231.90");
    let id = b.id("network", &network.name);
    let by_hand = || {
        let there = b.by_hand().lookup_network_by_name(&network.name).unwrap();
        let xml = unmarked(&there.xml_desc(0).unwrap());
        there.destroy().unwrap();
        there.undefine().unwrap();
        let made = b.by_hand().define_network_xml(&xml).unwrap();
        made.set_autostart(true).unwrap();
        made.create().unwrap();
    };
    let create = Action::Create {
        body: json!(network),
        source: None,
        anew: false,
    };
    b.apply(&id, create.clone()).await.unwrap();
    by_hand();
    let (uuid, body) = theirs(b, &id).await;
    assert_eq!((&uuid, body), (&network.uuid, Ok(json!(network))));
    let same = update(&network, &network, Impact::InPlace);
    is_refused(b, &id, &[create.clone(), same.clone(), Action::Delete]).await;
    b.apply_to(&id, Some(&uuid), create).await.unwrap();
    b.apply_to(&id, Some(&uuid), same).await.unwrap();
    // The mock has no second version of what runs.
    if b.uri != MOCK {
        assert_eq!(b.body(&id).await, json!(network), "it carries the mark");
    }
    by_hand();
    b.apply_to(&id, Some(&uuid), Action::Delete).await.unwrap();
    assert_eq!(b.read(&id).await, Observed::Absent);
}

#[test]
fn a_pool_and_a_disk_are_known_and_never_removed() {
    on_mock("stores", |b| Box::pin(strangers_stores(b)));
}

#[test]
fn live_a_pool_and_a_disk_are_known_and_never_removed() {
    live("stores", |b| Box::pin(strangers_stores(b)));
}

async fn strangers_stores(b: &Bench) {
    let pool = b.with_pool().await;
    let disk = b.disk("data");
    let there = b.by_hand().lookup_storage_pool_by_name(&pool.name).unwrap();
    let xml = format!(
        "<volume><name>{}</name><capacity>{}</capacity><target><format type='qcow2'/></target></volume>",
        disk.volume.name, disk.capacity_bytes
    );
    virt::storage_vol::StorageVol::create_xml(&there, &xml, 0).unwrap();
    let id = b.volume_id(&disk.volume);
    let (key, body) = theirs(b, &id).await;
    assert_eq!(body, Ok(json!(disk)));
    let create = Action::Create {
        body: json!(disk),
        source: None,
        anew: false,
    };
    let more = DiskVolume {
        capacity_bytes: disk.capacity_bytes + MIB,
        ..disk.clone()
    };
    let grow = update(&disk, &more, Impact::InPlace);
    is_refused(b, &id, &[create.clone(), grow.clone(), Action::Delete]).await;
    // Not with its key either.
    for change in [create, Action::Delete] {
        let refused = b.apply_to(&id, Some(&key), change).await.unwrap_err();
        assert!(refused.cause.contains("was not made by infra"), "{refused}");
    }
    if b.uri != MOCK {
        b.apply_to(&id, Some(&key), grow).await.unwrap();
        assert_eq!(theirs(b, &id).await, (key, Ok(json!(more))));
    }
    let made = there.list_all_volumes(0).unwrap();
    made.iter().for_each(|volume| volume.delete(0).unwrap());
    there.destroy().unwrap();
    there.undefine().unwrap();

    let xml = format!(
        "<pool type='dir'><name>{}</name><target><path>{}</path></target></pool>",
        pool.name, pool.path
    );
    let by_hand = b.by_hand().define_storage_pool_xml(&xml, 0).unwrap();
    let id = b.id("pool", &pool.name);
    let (uuid, body) = theirs(b, &id).await;
    assert!(body.unwrap_err().contains("pool-start"));
    by_hand.set_autostart(true).unwrap();
    let create = Action::Create {
        body: json!(pool),
        source: None,
        anew: false,
    };
    is_refused(b, &id, &[create.clone(), Action::Delete]).await;
    b.apply_to(&id, Some(&uuid), create).await.unwrap();
    assert_eq!(theirs(b, &id).await, (uuid.clone(), Ok(json!(pool))));
    let refused = b
        .apply_to(&id, Some(&uuid), Action::Delete)
        .await
        .unwrap_err();
    assert!(refused.cause.contains("was not made by infra"), "{refused}");
    by_hand.destroy().unwrap();
    by_hand.undefine().unwrap();
}

/// What is not started as ours are is not taken for one that is half made.
#[test]
fn a_network_that_is_not_started_is_not_imported() {
    on_mock("stopped", |b| {
        Box::pin(async {
            let network = b.network("10.231.91");
            let xml = format!(
                "<network><name>{}</name><bridge name='br-mock'/><dns enable='no'/>\
                 <ip address='10.231.91.1' prefix='24'/></network>",
                network.name
            );
            let made = b.by_hand().define_network_xml(&xml).unwrap();
            let (_, body) = theirs(b, &b.id("network", &network.name)).await;
            assert!(body.unwrap_err().contains("not started"));
            made.undefine().unwrap();
        })
    });
}

/// As virt-install makes one: nothing of it is lost by a change, and what infra could not keep is left alone.
#[test]
fn live_a_strangers_machine_is_changed_and_loses_nothing() {
    live("imported", |b| {
        Box::pin(async {
            let name = b.name("theirs");
            let xml = |screen: &str| {
                include_str!("imports/domain.xml")
                    .replace("NAME", &name)
                    .replace("SCREEN", screen)
            };
            let domain = b.by_hand().define_domain_xml_flags(&xml(""), 0).unwrap();
            let id = b.id("domain", &name);
            let (uuid, body) = theirs(b, &id).await;
            let machine: Machine = serde_json::from_value(body.clone().unwrap()).unwrap();
            assert_eq!(machine.state, "shutoff");
            domain.create().unwrap();
            let (_, runs) = theirs(b, &id).await;
            let running = Machine {
                state: "running".into(),
                ..machine
            };
            assert_eq!(
                runs.unwrap(),
                json!(running),
                "what runs is what was defined"
            );
            let more = Machine {
                memory_bytes: 128 * MIB,
                ..running.clone()
            };
            let restart = update(&running, &more, Impact::Restart);
            // A screen's password would be lost.
            let closed = xml("passwd='x'").replace("<name>", &format!("<uuid>{uuid}</uuid><name>"));
            b.by_hand().define_domain_xml_flags(&closed, 0).unwrap();
            let (_, body) = theirs(b, &id).await;
            assert!(body.unwrap_err().contains("devices/graphics/@passwd"));
            for action in [restart.clone(), Action::Prepare { after: json!(more) }] {
                let refused = b.apply_to(&id, Some(&uuid), action).await.unwrap_err();
                assert!(refused.cause.contains("passwd"), "{refused}");
            }
            let open = closed.replace(" passwd='x'", "");
            b.by_hand().define_domain_xml_flags(&open, 0).unwrap();
            b.apply_to(&id, Some(&uuid), restart).await.unwrap();
            assert_eq!(b.machine(&id).await, more);
            let now = domain.xml_desc(virt::sys::VIR_DOMAIN_XML_INACTIVE).unwrap();
            for kept in [
                "<sound model='ich9'",
                "os.example.net/12",
                "bus='usb'",
                "vmport",
            ] {
                assert!(now.contains(kept), "{kept}: {now}");
            }
            b.delete(&id).await.unwrap();
        })
    });
}
