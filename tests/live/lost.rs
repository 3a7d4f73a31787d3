//! Connections that are lost, and hosts that are not to be had at all.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Bench, said};

const CHAIN: &str = r#"
infra { project = "PROJECT" }
host "local" {
  address = "root@infra-live"
  docker { endpoint = "ssh://infra-liveDOCKER" }
}
image "memcached" { archive = "build/memcached.tar" }
workload "first" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
workload "second" {
  depends_on = [workload.first]
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
workload "third" {
  depends_on = [workload.second]
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
"#;

/// The file for `ssh -F`, and the path of the engine's socket; nothing where no SSH server of ours runs.
fn server() -> Option<(String, String)> {
    let Ok(config) = std::env::var("INFRA_LIVE_SSH_CONFIG") else {
        eprintln!("SKIPPED: INFRA_LIVE_SSH_CONFIG is not set, so nothing went over SSH");
        return None;
    };
    let docker = std::env::var("INFRA_DOCKER_ENDPOINT").ok()?;
    Some((config, docker.strip_prefix("unix://")?.to_owned()))
}

fn over_ssh(bench: &Bench, config: &Path, args: &[&str]) -> Command {
    let mut command = bench.command(args);
    command.env("INFRA_SSH_CONFIG", config);
    command.env("XDG_STATE_HOME", bench.path("ways"));
    command
        .env_remove("INFRA_DOCKER_ENDPOINT")
        .env_remove("INFRA_LIBVIRT_URI");
    command
}

/// Ends every `ssh` that holds a connection of this bench, as if the network were gone; how many there were.
fn cut(bench: &Bench) -> usize {
    let folders = std::fs::read_dir(bench.path("ways")).unwrap();
    let sockets = folders.map(|folder| folder.unwrap().path().join("master"));
    let mut ended = 0;
    for socket in sockets {
        let mut check = Command::new("ssh");
        check.args(["-F", "none", "-O", "check", "-S"]).arg(&socket);
        let output = check.arg("none").output().expect("ssh runs");
        // As in "Master running (pid=123)".
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let pid = told
            .split_once("pid=")
            .and_then(|(_, rest)| rest.split_once(')'));
        let Some((pid, _)) = pid else { continue };
        let killed = Command::new("kill").args(["-KILL", pid]).status();
        ended += usize::from(killed.expect("kill runs").success());
    }
    ended
}

#[test]
fn a_connection_that_is_lost_is_opened_anew() {
    let Some((config, socket)) = server() else {
        return;
    };
    let text = CHAIN.replace("DOCKER", &socket);
    let Some(bench) = Bench::new("infra-live-lost", &text) else {
        return;
    };
    let config = Path::new(&config);
    let mut apply = over_ssh(&bench, config, &["apply", "--auto-approve", "--json"]);
    let mut child = apply.stdout(Stdio::piped()).spawn().expect("infra runs");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let (mut cuts, mut told) = (0, Vec::new());
    for line in lines {
        let line = line.expect("it can be read");
        let event: Value = serde_json::from_str(&line).expect("it is JSON");
        if event["type"] == "done" {
            cuts += cut(&bench);
        }
        told.push(line);
    }
    let code = child.wait().expect("it ends").code();
    assert_eq!(code, Some(0), "{}", told.join("\n"));
    assert!(cuts >= 3, "it was cut {cuts} times");
    let names = ["--format", "{{.Names}}", "--filter", "name=infra-live-lost"];
    let running = bench.docker(&[&["ps"][..], &names].concat());
    assert_eq!(running.lines().count(), 3, "{running}");
    for (args, code) in [
        (["plan", "--detailed-exitcode"], 0),
        (["destroy", "--auto-approve"], 0),
    ] {
        let output = over_ssh(&bench, config, &args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    }
    assert_eq!(bench.left(), Vec::<String>::new());
}

/// A container on the host that goes down, and then a machine on this one.
const FAR: &str = r#"
infra { project = "PROJECT" }
host "far" {
  address = "infra-live"
  docker { endpoint = "ssh://infra-liveDOCKER" }
  libvirt { uri = "qemu+ssh://infra-live/system?socket=/nowhere" }
}
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  host = host.far
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "SIZE"]
  }
}
"#;

const HERE: &str = r#"
host "here" {
  docker { endpoint = "unix:///nowhere/docker.sock" }
  libvirt { uri = "LIBVIRT" }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  memory { size = "128MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
workload "later" {
  host = host.far
  container { image = image.memcached }
}
"#;

/// As of a server that is not there.
fn closed(config: &Path) -> String {
    let open = std::fs::read_to_string(config).unwrap();
    let port = open.lines().find(|line| line.trim().starts_with("Port "));
    open.replace(port.unwrap(), "  Port 1")
}

#[track_caller]
fn ends(bench: &Bench, code: i32, config: &Path, args: &[&str]) -> String {
    let output = over_ssh(bench, config, args).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{args:?}\n{}",
        said(&output)
    );
    said(&output)
}

#[test]
fn a_host_that_is_down_is_left_as_it_is() {
    let (Some((config, socket)), Ok(libvirt)) = (server(), std::env::var("INFRA_LIBVIRT_URI"))
    else {
        return;
    };
    let far = FAR.replace("DOCKER", &socket);
    let Some(bench) = Bench::new("infra-live-down", &far.replace("SIZE", "8")) else {
        return;
    };
    let (up, down) = (Path::new(&config), bench.path("down"));
    std::fs::write(&down, closed(up)).unwrap();
    ends(&bench, 0, up, &["apply", "--auto-approve"]);
    let since = "{{.Id}} {{.State.StartedAt}}";
    let container = || bench.docker(&["inspect", "--format", since, "infra-live-down.cache"]);
    let machines = || bench.virsh(&["list", "--all", "--name"]);
    let before = container();
    bench.write(&(far.replace("SIZE", "16") + &HERE.replace("LIBVIRT", &libvirt)));
    let refused = ends(&bench, 1, &down, &["plan"]);
    assert!(refused.contains("for host `far`"), "{refused}");
    let leave = |code, args: &[&str]| {
        ends(
            &bench,
            code,
            &down,
            &[args, &["--allow-unreachable"]].concat(),
        )
    };
    let made = leave(0, &["apply", "--auto-approve"]);
    for text in [
        "not looked at: far cannot",
        "1 workload for far: workload.later",
    ] {
        assert!(made.contains(text), "{made}");
    }
    assert_eq!(container(), before);
    assert!(machines().contains("infra-live-down.guest"));
    leave(0, &["plan", "--detailed-exitcode"]);
    leave(0, &["destroy", "--auto-approve"]);
    assert_eq!(container(), before);
    assert!(!machines().contains("infra-live-down.guest"));
    // It is there again, and is as the state has it.
    bench.write(&far.replace("SIZE", "8"));
    ends(&bench, 0, up, &["plan", "--detailed-exitcode"]);
    ends(&bench, 0, up, &["destroy", "--auto-approve"]);
    assert_eq!(bench.left(), Vec::<String>::new());
}
