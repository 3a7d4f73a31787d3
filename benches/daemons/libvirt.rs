//! Five virtual machines on a real libvirt, `infra` beside the bare calls. Run by `benches/daemons/run`.

mod proxy;
mod side;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use proxy::Proxy;
use serde_json::Value;
use side::{Infra, Phase, floor, head, line, memory, run, runs};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_vol::StorageVol;
use virt::sys;

const PREFIX: &str = "infra-bench-libvirt.guest-";
const POOL: &str = "infra-infra-bench-libvirt";

const CONFIGURATION: &str = r#"
infra { project = "infra-bench-libvirt" }
variable "count" { type = number }
variable "cpu" {
  type    = string
  default = "0"
}
network "lan" { subnet = "10.97.241.0/24" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
# Keeps network and image there while the others come and go.
workload "first" {
  memory { size = "64MiB" }
  interface "lan" { network = network.lan }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "quiet"
  }
}
workload "guest" {
  count = var.count
  cpus {
    count  = 1
    set    = count.index == 0 ? var.cpu : "0"
    policy = "shared"
  }
  memory { size = "64MiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "64MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "quiet"
  }
}
"#;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", what, ref rest @ ..] => as_floor(what, rest),
        _ => measure(),
    }
}

fn measure() {
    let uri = std::env::var("INFRA_LIBVIRT_URI").expect("INFRA_LIBVIRT_URI is set");
    let socket = uri
        .split_once("socket=")
        .map_or("/var/run/libvirt/libvirt-sock", |(_, path)| path);
    let infra = Infra::new("libvirt", CONFIGURATION);
    let images = std::env::var_os("INFRA_BENCH_IMAGES").expect("INFRA_BENCH_IMAGES is set");
    let _ = std::os::unix::fs::symlink(images, infra.folder.join("build"));
    let apply = |count: &'static str| {
        infra.command(&[
            "apply",
            "--auto-approve",
            "--var",
            &format!("count={count}"),
        ])
    };
    run(apply("5"));
    let kept = infra.folder.join("machines.json");
    std::fs::write(&kept, machines(&connect())).expect("a file can be written");
    let kept = kept.to_string_lossy().into_owned();
    run(apply("0"));

    let [mut create, mut plan, mut change, mut destroy] = [(); 4].map(|()| Phase::default());
    let no_op = || infra.command(&["plan", "--detailed-exitcode", "--var", "count=5"]);
    let pinned = |cpu: &str| {
        let cpu = format!("cpu={cpu}");
        infra.command(&["apply", "--auto-approve", "--var", "count=5", "--var", &cpu])
    };
    for _ in 0..runs() {
        create.ours.push(run(apply("5")));
        plan.ours.push(run(no_op()));
        plan.floor.push(run(floor(&["read"])));
        change.ours.push(run(pinned("1")));
        change.floor.push(run(floor(&["pin", "0"])));
        destroy.ours.push(run(apply("0")));
        create.floor.push(run(floor(&["create", &kept])));
        destroy.floor.push(run(floor(&["delete"])));
    }

    let proxy = Proxy::before(&PathBuf::from(socket), calls);
    let through = format!("qemu+unix:///system?socket={}", proxy.socket.display());
    let count = |mut command: Command| {
        run({
            command.env("INFRA_LIBVIRT_URI", &through);
            command
        });
        proxy.counted()
    };
    let ours = [apply("5"), no_op(), pinned("1"), apply("0")].map(count);
    let bare: [&[&str]; 4] = [&["create", &kept], &["read"], &["pin", "0"], &["delete"]];
    let bare = bare.map(|args| count(floor(args)));
    let peaks = [apply("5"), no_op(), pinned("1"), apply("0")].map(memory);

    head(runs());
    let phases = [
        ("create 5 machines", create),
        ("no-op plan, 5 machines", plan),
        ("pin a vCPU of one machine", change),
        ("destroy 5 machines", destroy),
    ];
    for (i, (name, phase)) in phases.iter().enumerate() {
        line(name, phase, (ours[i], bare[i]), peaks[i]);
    }
    infra.run(&["destroy", "--auto-approve", "--var", "count=0"]);
    let _ = std::fs::remove_dir_all(&infra.folder);
}

