//! Archives in, streams out, as they were sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::*;

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Builder::new(Vec::new());
    for (path, text) in files {
        out.append_data(&mut header(text.len() as u64), path, *text)
            .unwrap();
    }
    out.into_inner().unwrap()
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn sha(bytes: &[u8]) -> String {
    names::hex(&Sha256::digest(bytes))
}

/// What came out, and whether it ended well.
fn sent(bytes: &[u8], sha256: &str) -> (Result<(), Flaw>, Vec<Piece>) {
    let file = file(bytes);
    let (sink, mut pieces) = mpsc::channel(1024);
    let upload = Upload {
        path: file.path(),
        sha256,
        names: [
            "infra/demo/a:long".to_owned(),
            "infra/demo/a:short".to_owned(),
        ],
        architecture: "amd64",
    };
    let count = AtomicU64::new(0);
    let outcome = send(&upload, &sink, &count);
    drop(sink);
    if outcome.is_ok() {
        assert_eq!(count.load(Ordering::Relaxed), bytes.len() as u64);
    }
    (
        outcome,
        std::iter::from_fn(|| pieces.blocking_recv()).collect(),
    )
}

fn loaded(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let (outcome, pieces) = sent(bytes, &sha(bytes));
    outcome.unwrap();
    let stream: Vec<u8> = pieces
        .into_iter()
        .flat_map(|piece| piece.unwrap().to_vec())
        .collect();
    let mut archive = Archive::new(stream.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        (entry.path().unwrap().to_string_lossy().into_owned(), text)
    });
    entries.collect()
}

