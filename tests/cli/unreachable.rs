//! Hosts that cannot be reached: all of them are named, and with `--allow-unreachable` they are left as they are.

use infra_plan::Outcome;

use crate::support::Folder;

/// Nobody answers on these ports.
const TWO: &str = r#"
host "r1" { address = "root@127.0.0.1:1" }
host "small" { address = "root@127.0.0.1:2" }

workload "web" {
  host = host.r1
  container { image = "registry.example/web:1" }
}
workload "db" {
  host = host.small
  container { image = "registry.example/db:1" }
}
output "web" { value = workload.web.name }
"#;

/// `TWO`, as if it had been applied, and now another one of each is wanted.
fn folder() -> Folder {
    let folder = Folder::of(TWO).with_key();
    folder.applied(&folder.plan().unwrap());
    let wanted = TWO.replace("web:1", "web:2").replace("db:1", "db:2");
    let wanted = wanted.replace("= workload.web.name", "= \"now ${workload.web.name}\"");
    folder.write("main.infra.hcl", wanted);
    folder
}

fn recorded(folder: &Folder) -> Outcome {
    let project = infra_api::Project::new("demo");
    let loaded = folder.store().load(&project).unwrap();
    loaded.state.unwrap().outcome
}

#[test]
fn every_host_that_is_down_is_named() {
    let folder = folder();
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["diff"]] {
        let ran = folder.infra(command);
        assert_eq!(ran.exit, 1, "{ran:?}");
        for host in [
            "127.0.0.1:1 by SSH for host `r1`",
            "127.0.0.1:2 by SSH for host `small`",
        ] {
            assert!(ran.stderr.contains(host), "{command:?}: {ran:?}");
        }
        assert!(ran.stderr.contains("--allow-unreachable"), "{ran:?}");
    }
}

#[test]
fn with_leave_nothing_of_them_is_touched() {
    let folder = folder();
    let before = recorded(&folder);
    for command in [
        &["plan"][..],
        &["plan", "--out", "saved"],
        &["plan", "--destroy"],
        &["plan", "--refresh-only"],
        &["apply", "--auto-approve"],
        &["apply", "--auto-approve", "--refresh-only"],
        &["destroy", "--auto-approve"],
    ] {
        let ran = folder.infra(&[command, &["--allow-unreachable"]].concat());
        assert_eq!(ran.exit, 0, "{command:?}: {ran:?}");
        for text in [
            "Not looked at: r1 cannot be reached",
            "Not looked at: small cannot be reached",
            "not looked at: r1 cannot be reached",
        ] {
            assert!(ran.stdout.contains(text), "{command:?}: {ran:?}");
        }
        assert_eq!(recorded(&folder), before, "{command:?}");
    }
    let plan = infra_plan::read(&folder.read("saved")).unwrap();
    let left: Vec<(&str, u64, usize)> = (plan.unreachable.iter())
        .map(|(host, left)| (host.as_str(), left.objects, left.stay.len()))
        .collect();
    assert_eq!(left, [("r1", 2, 1), ("small", 2, 1)]);
    let ran = folder.infra(&["apply", "saved"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(recorded(&folder), before);
}

#[test]
fn a_plan_that_is_made_takes_no_leave() {
    let folder = folder();
    let ran = folder.infra(&["plan", "--allow-unreachable", "--out", "saved"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let ran = folder.infra(&["apply", "saved", "--allow-unreachable"]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(
        ran.stderr
            .contains("give `--allow-unreachable` to `infra plan`"),
        "{ran:?}"
    );
}

#[test]
fn a_difference_is_none_where_nobody_looked() {
    let folder = folder();
    let ran = folder.infra(&["diff", "--allow-unreachable"]);
    assert_eq!(
        (ran.exit, &*ran.stdout),
        (0, "No differences in what was looked at.\n")
    );
    assert!(
        ran.stderr
            .contains("host `r1` cannot be reached and was not looked at")
    );
    let ran = folder.infra(&["diff", "--allow-unreachable", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(
        document["unreachable"]["small"]
            .as_str()
            .is_some_and(|why| why.contains("127.0.0.1:2"))
    );
}
