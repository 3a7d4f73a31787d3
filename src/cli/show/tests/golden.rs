//! Comparing with `tests/view`.

use std::path::PathBuf;

use crate::cli::show::page;

/// Compares with the golden file, and holds the page to its width.
pub(super) fn golden(name: &str, styled: &str) {
    let text = anstream::adapter::strip_str(styled).to_string();
    for line in text.lines() {
        let whole = !line
            .trim()
            .trim_start_matches(['+', '-', '~', '/', '!', ' '])
            .contains(' ');
        assert!(page::width(line) <= page::WIDTH || whole, "{name}: {line}");
    }
    same(&format!("{name}.txt"), &text);
}

pub(super) fn same(file: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/view")
        .join(file);
    if std::env::var_os("INFRA_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{file} differs; INFRA_BLESS=1 rewrites it");
}
