//! Changes of a running configuration that once went wrong.

use std::process::Command;

use super::{Bench, said};

const REFUSED: &str = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.97.8.0/24" }
image "memcached" { archive = "build/memcached.tar" }
workload "values" {
  container {
    image       = image.memcached
    working_dir = "relative"
    labels      = { "infra.project" = "x" }
    env         = { "A=B" = "c" }
    mount { target = "/data" }
    mount { target = "/data" }
    port {
      container = 80
      host      = 29080
      address   = "localhost"
    }
    ulimit "nofile" {
      soft = 10
      hard = 5
    }
    health_check {
      command  = []
      interval = "1us"
    }
  }
}
"#;

const REFUSED_TOGETHER: &str = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.97.8.0/24" }
image "memcached" { archive = "build/memcached.tar" }
workload "together" {
  memory { size = "1MiB" }
  interface "a" { network = network.lan }
  interface "b" { network = network.lan }
  disk "a" { mount = "/data" }
  disk "b" { mount = "/data" }
  container { image = image.memcached }
}
"#;

/// The engine would say so too, but only after the container that is to be replaced is gone.
#[test]
fn what_the_engine_would_refuse_is_said_while_planning() {
    let Some(bench) = Bench::new("infra-live-refused", REFUSED) else {
        return;
    };
    let refused = |words: &[&str]| {
        let output = bench.command(&["plan"]).output().expect("infra runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}\n{said}");
        }
    };
    refused(&[
        "`working_dir` is \"relative\"",
        "`address` is \"localhost\"",
    ]);
    let values = REFUSED.replace("\"relative\"", "\"/tmp\"");
    bench.write(&values.replace("localhost", "127.0.0.1"));
    refused(&[
        "kept for infra's own mark",
        "an equals sign or a comma",
        "Path mounted twice",
        "Soft limit above the hard one",
        "Empty command",
        "Time too short",
    ]);
    bench.write(REFUSED_TOGETHER);
    refused(&[
        "Too little memory",
        "Path mounted twice",
        "Network named twice",
    ]);
}

/// What ended at once says how, and what it last said; and is known to the next plan.
#[test]
fn a_program_that_ends_at_once_is_quoted() {
    let configuration = r#"
infra { project = "PROJECT" }
image "memcached" { archive = "build/memcached.tar" }
workload "short" {
  container {
    image   = image.memcached
    command = ["sh", "-c", "echo no such feed; exit 3"]
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-short", configuration) else {
        return;
    };
    let apply = bench.command(&["apply", "--auto-approve"]).output();
    let said = said(&apply.expect("infra runs"));
    assert!(said.contains("it exited with code 3"), "{said}");
    assert!(said.contains("no such feed"), "{said}");
    // It was our own failure, so it is no drift; and what is left is removed in its order.
    let plan = bench.run(2, &["plan", "--detailed-exitcode"]);
    assert!(!plan.contains("behind our back"), "{plan}");
}

/// The bridge goes from libvirt to Docker and back as a container joins a network of machines and leaves it, and the
/// subnet to a network of another name. Who has it lets go before the other makes it.
#[test]
fn a_bridge_changes_hands() {
    let machine = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.97.9.0/24" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
  }
}
"#;
    let container = r#"
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  interface "lan" { network = network.lan }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-bridge", machine) else {
        return;
    };
    let both = format!("{machine}{container}");
    let renamed = |text: &str| {
        let named = text.replace("network \"lan\"", "network \"wan\"");
        named.replace("network.lan", "network.wan")
    };
    for configuration in [machine, &both, &renamed(&both), &renamed(machine), machine] {
        bench.write(configuration);
        bench.run(0, &["apply", "--auto-approve"]);
        bench.run(0, &["plan", "--detailed-exitcode"]);
        assert_eq!(
            bench.virsh(&["domstate", "infra-live-bridge.guest"]),
            "running"
        );
    }
}

