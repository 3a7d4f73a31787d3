//! A machine's card on a switch in user space: Open vSwitch with DPDK has it by a socket, and the guest's memory with it.

use super::bench::Bench;

const SWITCHED: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
network "lan" { subnet = "10.98.9.0/24" }
workload "fast" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "192MiB" }
  interface "lan" {
    network    = network.lan
    vhost_user = "/tmp/lab-switched.sock"
    queue_size = 512
  }
  kvm {
    image   = image.guest
    cmdline = "console=ttyS0"
  }
}
"#;

/// Its memory and its polling thread are the last node's.
const SWITCH: &str = "
echo 256 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
update-alternatives --quiet --set ovs-vswitchd /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
systemctl start ovsdb-server
ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true other_config:dpdk-socket-mem=0,256 other_config:pmd-cpu-mask=0x80
systemctl start openvswitch-switch
ovs-vsctl --timeout 120 add-br lab-switched -- set bridge lab-switched datapath_type=netdev -- \
  add-port lab-switched vhost0 -- set interface vhost0 type=dpdkvhostuserclient options:vhost-server-path=/tmp/lab-switched.sock";

const NO_SWITCH: &str = "
ovs-vsctl --no-wait --if-exists del-br lab-switched
systemctl stop openvswitch-switch ovsdb-server
rm -f /etc/openvswitch/conf.db /dev/hugepages/rtemap_*
update-alternatives --quiet --auto ovs-vswitchd
echo 0 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages";

struct Switch<'a>(&'a Bench);

impl Drop for Switch<'_> {
    fn drop(&mut self) {
        self.0.tries(NO_SWITCH);
    }
}

#[test]
fn a_switch_in_user_space_has_a_machine_s_card() {
    let Some(bench) = Bench::new("lab-switched", SWITCHED) else {
        return;
    };
    let _switch = Switch(&bench);
    bench.shell(SWITCH);
    bench.run(0, &["apply", "--auto-approve"]);
    // The guest's driver and the switch have found each other.
    bench.shell("ovs-vsctl --timeout 400 wait-until interface vhost0 status:status=connected");
    let domain = bench.shell("virsh dumpxml lab-switched.fast");
    for part in [
        "<interface type='vhostuser'>",
        "mode='shared'",
        "rx_queue_size='512'",
    ] {
        assert!(domain.contains(part), "{part}\n{domain}");
    }
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["verify"]);
    bench.run(0, &["destroy", "--auto-approve"]);
}
