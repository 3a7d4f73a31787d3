//! What a process on the metal may see and do.

use infra_api::target::UnitConfinement;
use infra_diag::Span;
use infra_lang::{Block, Text};

use crate::declared::read::Reader;
use crate::declared::words::PATH;

pub(super) static FOLDER: Text = Text {
    name: "a folder below /var/lib",
    example: "feed",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let steps = text
            .split('/')
            .all(|step| !step.is_empty() && !step.starts_with('.'));
        match text.chars().all(plain) && steps {
            true => Ok(()),
            false => Err(
                "it is made of names with letters, digits, dots, dashes and underscores".to_owned(),
            ),
        }
    },
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> UnitConfinement {
    let open = reader.bool(block, "open").unwrap_or(false);
    let mut list = |name: &str, check: fn(&str) -> Result<(), String>| {
        let mut items = reader.strings(block, name).unwrap_or_default();
        items.sort();
        items.dedup();
        if let Some(span) = block.get(name).map(|written| written.span) {
            refused(&items, span, check, reader);
        }
        items
    };
    UnitConfinement {
        open,
        writable: list("writable", PATH.check),
        capabilities: list("capabilities", capability),
        devices: list("devices", device),
        state_directory: reader
            .string(block, "state_directory")
            .map(|word| word.value),
    }
}

fn refused(
    items: &[String],
    span: Span,
    check: fn(&str) -> Result<(), String>,
    reader: &mut Reader<'_>,
) {
    for item in items {
        if let Err(why) = check(item) {
            let text = format!("`{item}`: {why}");
            reader.error(
                "Unusable word",
                span,
                text,
                "write it as the reference shows",
            );
        }
    }
}

fn capability(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("CAP_").unwrap_or_default();
    match !rest.is_empty() && rest.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
        true => Ok(()),
        false => Err("a capability is written as `CAP_NET_ADMIN`".to_owned()),
    }
}

fn device(text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:*".contains(c);
    let known = ["/dev/", "char-", "block-"]
        .iter()
        .any(|begin| text.len() > begin.len() && text.starts_with(begin));
    match known && text.chars().all(plain) {
        true => Ok(()),
        false => {
            Err("a device is a path below `/dev`, or `char-GROUP` or `block-GROUP`".to_owned())
        }
    }
}
