//! `log { … }`: where the container's output goes.

use infra_api::target::Log;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{STRING_MAP, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "log",
    label: None,
    doc: "Where its output goes; as the engine is configured where it is not written.",
    attributes: &[
        word(
            "driver",
            Shape::String,
            "Such as `json-file`, `local`, `journald`, `syslog` or `none`.",
        )
        .required(),
        word(
            "options",
            STRING_MAP,
            "Of the driver: `{ max-size = \"10m\" }`.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Log> {
    let driver = reader.string(block, "driver")?;
    let options = reader.string_map(block, "options");
    let odd = |name: &String| name.is_empty() || name.contains([',', '=']);
    if let Some(written) = block.get("options").filter(|_| options.keys().any(odd)) {
        let text = "a name in `options` is empty, or has an equals sign or a comma";
        reader.error(
            "Invalid name",
            written.span,
            text,
            "write it as the driver's documentation does",
        );
    }
    if driver.value.is_empty() {
        reader.error(
            "No log driver",
            driver.span,
            "it is empty",
            "name a driver, or leave the block out",
        );
    }
    Some(Log {
        driver: driver.value,
        options,
    })
}
