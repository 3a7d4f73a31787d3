//! A container that somebody else made: what was asked of the engine then, as far as it tells. Pure.
//!
//! What infra writes says in a label which of its settings are its own. Of any other container those count that are not
//! the image's, and not what the engine does unless it is told.

use std::collections::BTreeMap;

use infra_api::target::{Container, Mount, Security};
use serde::Deserialize;

use crate::text::container::Set;
use crate::text::decode::decode_as;
use crate::text::inspect::{Config, HostConfig, Inspect, Origin};

/// What infra never writes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    binds: Option<Vec<String>>,
    tmpfs: Option<BTreeMap<String, String>>,
    volumes_from: Option<Vec<String>>,
    links: Option<Vec<String>>,
    nano_cpus: i64,
    publish_all_ports: bool,
    auto_remove: bool,
}

/// The engine's, where nothing is written.
const SHM_BYTES: u64 = 64 << 20;
const RUNTIME: &str = "runc";
const LOG_DRIVER: &str = "json-file";

/// The body of a container without a mark; or why infra could not have made it.
pub(crate) fn decode(found: &Inspect, origin: &Origin) -> Result<Container, String> {
    let theirs = &found.host_config.theirs;
    if let Some(why) = inexpressible(&found.host_config) {
        return Err(why);
    }
    let body = decode_as(found, origin, asked(found, origin.config.as_ref()))?;
    let mut mounts = body.mounts;
    for text in theirs.binds.iter().flatten() {
        let (target, mount) = bound(text)?;
        mounts.insert(target, mount);
    }
    for (target, options) in theirs.tmpfs.iter().flatten() {
        mounts.insert(target.clone(), in_memory(options)?);
    }
    let pinned = origin
        .pinned
        .clone()
        .filter(|_| !body.image.contains(" (was "));
    let mut security = body.security;
    given_by_default(&mut security);
    Ok(Container {
        mounts,
        security,
        image: pinned.unwrap_or(body.image),
        ..body
    })
}

/// Given beside the engine's default ones, which have them: that infra leaves out unless they are written.
const BY_DEFAULT: [&str; 2] = ["MKNOD", "NET_RAW"];

fn given_by_default(security: &mut Security) {
    let Security {
        drop,
        add,
        privileged,
        ..
    } = security;
    let named = |list: &[String], name: &str| list.iter().any(|one| one == name || one == "ALL");
    if !*privileged {
        let more = BY_DEFAULT
            .iter()
            .filter(|name| !named(drop, name) && !named(add, name));
        let more: Vec<String> = more.map(|name| (*name).to_owned()).collect();
        add.extend(more);
        add.sort();
    }
}

fn inexpressible(host: &HostConfig) -> Option<String> {
    let found = &host.theirs;
    let modes = &host.confinement;
    let modes = [&modes.network_mode, &modes.pid_mode, &modes.ipc_mode];
    let shared = modes
        .into_iter()
        .flatten()
        .any(|mode| mode.starts_with("container:"));
    let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let cases = [
        (found.auto_remove, "it is removed when it stops (`--rm`)"),
        (
            found.publish_all_ports,
            "its ports are chosen by the engine (`--publish-all`)",
        ),
        (
            some(&found.volumes_from),
            "it has the volumes of another container (`--volumes-from`)",
        ),
        (
            some(&found.links),
            "it is linked to another container (`--link`)",
        ),
        (
            found.nano_cpus != 0,
            "its CPU time is limited by `--cpus`, which the engine does not let a quota take the place of",
        ),
        (shared, "it is in a namespace of another container"),
    ];
    let found = cases.into_iter().find(|(is, _)| *is);
    found.map(|(_, why)| why.to_owned())
}

/// The settings that somebody wrote, by the names they have in the label of a container of ours.
fn asked<'a>(found: &'a Inspect, image: Option<&Config>) -> Set<'a> {
    let host = &found.host_config;
    let confinement = &host.confinement;
    let other = |text: &Option<String>, usual: &str| {
        text.as_deref()
            .is_some_and(|text| !text.is_empty() && text != usual)
    };
    let signal = &found.config.process.stop_signal;
    let log = host.process.log_config.as_ref();
    let logs = log.is_some_and(|log| {
        log.driver != LOG_DRIVER
            || log
                .config
                .as_ref()
                .is_some_and(|options| !options.is_empty())
    });
    let names = [
        (other(&confinement.runtime, RUNTIME), "confinement.runtime"),
        (
            confinement.shm_size.is_some_and(|size| size != SHM_BYTES),
            "confinement.shm_bytes",
        ),
        (
            signal.is_some() && image.is_some_and(|image| image.process.stop_signal != *signal),
            "process.stop_signal",
        ),
        (logs, "log"),
        (logs, "log.*"),
        (true, "ulimits.*"),
    ];
    names
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect()
}

