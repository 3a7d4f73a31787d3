//! Virtual functions: made before anything runs, found changed and mended, there again when udev hears of the card, given
//! to a machine on their own node, kept while somebody has one, and gone once nobody wants them.

use super::bench::{Bench, said};

const FUNCTIONS: &str = r#"
infra { project = "PROJECT" }
host "lab" {
  address = "root@HOST"
  fabric "data" {
    parents = ["ens1"]
    vfs     = 4
    GIVEN
  }
}
"#;

const MACHINE: &str = r#"
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "fast" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "64MiB" }
  device "nic" {
    fabric   = "data"
    locality = "required"
  }
  kvm {
    image    = image.guest
    cmdline  = "console=ttyS0"
    pmu      = false
    realtime = 1
  }
}
"#;

/// What each is given.
const GIVEN: &str = r#"
    mac         = "52:54:00:81:00:00"
    vlan        = 7
    max_tx_mbit = 100
    spoof_check = false
    trust       = true
"#;

/// How many there are, and whether the link is up.
fn card(bench: &Bench) -> String {
    bench.shell("cat /sys/class/net/ens1/device/sriov_numvfs; echo $(($(cat /sys/class/net/ens1/flags) & 1))")
}

/// Read back, found changed, there again after a start, and gone.
fn each_is_given(bench: &Bench) {
    bench.write(&FUNCTIONS.replace("GIVEN", GIVEN));
    bench.run(0, &["apply", "--auto-approve"]);
    let each = "ip link show dev ens1 | grep -c 'vf [0-3] .*52:54:00:81:00:0[0-3] .*vlan 7,.*max_tx_rate 100Mbps.*checking off.*trust on'";
    assert_eq!(bench.shell(each), "4");
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.shell("ip link set dev ens1 vf 2 trust off");
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("trust=on,on,off,on"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(bench.shell(each), "4");

    // What happens when the host starts.
    let starts = "ip link set ens1 down; echo 0 > /sys/class/net/ens1/device/sriov_numvfs; \
         udevadm trigger --settle --action=add $(readlink -f /sys/class/net/ens1/device) /sys/class/net/ens1";
    bench.shell(starts);
    assert_eq!(card(bench), "4\n1");
    assert_eq!(bench.shell(each), "4");
    bench.run(0, &["verify"]);

    // Their driver, too; who wants another number of them then is not in the way of himself.
    let bound = "ls -d /sys/bus/pci/drivers/vfio-pci/*:* | wc -l";
    let driven = GIVEN.replace("trust       = true", "driver = \"vfio-pci\"");
    bench.write(&FUNCTIONS.replace("GIVEN", &driven));
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(bench.shell(bound), "4");
    bench.shell(starts);
    assert_eq!(bench.shell(bound), "4");
    bench.run(0, &["plan", "--detailed-exitcode"]);

    // What nobody asks for any more is as the card's driver makes it.
    bench.write(&FUNCTIONS.replace("GIVEN", ""));
    bench.run(0, &["apply", "--auto-approve"]);
    let rest = bench.shell(
        "ip link show dev ens1 | grep -c -e 'vlan 7' -e 'trust on' -e 'checking off' || true",
    );
    assert_eq!(rest, "0");
}

#[test]
fn functions_are_made_given_and_put_back() {
    let plain = FUNCTIONS.replace("GIVEN", "");
    let Some(bench) = Bench::new("lab-functions", &plain) else {
        return;
    };
    let found = card(&bench);
    assert_ne!(found, "4\n1", "there is something to do");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(card(&bench), "4\n1");

    bench.shell("ip link set ens1 down; echo 0 > /sys/class/net/ens1/device/sriov_numvfs");
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("\"0 down\" → \"4\""), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(card(&bench), "4\n1");

    each_is_given(&bench);

    // A machine has one, and the CPU beside it.
    bench.write(&format!("{plain}{MACHINE}"));
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let domain = bench.shell("virsh dumpxml lab-functions.fast");
    assert!(domain.contains("<hostdev"), "{domain}");
    assert!(domain.contains("<hint-dedicated state='on'/>"), "{domain}");
    let verified = bench.run(0, &["verify"]);
    assert!(verified.contains("vCPUs' scheduler"), "{verified}");
    let bound = bench.shell(
        "for it in /sys/bus/pci/drivers/vfio-pci/*:*; do cat $it/numa_node; done; \
         virsh -q vcpupin lab-functions.fast | grep -c ' [4-7]$'",
    );
    assert_eq!(bound, "1\n1", "one function, and the vCPU on its node");

    // Another number would take it away.
    let more = plain.replace("vfs     = 4", "vfs     = 5");
    bench.write(&format!("{more}{MACHINE}"));
    let refused = bench.infra(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("somebody has: 0000:"),
        "{}",
        said(&refused)
    );

    bench.write(&format!("{plain}{MACHINE}"));
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(card(&bench), found);
    assert_eq!(
        bench.shell("ls /etc/udev/rules.d | grep '^infra[.]' || true"),
        ""
    );
}
