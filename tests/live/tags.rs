//! What a tag of an image stands for, and who says so.

use std::io::copy;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::{Bench, said};

const CONFIGURATION: &str = r#"
infra { project = "PROJECT" }
image "cache" {
  reference = "REFERENCE"
  pull      = "newer"
}
workload "cache" {
  container {
    image   = image.cache
    command = ["memcached", "-u", "memcache"]
  }
}
"#;

/// A registry's address of its own, which can be shut.
struct Way {
    address: String,
    open: Arc<AtomicBool>,
}

impl Way {
    fn to(registry: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open = Arc::new(AtomicBool::new(true));
        let is_open = open.clone();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if is_open.load(Ordering::Relaxed) {
                    let far = TcpStream::connect(&registry).unwrap();
                    let (mut back, mut from) =
                        (near.try_clone().unwrap(), far.try_clone().unwrap());
                    thread::spawn(move || copy(&mut from, &mut back));
                    let (mut near, mut far) = (near, far);
                    thread::spawn(move || copy(&mut near, &mut far));
                }
            }
        });
        Self { address, open }
    }

    fn set(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }
}

fn archive() -> String {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/build/memcached.tar");
    archive.to_str().expect("a path of ours is text").to_owned()
}

/// It under a name, told from others by a label.
fn import(bench: &Bench, name: &str, round: &str) {
    let label = format!("LABEL round={round}");
    bench.docker(&["import", "--change", &label, &archive(), name]);
}

/// The same as if it were another architecture's; its programs are this machine's in any case.
fn load(bench: &Bench, name: &str, architecture: &str) {
    use sha2::{Digest, Sha256};
    let layer = std::fs::read(archive()).unwrap();
    let digest = infra_api::names::hex(&Sha256::digest(&layer));
    let folder = bench.path(architecture);
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.join(file), bytes).unwrap();
    std::fs::create_dir(&folder).unwrap();
    write("layer.tar", &layer);
    let config = serde_json::json!({
        "architecture": architecture, "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = serde_json::json!([
        {"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}
    ]);
    write("config.json", config.to_string().as_bytes());
    write("manifest.json", manifest.to_string().as_bytes());
    let all = folder.join("all.tar");
    let mut tar = std::process::Command::new("tar");
    tar.args([
        "-C".as_ref(),
        folder.as_os_str(),
        "-cf".as_ref(),
        all.as_os_str(),
    ]);
    let made = tar
        .args(["manifest.json", "config.json", "layer.tar"])
        .status()
        .unwrap();
    assert!(made.success());
    bench.docker(&["load", "-i", all.to_str().unwrap()]);
}

fn image(bench: &Bench) -> String {
    let container = format!("{}.cache", bench.project);
    bench.docker(&["inspect", "--format", "{{.Config.Image}}", &container])
}

