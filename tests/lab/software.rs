//! Processes on the metal that run from what infra brings: archives and packages; in a slice, with mounts and a policy of their
//! memory.

use std::process::Command;

use super::bench::{Bench, said};

const SOFTWARE: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
image "feed" { files = "feed.tar.gz" }
slice "desk" {
  memory     = "256MiB"
  cpu_weight = 500
}
workload "feed" {
  cpus { count = 2 }
  memory {
    size = "64MiB"
    mode = "interleave"
  }
  numa { nodes = 2 }
  bare_metal {
    image    = image.feed
    packages = { lab-software = "1.0-1" }
    slice    = slice.desk
    exec     = ["bin/feed", "etc/text"]
    mount "/srv/lab-software" {
      type    = "tmpfs"
      options = ["size=8M"]
    }
  }
}
"#;

/// The archive of a version: a program and a text.
fn archive(bench: &Bench, text: &str, program: &str) {
    let script = format!(
        "rm -rf in; mkdir -p in/bin in/etc; echo {text} > in/etc/text; \
         printf '#!/bin/sh\\n{program}\\n' > in/bin/feed; chmod 755 in/bin/feed; tar -czf feed.tar.gz -C in ."
    );
    let made = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bench.path("."))
        .status();
    assert!(made.expect("sh runs").success());
}

const RUNS: &str = "cp \"$1\" /srv/lab-software/text; exec sleep 10000";

/// Two versions of a package with a service, in a source of the host's own; those it has are out of its reach.
const PACKAGES: &str = r#"
set -eu
mkdir -p /srv/lab-apt/aside; cd /srv/lab-apt; : > Packages
for it in /etc/apt/sources.list /etc/apt/sources.list.d/*; do [ ! -e "$it" ] || mv "$it" aside/; done
for version in 1.0-1 2.0-1; do
  rm -rf it; mkdir -p it/DEBIAN it/usr/bin it/usr/lib/systemd/system it/etc/systemd/system/multi-user.target.wants
  printf 'Package: lab-software\nVersion: %s\nArchitecture: all\nMaintainer: lab <root@localhost>\nDescription: for a test\n' $version > it/DEBIAN/control
  printf '#!/bin/sh\necho %s\n' $version > it/usr/bin/lab-software; chmod 755 it/usr/bin/lab-software
  printf '[Service]\nExecStart=/bin/sleep 9999\n[Install]\nWantedBy=multi-user.target\n' > it/usr/lib/systemd/system/lab-software.service
  printf '#!/bin/sh\nsystemctl -q enable --now lab-software.service\n' > it/DEBIAN/postinst; chmod 755 it/DEBIAN/postinst
  dpkg-deb -b it lab_$version.deb > /dev/null
  { cat it/DEBIAN/control
    printf 'Filename: ./lab_%s.deb\nSize: %s\nSHA256: %s\n\n' $version "$(stat -c %s lab_$version.deb)" "$(sha256sum lab_$version.deb | cut -c 1-64)"
  } >> Packages
done
echo 'deb [trusted=yes] file:/srv/lab-apt ./' > /etc/apt/sources.list.d/lab.list
rm -f /var/lib/apt/lists/*lab-apt*
"#;

const UNDO: &str = "rm -f /etc/apt/sources.list.d/lab.list; cd /srv/lab-apt/aside; \
    for it in *; do case $it in sources.list) mv $it /etc/apt/;; '*') ;; *) mv $it /etc/apt/sources.list.d/;; esac; done; \
    rm -rf /srv/lab-apt; rmdir /srv/lab-software";

const UNIT: &str = "lab-software.feed.service";

/// What the host says: the text of the version that runs, whether it does, its slice, and the package.
fn stands(bench: &Bench) -> Vec<String> {
    let said = bench.shell(&format!(
        "cat /srv/lab-software/text; systemctl show -p ActiveState,Slice --value {UNIT}; \
         dpkg-query -W -f '${{Version}}\\n' lab-software; systemctl is-enabled lab-software.service || true"
    ));
    let lines = said.lines().filter(|line| !line.is_empty());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines[1..3].sort();
    lines
}

fn expected(text: &str, version: &str) -> Vec<String> {
    let slice = r"infra-lab\x2dsoftware.desk.slice";
    [text, "active", slice, version, "disabled"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn a_unit_runs_from_what_infra_brings() {
    let Some(bench) = Bench::new("lab-software", SOFTWARE) else {
        return;
    };
    bench.shell(PACKAGES);
    archive(&bench, "one", RUNS);
    bench.run(0, &["apply", "--auto-approve", "--no-verify"]);
    assert_eq!(stands(&bench), expected("one", "1.0-1"));
    // It is proven from the kernel: the policy of its memory, too.
    let verified = bench.run(0, &["verify"]);
    assert!(verified.contains("memory policy"), "{verified}");

    archive(&bench, "two", RUNS);
    let second = SOFTWARE.replace("1.0-1", "2.0-1").replace("500", "800");
    bench.write(&second);
    bench.run(0, &["apply", "--auto-approve", "--no-verify"]);
    assert_eq!(stands(&bench), expected("two", "2.0-1"));
    let slice = r"/sys/fs/cgroup/infra.slice/infra-lab\\x2dsoftware.desk.slice";
    assert_eq!(bench.shell(&format!("cat {slice}/cpu.weight")), "800");

    // What does not run leaves the former one running.
    archive(&bench, "three", "exit 1");
    let failed = bench.infra(&["apply", "--auto-approve", "--no-verify"]);
    assert_eq!(failed.status.code(), Some(4), "{}", said(&failed));
    assert!(
        said(&failed).contains("runs from the former ones again"),
        "{}",
        said(&failed)
    );
    assert_eq!(stands(&bench), expected("two", "2.0-1"));
    archive(&bench, "four", RUNS);
    bench.run(0, &["apply", "--auto-approve", "--no-verify"]);
    assert_eq!(stands(&bench), expected("four", "2.0-1"));
    drift(&bench);

    bench.run(0, &["destroy", "--auto-approve"]);
    let left = bench.shell(
        "ls -d /var/lib/infra/files/lab-software* /var/lib/infra/packages/lab-software* \
         /etc/systemd/system/*lab* 2> /dev/null; \
         findmnt -n /srv/lab-software; dpkg-query -W lab-software 2> /dev/null; true",
    );
    assert_eq!(left, "");
    bench.shell(UNDO);
}

/// All of it is found, told and undone.
fn drift(bench: &Bench) {
    let current = "/var/lib/infra/units/lab-software.feed/current";
    bench.shell(&format!(
        "echo x >> {current}/etc/text; rm {current}; apt-get -qq -y remove lab-software > /dev/null; \
         systemctl set-property 'infra-lab\\x2dsoftware.desk.slice' CPUWeight=7; systemctl stop srv-lab\\\\x2dsoftware.mount"
    ));
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    for told in [
        "changed, added or removed",
        "2.0-1",
        "current",
        "cpu_weight",
        "not mounted",
        "stopped",
    ] {
        assert!(plan.contains(told), "{told}\n{plan}");
    }
    bench.run(0, &["apply", "--auto-approve", "--no-verify"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(stands(bench)[1..], expected("", "2.0-1")[1..]);
}