/// A declared volume outlives the workload that used it, also where the state is lost; and is as protected then.
#[test]
fn a_volume_outlives_its_workload() {
    let attached = r#"
infra { project = "PROJECT" }
volume "data" {
  size = "8MiB"
  lifecycle { prevent_destroy = true }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  memory { size = "128MiB" }
  disk "data" { volume = volume.data }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-volume", attached) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    let (declared, _) = attached.split_once("image").expect("there is an image");
    bench.write(declared);
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let volumes = || bench.virsh(&["vol-list", "infra-infra-live-volume"]);
    assert!(volumes().contains("infra-live-volume.data.qcow2"));
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.write("infra { project = \"PROJECT\" }");
    bench.run(1, &["apply", "--auto-approve"]);
    bench.run(1, &["destroy", "--auto-approve"]);
    assert!(volumes().contains("infra-live-volume.data.qcow2"));
    bench.write(&declared.replace("prevent_destroy = true", "prevent_destroy = false"));
    bench.run(0, &["apply", "--auto-approve"]);
}

/// What is ignored stays as it is found, with the image it stands on, which nothing else asks for.
#[test]
fn an_ignored_image_stays() {
    let configuration = r#"
infra { project = "PROJECT" }
image "memcached" { archive = "ARCHIVE" }
workload "cache" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
  lifecycle { ignore_changes = [container.image] }
}
"#;
    let first = configuration.replace("ARCHIVE", "build/memcached.tar");
    let Some(bench) = Bench::new("infra-live-ignored", &first) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    std::fs::copy(bench.path("build/memcached.tar"), bench.path("other.tar"))
        .expect("an archive can be copied");
    let added = Command::new("tar")
        .arg("-rf")
        .arg(bench.path("other.tar"))
        .arg("-C")
        .arg(bench.folder.path())
        .arg("main.infra.hcl")
        .status();
    assert!(added.expect("tar runs").success());
    bench.write(&configuration.replace("ARCHIVE", "other.tar"));
    for _ in 0..2 {
        bench.run(0, &["apply", "--auto-approve"]);
        bench.run(0, &["plan", "--detailed-exitcode"]);
    }
    let images = bench.run(0, &["state", "list"]);
    assert_eq!(images.matches("docker/image").count(), 2, "{images}");
}

/// Without a state everything still goes before what it stands on.
#[test]
fn a_destroy_needs_no_state() {
    let configuration = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.97.10.0/24" }
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  interface "lan" { network = network.lan }
  disk "data" { mount = "/data" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-stateless", configuration) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    std::fs::remove_dir_all(bench.path(".infra")).expect("the state can be lost");
    bench.run(0, &["destroy", "--auto-approve"]);
}

/// Without a state, what carries the mark and is declared nowhere may be another folder's: it is not removed.
#[test]
fn without_a_state_nothing_undeclared_is_removed() {
    let Some(bench) = Bench::new("infra-live-strays", &super::pair("97.12")) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    std::fs::remove_dir_all(bench.path(".infra")).expect("the state can be lost");
    bench.write("infra { project = \"PROJECT\" }\n");
    let output = bench.command(&["apply", "--auto-approve"]).output();
    let output = output.expect("infra runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("infra state rebuild"),
        "{}",
        said(&output)
    );
    assert!(bench.left().contains(&"infra-live-strays.cache".to_owned()));
}

/// A host with another label is the same machine; its pool does not move under its volumes.
#[test]
fn a_host_may_get_another_label_and_its_pool_stays() {
    let configuration = super::pair("97.13");
    let Some(bench) = Bench::new("infra-live-label", &configuration) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    bench.write(&format!("{configuration}\nhost \"desk\" {{}}\n"));
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("Only the state changes"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    let list = bench.run(0, &["state", "list"]);
    assert!(
        list.contains("desk/docker/") && !list.contains("local/"),
        "{list}"
    );
    let moved =
        "host \"desk\" {\n  libvirt { pool_path = \"/var/lib/libvirt/images/elsewhere\" }\n}";
    bench.write(&format!("{configuration}\n{moved}\n"));
    let output = bench.command(&["plan"]).output().expect("infra runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("Pool moved"), "{}", said(&output));
    bench.write(&configuration);
}
