//! `file "/etc/x" { … }`: a file put into the container before it starts.

use std::collections::BTreeMap;

use infra_api::Text;
use infra_api::target::UploadedFile;
use infra_lang::{Attribute, Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{MODE, PATH, mode, whole, word};

/// Of one file. Its content stands in plan and state; what is larger belongs into an image or a volume.
pub(super) const MOST: usize = 1 << 20;

pub(in crate::declared::workload) const ATTRIBUTES: &[Attribute] = &[
    word(
        "content",
        Shape::String,
        "Its text; a file of the configuration by `file(\"PATH\")`. A secret is kept as a digest. At most 1 MiB.",
    ),
    word(
        "content_base64",
        Shape::String,
        "Its bytes; a file of the configuration by `filebase64(\"PATH\")`.",
    ),
    word("mode", Shape::Text(&MODE), "Its permissions.").default("\"0644\""),
    whole("uid", 0, 4_294_967_294, "Its owner, by number.").default("0"),
    whole("gid", 0, 4_294_967_294, "Its group, by number.").default("0"),
];

pub(super) static KIND: BlockKind = BlockKind {
    name: "file",
    label: Some("path"),
    doc: "A file put into the container before it starts, by its path there. It is read back: what somebody changed is \
          put right. Exactly one of `content` and `content_base64` is written.",
    attributes: ATTRIBUTES,
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(in crate::declared::workload) fn read(
    block: &Block,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, At<UploadedFile>> {
    let mut files = BTreeMap::new();
    for written in block.nested("file") {
        let Some((path, file)) = one(written, reader) else {
            continue;
        };
        let span = file.span;
        if files.insert(path, file).is_some() {
            let text = "another `file` block puts it there already";
            reader.error("File written twice", span, text, "leave one of them out");
        }
    }
    files
}

fn one(block: &Block, reader: &mut Reader<'_>) -> Option<(String, At<UploadedFile>)> {
    let label = block.label.as_ref()?;
    let path = label.value.to_string();
    let checked = (PATH.check)(&path).and_then(|()| match path.as_str() {
        "/" => Err("it is the root".to_owned()),
        _ => Ok(()),
    });
    if let Err(why) = checked {
        reader.error(
            "Not a file's path",
            label.span,
            why,
            "write it as `/etc/app.conf`",
        );
        return None;
    }
    let (content, binary) = content(block, reader)?;
    let file = UploadedFile {
        content,
        binary,
        mode: mode(&reader.string(block, "mode")?.value)?,
        uid: reader.whole(block, "uid")?.value,
        gid: reader.whole(block, "gid")?.value,
    };
    Some((
        path,
        At {
            value: file,
            span: label.span,
        },
    ))
}

fn content(block: &Block, reader: &mut Reader<'_>) -> Option<(Text, bool)> {
    let is_written = |name| {
        block
            .get(name)
            .is_some_and(|written| !written.value.is_null())
    };
    let (name, binary) = match (is_written("content"), is_written("content_base64")) {
        (true, false) => ("content", false),
        (false, true) => ("content_base64", true),
        (both, _) => {
            let found = if both { "both" } else { "neither" };
            let text = format!("{found} of `content` and `content_base64` is written here");
            reader.error(
                "File without one content",
                block.span,
                text,
                "write exactly one of them",
            );
            return None;
        }
    };
    let written = block.get(name)?;
    let text = written.value.as_str()?;
    let size = match binary {
        true => bytes(text),
        false => Some(text.len()),
    };
    match size {
        None => {
            let hint = "write `filebase64(\"PATH\")`";
            reader.error(
                "Not base64",
                written.span,
                "it is not bytes in base64",
                hint,
            );
            None
        }
        Some(size) if size > MOST => {
            let text = format!("it has {size} bytes, and at most {MOST} are put into a container");
            let hint = "put it into the image, or into a volume";
            reader.error("File too large", written.span, text, hint);
            None
        }
        Some(_) => Some((reader.text(block, name)?, binary)),
    }
}

fn bytes(text: &str) -> Option<usize> {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text).ok().map(|bytes| bytes.len())
}
