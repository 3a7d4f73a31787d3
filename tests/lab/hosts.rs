//! Hosts that are reached over SSH.

use super::bench::{Bench, said};

const HOST: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
"#;

const RUNTIMES: &str = r#"
image "memcached" { archive = "build/memcached.tar" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
network "lan" { subnet = "10.98.1.0/24" }
workload "cache" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  interface "lan" { network = network.lan }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
workload "guest" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  kvm {
    image   = image.guest
    cmdline = "console=ttyS0"
  }
}
"#;

#[test]
fn facts_are_those_of_the_host_itself() {
    let Some(bench) = Bench::new("lab-facts", HOST) else {
        return;
    };
    let facts = bench.json(&["facts", "lab"]);
    assert_eq!(facts["hostname"], bench.shell("hostname"));
    assert_eq!(
        facts["cpus"]["online"],
        bench.shell("cat /sys/devices/system/cpu/online")
    );
    let nodes = facts["nodes"].as_array().expect("there are nodes");
    for node in nodes {
        let id = &node["id"];
        let cpus = bench.shell(&format!("cat /sys/devices/system/node/node{id}/cpulist"));
        assert_eq!(node["cpus"], cpus, "node {id}");
    }
    assert_eq!(
        nodes.len().to_string(),
        bench.shell("ls -d /sys/devices/system/node/node* | wc -l")
    );
    let version = bench.shell("systemctl --version | awk 'NR == 1 { print $2 }'");
    assert_eq!(facts["versions"]["systemd"], version);
    for runtime in ["bare_metal", "container", "kvm"] {
        assert_eq!(
            facts["runtimes"][runtime]["offered"], true,
            "{runtime}: {}",
            facts["runtimes"]
        );
    }
}

/// Docker and libvirt are found over the way into the host, without a word of where they are.
#[test]
fn containers_and_machines_run_there() {
    let Some(bench) = Bench::new("lab-far", &format!("{HOST}{RUNTIMES}")) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let cpus = bench.shell("docker inspect -f '{{.HostConfig.CpusetCpus}}' lab-far.cache");
    let process = bench.shell("docker inspect -f '{{.State.Pid}}' lab-far.cache");
    let allowed = bench.shell(&format!(
        "awk '/^Cpus_allowed_list/ {{ print $2 }}' /proc/{process}/status"
    ));
    assert_eq!(cpus, allowed);
    let domain = bench.shell("virsh -q dumpxml lab-far.guest");
    assert!(domain.contains("<domain type='kvm'"), "{domain}");
}

#[test]
fn who_may_not_come_in_is_told_why() {
    let Some(bench) = Bench::new("lab-doors", HOST) else {
        return;
    };
    // Who is not root is root by sudo, where he may.
    let unit = "workload \"it\" {\n  bare_metal { exec = [\"/bin/sleep\", \"1000\"] }\n}\n";
    let as_user = |user: &str| format!("{}{unit}", HOST.replace("root@", &format!("{user}@")));
    bench.write(&as_user("visitor"));
    let refused = bench.infra(&["apply", "--auto-approve"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("`sudo` without a password"),
        "{}",
        said(&refused)
    );

    bench.write(&HOST.replace("root@HOST", "root@127.0.0.1:9"));
    let refused = bench.infra(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("for host `lab`"),
        "{}",
        said(&refused)
    );

    bench.write(&format!(
        "{HOST}host \"again\" {{ address = \"op@HOST\" }}\n"
    ));
    let refused = bench.infra(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("Two hosts that are one machine"),
        "{}",
        said(&refused)
    );
    bench.write(HOST);
}
