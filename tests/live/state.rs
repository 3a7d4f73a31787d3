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
