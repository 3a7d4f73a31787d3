//! Pools, virtual disks and unused networks that somebody else has made, from the declaration that is written of them
//! to their end, which leaves them where they are.

use super::Bench;

/// Somebody's pool and what is in it, and a network; gone when this is.
struct Theirs<'a>(&'a Bench);

impl<'a> Theirs<'a> {
    fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.0.project)
    }

    fn directory(&self) -> String {
        format!("/var/tmp/{}", self.name("theirs"))
    }

    fn new(bench: &'a Bench) -> Self {
        let theirs = Self(bench);
        theirs.remove();
        let pool = theirs.name("theirs");
        bench.virsh(&[
            "pool-define-as",
            &pool,
            "dir",
            "--target",
            &theirs.directory(),
        ]);
        bench.virsh(&["pool-build", &pool]);
        bench.virsh(&["pool-start", &pool]);
        bench.virsh(&["pool-autostart", &pool]);
        for (name, format) in [
            ("data.qcow2", "qcow2"),
            ("old.img", "raw"),
            ("no.vmdk", "vmdk"),
        ] {
            bench.virsh(&["vol-create-as", &pool, name, "8M", "--format", format]);
        }
        let over = ["--backing-vol", "old.img", "--backing-vol-format", "raw"];
        let made = [
            "vol-create-as",
            &pool,
            "over.qcow2",
            "8M",
            "--format",
            "qcow2",
        ];
        bench.virsh(&[&made[..], &over[..]].concat());
        bench.docker(&[
            "network",
            "create",
            "--subnet",
            "10.231.98.0/24",
            &theirs.name("lan"),
        ]);
        theirs
    }

    fn volumes(&self) -> String {
        self.0.virsh(&["vol-list", &self.name("theirs")])
    }

    fn remove(&self) {
        let pool = self.name("theirs");
        for name in ["data.qcow2", "old.img", "no.vmdk", "over.qcow2"] {
            self.0.virsh(&["vol-delete", name, "--pool", &pool]);
        }
        self.0.virsh(&["pool-destroy", &pool]);
        self.0.virsh(&["pool-undefine", &pool]);
        let _ = std::fs::remove_dir_all(self.directory());
        self.0.docker(&["network", "rm", &self.name("lan")]);
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

fn imports(all: &[(&str, &str)]) -> String {
    let one = |(to, id): &(&str, &str)| format!("import {{\n  to = {to}\n  id = \"{id}\"\n}}\n");
    all.iter().map(one).collect()
}

/// What it says, ending by an error.
fn fails(bench: &Bench, args: &[&str]) -> String {
    let output = bench.command(args).output().unwrap();
    let said = super::super::said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

const ALL: [(&str, &str); 5] = [
    ("pool.theirs", "PROJECT.theirs"),
    ("volume.data", "PROJECT.theirs/data.qcow2"),
    ("volume.old", "PROJECT.theirs/old.img"),
    ("volume.over", "PROJECT.theirs/over.qcow2"),
    ("network.lan", "PROJECT.lan"),
];

#[test]
fn pools_disks_and_networks_are_taken_over_and_left_at_the_end() {
    let head = "infra { project = \"PROJECT\" }\n";
    let Some(bench) = Bench::new("infra-live-stores", &format!("{head}{}", imports(&ALL))) else {
        return;
    };
    let theirs = Theirs::new(&bench);
    let all = theirs.volumes();
    let written = bench.path("theirs.infra.hcl");
    let out = written.display().to_string();
    let plan = bench.run(0, &["plan", "--generate-config-out", &out]);
    assert!(plan.contains("no object is touched"), "{plan}");
    let text = std::fs::read_to_string(&written).unwrap();
    assert!(text.contains("it stands on the volume `old.img`"), "{text}");
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["state", "fsck"]);

    // What would lose data is refused, and nothing is done.
    for (from, to, why) in [
        ("\"data.qcow2\"", "\"other.qcow2\"", "an empty"),
        ("format = \"raw\"", "", "would lose its data"),
        ("\"8MiB\"", "\"4MiB\"", "4 MiB"),
    ] {
        let text = text.replace("  pool   =", "  pool =").replace(from, to);
        std::fs::write(&written, text).unwrap();
        let said = fails(&bench, &["apply", "--auto-approve"]);
        assert!(said.contains(why), "{said}");
    }
    std::fs::write(&written, &text).unwrap();
    let said = fails(&bench, &["plan", "--replace", "volume.data"]);
    assert!(
        said.contains("was imported, and would lose its data"),
        "{said}"
    );

    // It grows in place, and is attached.
    std::fs::write(&written, text.replacen("\"8MiB\"", "\"16MiB\"", 1)).unwrap();
    let machine = r#"
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  memory { size = "64MiB" }
  disk "data" { volume = volume.data }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
    stop_timeout = "1s"
  }
}
"#;
    bench.write(&format!("{head}{}{machine}", imports(&ALL)));
    bench.run(0, &["apply", "--auto-approve"]);
    let info = ["vol-info", "data.qcow2", "--pool", &theirs.name("theirs")];
    assert!(bench.virsh(&info).contains("16.00 MiB"));
    bench.run(0, &["plan", "--detailed-exitcode"]);

    // The state is made anew by the blocks, and what nobody wants any more is left.
    std::fs::remove_file(bench.path(".infra/state.json")).unwrap();
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    std::fs::write(&written, "").unwrap();
    bench.write(head);
    let plan = bench.run(0, &["plan"]);
    assert!(plan.contains("stays as it is"), "{plan}");
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(theirs.volumes(), all);
}

