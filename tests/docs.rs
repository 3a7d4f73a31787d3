//! Generated documents are what the program's tables say now. `INFRA_BLESS=1` writes them.

use std::path::PathBuf;

fn kept(path: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("INFRA_BLESS").is_some() {
        std::fs::write(&path, wanted).expect("the document can be written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{} is not what the tables say: run `INFRA_BLESS=1 cargo test --test docs` and look at the difference",
        path.display()
    );
}

#[test]
fn the_reference_of_blocks_is_true() {
    kept("docs/blocks.md", &infra::reference::blocks());
}

#[test]
fn the_reference_of_functions_is_true() {
    kept("docs/functions.md", &infra::reference::functions());
}

#[test]
fn the_schemas_are_those_of_the_types() {
    for (name, schema) in infra::schemas::all() {
        kept(
            &format!("schemas/{name}.schema.json"),
            &format!("{schema:#}\n"),
        );
    }
}

#[test]
fn no_schema_is_left_over() {
    let known: Vec<String> = infra::schemas::all()
        .iter()
        .map(|(name, _)| format!("{name}.schema.json"))
        .collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for entry in std::fs::read_dir(folder).expect("there is a folder of schemas") {
        let name = entry
            .expect("it can be read")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            known.contains(&name),
            "schemas/{name} is no schema of any type: remove it"
        );
    }
}
