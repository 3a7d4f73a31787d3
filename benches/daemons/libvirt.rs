//! Five virtual machines on a real libvirt, `infra` beside the bare calls. Run by `benches/daemons/run`.

mod calls;
mod proxy;
mod side;

use std::collections::BTreeMap;
use std::path::Path;

use calls::calls_that;
use proxy::{Count, Proxy};
use side::{Infra, Peer, Scene, at_once, peers, side_by_side};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::sys;

const PREFIX: &str = "infra-bench-libvirt.guest.";
const POOL: &str = "infra-infra-bench-libvirt";

/// Calls of the floor at a time: as many as libvirt takes from one connection.
const IN_FLIGHT: usize = 5;

const CONFIGURATION: &str = r#"
infra { project = "infra-bench-libvirt" }
variable "instances" { type = number }
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
    stop_timeout = "0s"
  }
}
workload "guest" {
  count = var.instances
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
    # They are still booting when they are removed, and hear no power button yet: the floor takes their power too.
    stop_timeout = "0s"
  }
}
"#;

const PEERS: [Peer<'static>; 1] = [Peer {
    name: "virt-install, virsh",
    probe: "virt-install --version && virsh --version",
    lines: &[
        Some(
            "for n in 1 2 3 4 5; do virt-install --connect $ENDPOINT --name infra-bench-peer-$n --memory 64 --vcpus 1 \
             --virt-type qemu --osinfo detect=off,require=off --network none --graphics none --noautoconsole \
             --disk pool=infra-infra-bench-libvirt,size=0.0625,format=qcow2 --import; done",
        ),
        Some(
            "for n in 1 2 3 4 5; do virsh -c $ENDPOINT dumpxml infra-bench-peer-$n; \
             virsh -c $ENDPOINT dumpxml --inactive infra-bench-peer-$n; \
             virsh -c $ENDPOINT domblklist infra-bench-peer-$n; done",
        ),
        Some("exec virsh -c $ENDPOINT vcpupin infra-bench-peer-1 0 1 --live --config"),
        Some(
            "for n in 1 2 3 4 5; do virsh -c $ENDPOINT destroy infra-bench-peer-$n; \
             virsh -c $ENDPOINT undefine infra-bench-peer-$n --remove-all-storage; done",
        ),
    ],
}];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", what, ref rest @ ..] => as_floor(what, rest),
        _ => measure(),
    }
}

fn measure() {
    let uri = std::env::var("INFRA_LIBVIRT_URI").expect("INFRA_LIBVIRT_URI is set");
    let socket = uri.split_once("socket=");
    let socket = socket.map_or("/var/run/libvirt/libvirt-sock", |(_, path)| path);
    let infra = Infra::new("libvirt", CONFIGURATION);
    infra.run(&["apply", "--auto-approve", "--var", "instances=5"]);
    let kept = infra.folder.join("machines.json");
    std::fs::write(&kept, machines(&connect())).expect("a file can be written");
    let kept = kept.to_string_lossy().into_owned();
    infra.run(&["apply", "--auto-approve", "--var", "instances=0"]);
    // Each leaves what the next one needs.
    let scenes = [
        Scene {
            name: "create 5 machines",
            ours: &["apply", "--auto-approve", "--var", "instances=5"],
            floor: &["create", &kept],
        },
        Scene {
            name: "no-op plan, 5 machines",
            ours: &["plan", "--detailed-exitcode", "--var", "instances=5"],
            floor: &["read"],
        },
        Scene {
            name: "pin a vCPU of one machine",
            ours: &[
                "apply",
                "--auto-approve",
                "--var",
                "instances=5",
                "--var",
                "cpu=1",
            ],
            floor: &["pin", "1"],
        },
        Scene {
            name: "destroy 5 machines",
            ours: &["apply", "--auto-approve", "--var", "instances=0"],
            floor: &["delete"],
        },
    ];
    let proxy = Proxy::before(Path::new(socket), calls);
    let through = format!("qemu+unix:///system?socket={}", proxy.socket.display());
    let through = ("INFRA_LIBVIRT_URI", through);
    side_by_side(&infra, &scenes, &through, || proxy.counted());
    peers(&infra, &scenes, &PEERS, (&uri, &through.1), || {
        proxy.counted()
    });
    infra.run(&["destroy", "--auto-approve", "--var", "instances=0"]);
    let _ = std::fs::remove_dir_all(&infra.folder);
}

fn calls() -> Count {
    calls_that(|_| true)
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
    let pool = pool(connection);
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
        (name, [xml, disk])
    });
    let machines: BTreeMap<String, [String; 2]> = machines.collect();
    serde_json::to_string(&machines).expect("text is JSON")
}

fn as_floor(what: &str, rest: &[&str]) {
    let connection = connect();
    match (what, rest) {
        ("create", [machines]) => create(&connection, machines),
        ("read", []) => read(&connection),
        ("pin", [cpu]) => pin(&connection, cpu.parse().expect("a number")),
        ("delete", []) => delete(&connection),
        _ => panic!("unknown floor {what} {rest:?}"),
    }
}

fn pool(connection: &Connect) -> StoragePool {
    let pool = connection.lookup_storage_pool_by_name(POOL);
    pool.expect("the pool is there")
}

fn create(connection: &Connect, machines: &str) {
    let text = std::fs::read_to_string(machines).expect("the machines were kept");
    let machines: BTreeMap<String, [String; 2]> = serde_json::from_str(&text).expect("JSON");
    let pool = pool(connection);
    at_once(
        IN_FLIGHT,
        machines.into_values().collect(),
        |[xml, disk]| {
            StorageVol::create_xml(&pool, disk, 0).expect("a volume is made");
            let domain = connection.define_domain_xml(xml);
            domain
                .expect("a domain is defined")
                .create()
                .expect("a domain starts");
        },
    );
}

/// Live and persistent XML, state in the listing, volumes and networks.
fn read(connection: &Connect) {
    let volumes = pool(connection)
        .list_all_volumes(0)
        .expect("volumes are listed");
    let networks = connection
        .list_all_networks(0)
        .expect("networks are listed");
    for network in networks {
        network.xml_desc(0).expect("a network has XML");
    }
    at_once(IN_FLIGHT, ours(connection), |domain| {
        domain.xml_desc(0).expect("live XML");
        let persistent = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE);
        persistent.expect("persistent XML");
        let disk = format!("{}.disk-data.qcow2", domain.name().expect("it has a name"));
        let disk = volumes
            .iter()
            .find(|v| v.name().is_ok_and(|name| name == disk));
        disk.expect("it has a disk")
            .xml_desc(0)
            .expect("a volume has XML");
    });
}

fn pin(connection: &Connect, cpu: u8) {
    let domain = connection.lookup_domain_by_name(&format!("{PREFIX}0"));
    let both = sys::VIR_DOMAIN_AFFECT_LIVE | sys::VIR_DOMAIN_AFFECT_CONFIG;
    let pinned = domain
        .expect("it is there")
        .pin_vcpu_flags(0, &[1 << cpu], both);
    pinned.expect("it is pinned");
}

fn delete(connection: &Connect) {
    let pool = pool(connection);
    at_once(IN_FLIGHT, ours(connection), |domain| {
        let name = domain.name().expect("it has a name");
        domain.destroy().expect("it stops");
        domain.undefine().expect("it goes");
        let disk = pool.lookup_storage_vol_by_name(&format!("{name}.disk-data.qcow2"));
        disk.expect("it has a disk")
            .delete(0)
            .expect("its disk goes");
    });
}
