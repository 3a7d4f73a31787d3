//! libvirt's documents, written from bodies and read back: pure, no daemon in sight.

pub(crate) mod companion;
pub(crate) mod compare;
pub(crate) mod console;
pub(crate) mod dns;
pub(crate) mod domain;
#[cfg(test)]
pub(crate) mod domain_laws;
pub(crate) mod domain_read;
#[cfg(test)]
pub(crate) mod domain_tests;
pub(crate) mod mark;
pub(crate) mod network;
pub(crate) mod patch;
pub(crate) mod pool;
pub(crate) mod seed;
pub(crate) mod theirs;
pub(crate) mod travel;
pub(crate) mod tree;
pub(crate) mod volume;
pub(crate) mod xml;

/// Compares with a file of `golden/`. `INFRA_BLESS=1` writes the file instead: look at its diff.
#[cfg(test)]
pub(crate) fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/text/golden")
        .join(name);
    if std::env::var_os("INFRA_BLESS").is_some() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected.trim_end(), "{} differs", path.display());
}
