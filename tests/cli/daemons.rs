//! Daemons that do not answer: which, why, and what to do.

use snapbox::str;

use crate::engine::Engine;
use crate::support::{Folder, Ran};
use crate::{applied, ends};

const NO_DOCKER: &str = "unix:///nowhere/docker.sock";
const NO_LIBVIRT: &str = "qemu+unix:///system?socket=/nowhere/libvirt-sock";

fn alone(folder: &Folder, args: &[&str]) -> Ran {
    let mut command = folder.command(args.iter().copied());
    command.env("INFRA_DOCKER_ENDPOINT", NO_DOCKER);
    command.env("INFRA_LIBVIRT_URI", NO_LIBVIRT);
    folder.run(&mut command, "")
}

#[test]
fn nothing_can_run_where_no_engine_answers() {
    let folder =
        Folder::of("workload \"web\" {\n  container { image = \"registry.example/web:1\" }\n}\n");
    ends(
        alone(&folder, &["plan"]),
        1,
        str![],
        str![[r#"
error: No host can run a workload
 --> main.infra.hcl:1:1
  |
1 | workload "web" {
  | ^^^^^^^^^^^^^^ `workload.web` can run nowhere
  |
  = note: container on local: connecting to the Docker Engine of local at unix:///nowhere/docker.sock: No such file or directory (os error 2); there is no socket: is the engine installed and running (`systemctl start docker`), and is `docker { endpoint }` right?
hint: `infra facts HOST` shows what a host offers, and why not the rest


"#]],
    );
}

#[cfg(feature = "libvirt")]
#[test]
fn nor_where_no_libvirt_does() {
    let folder = Folder::of(
        "image \"guest\" { kernel = \"vmlinuz\" }\nworkload \"vm\" {\n  memory { size = \"64MiB\" }\n  kvm { image = image.guest }\n}\n",
    );
    folder.write("vmlinuz", "not really a kernel");
    ends(
        alone(&folder, &["plan"]),
        1,
        str![],
        str![[r#"
error: No host can run a workload
 --> main.infra.hcl:2:1
  |
2 | workload "vm" {
  | ^^^^^^^^^^^^^ `workload.vm` can run nowhere
  |
  = note: KVM on local: connecting to libvirt at qemu+unix:///system?socket=/nowhere/libvirt-sock: Failed to connect socket to '/nowhere/libvirt-sock': No such file or directory; is libvirtd running there? A private one has its socket named in the URI
hint: `infra facts HOST` shows what a host offers, and why not the rest


"#]],
    );
}

#[test]
fn what_is_recorded_cannot_be_looked_at() {
    let folder = applied();
    for command in [&["diff"][..], &["destroy", "--auto-approve"]] {
        let ran = alone(&folder, command);
        assert_eq!(ran.exit, 1, "{command:?}: {ran:?}");
        assert!(ran.stderr.contains(NO_DOCKER), "{command:?}: {ran:?}");
    }
    ends(
        alone(&folder, &["diff"]),
        1,
        str![],
        str![[r#"
error: connecting to the Docker Engine of r1 at unix:///nowhere/docker.sock: No such file or directory (os error 2)

hint: there is no socket: is the engine installed and running (`systemctl start docker`), and is `docker { endpoint }` right?

"#]],
    );
}

#[test]
fn a_configuration_that_needs_none_asks_none() {
    let folder = Folder::of("output \"x\" { value = 1 }\n");
    let ran = alone(&folder, &["plan"]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""), "{ran:?}");
}

#[test]
fn rebuilding_the_state_without_the_daemons_is_no_rebuilding() {
    let folder = applied();
    let before = folder.read(".infra/state.json");
    let ran = alone(&folder, &["state", "rebuild"]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(folder.read(".infra/state.json"), before);
}

#[test]
fn a_host_without_libvirt_is_rebuilt_from_its_engine() {
    let folder = applied();
    let engine = Engine::start(&folder);
    let mut command = folder.command(["state", "rebuild"]);
    command.env("INFRA_DOCKER_ENDPOINT", &engine.endpoint);
    command.env("INFRA_LIBVIRT_URI", NO_LIBVIRT);
    ends(
        folder.run(&mut command, ""),
        0,
        str![[r#"
State rebuilt: 0 objects of 0 workloads.

"#]],
        str![[r#"
warning: nothing of libvirt on r1 is in the state: connecting to libvirt at qemu+unix:///system?socket=/nowhere/libvirt-sock: Failed to connect socket to '/nowhere/libvirt-sock': No such file or directory

"#]],
    );
    assert_eq!(engine.told(), [""; 0]);
}

#[test]
fn facts_say_why_a_runtime_is_not_offered() {
    let folder = Folder::new("demo");
    let ran = alone(&folder, &["facts"]);
    let facts: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let container = &facts["runtimes"]["container"];
    assert_eq!((ran.exit, &container["offered"]), (0, &false.into()));
    let why = container["why_not"].as_str().unwrap();
    assert!(why.contains(NO_DOCKER), "{why}");
}

#[test]
fn facts_of_a_host_nobody_declared() {
    let folder = Folder::of("host \"r1\" {}\n");
    ends(
        folder.infra(&["facts", "r2"]),
        1,
        str![],
        str![[r#"
error: reading host `r2`: no `host` block has this label

hint: declared: r1

"#]],
    );
    ends(
        folder.infra(&["facts", "--sysfs", "nowhere"]),
        1,
        str![],
        str![[r#"
error: reading nowhere: it is not a directory

"#]],
    );
}

#[test]
fn two_hosts_would_be_one_machine() {
    let folder = Folder::of("host \"a\" {}\nhost \"b\" {}\n");
    ends(
        alone(&folder, &["plan"]),
        1,
        str![],
        str![[r#"
error: Two hosts that are one machine
 --> main.infra.hcl:2:1
  |
2 | host "b" {}
  | ^^^^^^^^ it is the same machine as `a`
hint: declare a machine once; `address` says how another one is reached, and on recorded facts, with `--facts DIR`, nothing is reached at all


"#]],
    );
}

/// A plan that was made against one engine is not carried out on another.
#[test]
fn a_plan_knows_its_daemons() {
    let folder = Folder::of(
        "workload \"web\" {\n  container { image = \"registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\" }\n}\n",
    );
    let engine = Engine::start(&folder);
    let mut command = folder.command(["plan", "--out", "it.plan"]);
    command.env("INFRA_DOCKER_ENDPOINT", &engine.endpoint);
    command.env("INFRA_LIBVIRT_URI", NO_LIBVIRT);
    assert_eq!(folder.run(&mut command, "").exit, 0);
    let ran = alone(&folder, &["apply", "it.plan"]);
    assert_eq!(ran.exit, 5, "{ran:?}");
    assert!(
        ran.stderr.contains("it was made against local/docker at")
            && ran.stderr.contains(NO_DOCKER),
        "{ran:?}"
    );
    assert_eq!(engine.told(), [""; 0]);
}

/// The environment may hold what is no text; it is not ours.
#[test]
fn an_environment_that_is_no_text_is_none_of_ours() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::of("host \"a\" {}\n");
    let mut command = folder.command(["validate"]);
    command.env("ODD", std::ffi::OsStr::from_bytes(b"\xff"));
    let ran = folder.run(&mut command, "");
    assert_eq!(ran.exit, 0, "{ran:?}");
}
