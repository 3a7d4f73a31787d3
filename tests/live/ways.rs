//! Daemons over SSH, and registries that want to know who asks.

use std::process::Output;

use super::{Bench, said};

const HOST: &str = r#"
infra { project = "PROJECT" }
host "local" {
  docker  { endpoint = "ssh://infra-liveDOCKER" }
  libvirt { uri = "qemu+ssh://infra-live/system?socket=LIBVIRT" }
}
image "memcached" { archive = "build/memcached.tar" }
volume "data" { size = "16MiB" }
workload "cache" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  memory { size = "128MiB" }
  disk "data" { volume = volume.data }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
"#;

/// The daemons' sockets, where an SSH server of ours runs.
fn configuration() -> Option<(String, String)> {
    let Ok(config) = std::env::var("INFRA_LIVE_SSH_CONFIG") else {
        eprintln!("SKIPPED: INFRA_LIVE_SSH_CONFIG is not set, so nothing went over SSH");
        return None;
    };
    let docker = std::env::var("INFRA_DOCKER_ENDPOINT").ok()?;
    let libvirt = std::env::var("INFRA_LIBVIRT_URI").ok()?;
    let libvirt = libvirt
        .split_once("socket=")
        .map_or("/var/run/libvirt/libvirt-sock", |(_, s)| s);
    let text = HOST
        .replace("DOCKER", docker.strip_prefix("unix://")?)
        .replace("LIBVIRT", libvirt);
    Some((text, config))
}

fn over_ssh(bench: &Bench, config: &str, args: &[&str]) -> Output {
    let mut command = bench.command(args);
    command.env("INFRA_SSH_CONFIG", config);
    command
        .env_remove("INFRA_DOCKER_ENDPOINT")
        .env_remove("INFRA_LIBVIRT_URI");
    command.output().expect("infra runs")
}

#[test]
fn a_life_over_ssh() {
    let Some((text, config)) = configuration() else {
        return;
    };
    let Some(bench) = Bench::new("infra-live-ssh", &text) else {
        return;
    };
    for (args, code) in [
        (["apply", "--auto-approve"], 0),
        (["plan", "--detailed-exitcode"], 0),
        (["destroy", "--auto-approve"], 0),
    ] {
        let output = over_ssh(&bench, &config, &args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}\n{}",
            said(&output)
        );
    }
    assert_eq!(bench.left(), Vec::<String>::new());
}

#[test]
fn an_unknown_host_key_is_refused() {
    let Some((text, config)) = configuration() else {
        return;
    };
    let Some(bench) = Bench::new("infra-live-key", &text) else {
        return;
    };
    let theirs = std::fs::read_to_string(&config).unwrap();
    let known = theirs
        .lines()
        .find_map(|line| line.trim().strip_prefix("UserKnownHostsFile "));
    let ours = theirs.replace(known.unwrap(), bench.path("nobody").to_str().unwrap());
    std::fs::write(bench.path("ssh_config"), ours).unwrap();
    let output = over_ssh(
        &bench,
        bench.path("ssh_config").to_str().unwrap(),
        &["plan"],
    );
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Host key verification failed"), "{said}");
    assert!(said.contains("its key is unknown or another one"), "{said}");
}

#[test]
fn another_machine_is_refused() {
    let Some((text, config)) = configuration() else {
        return;
    };
    let text = text.replace("infra-live/", "infra-elsewhere/");
    let Some(bench) = Bench::new("infra-live-elsewhere", &text) else {
        return;
    };
    let output = over_ssh(&bench, &config, &["plan"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("it is another machine"), "{said}");
}

/// The same images as the open registry's, for those who have logged in.
#[test]
fn a_closed_registry_lets_in_who_has_logged_in() {
    let (Ok(open), Ok(closed)) = (
        std::env::var("INFRA_LIVE_REGISTRY"),
        std::env::var("INFRA_LIVE_REGISTRY_CLOSED"),
    ) else {
        eprintln!("SKIPPED: INFRA_LIVE_REGISTRY_CLOSED is not set, so nobody was let in");
        return;
    };
    let text = r#"
infra { project = "PROJECT" }
image "cache" { reference = "CLOSED/infra-live-closed:1" }
workload "cache" {
  container {
    image   = image.cache
    command = ["memcached", "-u", "memcache"]
  }
}
"#;
    let Some(bench) = Bench::new("infra-live-closed", &text.replace("CLOSED", &closed)) else {
        return;
    };
    let tag = format!("{open}/infra-live-closed:1");
    bench.docker(&[
        "import",
        bench.path("build/memcached.tar").to_str().unwrap(),
        &tag,
    ]);
    bench.docker(&["push", &tag]);
    bench.docker(&["rmi", &tag]);
    let run =
        |config: &str, args: &[&str]| as_somebody(&bench, &config.replace("CLOSED", &closed), args);
    let (code, said) = run("{}", &["plan"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("`docker login {closed}`")), "{said}");
    // infra:wrong
    let wrong = r#"{"auths": {"CLOSED": {"auth": "aW5mcmE6d3Jvbmc="}}}"#;
    let (code, said) = run(wrong, &["plan"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not taken: log in again"), "{said}");
    helper(&bench, &closed);
    let (code, said) = run(
        r#"{"credHelpers": {"CLOSED": "live"}}"#,
        &["plan", "--detailed-exitcode"],
    );
    assert_eq!(code, Some(2), "{said}");
    // infra:secret
    let right = r#"{"auths": {"CLOSED": {"auth": "aW5mcmE6c2VjcmV0"}}}"#;
    let (code, said) = run(right, &["apply", "--auto-approve"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(right, &["plan", "--detailed-exitcode"]);
    assert_eq!(code, Some(0), "{said}");
}

/// With `docker login`'s file of its own, and helpers beside the configuration.
fn as_somebody(bench: &Bench, config: &str, args: &[&str]) -> (Option<i32>, String) {
    let folder = bench.path("docker");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.json"), config).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = bench.command(args);
    command.env("DOCKER_CONFIG", folder);
    command.env("PATH", format!("{}:{path}", bench.path("").display()));
    let output = command.output().expect("infra runs");
    (output.status.code(), said(&output))
}

/// One that knows the registry, and no other.
fn helper(bench: &Bench, registry: &str) {
    let path = bench.path("docker-credential-live");
    let script = format!(
        "#!/bin/sh\nread -r server\n[ \"$1 $server\" = \"get {registry}\" ] && echo '{{\"ServerURL\":\"'$server'\",\"Username\":\"infra\",\"Secret\":\"secret\"}}'\n"
    );
    std::fs::write(&path, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
}
