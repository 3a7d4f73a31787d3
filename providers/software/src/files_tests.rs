//! Every script, carried out on a folder that stands in for the host's.

use std::path::Path;
use std::process::{Command, Output};

use infra_api::{Address, Project};

use super::*;

struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    /// A script of this host's.
    fn sh(&self, script: &str) -> Output {
        let root = self.root().to_str().unwrap();
        let script = script.replace("/var/lib/infra", root);
        Command::new("sh").arg("-c").arg(script).output().unwrap()
    }

    fn did(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An archive in which one file says `text`.
    fn archive(&self, text: &str) -> String {
        let made = format!(
            "cd '{0}'; mkdir -p in/bin; echo {text} > in/bin/feed; chmod 4755 in/bin/feed; tar -czf {text}.tar.gz -C in .; \
             sha256sum {text}.tar.gz | cut -c 1-64",
            self.root().display()
        );
        self.did(&made)
    }

    fn upload(&self, text: &str, files: &UnpackedFiles) -> String {
        let begun = self.did(&begin(&mark(), files));
        if begun != HERE {
            let archive = self.root().join(format!("{text}.tar.gz"));
            self.did(&format!(
                "({}) < '{}'",
                receive(&files.name),
                archive.display()
            ));
            self.did(&unpack(files));
        }
        begun
    }

    /// All that is there, without the archives.
    fn there(&self) -> String {
        self.did("cd /var/lib/infra/files 2> /dev/null && find . -type f -o -name '*.new' | sort | tr '\\n' ' '")
    }
}

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("image.feed"),
    }
}

fn files(sha256: &str) -> UnpackedFiles {
    UnpackedFiles {
        name: format!("demo.feed/{}", &sha256[..16]),
        sha256: sha256.to_owned(),
    }
}

#[test]
fn an_archive_is_unpacked_beside_and_the_one_before_is_kept() {
    let host = Host::new();
    let versions: Vec<UnpackedFiles> = ["one", "two", "three"]
        .iter()
        .map(|text| files(&host.archive(text)))
        .collect();
    let [one, two, three] = &versions[..] else {
        unreachable!()
    };
    host.upload("one", one);
    let read =
        |of: &UnpackedFiles| host.did(&format!("cat {}/bin/feed", UnpackedFiles::path(&of.name)));
    assert_eq!(read(one), "one");
    let mode = host.did(&format!(
        "stat -c %a {}/bin/feed",
        UnpackedFiles::path(&one.name)
    ));
    assert_eq!(mode, "755", "nobody else's rights are in an archive");
    // Done twice it is done once.
    host.did(&begin(&mark(), one));
    host.upload("one", one);
    host.upload("two", two);
    host.did(&remove(&one.name));
    host.did(&remove(&one.name));
    assert_eq!(read(one), "one", "it is kept");
    // Back without an upload, and never from files that somebody changed.
    assert_eq!(host.did(&begin(&mark(), one)), HERE);
    host.did(&remove(&one.name));
    host.did(&format!(
        "echo x > {}/bin/feed",
        UnpackedFiles::path(&one.name)
    ));
    assert_eq!(host.did(&begin(&mark(), one)), "");
    host.upload("one", one);
    assert_eq!(read(one), "one");
    host.did(&remove(&one.name));
    host.upload("three", three);
    host.did(&remove(&two.name));
    let there = host.there();
    assert!(
        there.contains(&two.name) && !there.contains(&one.name),
        "{there}"
    );
    host.did(&remove(&three.name));
    assert_eq!(host.did("ls /var/lib/infra/files"), "", "nothing is left");
}

#[test]
fn what_is_not_as_planned_leaves_what_is_there() {
    let host = Host::new();
    let good = files(&host.archive("one"));
    host.upload("one", &good);
    let other = files(&host.archive("two"));
    let upload = |files: &UnpackedFiles, bytes: &str| {
        host.did(&begin(&mark(), files));
        host.did(&format!("printf '{bytes}' | ({})", receive(&files.name)));
        host.sh(&unpack(files))
    };
    let changed = upload(&other, "text");
    assert_eq!(changed.status.code(), Some(CHANGED), "{changed:?}");
    let text = host.did("printf text | sha256sum | cut -c 1-64");
    let unusable = upload(&files(&text), "text");
    assert_eq!(unusable.status.code(), Some(UNUSABLE), "{unusable:?}");
    host.did("cd /var/lib/infra; mkdir odd; mkfifo odd/pipe; tar -cf odd.tar -C odd .");
    let odd = files(&host.did("sha256sum /var/lib/infra/odd.tar | cut -c 1-64"));
    host.did(&begin(&mark(), &odd));
    host.did(&format!(
        "({}) < /var/lib/infra/odd.tar",
        receive(&odd.name)
    ));
    let refused = host.sh(&unpack(&odd));
    assert_eq!(refused.status.code(), Some(UNUSABLE), "{refused:?}");
    let there = host.there();
    let one = there.split(' ').filter(|path| path.ends_with("bin/feed"));
    assert_eq!(one.count(), 1, "{there}");
    assert!(
        !there.contains(".new") && !there.contains(".part"),
        "{there}"
    );
}

#[test]
fn what_is_nobodys_is_not_touched() {
    let host = Host::new();
    let files = files(&host.archive("one"));
    let at = UnpackedFiles::path(&files.name);
    host.did(&format!("mkdir -p {at}; echo theirs > {at}/x"));
    let refused = host.sh(&begin(&mark(), &files));
    assert_eq!(refused.status.code(), Some(9), "{refused:?}");
    host.did(&remove(&files.name));
    assert_eq!(host.did(&format!("cat {at}/x")), "theirs");
}

#[test]
fn what_a_unit_runs_from_stays() {
    let host = Host::new();
    let versions: Vec<UnpackedFiles> = ["one", "two", "three"]
        .iter()
        .map(|text| files(&host.archive(text)))
        .collect();
    for (text, files) in ["one", "two", "three"].iter().zip(&versions) {
        host.upload(text, files);
    }
    let link = "/var/lib/infra/units/demo.feed/current";
    let one = UnpackedFiles::path(&versions[0].name);
    host.did(&format!(
        "mkdir -p /var/lib/infra/units/demo.feed; ln -s {one} {link}"
    ));
    for files in &versions {
        host.did(&remove(&files.name));
    }
    assert_eq!(host.did(&format!("cat {link}/bin/feed")), "one");
    let there = host.there();
    assert!(!there.contains(&versions[1].name), "{there}");
    host.did(&format!("rm {link}"));
    host.upload("three", &versions[2]);
    host.did(&remove(&versions[2].name));
    assert_eq!(host.did("ls /var/lib/infra/files"), "", "nothing is left");
}