fn json_of(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn a_root_file_system_becomes_an_image() {
    let root = tar(&[
        ("bin/sh", b"x"),
        ("manifest.json", b"{\"not\": \"an image's\"}"),
    ]);
    let files = loaded(&root);
    assert_eq!(files["layer.tar"], root);
    let manifest = json_of(&files["manifest.json"]);
    assert_eq!(
        manifest[0]["RepoTags"],
        json!(["infra/demo/a:long", "infra/demo/a:short"])
    );
    let config_file = manifest[0]["Config"].as_str().unwrap();
    let config = &files[config_file];
    assert_eq!(config_file, format!("{}.json", sha(config)));
    assert_eq!(
        json_of(config),
        json!({
            "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha(&root))]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "infra"}],
        })
    );
    assert_eq!(loaded(&root), files, "the same file gives the same image");
}

#[test]
fn images_pass_under_our_names_only() {
    let manifest = br#"[{"Config":"c.json","RepoTags":["cache:latest"],"Layers":["l/layer.tar"]}]"#;
    let index = br#"{"manifests":[{"digest":"sha256:1"}]}"#;
    let long = format!("{}/layer.tar", "l".repeat(150));
    let archive = tar(&[
        (&long, b"layer"),
        ("c.json", b"{}"),
        ("repositories", b"{\"cache\":{}}"),
        ("index.json", index),
        ("manifest.json", manifest),
    ]);
    let files = loaded(&archive);
    assert_eq!(
        json_of(&files["manifest.json"])[0]["RepoTags"],
        json!(["infra/demo/a:long", "infra/demo/a:short"])
    );
    assert_eq!(files[&long], b"layer");
    assert!(!files.contains_key("repositories"));
    let annotations = &json_of(&files["index.json"])["manifests"][0]["annotations"];
    assert_eq!(
        annotations["io.containerd.image.name"],
        "docker.io/infra/demo/a:long"
    );
}

fn flaw(bytes: &[u8]) -> String {
    let (outcome, pieces) = sent(bytes, &sha(bytes));
    assert!(
        pieces.last().is_some_and(Result::is_err),
        "the stream must break off"
    );
    let failure = outcome
        .unwrap_err()
        .failure("creating image `a`", Path::new("a.tar"));
    assert_eq!(failure.remedy, Remedy::Operator);
    failure.cause
}

#[test]
fn what_is_no_whole_archive_is_told() {
    let root = tar(&[("bin/sh", &[7; 5000])]);
    let archive = |why: &str| format!("archive a.tar: {why}");
    assert_eq!(flaw(b""), archive("it is empty"));
    assert_eq!(flaw(&[0; 1024]), archive("nothing is in it"));
    for length in [1, 512, 600, 3000, 5632] {
        assert!(flaw(&root[..length]).contains("truncated"), "{length}");
    }
    let mut inside = root[..3000].to_vec();
    inside.extend([0; 1024]);
    assert_eq!(flaw(&inside), archive("it is truncated"));
    assert!(flaw(b"\x1f\x8b\x08 gzip").contains("compressed with gzip: decompress it first"));
    let mut noise = vec![42; 2048];
    noise.extend([0; 1024]);
    assert!(flaw(&noise).contains("no tar archive, or is damaged"));
    let two = br#"[{"Config":"c","Layers":[]},{"Config":"d","Layers":[]}]"#;
    assert_eq!(
        flaw(&tar(&[("manifest.json", two)])),
        archive("it holds 2 images: save one alone")
    );
}

/// One entry of this name, which the builder would not take as it is.
fn named(path: &str, kind: EntryType, link: &str) -> Vec<u8> {
    let mut out = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_entry_type(kind);
    let name = &mut header.as_gnu_mut().unwrap().name;
    name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    out.append(&header, &[][..]).unwrap();
    out.into_inner().unwrap()
}

#[test]
fn entries_stay_in_their_archive() {
    let (file, hard, symbolic) = (EntryType::Regular, EntryType::Link, EntryType::Symlink);
    for (path, kind, link) in [
        ("/etc/passwd", file, ""),
        ("../x", file, ""),
        ("a/../../x", file, ""),
        ("a", hard, "/etc/passwd"),
        ("a", hard, "../x"),
    ] {
        let why = flaw(&named(path, kind, link));
        assert!(
            why.contains("is no path inside the archive"),
            "{path}: {why}"
        );
    }
    for (path, kind, link) in [
        ("./etc/passwd", file, ""),
        ("a", hard, "b"),
        ("a", symbolic, "/etc/passwd"),
        ("a", symbolic, "../../x"),
    ] {
        loaded(&named(path, kind, link));
    }
}

#[test]
fn what_a_manifest_names_is_in_its_archive() {
    for (config, layer) in [
        ("/etc/passwd", "l/layer.tar"),
        ("c.json", "../../etc/shadow"),
    ] {
        let manifest = format!(r#"[{{"Config":{config:?},"Layers":[{layer:?}]}}]"#);
        let why = flaw(&tar(&[("manifest.json", manifest.as_bytes())]));
        assert!(why.contains("`manifest.json` names"), "{why}");
    }
}

#[test]
fn another_file_than_was_planned_is_not_loaded() {
    let manifest = br#"[{"Config":"c.json","Layers":["l/layer.tar"]}]"#;
    let images = tar(&[("manifest.json", manifest), ("l/layer.tar", &[7; 1 << 20])]);
    for archive in [tar(&[("bin/sh", b"x")]), images] {
        let (outcome, pieces) = sent(&archive, &sha(b"another"));
        let failure = outcome
            .unwrap_err()
            .failure("creating image `a`", Path::new("a.tar"));
        assert_eq!(failure.remedy, Remedy::Replan);
        assert!(failure.cause.contains(&sha(&archive)), "{failure}");
        assert!(pieces.last().is_some_and(Result::is_err));
        let stream: Vec<u8> = pieces
            .iter()
            .flatten()
            .flat_map(|piece| piece.to_vec())
            .collect();
        let ended =
            stream.len() > 1024 && stream[stream.len() - 1024..].iter().all(|byte| *byte == 0);
        assert!(!ended, "it must not look whole");
    }
}

#[test]
fn a_missing_file_is_named() {
    let upload = Upload {
        path: Path::new("/nowhere/a.tar"),
        sha256: "",
        names: Default::default(),
        architecture: "amd64",
    };
    let (sink, _pieces) = mpsc::channel(8);
    let failure = send(&upload, &sink, &AtomicU64::new(0))
        .unwrap_err()
        .failure("x", upload.path);
    assert!(
        failure
            .cause
            .starts_with("archive /nowhere/a.tar: No such file"),
        "{failure}"
    );
}