#[test]
fn what_needs_no_import_or_is_no_disk_is_refused_by_its_reason() {
    let text = r#"
infra { project = "PROJECT" }
image "web" { reference = "docker.io/library/nginx:1" }
pool "kept" { existing = "PROJECT.theirs" }
volume "vmdk" {
  name = "no.vmdk"
  size = "8MiB"
  pool = pool.kept
}
volume "none" { size = "8MiB" }
"#;
    let all = [
        ("image.web", "nginx"),
        ("pool.kept", "PROJECT.theirs"),
        ("volume.vmdk", "PROJECT.theirs/no.vmdk"),
        ("volume.none", "PROJECT.theirs/none"),
    ];
    let Some(bench) = Bench::new("infra-live-stores-no", &format!("{text}{}", imports(&all)))
    else {
        return;
    };
    let theirs = Theirs::new(&bench);
    let all = theirs.volumes();
    let said = fails(&bench, &["apply", "--auto-approve"]);
    for why in [
        "`image.web` is known by its content",
        "`pool.kept` is `existing`",
        "nobody uses `volume.none`",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
    bench.write(&format!(
        "{text}{}",
        imports(&[("volume.vmdk", "PROJECT.theirs/no.vmdk")])
    ));
    let said = fails(&bench, &["apply", "--auto-approve"]);
    assert!(said.contains("its format is `vmdk`"), "{said}");
    assert_eq!(theirs.volumes(), all);
    bench.write("infra { project = \"PROJECT\" }\n");
}

#[test]
fn a_volume_group_that_is_not_there_is_refused_at_its_place() {
    let text = r#"
infra { project = "PROJECT" }
pool "fast" { volume_group = "infra-live-nowhere" }
image "guest" { kernel = "build/vmlinuz" }
workload "guest" {
  memory { size = "64MiB" }
  disk "data" {
    size = "8MiB"
    pool = pool.fast
  }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-groups", text) else {
        return;
    };
    let said = fails(&bench, &["apply", "--auto-approve"]);
    for part in [
        "No such volume group",
        "main.infra.hcl:3:30",
        "has no volume group `infra-live-nowhere`",
        "vgcreate",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(bench.left(), Vec::<String>::new());
}
