//! Archives and commands made on the fly, and what the kernel says of a process. No test.

use std::path::PathBuf;

use infra_api::target::Container;
use infra_api::{Text, names};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BUSYBOX: &str = "/bin/busybox";

/// The same container with these attributes instead; null takes one away.
pub(crate) fn with(body: &Container, attributes: Value) -> Container {
    let mut changed = json!(body);
    for (name, value) in attributes.as_object().unwrap() {
        changed[name] = value.clone();
    }
    serde_json::from_value(changed).unwrap()
}

pub(crate) fn sleep() -> Vec<Text> {
    shell("trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done")
}

pub(crate) fn shell(script: &str) -> Vec<Text> {
    ["/bin/sh", "-c", script].map(Text::from).to_vec()
}

/// A root file system with a shell; `salt` makes it another one.
pub(crate) fn root(salt: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    add(
        &mut tar,
        "bin/busybox",
        &std::fs::read(BUSYBOX).expect("busybox-static is installed"),
        0o755,
    );
    for link in ["sh", "sleep", "true", "false", "echo"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, format!("bin/{link}"), "busybox")
            .unwrap();
    }
    add(&mut tar, "salt", salt.as_bytes(), 0o644);
    tar.into_inner().unwrap()
}

/// What `docker save` writes, of an image that gives its containers a little of everything.
pub(crate) fn saved(salt: &str, repo_tag: &str) -> Vec<u8> {
    let layer = root(salt);
    let config = json!({
        "architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", names::hex(&Sha256::digest(&layer)))]},
        "config": {
            "User": "9:9", "WorkingDir": "/image", "Env": ["PATH=/bin", "A=image", "B=image"],
            "Cmd": ["image"], "Entrypoint": ["/bin/busybox"], "Labels": {"maker": "them", "team": "them"},
            "Volumes": {"/anonymous": {}}, "ExposedPorts": {"99/tcp": {}},
            "Healthcheck": {"Test": ["CMD", "/bin/true"], "Interval": 5_000_000_000_u64, "Retries": 7},
        },
    });
    let manifest =
        json!([{"Config": "config.json", "RepoTags": [repo_tag], "Layers": ["l/layer.tar"]}]);
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "l/layer.tar", &layer, 0o644);
    add(
        &mut tar,
        "config.json",
        config.to_string().as_bytes(),
        0o644,
    );
    add(
        &mut tar,
        "manifest.json",
        manifest.to_string().as_bytes(),
        0o644,
    );
    tar.into_inner().unwrap()
}

fn add(tar: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8], mode: u32) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    tar.append_data(&mut header, path, bytes).unwrap();
}

/// A file of the control group of a process, of either version, as the container sees it.
pub(crate) fn cgroup(pid: i64, v1: &str, v2: &str) -> String {
    let at = |file: &str| PathBuf::from(format!("/proc/{pid}/root/sys/fs/cgroup")).join(file);
    let text = std::fs::read_to_string(at(v1)).or_else(|_| std::fs::read_to_string(at(v2)));
    text.unwrap_or_else(|e| panic!("{v1}: {e}"))
        .trim()
        .to_owned()
}

/// A line of `/proc/PID/status`: what the kernel really allows.
pub(crate) fn status(pid: i64, field: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().trim().to_owned()
}
