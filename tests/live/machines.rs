//! A machine and a network that somebody else has made, from the declaration that is written of them to their end.

use super::Bench;

/// Somebody's machine, its network and its disk; gone when this is.
struct Theirs<'a>(&'a Bench);

impl<'a> Theirs<'a> {
    fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.0.project)
    }

    fn disk(&self) -> String {
        format!("/var/tmp/{}.qcow2", self.name("db"))
    }

    /// On `10.231.N.0/24`.
    fn new(bench: &'a Bench, n: u8) -> Self {
        let theirs = Self(bench);
        theirs.remove();
        let made = std::process::Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", &theirs.disk(), "16M"])
            .status();
        assert!(made.expect("qemu-img runs").success());
        let network = format!(
            "<network><name>{}</name><bridge name='br-theirs{n}'/><dns enable='no'/>\
             <ip address='10.231.{n}.1' netmask='255.255.255.0'/></network>",
            theirs.name("lan")
        );
        theirs.define("net-define", &network);
        bench.virsh(&["net-autostart", &theirs.name("lan")]);
        bench.virsh(&["net-start", &theirs.name("lan")]);
        theirs
    }

    fn define(&self, command: &str, xml: &str) {
        let path = self.0.path("theirs.xml");
        std::fs::write(&path, xml).unwrap();
        self.0.virsh(&[command, &path.display().to_string()]);
    }

    /// As virt-install would, and started.
    fn machine(&self, graphics: &str) {
        let xml = include_str!("../libvirt/imports/domain.xml")
            .replace("NAME", &self.name("db"))
            .replace("SCREEN", graphics);
        let more = format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
             <target dev='vda' bus='virtio'/></disk>\
             <interface type='network'><source network='{}'/><mac address='52:54:00:12:34:57'/>\
             <model type='virtio'/></interface></devices>",
            self.disk(),
            self.name("lan")
        );
        self.define("define", &xml.replace("</devices>", &more));
        self.0.virsh(&["autostart", &self.name("db")]);
        self.0.virsh(&["start", &self.name("db")]);
    }

    fn remove(&self) {
        self.0.virsh(&["destroy", &self.name("db")]);
        self.0.virsh(&["undefine", &self.name("db")]);
        self.0.virsh(&["net-destroy", &self.name("lan")]);
        self.0.virsh(&["net-undefine", &self.name("lan")]);
        let _gone = std::fs::remove_file(self.disk());
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

const TEXT: &str = r#"
infra { project = "PROJECT" }
import {
  to = workload.db
  id = "PROJECT.db"
}
"#;

#[test]
fn a_machine_is_taken_over_as_it_runs() {
    let Some(bench) = Bench::new("infra-live-theirs", TEXT) else {
        return;
    };
    let theirs = Theirs::new(&bench, 88);
    theirs.machine("");
    let runs = || bench.virsh(&["domid", &theirs.name("db")]);
    let (first, uuid) = (runs(), bench.virsh(&["domuuid", &theirs.name("db")]));

    bench.run(1, &["plan"]);
    let out = bench.path("db.infra.hcl").display().to_string();
    let plan = bench.run(0, &["plan", "--generate-config-out", &out]);
    assert!(plan.contains("Imported:"), "{plan}");
    for word in ["restart", "anew", "destroy"] {
        assert!(!plan.contains(word), "{word}: {plan}");
    }
    let before = bench.virsh(&["dumpxml", &theirs.name("db")]);
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(runs(), first, "it was not restarted: {before}");
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["state", "fsck"]);

    // Changed by a restart, it has all that it had, and carries the mark. There is nobody in it who would hear the power
    // button: it is not waited for.
    let written = std::fs::read_to_string(&out).unwrap();
    let changed = written.replace("\"64MiB\"", "\"96MiB\"");
    let changed = changed.replace("kvm {", "kvm {\n  stop_timeout = \"1s\"");
    std::fs::write(&out, changed).unwrap();
    bench.run(0, &["apply", "--auto-approve"]);
    assert_ne!(runs(), first);
    assert_eq!(bench.virsh(&["domuuid", &theirs.name("db")]), uuid);
    let now = bench.virsh(&["dumpxml", "--inactive", &theirs.name("db")]);
    for kept in [
        "<memory unit='KiB'>98304",
        "<sound model='ich9'",
        "os.example.net/12",
        "infra:mark",
    ] {
        assert!(now.contains(kept), "{kept}: {now}");
    }
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let state = std::fs::read_to_string(bench.path(".infra/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let told = state.to_string();
    assert!(
        !told.contains(&format!("\"imported\":\"{uuid}\"")),
        "by its mark: {told}"
    );
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(
        bench
            .virsh(&["list", "--all", "--name"])
            .matches(bench.project)
            .count(),
        0
    );
    assert!(
        std::path::Path::new(&theirs.disk()).exists(),
        "it is not infra's"
    );
}

#[test]
fn what_cannot_be_kept_is_refused_by_its_name() {
    let Some(bench) = Bench::new("infra-live-closed", TEXT) else {
        return;
    };
    let theirs = Theirs::new(&bench, 89);
    theirs.machine("passwd='hunter2'");
    let out = bench.path("db.infra.hcl").display().to_string();
    let output = bench
        .command(&["plan", "--generate-config-out", &out])
        .output()
        .unwrap();
    let said = super::super::said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("devices/graphics/@passwd"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    bench.write("infra { project = \"PROJECT\" }\n");
    drop(theirs);
}
