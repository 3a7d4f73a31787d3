//! The configuration of a fleet: hosts by rack and zone, and workloads of many teams, by `for_each`.

use std::fmt::Write;

const IMAGE: &str =
    "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Kinds of workloads: how many of a hundred, the name, and what it asks.
const KINDS: [(usize, &str, &str); 9] = [
    (36, "web", "memory { size = \"1GiB\" }"),
    (
        20,
        "api",
        "cpus { count = 2 }\n  memory { size = \"4GiB\" }",
    ),
    (
        10,
        "cache",
        "cpus {\n    count = 2\n    policy = \"dedicated\"\n  }\n  memory { size = \"4GiB\" }",
    ),
    (
        8,
        "db",
        "cpus {\n    count = 4\n    policy = \"dedicated\"\n    threads = \"require\"\n  }\n  memory { size = \"8GiB\" }\n  host_labels = { disks = \"nvme\" }",
    ),
    (
        6,
        "queue",
        "spread = \"zone\"\n  memory { size = \"2GiB\" }",
    ),
    (
        5,
        "model",
        "cpus {\n    count = 6\n    policy = \"dedicated\"\n    l3 = \"prefer\"\n  }\n  memory { size = \"16GiB\" }",
    ),
    (8, "vm", "cpus { count = 2 }\n  memory { size = \"4GiB\" }"),
    (
        5,
        "guest",
        "cpus {\n    count = 4\n    policy = \"dedicated\"\n  }\n  memory { size = \"8GiB\" }",
    ),
    (
        2,
        "huge",
        "cpus {\n    count = 4\n    policy = \"dedicated\"\n  }\n  memory {\n    size = \"4GiB\"\n    page_size = \"1GiB\"\n  }",
    ),
];

/// As many workloads of a kind are one team's.
const TEAM: usize = 500;

pub(crate) fn host(n: usize) -> String {
    format!("h{n:05}")
}

pub(crate) fn fleet(workloads: usize, hosts: usize) -> String {
    let mut text =
        "infra { project = \"fleet\" }\nimage \"guest\" { disk = \"guest.raw\" }\n".to_owned();
    for n in 0..hosts {
        let disks = if n % 3 == 0 { "nvme" } else { "hdd" };
        writeln!(
            text,
            "host \"{}\" {{ labels = {{ rack = \"r{}\", zone = \"z{}\", disks = \"{disks}\" }} }}",
            host(n),
            n / 40,
            n % 3
        )
        .expect("a text takes all");
    }
    let whole: usize = KINDS.iter().map(|(of, ..)| of).sum();
    for (of, name, ask) in KINDS {
        let count = workloads * of / whole;
        for (team, first) in (0..count).step_by(TEAM).enumerate() {
            let instances = TEAM.min(count - first);
            workload(&mut text, &format!("{name}_{team}"), instances, name, ask);
        }
    }
    text
}

fn workload(text: &mut String, name: &str, instances: usize, kind: &str, ask: &str) {
    let form = match kind {
        "vm" | "guest" | "huge" => {
            "kvm {\n    image     = image.guest\n    root_size = \"8GiB\"\n  }".to_owned()
        }
        _ => format!(
            "container {{\n    image = \"{IMAGE}\"\n    env   = {{ NAME = each.key, MODE = \"fast\" }}\n  }}"
        ),
    };
    writeln!(
        text,
        "workload \"{name}\" {{\n  for_each = toset([for n in range({instances}) : \"n${{n}}\"])\n  {ask}\n  {form}\n}}"
    )
    .expect("a text takes all");
}
