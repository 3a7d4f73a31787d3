//! `examples/one-host` from its first plan to its end: killed while it is applied, drifted, started anew with its host, and
//! gone without a trace.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::bench::{Bench, said};
use super::verify::{of, verified};

/// All that is set on the host and lies on it, as the host says: not a key that the kernel draws at each start, nor `infra.slice`,
/// which stays, with nothing in it, until then, as every slice does that systemd makes for what is to be in it.
const STATE: &str = "
for it in /sys/devices/system/node/node*/hugepages/*/nr_hugepages /sys/kernel/mm/transparent_hugepage/enabled \
  /sys/kernel/mm/ksm/run /proc/irq/default_smp_affinity /sys/devices/virtual/workqueue/cpumask \
  /sys/class/net/ens1/device/sriov_numvfs /sys/class/net/ens1/flags \
  /sys/fs/cgroup/cpuset.cpus.effective /sys/fs/cgroup/system.slice/cpuset.cpus.effective; do
  echo \"$it $(cat $it)\"
done
sysctl -a 2> /dev/null | grep -E '^(vm|net.core|kernel.numa|kernel.sched)' | grep -vE 'vm.stat_refresh|rss_key'
ls -A /etc/tmpfiles.d /etc/sysctl.d /etc/udev/rules.d /etc/systemd/system /etc/tuned /etc/tuned/profiles 2> /dev/null
systemctl is-active tuned; systemctl is-enabled tuned; grep . /etc/tuned/active_profile
systemctl list-units --all --plain --no-legend 'infra*.service' 'infra-*.slice' 'one-host*' | cut -d' ' -f1
find /run/systemd/transient /etc/systemd/system.control 2> /dev/null -type f
docker ps -aq; docker images -q; docker network ls -q | wc -l; docker volume ls -q
virsh -q list --all --name; virsh -q net-list --all --name; virsh -q pool-list --all --name
ls /sys/bus/pci/drivers/vfio-pci | grep : ; ls /sys/class/net
true";

/// An apply that is killed after so many of its words; whether it got to its end before.
fn killed(bench: &Bench, after: u64) -> bool {
    let mut apply = bench.command(&[
        "apply",
        "--auto-approve",
        "--json",
        "--no-verify",
        "--lock-timeout",
        "2m", // the host hears late that the one before is gone
    ]);
    let apply = apply.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut apply = apply.expect("infra runs");
    let words = BufReader::new(apply.stdout.take().expect("it is piped")).lines();
    let words = words
        .map_while(Result::ok)
        .take(usize::try_from(after).expect("few"));
    let words: Vec<String> = words.collect();
    let ended = (words.len() as u64) < after;
    let _it_may_have_ended = apply.kill();
    apply.wait().expect("it ends");
    // What it could not do while the daemons still did what the one before had told them.
    for word in words.iter().filter(|word| ended && word.contains("failed")) {
        eprintln!("{word}");
    }
    ended
}

/// As many as INFRA_LAB_KILLS says; from a seed that is told, and may be given (INFRA_LAB_SEED).
fn kills(bench: &Bench) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let drawn = clock.map_or(1, |now| now.as_secs());
    let mut dice = number("INFRA_LAB_SEED").unwrap_or(drawn).max(1);
    eprintln!("INFRA_LAB_SEED={dice}");
    for _ in 0..number("INFRA_LAB_KILLS").unwrap_or(5) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let after = 1 + dice % 60;
        eprintln!(
            "killed after {after} words: {}",
            if killed(bench, after) {
                "it had ended"
            } else {
                "at work"
            }
        );
    }
}

/// Where its workloads are, as the host's daemons call them.
struct Names {
    feed: String,
    cache: String,
    function: String,
}

impl Names {
    fn new(bench: &Bench) -> Self {
        let of = |list: &str, what: &str| bench.shell(&format!("{list} | grep -m 1 {what}"));
        Self {
            feed: of(
                "systemctl list-units --plain --no-legend 'one-host.*.service' | cut -d' ' -f1",
                "trading",
            ),
            cache: of("docker ps --format '{{.Names}}'", "memcached"),
            function: of("virsh -q list --name", "nfv"),
        }
    }
}

/// What people and daemons do to it is found and undone, and what runs goes on.
fn drifts(bench: &Bench, names: &Names) {
    let Names {
        feed,
        cache,
        function,
    } = names;
    let lives = format!(
        "systemctl show -p MainPID --value {feed}; docker inspect -f '{{{{.State.Pid}}}}' {cache}; cat /run/libvirt/qemu/{function}.pid"
    );
    let before = bench.shell(&lives);
    let pool = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages";
    bench.shell(&format!(
        "systemctl set-property {feed} AllowedCPUs=0; docker update --cpuset-cpus 0 {cache}; \
         virsh -q vcpupin {function} 0 0; echo 400 > {pool}; echo always > /sys/kernel/mm/transparent_hugepage/enabled; \
         sysctl -q net.core.busy_poll=0; tuned-adm profile balanced"
    ));
    let away = format!("taskset -acp 1 $(systemctl show -p MainPID --value {feed})");
    assert_eq!(
        bench.tries(&away),
        None,
        "the kernel lets nobody out of his control group's CPUs"
    );
    let fails = of(&verified(bench, 2, &[]), "fails");
    for what in [
        "workload.feed",
        "workload.cache",
        "workload.function",
        "nr_hugepages",
        "busy_poll",
        "transparent_hugepage",
        "tuned",
    ] {
        assert!(
            fails.iter().any(|it| it.contains(what)),
            "{what}\n{fails:#?}"
        );
    }
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    for what in [
        feed.trim_end_matches(".service"),
        cache,
        function,
        "nr_hugepages",
        "busy_poll",
        "transparent_hugepage",
        "tuned",
    ] {
        assert!(plan.contains(what), "{what}\n{plan}");
    }
    let applied = bench.run(0, &["apply", "--auto-approve"]);
    assert!(applied.contains("Verified: "), "{applied}");
    bench.run(0, &["verify"]);
    assert_eq!(bench.shell(&lives), before, "what runs goes on");
}

/// The function's CPU, its memory and its two functions are on the card's node.
fn beside(bench: &Bench, function: &str) {
    let said = bench.shell(&format!(
        "for it in /sys/bus/pci/drivers/vfio-pci/*:*; do cat $it/numa_node; done; \
         virsh -q vcpupin {function} | grep -c ' [4-7]$'; \
         cat /sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages"
    ));
    assert_eq!(said, "1\n1\n1\n0");
}

/// The host is started anew, and all comes back by itself.
fn started_anew(bench: &Bench) {
    let boot = "cat /proc/sys/kernel/random/boot_id";
    let before = bench.shell(boot);
    bench.shell("systemctl --no-block reboot");
    let began = Instant::now();
    let mut again = Duration::from_secs(240);
    loop {
        assert!(
            began.elapsed() < Duration::from_secs(900),
            "it does not come back"
        );
        let up = format!(
            "[ \"$({boot})\" != {before} ] && systemctl is-system-running --wait > /dev/null; {boot}"
        );
        if bench.tries(&up).is_some_and(|boot| boot != before) {
            break;
        }
        // Its emulator is not what is tried here: what infra has set is the same at every start.
        if began.elapsed() > again {
            again *= 2;
            let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab");
            let reset = Command::new(lab).args(["reset", &bench.host]).status();
            assert!(reset.expect("it runs").success());
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    // What starts takes its time.
    let began = Instant::now();
    while bench.infra(&["verify"]).status.code() != Some(0) {
        if began.elapsed() > Duration::from_secs(600) {
            bench.run(0, &["verify"]);
        }
    }
    bench.run(0, &["plan", "--detailed-exitcode"]);
}

/// What the host is like, without what changes by the minute.
fn facts(bench: &Bench) -> Value {
    let mut facts = bench.json(&["facts", "metal"]);
    without(&mut facts);
    facts
}

fn without(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.contains("free") && name != "available_bytes");
            fields.values_mut().for_each(without);
        }
        Value::Array(values) => values.iter_mut().for_each(without),
        _ => {}
    }
}

#[test]
fn everything_on_one_host() {
    if std::env::var_os("INFRA_LAB_LONG").is_none() {
        eprintln!(
            "SKIPPED: INFRA_LAB_LONG is not set, so examples/one-host was not tried from its beginning to its end"
        );
        return;
    }
    let values = [
        ("address", "root@HOST"),
        ("card", "ens1"),
        ("standby", "true"),
    ];
    let Some(bench) = Bench::example("one-host", &values) else {
        return;
    };
    // The host's own: what the module for trading finds there.
    let feed = include_str!("../../modules/stock-trading/feed.sh");
    bench.put("/usr/local/bin/feed", feed);
    let (state, found) = (bench.shell(STATE), facts(&bench));

    kills(&bench);
    let applied = bench.run(0, &["apply", "--auto-approve"]);
    assert!(applied.contains("Verified: "), "{applied}");
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let names = Names::new(&bench);
    beside(&bench, &names.function);
    drifts(&bench, &names);
    started_anew(&bench);
    beside(&bench, &names.function);

    let destroyed = bench.infra(&["destroy", "--auto-approve"]);
    assert!(destroyed.status.success(), "{}", said(&destroyed));
    assert_eq!(bench.shell(STATE), state);
    assert_eq!(facts(&bench), found);
}