/// `SOURCE:TARGET[:OPTIONS]`; a source that is no path is a volume.
fn bound(text: &str) -> Result<(String, Mount), String> {
    let mut parts = text.splitn(3, ':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
        return Err(format!("its mount `{text}` is unreadable"));
    };
    let options: Vec<&str> = parts
        .next()
        .map(|all| all.split(',').collect())
        .unwrap_or_default();
    let read_only = options.contains(&"ro");
    let known = ["ro", "rw", "z", "Z", "nocopy"];
    let propagation = options
        .iter()
        .find(|word| !known.contains(word) && !word.is_empty());
    let mount = match source.starts_with('/') {
        false => Mount::Volume {
            source: source.to_owned(),
            read_only,
            subpath: None,
            no_copy: options.contains(&"nocopy"),
        },
        true => Mount::Bind {
            source: source.to_owned(),
            read_only,
            propagation: propagation
                .filter(|word| **word != "rprivate")
                .map(|word| (*word).to_owned()),
            non_recursive: false,
        },
    };
    Ok((target.to_owned(), mount))
}

/// Options as `mount` takes them: only size and mode have a word of their own.
fn in_memory(options: &str) -> Result<Mount, String> {
    let (mut size_bytes, mut mode) = (None, None);
    for option in options
        .split(',')
        .filter(|option| !matches!(*option, "" | "rw"))
    {
        match option.split_once('=') {
            Some(("size", size)) => size_bytes = Some(bytes(size).ok_or_else(|| unknown(option))?),
            Some(("mode", bits)) => {
                mode = Some(u32::from_str_radix(bits, 8).map_err(|_| unknown(option))?);
            }
            _ => return Err(unknown(option)),
        }
    }
    Ok(Mount::Tmpfs { size_bytes, mode })
}

fn unknown(option: &str) -> String {
    format!("a file system in memory has the option `{option}`, which infra does not know")
}

/// As the kernel reads it: `64m`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn container(host: &Value) -> Inspect {
        let mut answer = json!({
            "Id": "0123456789abcdef", "Created": "", "Name": "/db", "Image": "sha256:1",
            "State": {"Status": "running"},
            "Config": {"Image": "postgres:16", "Hostname": "0123456789ab", "Env": ["A=b", "PATH=/bin"],
                "StopSignal": "SIGINT"},
            "HostConfig": {"NetworkMode": "default", "IpcMode": "private", "ShmSize": 67_108_864,
                "Runtime": "runc", "CgroupnsMode": "host", "LogConfig": {"Type": "json-file", "Config": {}},
                "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "Aliases": null}}},
        });
        for (name, value) in host.as_object().unwrap() {
            answer["HostConfig"][name] = value.clone();
        }
        serde_json::from_value(answer).unwrap()
    }

    fn origin() -> Origin {
        Origin {
            now: Some("sha256:1".into()),
            config: serde_json::from_value(json!({"Env": ["PATH=/bin"], "StopSignal": "SIGINT"}))
                .ok(),
            pinned: Some("postgres@sha256:2".into()),
        }
    }

    fn read(host: &Value) -> Result<Container, String> {
        decode(&container(host), &origin())
    }

    #[test]
    fn what_is_as_the_engine_and_the_image_have_it_is_left_out() {
        let plain = read(&json!({})).unwrap();
        let wanted = Container {
            name: "db".into(),
            image: "postgres@sha256:2".into(),
            state: "running".into(),
            env: BTreeMap::from([("A".into(), "b".into())]),
            hostname: "0123456789ab".into(),
            restart: plain.restart.clone(),
            security: Security {
                add: vec!["MKNOD".into(), "NET_RAW".into()],
                ..Security::default()
            },
            ..Container::default()
        };
        assert_eq!(plain, wanted);
    }

    #[test]
    fn what_was_asked_for_is_found() {
        let found = read(&json!({
            "Binds": ["data:/data", "/srv/a:/a:ro,rslave"], "Tmpfs": {"/run": "rw,size=64m,mode=1770"},
            "ShmSize": 1 << 20, "Runtime": "runsc", "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
            "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
        }));
        let found = found.unwrap();
        assert_eq!(found.mounts["/data"], Mount::volume("data", false));
        let bind = Mount::Bind {
            source: "/srv/a".into(),
            read_only: true,
            propagation: Some("rslave".into()),
            non_recursive: false,
        };
        assert_eq!(found.mounts["/a"], bind);
        let memory = Mount::Tmpfs {
            size_bytes: Some(64 << 20),
            mode: Some(0o1770),
        };
        assert_eq!(found.mounts["/run"], memory);
        assert_eq!(found.confinement.shm_bytes, Some(1 << 20));
        assert_eq!(found.confinement.runtime.as_deref(), Some("runsc"));
        assert_eq!(found.log.unwrap().options["max-size"], "1m");
        assert_eq!(found.ulimits["nofile"].hard, 2);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for (host, word) in [
            (json!({"AutoRemove": true}), "--rm"),
            (json!({"PublishAllPorts": true}), "--publish-all"),
            (json!({"VolumesFrom": ["a"]}), "--volumes-from"),
            (json!({"Links": ["/a:/b"]}), "--link"),
            (json!({"NanoCpus": 1}), "--cpus"),
            (json!({"NetworkMode": "container:1"}), "namespace"),
            (json!({"Tmpfs": {"/run": "noexec"}}), "noexec"),
            (json!({"Tmpfs": {"/run": "size=50%"}}), "50%"),
        ] {
            let why = read(&host).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }

    /// Another image has the name by now: it is said, and not pinned away.
    #[test]
    fn an_image_that_moved_is_no_pin() {
        let origin = Origin {
            now: Some("sha256:9".into()),
            ..origin()
        };
        let found = decode(&container(&json!({})), &origin).unwrap();
        assert_eq!(found.image, "postgres:16 (was sha256:1)");
    }
}
