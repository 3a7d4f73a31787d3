//! The profile of tuned: active, with its variables, as tuned itself verifies it; found changed and mended; and put back.

use super::bench::Bench;

const TUNED: &str = r#"
infra { project = "PROJECT" }
host "lab" {
  address = "root@HOST"
  tuned {
    profile   = "PROFILE"
    variables = { isolated_cores = "6-7" }
  }
}
"#;

#[test]
fn a_profile_is_active_mended_and_put_back() {
    let text = TUNED.replace("PROFILE", "virtual-host");
    let Some(bench) = Bench::new("lab-tuned", &text) else {
        return;
    };
    let how = "cat /etc/tuned/active_profile; systemctl is-active tuned; systemctl is-enabled tuned; true";
    let found = bench.shell(how);
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(bench.shell(how), "infra-lab-tuned\nactive\nenabled");
    bench.run(0, &["plan", "--detailed-exitcode"]);

    // What the profile sets, somebody sets otherwise.
    let set = bench.shell("sysctl -n vm.dirty_background_ratio");
    bench.shell("sysctl -q vm.dirty_background_ratio=33");
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains(" altered"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(bench.shell("sysctl -n vm.dirty_background_ratio"), set);

    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(bench.shell(how), found);
    assert_eq!(
        bench.shell("ls /etc/tuned /etc/tuned/profiles 2> /dev/null | grep infra || true"),
        ""
    );
}
