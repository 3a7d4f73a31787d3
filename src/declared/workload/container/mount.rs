//! `mount { … }`: what the container finds at a path, beside the disks that say themselves where they are.

use infra_api::target::Mount;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{MODE, mode, path, size, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "mount",
    label: None,
    doc: "A path of the host, a disk of the workload, or memory, mounted in the container.",
    attributes: &[
        path("target", "The path inside the container.").required(),
        path("source", "The host's path, which must be there."),
        word(
            "disk",
            Shape::String,
            "The label of a `disk` block of the workload. A tmpfs where neither this nor `source` is written.",
        ),
        word("read_only", Shape::Bool, "Not written to.").default("false"),
        word(
            "propagation",
            Shape::OneOf(&[
                "private", "rprivate", "shared", "rshared", "slave", "rslave",
            ]),
            "Of a path of the host: whether mounts made below it later show on the other side. `rprivate` where it is \
             not written.",
        ),
        word(
            "recursive",
            Shape::Bool,
            "Of a path of the host: with what is mounted below it.",
        )
        .default("true"),
        word(
            "subpath",
            Shape::String,
            "Of a disk: this directory of it, which must be there. Needs Docker 26 (API 1.45).",
        ),
        word(
            "copy",
            Shape::Bool,
            "Of a disk: an empty one begins as a copy of what the image has at `target`.",
        )
        .default("true"),
        size("size", "Of a tmpfs: its limit."),
        word(
            "mode",
            Shape::Text(&MODE),
            "Of a tmpfs: the permissions of its root. `1777` where it is not written.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// A mount as declared.
#[derive(Clone, Debug)]
pub enum Mounted {
    /// Complete.
    Whole(Mount),
    /// A disk of the workload, by its label.
    Disk(DiskMount),
}

/// A disk of the workload, or a part of it.
#[derive(Clone, Debug)]
pub struct DiskMount {
    pub disk: At<String>,
    pub read_only: bool,
    pub subpath: Option<String>,
    pub no_copy: bool,
}

/// Which of the attributes go with what is mounted.
const OF_PATHS: &[&str] = &["propagation", "recursive"];
const OF_DISKS: &[&str] = &["subpath", "copy"];
const OF_MEMORY: &[&str] = &["size", "mode"];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<At<(String, Mounted)>> {
    let target = reader.string(block, "target")?;
    let source = reader.string(block, "source");
    let disk = reader.string(block, "disk");
    let read_only = reader.bool(block, "read_only").unwrap_or(false);
    if let (Some(_), Some(disk)) = (&source, &disk) {
        let text = "a mount is of a path of the host or of a disk";
        reader.error(
            "Two sources of a mount",
            disk.span,
            text,
            "leave out `source` or `disk`",
        );
        return None;
    }
    let (what, own) = match (&source, &disk) {
        (Some(_), _) => ("a path of the host", OF_PATHS),
        (None, Some(_)) => ("a disk", OF_DISKS),
        (None, None) => ("a tmpfs", OF_MEMORY),
    };
    strays(block, what, own, reader);
    let mounted = match (source, disk) {
        (Some(source), _) => Mounted::Whole(bind(block, source.value, read_only, reader)),
        (None, Some(disk)) => Mounted::Disk(DiskMount {
            disk,
            read_only,
            subpath: subpath(block, reader),
            no_copy: reader.bool(block, "copy") == Some(false),
        }),
        (None, None) => Mounted::Whole(tmpfs(block, read_only, reader)),
    };
    Some(At {
        value: (target.value, mounted),
        span: target.span,
    })
}

/// Attributes that mean nothing of what is mounted.
fn strays(block: &Block, what: &str, own: &[&str], reader: &mut Reader<'_>) {
    let others = [OF_PATHS, OF_DISKS, OF_MEMORY].concat();
    for name in others.into_iter().filter(|name| !own.contains(name)) {
        if let Some(span) = written(block, name) {
            let text = format!("this mount is of {what}, which has no `{name}`");
            reader.error("Attribute of another mount", span, text, "leave it out");
        }
    }
}

/// Where a person wrote it: a default stands in the block's own place.
fn written(block: &Block, name: &str) -> Option<Span> {
    let value = block.get(name).filter(|written| !written.value.is_null())?;
    (value.span != block.span && !is_default(name, value)).then_some(value.span)
}

fn is_default(name: &str, value: &infra_lang::Spanned<infra_expr::Value>) -> bool {
    matches!(name, "recursive" | "copy") && value.value.as_bool() == Some(true)
}

fn bind(block: &Block, source: String, read_only: bool, reader: &mut Reader<'_>) -> Mount {
    let propagation = reader.string(block, "propagation").map(|word| word.value);
    Mount::Bind {
        source,
        read_only,
        // The engine's own.
        propagation: propagation.filter(|word| word != "rprivate"),
        non_recursive: reader.bool(block, "recursive") == Some(false),
    }
}

fn tmpfs(block: &Block, read_only: bool, reader: &mut Reader<'_>) -> Mount {
    if read_only {
        let span = block
            .get("read_only")
            .map_or(block.span, |written| written.span);
        let text = "nothing could ever be written to it";
        reader.error(
            "Memory that is not written to",
            span,
            text,
            "leave `read_only` out",
        );
    }
    let size = reader.bytes(block, "size");
    if let Some(size) = size.as_ref().filter(|size| size.value == 0) {
        let text = "the engine takes 0 for half of the host's memory";
        reader.error(
            "Tmpfs of no size",
            size.span,
            text,
            "write a size, or leave it out",
        );
    }
    let mode = reader
        .string(block, "mode")
        .and_then(|text| mode(&text.value));
    Mount::Tmpfs {
        size_bytes: size.map(|size| size.value),
        // The kernel's own.
        mode: mode.filter(|mode| *mode != 0o1777),
    }
}

fn subpath(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let subpath = reader.string(block, "subpath")?;
    let odd = |part: &str| matches!(part, "" | "." | "..");
    if subpath.value.split('/').any(odd) {
        let text = "it is no path inside the disk: it begins with `/`, or has an empty part, a `.` or a `..`";
        reader.error(
            "Not a path inside the disk",
            subpath.span,
            text,
            "write it as `db/data`",
        );
        return None;
    }
    Some(subpath.value)
}