/// libvirt's messages: their length, program, version, procedure, and their type, which is 0 for a call.
fn calls() -> Box<dyn FnMut(&[u8]) -> u64 + Send> {
    let mut waiting: Vec<u8> = Vec::new();
    Box::new(move |piece| {
        waiting.extend(piece);
        let mut found = 0;
        while let Some(length) = word(&waiting, 0).filter(|length| waiting.len() >= *length) {
            found += u64::from(word(&waiting, 16) == Some(0));
            waiting.drain(..length);
        }
        found
    })
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

fn connect() -> Connect {
    let uri = std::env::var("INFRA_LIBVIRT_URI").expect("INFRA_LIBVIRT_URI is set");
    Connect::open(Some(&uri)).expect("libvirt answers")
}

fn ours(connection: &Connect) -> Vec<Domain> {
    let domains = connection
        .list_all_domains(0)
        .expect("domains are listed")
        .into_iter();
    domains
        .filter(|domain| domain.name().expect("it has a name").starts_with(PREFIX))
        .collect()
}

/// By name: what defines each again, and its disk.
fn machines(connection: &Connect) -> String {
    let pool = connection
        .lookup_storage_pool_by_name(POOL)
        .expect("the pool is there");
    let machines = ours(connection).into_iter().map(|domain| {
        let name = domain.name().expect("it has a name");
        let xml = domain
            .xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
            .expect("it has XML");
        let disk = pool.lookup_storage_vol_by_name(&format!("{name}.disk-data.qcow2"));
        let disk = disk
            .expect("it has a disk")
            .xml_desc(0)
            .expect("a volume has XML");
        (name, vec![xml, disk])
    });
    let machines: BTreeMap<String, Vec<String>> = machines.collect();
    serde_json::to_string(&machines).expect("text is JSON")
}

fn as_floor(what: &str, rest: &[&str]) {
    let connection = connect();
    match (what, rest) {
        ("create", [machines]) => {
            let text = std::fs::read_to_string(machines).expect("the machines were kept");
            let machines: Value = serde_json::from_str(&text).expect("they are JSON");
            let machines: Vec<_> = machines
                .as_object()
                .expect("by name")
                .values()
                .cloned()
                .collect();
            let pool = connection
                .lookup_storage_pool_by_name(POOL)
                .expect("the pool is there");
            at_once(machines, |machine| {
                let xml = |i: usize| machine[i].as_str().expect("it is text");
                // A volume's path is the pool's affair.
                StorageVol::create_xml(&pool, xml(1), 0).expect("a volume is made");
                let domain = connection
                    .define_domain_xml(xml(0))
                    .expect("a domain is defined");
                domain.create().expect("a domain starts");
            });
        }
        ("read", []) => {
            let pool = connection
                .lookup_storage_pool_by_name(POOL)
                .expect("the pool is there");
            let volumes = pool.list_all_volumes(0).expect("volumes are listed");
            let networks = connection
                .list_all_networks(0)
                .expect("networks are listed");
            networks
                .iter()
                .for_each(|network| drop(network.xml_desc(0)));
            at_once(ours(&connection), |domain| {
                domain.xml_desc(0).expect("live XML");
                domain
                    .xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
                    .expect("persistent XML");
                let disk = format!("{}.disk-data.qcow2", domain.name().expect("it has a name"));
                let disk = volumes
                    .iter()
                    .find(|v| v.name().is_ok_and(|name| name == disk));
                disk.expect("it has a disk")
                    .xml_desc(0)
                    .expect("a volume has XML");
            });
        }
        ("pin", [cpu]) => {
            let domain = connection.lookup_domain_by_name(&format!("{PREFIX}0"));
            let cpu: u8 = cpu.parse().expect("a number");
            let flags = sys::VIR_DOMAIN_AFFECT_LIVE | sys::VIR_DOMAIN_AFFECT_CONFIG;
            domain
                .expect("it is there")
                .pin_vcpu_flags(0, &[1 << cpu], flags)
                .expect("it is pinned");
        }
        ("delete", []) => {
            let pool = connection
                .lookup_storage_pool_by_name(POOL)
                .expect("the pool is there");
            at_once(ours(&connection), |domain| {
                let name = domain.name().expect("it has a name");
                domain.destroy().expect("it stops");
                domain.undefine().expect("it goes");
                let disk = pool.lookup_storage_vol_by_name(&format!("{name}.disk-data.qcow2"));
                disk.expect("it has a disk")
                    .delete(0)
                    .expect("its disk goes");
            });
        }
        _ => panic!("unknown floor {what} {rest:?}"),
    }
}

/// As many in flight as libvirt takes from one connection.
fn at_once<T: Send>(all: Vec<T>, act: impl Fn(&T) + Sync) {
    let all = Mutex::new(all);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                loop {
                    let Some(next) = all.lock().expect("nobody panics").pop() else {
                        break;
                    };
                    act(&next);
                }
            });
        }
    });
}
