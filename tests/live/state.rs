//! Parts, the state alone, and objects that change their address.

use super::Bench;

const TWO: &str = r#"
infra { project = "PROJECT" }
image "memcached" { archive = "build/memcached.tar" }
workload "one" {
  memory { size = "64MiB" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
workload "other" {
  memory { size = "64MiB" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
"#;

#[test]
fn a_part_is_made_and_the_state_is_brought_to_what_the_world_is() {
    let Some(bench) = Bench::new("infra-live-parts", TWO) else {
        return;
    };
    let (one, other) = ("infra-live-parts.one", "infra-live-parts.other");
    bench.run(0, &["apply", "--auto-approve", "--target", "workload.one"]);
    assert_eq!(bench.left(), [one]);
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(bench.left(), [one, other]);

    bench.docker(&["update", "--memory", "80m", "--memory-swap", "80m", one]);
    bench.docker(&["rm", "-f", other]);
    let plan = bench.run(3, &["plan", "--refresh-only", "--detailed-exitcode"]);
    assert!(plan.contains("memory  64 MiB → 80 MiB"), "{plan}");
    assert!(plan.contains("gone, and forgotten"), "{plan}");
    let id = bench.docker(&["inspect", "-f", "{{.Id}}", one]);
    bench.run(0, &["apply", "--refresh-only", "--auto-approve"]);
    assert_eq!(
        bench.run(0, &["diff"]).trim(),
        "No differences. The world is as it was left."
    );
    assert_eq!(
        bench.docker(&["inspect", "-f", "{{.HostConfig.Memory}}", one]),
        "83886080"
    );

    bench.run(
        0,
        &["apply", "--auto-approve", "--exclude", "workload.other"],
    );
    assert_eq!(
        bench.docker(&["inspect", "-f", "{{.Id}}", one]),
        id,
        "changed in place"
    );
    assert_eq!(bench.left(), [one]);
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(
        0,
        &["destroy", "--auto-approve", "--target", "workload.one"],
    );
    assert_eq!(bench.left(), [other]);
}

const HOUSE: &str = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.97.9.0/24" }
image "memcached" { archive = "build/memcached.tar" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "cache" {
  memory { size = "64MiB" }
  interface "lan" { network = network.lan }
  disk "data" { mount = "/data" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
workload "guest" {
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "16MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
  }
}
"#;

const MOVED: [(&str, &str); 5] = [
    ("network.lan", "network.net"),
    ("image.memcached", "image.store"),
    ("image.guest", "image.os"),
    ("workload.cache", "workload.keeper"),
    ("workload.guest", "workload.visitor"),
];

/// Everything of the house under another address.
fn renamed() -> String {
    let mut text = HOUSE.to_owned();
    for (from, to) in MOVED {
        let (kind, name) = from.split_once('.').unwrap();
        let (_, new) = to.split_once('.').unwrap();
        text = text
            .replace(&format!("{kind} \"{name}\""), &format!("{kind} \"{new}\""))
            .replace(&format!("{from}\n"), &format!("{to}\n"))
            .replace(&format!("{from} }}"), &format!("{to} }}"));
        text += &format!("moved {{\n  from = {from}\n  to = {to}\n}}\n");
    }
    text
}

#[test]
fn what_moves_is_not_touched_and_found_again_without_a_state() {
    let Some(bench) = Bench::new("infra-live-moves", HOUSE) else {
        return;
    };
    let same = ["plan", "--detailed-exitcode"];
    let ids = || {
        let domain = bench.virsh(&["domid", "infra-live-moves.guest"]);
        let container = bench.docker(&["inspect", "-f", "{{.Id}}", "infra-live-moves.cache"]);
        (domain, container)
    };
    bench.run(0, &["apply", "--auto-approve"]);
    let (before, left) = (ids(), bench.left());

    bench.write(&renamed());
    let plan = bench.run(2, &same);
    assert!(plan.contains("Only the state changes"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    let list = bench.run(0, &["state", "list"]);
    assert!(
        list.contains("workload.keeper\tlocal/docker/container/infra-live-moves.cache"),
        "{list}"
    );
    bench.run(0, &same);

    std::fs::remove_file(bench.path(".infra/state.json")).unwrap();
    bench.run(0, &["state", "rebuild"]);
    assert_eq!(bench.run(0, &["state", "list"]), list);
    bench.run(0, &same);
    assert_eq!((ids(), bench.left()), (before, left));

    // What is made after the move has the mark the rest has.
    bench.run(0, &["state", "fsck"]);
    bench.docker(&["rm", "-f", "infra-live-moves.cache"]);
    bench.run(2, &["state", "fsck"]);
    bench.run(0, &["apply", "--auto-approve"]);
    let mark = "{{index .Config.Labels \"infra.address\"}}";
    let mark = bench.docker(&["inspect", "-f", mark, "infra-live-moves.cache"]);
    assert_eq!(mark, "workload.cache");
    bench.run(0, &same);
}

#[test]
fn what_is_let_go_of_stays_and_can_be_taken_back() {
    let Some(bench) = Bench::new("infra-live-let-go", TWO) else {
        return;
    };
    let (one, other) = ("infra-live-let-go.one", "infra-live-let-go.other");
    let same = ["plan", "--detailed-exitcode"];
    bench.run(0, &["apply", "--auto-approve"]);
    let id = bench.docker(&["inspect", "-f", "{{.Id}}", one]);
    let (head, rest) = TWO.split_once("workload \"one\"").unwrap();
    let (_, rest) = rest.split_once("\n}\n").unwrap();
    let without = format!("{head}{rest}");
    let removed = "removed {\n  from = workload.one\n  lifecycle { destroy = false }\n}\n";
    bench.write(&format!("{without}{removed}"));
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &same);
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &same);
    bench.write(&without);
    bench.run(0, &same);
    assert_eq!(bench.left(), [one, other]);

    bench.run(0, &["state", "rm", "workload.other"]);
    bench.run(3, &same);
    bench.write(TWO);
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["state", "fsck"]);
    assert_eq!(
        bench.docker(&["inspect", "-f", "{{.Id}}", one]),
        id,
        "taken back"
    );
    bench.run(0, &same);
}