/// What it says of a plan that ends so.
fn plan(bench: &Bench, code: i32) -> String {
    let output = bench
        .command(&["plan", "--detailed-exitcode"])
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

const DOUBT: &str = "Registry without an answer";

/// A registry's tag is pinned to its digest while planning; where it moves the plan says so, whatever the host has under
/// the tag; and where the registry does not answer, what runs stays.
#[test]
fn a_moved_tag_is_a_planned_change() {
    let Ok(registry) = std::env::var("INFRA_LIVE_REGISTRY") else {
        eprintln!("SKIPPED: INFRA_LIVE_REGISTRY is not set, so nothing was pulled");
        return;
    };
    let way = Way::to(registry);
    let tag = format!("{}/infra-live-tag:1", way.address);
    let text = CONFIGURATION.replace("REFERENCE", &tag);
    let Some(bench) = Bench::new("infra-live-tag", &text) else {
        return;
    };
    let push = |round: &str| {
        import(&bench, &tag, round);
        bench.docker(&["push", &tag]);
        // Only the registry knows it now: what is planned must be pulled.
        bench.docker(&["rmi", &tag]);
    };
    push("1");
    bench.run(0, &["apply", "--auto-approve"]);
    let first = image(&bench);
    let repository = format!("{}/infra-live-tag@sha256:", way.address);
    assert!(first.starts_with(&repository), "{first}");
    assert!(!plan(&bench, 0).contains(DOUBT));
    push("2");
    // The host has the tag, and that is the old one.
    bench.docker(&["tag", &first, &tag]);
    assert!(plan(&bench, 2).contains("forces replacement"));
    bench.run(0, &["apply", "--auto-approve"]);
    let second = image(&bench);
    assert_ne!(second, first);
    assert!(!plan(&bench, 0).contains(DOUBT));

    way.set(false);
    let doubt = plan(&bench, 0);
    assert!(
        doubt.contains(DOUBT) && doubt.contains("main.infra.hcl:4"),
        "{doubt}"
    );
    let policy = |pull: &str| bench.write(&text.replace("newer", pull));
    policy("always");
    assert!(plan(&bench, 1).contains("registry must be reachable"));
    // The host has the old one under the tag, and nobody else is asked.
    policy("never");
    assert!(plan(&bench, 2).contains("forces replacement"));
    bench.docker(&["rmi", &tag]);
    for pull in ["never", "missing"] {
        policy(pull);
        assert!(!plan(&bench, 0).contains(DOUBT), "{pull}");
    }
    way.set(true);
    push("3");
    assert!(!plan(&bench, 0).contains(DOUBT), "nobody is asked");
    policy("always");
    assert!(plan(&bench, 2).contains("forces replacement"));
    // Nothing is known of another tag.
    bench.write(
        &text
            .replace("-tag:1", "-tag:none")
            .replace("newer", "never"),
    );
    assert!(plan(&bench, 1).contains("the host does not have it"));
    bench.run(0, &["destroy", "--auto-approve"]);
    bench.docker(&["rmi", &first, &second]);
}

/// What was built on the host and never pushed is nobody else's to tell.
#[test]
fn an_image_that_was_built_here_is_taken_as_it_is() {
    let name = "127.0.0.1:9/infra-live-built:1";
    let text = CONFIGURATION.replace("REFERENCE", name);
    let Some(bench) = Bench::new("infra-live-built", &text) else {
        return;
    };
    import(&bench, name, "1");
    bench.run(0, &["apply", "--auto-approve"]);
    let first = bench.docker(&["inspect", "--format", "{{.Id}}", name]);
    assert_eq!(image(&bench), first);
    assert!(!plan(&bench, 0).contains(DOUBT));
    import(&bench, name, "2");
    assert!(plan(&bench, 2).contains("forces replacement"));
    bench.run(0, &["apply", "--auto-approve"]);
    assert_ne!(image(&bench), first);
    bench.run(0, &["destroy", "--auto-approve"]);
    // It is not ours to remove.
    bench.docker(&["rmi", &first]);
    let left = bench.docker(&["rmi", name]);
    assert!(left.contains("Untagged"), "{left}");
}

/// An image for another platform is had where its registry has it, and only one of a reference.
#[test]
fn another_platform_is_pulled_and_read_back() {
    let Ok(registry) = std::env::var("INFRA_LIVE_REGISTRY") else {
        eprintln!("SKIPPED: INFRA_LIVE_REGISTRY is not set, so nothing was pulled");
        return;
    };
    let tag = format!("{registry}/infra-live-platforms:1");
    let text = CONFIGURATION.replace("REFERENCE", &tag);
    let on =
        |platform: &str| text.replace("newer\"", &format!("newer\"\n  platform = \"{platform}\""));
    let Some(bench) = Bench::new("infra-live-platforms", &on("linux/riscv64")) else {
        return;
    };
    let each = ["amd64", "arm64"].map(|architecture| {
        let one = format!("{registry}/infra-live-platforms:{architecture}");
        load(&bench, &one, architecture);
        bench.docker(&["push", &one]);
        bench.docker(&["rmi", &one]);
        one
    });
    let manifest = |args: &[&str]| {
        let output = std::process::Command::new("docker")
            .env("DOCKER_CONFIG", bench.path("docker"))
            .arg("manifest")
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    manifest(&["create", "--insecure", &tag, &each[0], &each[1]]);
    manifest(&["push", "--insecure", &tag]);
    let none = plan(&bench, 1);
    assert!(
        none.contains("it has it for linux/amd64, linux/arm64"),
        "{none}"
    );
    bench.write(&on("linux/arm64/v8"));
    bench.run(0, &["apply", "--auto-approve"]);
    let pulled = image(&bench);
    let architecture = bench.docker(&["inspect", "--format", "{{.Architecture}}", &pulled]);
    assert_eq!(architecture, "arm64");
    plan(&bench, 0);
    bench.write(&on("linux/amd64"));
    assert!(plan(&bench, 1).contains("the host has it for linux/arm64 and not for linux/amd64"));
    // Without a platform it is the host's own that is meant.
    bench.write(&text);
    let other = plan(&bench, 2);
    assert!(other.contains("platform"), "{other}");
    bench.run(0, &["destroy", "--auto-approve"]);
    bench.docker(&["rmi", &pulled]);
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(image(&bench), pulled);
    bench.write(&on("linux/amd64"));
    plan(&bench, 0);
    bench.run(0, &["destroy", "--auto-approve"]);
    bench.docker(&["rmi", &pulled]);
}
