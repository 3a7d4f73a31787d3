//! Networks whose addresses are the LAN's to give.

use super::Bench;

/// A bridge and a device that the host has; gone when this is.
struct Links {
    bridge: String,
    device: String,
}

fn ip(args: &[&str]) -> bool {
    let ran = std::process::Command::new("ip").args(args).output();
    ran.expect("ip runs").status.success()
}

impl Links {
    fn new(word: &str) -> Self {
        let links = Self {
            bridge: format!("br-il-{word}"),
            device: format!("il-{word}"),
        };
        links.remove();
        let Self { bridge, device } = &links;
        assert!(ip(&["link", "add", bridge, "type", "bridge"]));
        let peer = format!("{device}-p");
        assert!(ip(&[
            "link", "add", device, "type", "veth", "peer", "name", &peer
        ]));
        for link in [bridge, device] {
            assert!(ip(&["link", "set", link, "up"]));
        }
        links
    }

    fn remove(&self) {
        ip(&["link", "del", &self.bridge]);
        ip(&["link", "del", &self.device]);
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.remove();
    }
}

const MACHINE: &str = r#"
infra { project = "PROJECT" }
network "office" {
  forward = "bridge"
  bridge  = "br-il-lan"
}
network "lab" {
  driver = "macvlan"
  parent = "il-lan"
}
image "linux" {
  kernel = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "vm" {
  memory { size = "64MiB" }
  interface "office" { network = network.office }
  interface "lab" { network = network.lab }
  kvm {
    image        = image.linux
    acceleration = "emulated"
    seed         = true
    cmdline      = "console=ttyS0"
    stop_timeout = "1s"
  }
}
output "addresses" { value = workload.vm.addresses }
"#;

#[test]
fn a_machine_has_no_address_of_ours_where_others_give_them() {
    let Some(bench) = Bench::new("infra-live-lan", MACHINE) else {
        return;
    };
    let links = Links::new("lan");
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(bench.run(0, &["output", "addresses"]).trim(), "{}");
    let domain = bench.virsh(&["dumpxml", "infra-live-lan.vm"]);
    let on = [
        format!("bridge='{}'", links.bridge),
        format!("dev='{}'", links.device),
    ];
    assert!(on.iter().all(|on| domain.contains(on)), "{domain}");
    assert!(!domain.contains(" ip="), "{domain}");

    // What the state would say is read back without them as well.
    std::fs::remove_file(bench.path(".infra/state.json")).unwrap();
    bench.run(0, &["state", "rebuild"]);
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("no object is touched"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);

    // With a subnet it is told an address, by its mark and its seed; without one again it has none.
    let subnet = MACHINE.replace("  forward =", "  subnet = \"10.231.97.0/24\"\n  forward =");
    for text in [subnet.as_str(), MACHINE] {
        bench.write(text);
        bench.run(2, &["plan", "--detailed-exitcode"]);
        bench.run(0, &["apply", "--auto-approve"]);
        bench.run(0, &["plan", "--detailed-exitcode"]);
    }
    bench.run(0, &["destroy", "--auto-approve"]);
    drop(links);
}

/// Of a network on somebody's bridge libvirt tells no subnet: it is taken over as one without.
#[test]
fn a_network_on_somebodys_bridge_is_taken_over() {
    let text = r#"
infra { project = "PROJECT" }
import {
  to = workload.db
  id = "PROJECT.db"
}
"#;
    let Some(bench) = Bench::new("infra-live-office", text) else {
        return;
    };
    let theirs = Theirs::new(&bench);
    let first = bench.virsh(&["domid", &theirs.machine]);
    let uuid = bench.virsh(&["net-uuid", &theirs.network]);
    let out = bench.path("db.infra.hcl").display().to_string();
    let plan = bench.run(0, &["plan", "--generate-config-out", &out]);
    assert!(plan.contains("Imported:"), "{plan}");
    let written = std::fs::read_to_string(&out).unwrap();
    assert!(
        written.contains("network.infra_live_office_theirs") && !written.contains("subnet"),
        "{written}"
    );
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(bench.virsh(&["net-uuid", &theirs.network]), uuid);
    assert_eq!(bench.virsh(&["domid", &theirs.machine]), first);
    bench.run(0, &["destroy", "--auto-approve"]);
}

/// Somebody's machine in a network on his bridge.
struct Theirs<'a> {
    bench: &'a Bench,
    network: String,
    machine: String,
    links: Links,
}

impl<'a> Theirs<'a> {
    fn new(bench: &'a Bench) -> Self {
        let theirs = Self {
            bench,
            network: format!("{}.theirs", bench.project),
            machine: format!("{}.db", bench.project),
            links: Links::new("office"),
        };
        theirs.remove();
        let Self {
            network,
            machine,
            links,
            ..
        } = &theirs;
        let xml = format!(
            "<network><name>{network}</name><forward mode='bridge'/><bridge name='{}'/></network>",
            links.bridge
        );
        theirs.define("net-define", &xml);
        bench.virsh(&["net-autostart", network]);
        bench.virsh(&["net-start", network]);
        let made = std::process::Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", &theirs.disk(), "16M"])
            .status();
        assert!(made.expect("qemu-img runs").success());
        let xml = include_str!("../libvirt/imports/domain.xml")
            .replace("NAME", machine)
            .replace("SCREEN", "");
        let more = format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
             <target dev='vda' bus='virtio'/></disk>\
             <interface type='network'><source network='{network}'/><mac address='52:54:00:12:34:58'/>\
             <model type='virtio'/></interface></devices>",
            theirs.disk()
        );
        theirs.define("define", &xml.replace("</devices>", &more));
        bench.virsh(&["autostart", machine]);
        bench.virsh(&["start", machine]);
        theirs
    }

    fn disk(&self) -> String {
        format!("/var/tmp/{}.qcow2", self.machine)
    }

    fn define(&self, command: &str, xml: &str) {
        let path = self.bench.path("theirs.xml");
        std::fs::write(&path, xml).unwrap();
        self.bench.virsh(&[command, &path.display().to_string()]);
    }

    fn remove(&self) {
        self.bench.virsh(&["destroy", &self.machine]);
        self.bench.virsh(&["undefine", &self.machine]);
        self.bench.virsh(&["net-destroy", &self.network]);
        self.bench.virsh(&["net-undefine", &self.network]);
        let _gone = std::fs::remove_file(self.disk());
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}
