//! The script, carried out on a folder that stands in for the host's.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use infra_api::Mark;
use infra_api::target::{HostMount, Slice, UnpackedFiles};

use super::*;
use crate::text::{encode, encode_mount, encode_slice};

const PROGRAMS: [(&str, &str); 2] = [
    // Who tests need not be root.
    ("id", "echo 0"),
    (
        "systemctl",
        "for it; do case $it in\n\
         *.service | *.timer | *.slice | *.mount) printf 'Id=%s\\nLoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n\\n' \"$it\";;\n\
         esac; done",
    ),
];

fn mark(address: &str) -> Mark {
    Mark {
        project: Project::new("demo"),
        address: infra_api::Address::new(address),
    }
}

fn write(root: &Path, at: &str, text: &str) {
    let path = root.join(at);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the script says of the host at `root`.
fn looked(root: &Path, asked: &[String]) -> Look {
    for (name, text) in PROGRAMS {
        write(
            root,
            &format!("bin/{name}"),
            &format!("#!/bin/sh\n{text}\n"),
        );
    }
    let at = root.to_str().unwrap();
    let path = std::env::var("PATH").unwrap();
    let here = |text: &str| {
        let text = text.replace("/etc/systemd", &format!("{at}/etc"));
        let text = text.replace("/run/systemd", &format!("{at}/run"));
        text.replace("/var/lib/infra", &format!("{at}/infra"))
    };
    let script = here(&script(&Project::new("demo"), asked));
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .env("PATH", format!("{at}/bin:{path}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // As they are called where this is the host.
    let mut look = Look::parse(&output.stdout, asked).unwrap();
    let there = |text: &String| {
        let text = text.replace(&format!("{at}/etc"), "/etc/systemd");
        text.replace(&format!("{at}/infra"), "/var/lib/infra")
    };
    look.files = look
        .files
        .into_iter()
        .map(|(p, f)| (there(&p), f))
        .collect();
    look.links = look
        .links
        .iter()
        .map(|(p, l)| (there(p), there(l)))
        .collect();
    look
}

#[test]
fn all_that_is_a_projects_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let unit = Unit {
        name: "demo.feed".to_owned(),
        state: "running".to_owned(),
        exec: vec!["/bin/true".to_owned()],
        current: Some("demo.feed/new".to_owned()),
        ..Unit::default()
    };
    let mount = HostMount {
        name: "srv-my\\x2ddata".to_owned(),
        path: "/srv/my-data".to_owned(),
        state: "mounted".to_owned(),
        source: "/dev/vdb".to_owned(),
        ..HostMount::default()
    };
    let slice = Slice {
        name: "infra-demo.desk".to_owned(),
        ..Slice::default()
    };
    let feed = mark("workload.feed");
    write(root, "run/system/x", "");
    write(root, "etc/system/demo.feed.service", &encode(&unit, &feed));
    let (file, text) = (
        "etc/system/srv-my\\x2ddata.mount",
        encode_mount(&mount, &feed),
    );
    write(root, file, &text);
    let text = encode_slice(&slice, &mark("slice.desk"));
    write(root, "etc/system/infra-demo.desk.slice", &text);
    write(root, "etc/system/theirs.slice", "[Slice]\nCPUWeight=5\n");
    let laid = "etc/system.control/infra-demo.desk.slice.d/x.conf";
    write(root, laid, "[Slice]\nCPUWeight=20\n");
    std::fs::create_dir_all(root.join("infra/units/demo.feed")).unwrap();
    let (leads, link) = (
        UnpackedFiles::path("demo.feed/old"),
        Unit::current_path("demo.feed"),
    );
    let at = |path: &str| root.join(path.replace("/var/lib/", ""));
    std::os::unix::fs::symlink(at(&leads), at(&link)).unwrap();

    let look = looked(root, &[]);
    let own: Vec<_> = look.names.iter().filter_map(|file| object(file)).collect();
    let expected = [
        (UNIT, "demo.feed"),
        (SLICE, "infra-demo.desk"),
        (MOUNT, "srv-my\\x2ddata"),
    ];
    assert_eq!(own, expected);
    let body = |(kind, name)| match look.observed(&Project::new("demo"), kind, name) {
        Observed::Present { body, .. } => serde_json::Value::clone(&body),
        other => panic!("{other:?}"),
    };
    assert_eq!(body(expected[2]), json!(mount));
    assert_eq!(body(expected[1])["limits"], json!({ "cpu_weight": 20 }));
    assert_eq!(body(expected[0])["current"], "demo.feed/old");
    let other = looked(root, &["theirs.slice".to_owned()]);
    let theirs = other.observed(&Project::new("demo"), SLICE, "theirs");
    assert_eq!(
        theirs,
        Observed::Absent,
        "it has no path here, as one that only systemd has made"
    );
}
