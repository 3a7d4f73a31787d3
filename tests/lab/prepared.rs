//! A host that is prepared: pools of huge pages and settings of its kernel are made before anything runs there, are there
//! again after a start, and are what was found once nobody wants them.

use super::bench::{Bench, said};

const PREPARED: &str = r#"
infra { project = "PROJECT" }
host "lab" {
  address = "root@HOST"
  hugepages "2MiB" {
    nodes = { "1" = 80 }
  }
  kernel {
    transparent_hugepages = "never"
    sysctl = { "vm.swappiness" = "7" }
  }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  numa { nodes = "1" }
  memory {
    size      = "128MiB"
    page_size = "2MiB"
  }
  kvm {
    image   = image.guest
    cmdline = "console=ttyS0"
  }
}
"#;

const POOL: &str = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB";

/// What the host's kernel says of all that is set.
fn set(bench: &Bench) -> String {
    bench.shell(&format!(
        "cat {POOL}/nr_hugepages /proc/sys/vm/swappiness; sed 's/.*\\[//; s/\\].*//' /sys/kernel/mm/transparent_hugepage/enabled"
    ))
}

#[test]
fn a_host_is_prepared_and_put_back() {
    let Some(bench) = Bench::new("lab-prepared", PREPARED) else {
        return;
    };
    let found = set(&bench);
    assert_ne!(found, "80\n7\nnever", "there is something to do");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(set(&bench), "80\n7\nnever");
    assert_eq!(bench.shell(&format!("cat {POOL}/free_hugepages")), "16");
    bench.run(0, &["plan", "--detailed-exitcode"]);

    bench.run(0, &["verify"]);

    // What somebody changes is drift, and is mended without touching the machine.
    bench.shell(&format!(
        "echo 100 > {POOL}/nr_hugepages; sysctl -q vm.swappiness=60"
    ));
    let verified = bench.run(2, &["verify", "host.lab"]);
    assert!(
        verified.contains("FAILS") && verified.contains("nr_hugepages"),
        "{verified}"
    );
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(
        plan.contains("\"100\" → \"80\"") && plan.contains("\"60\" → \"7\""),
        "{plan}"
    );
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(set(&bench), "80\n7\nnever");
    assert_eq!(
        bench.shell("virsh -q domstate lab-prepared.guest"),
        "running"
    );

    // What was found is not lost with the state.
    std::fs::remove_dir_all(bench.path(".infra")).expect("there is a state");
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);

    // What systemd does when the host starts.
    bench.shell("sysctl -q vm.swappiness=60; echo madvise > /sys/kernel/mm/transparent_hugepage/enabled; systemd-tmpfiles --create; /usr/lib/systemd/systemd-sysctl");
    assert_eq!(set(&bench), "80\n7\nnever");

    // Another project's is not ours.
    let head = PREPARED
        .split("image")
        .next()
        .expect("it begins with hosts");
    let other = bench.beside("lab-prepared-too", head);
    let refused = other.infra(&["apply", "--auto-approve"]);
    assert!(
        !refused.status.success() && said(&refused).contains("a setting of project `lab-prepared`"),
        "{}",
        said(&refused)
    );
    drop(other);
    assert_eq!(set(&bench), "80\n7\nnever");

    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(set(&bench), found);
    assert_eq!(
        bench.shell("ls /etc/tmpfiles.d /etc/sysctl.d | grep '^infra[.]' || true"),
        ""
    );
}

/// A value that the kernel does not take is told, and what was found is put back in the end.
#[test]
fn what_the_kernel_does_not_take_is_told() {
    let wrong = PREPARED
        .split("image")
        .next()
        .expect("it begins with hosts")
        .replace(
            "\"vm.swappiness\" = \"7\"",
            "\"vm.swappiness\" = \"7000\", \"vm.nothing\" = \"1\"",
        );
    let Some(bench) = Bench::new("lab-refused", &wrong) else {
        return;
    };
    let found = set(&bench);
    let refused = bench.infra(&["apply", "--auto-approve"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    for told in [
        "setting /proc/sys/vm/swappiness on host `lab`",
        "this kernel has no /proc/sys/vm/nothing",
    ] {
        assert!(said(&refused).contains(told), "{told}\n{}", said(&refused));
    }
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(set(&bench), found);
}
