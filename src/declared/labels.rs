//! Labels of an engine's objects: a person's beside our own.

use infra_lang::Block;

use super::read::Reader;

/// Those that begin as ours do are ours.
pub(super) fn check(block: &Block, reader: &mut Reader<'_>) {
    let Some(written) = block.get("labels") else {
        return;
    };
    let names = written.value.as_object().into_iter().flatten();
    let names: Vec<&str> = names.map(|(name, _)| &**name).collect();
    if names
        .iter()
        .any(|name| name.is_empty() || name.contains(['=', ',']))
    {
        let text = "a name in `labels` is empty, or has an equals sign or a comma";
        reader.error("Invalid name", written.span, text, "give it another name");
    }
    if names.iter().any(|name| name.starts_with("infra.")) {
        let text = "labels that begin with `infra.` are kept for infra's own mark";
        reader.error("Invalid name", written.span, text, "give it another name");
    }
}
