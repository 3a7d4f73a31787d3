//! How often libvirt is called about an object: counted in what goes over its socket, by the names in it, so that what
//! others do meanwhile does not count.

use std::collections::BTreeMap;
use std::path::Path;

use infra_api::target::*;
use infra_api::*;
use serde_json::json;

use crate::bench::*;
use crate::calls::calls_that;
use crate::proxy::{Count, Proxy};

fn names(message: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    message.windows(name.len()).any(|part| part == name)
}

/// The same project by way of a proxy that counts, and what it counted of an act.
struct Counted {
    by: Bench,
    proxy: Proxy,
}

impl Counted {
    async fn of(bench: &Bench, count: fn() -> Count) -> Self {
        let socket = bench.uri.split_once("socket=");
        let socket = socket.map_or("/var/run/libvirt/libvirt-sock", |(_, path)| path);
        let proxy = Proxy::before(Path::new(socket), count);
        let uri = format!("qemu+unix:///system?socket={}", proxy.socket.display());
        let project = bench.project.as_str();
        Self {
            by: Bench::open(&uri, project).await,
            proxy,
        }
    }

    async fn calls<T>(&self, act: impl Future<Output = T>) -> (u64, T) {
        self.proxy.counted();
        let done = act.await;
        (self.proxy.counted(), done)
    }

    /// What a plan reads.
    async fn plan(&self) -> u64 {
        let reading = async {
            let daemon = &self.by.daemon;
            daemon.discover(&mut Facts::default()).await.unwrap();
            daemon.list(&self.by.project).await.unwrap()
        };
        let (calls, listed) = self.calls(reading).await;
        let whole = |(_, one): &(_, Observed)| matches!(one, Observed::Present { .. });
        assert!(listed.iter().all(whole), "{listed:?}");
        calls
    }
}

impl Bench {
    /// One that runs, and reads nothing.
    fn numbered(&self, number: u8, disk: Option<&DiskVolume>) -> Machine {
        let address = Address::new(format!("workload.n{number}"));
        let disk = disk.map(|disk| MachineDisk::new(disk.volume.clone(), disk.format, false));
        Machine {
            name: self.name(&format!("n{number}")),
            uuid: names::uuid(&self.project, &address),
            vcpu_pins: BTreeMap::from([(0, IdSet::from([0]))]),
            disks: disk.into_iter().collect(),
            stop_timeout_s: Some(0),
            ..self.plain()
        }
    }
}

/// A machine more costs a plan its two definitions, a disk more what it is and whose.
#[test]
fn a_plan_reads_each_object_once() {
    live("frugal-plan", |b| {
        Box::pin(async {
            b.with_pool().await;
            let about = || calls_that(|message| names(message, "libvirt-frugal-plan"));
            let counted = Counted::of(b, about).await;
            assert_eq!(counted.plan().await, 4, "the pool, and what is in it");
            for number in 1..=3 {
                let machine = b.numbered(number, None);
                let id = b.id("domain", &machine.name);
                b.create(&id, &machine, None).await.unwrap();
            }
            let definitions = 3 * 2;
            assert_eq!(counted.plan().await, 4 + definitions, "live and stored");
            for name in ["a.qcow2", "b.qcow2"] {
                let disk = b.disk(name);
                let id = b.volume_id(&disk.volume);
                b.create(&id, &disk, None).await.unwrap();
            }
            let volumes = 2 * 2;
            let all = 4 + definitions + volumes;
            assert_eq!(counted.plan().await, all, "definition and companion");
        })
    });
}

/// What a step of an apply costs, with the check before it and the reading back.
#[test]
fn a_step_asks_of_its_own_object_alone() {
    live("frugal-step", |b| {
        Box::pin(async {
            b.with_pool().await;
            let about = || calls_that(|message| names(message, "libvirt-frugal-step"));
            let counted = Counted::of(b, about).await;
            // What holds for all steps of an apply: where the pools are.
            let disk = b.disk("data.qcow2");
            let volume = b.volume_id(&disk.volume);
            let id = b.id("domain", &b.name("n1"));
            let ids = [&id, &volume];
            let told = counted.by.daemon.survey(&b.project, &ids).await.unwrap();
            assert_eq!(told.len(), 2);
            let anew = |body| Action::Create {
                body,
                source: None,
                anew: true,
            };
            let (calls, made) = counted
                .calls(counted.by.apply(&volume, anew(json!(disk))))
                .await;
            made.unwrap();
            assert_eq!(calls, 9, "a disk is made");
            let (calls, read) = counted.calls(counted.by.body(&volume)).await;
            assert_eq!(read, json!(disk));
            assert_eq!(calls, 6, "a disk is read");
            // Not even what is as it was to be: somebody else has made it.
            let again = counted.by.apply(&volume, anew(json!(disk))).await;
            assert_eq!(again.unwrap_err().remedy, Remedy::Replan);

            let machine = b.numbered(1, Some(&disk));
            let (calls, made) = counted
                .calls(counted.by.apply(&id, anew(json!(machine))))
                .await;
            made.unwrap();
            assert_eq!(calls, 3, "a machine is made");
            let (calls, read) = counted.calls(counted.by.machine(&id)).await;
            assert_eq!(read, machine);
            assert_eq!(calls, 6, "a machine is read");

            let moved = Machine {
                vcpu_pins: BTreeMap::from([(0, IdSet::from([1]))]),
                ..machine.clone()
            };
            let pin = counted.by.update(&id, &machine, &moved, Impact::InPlace);
            let (calls, pinned) = counted.calls(pin).await;
            pinned.unwrap();
            assert_eq!(calls, 8, "a vCPU is pinned");
            assert_eq!(b.machine(&id).await, moved);

            let (calls, gone) = counted.calls(counted.by.delete(&id)).await;
            gone.unwrap();
            assert_eq!(calls, 7, "a machine is removed");
            let (calls, gone) = counted.calls(counted.by.delete(&volume)).await;
            gone.unwrap();
            assert_eq!(calls, 8, "a disk is removed");
        })
    });
}
