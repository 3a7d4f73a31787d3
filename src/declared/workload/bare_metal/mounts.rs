//! `mount "/srv/data" { … }`: a file system that is mounted on the host before the process starts.

use std::collections::BTreeMap;

use infra_lang::{Block, BlockKind, Meta, Shape, Text};

use crate::declared::read::{At, Reader};
use crate::declared::words::{PATH, STRINGS, word};

const TMPFS: &str = "tmpfs";

static SOURCE: Text = Text {
    name: "what is mounted: a block device, HOST:/PATH or a folder",
    example: "/dev/disk/by-label/data",
    check: |text| match text.split_once('=') {
        _ if text.chars().any(char::is_control) => Err("it has a control character".to_owned()),
        Some(("LABEL" | "UUID" | "PARTLABEL" | "PARTUUID", name)) if !name.is_empty() => Ok(()),
        _ => match text.split_once(':') {
            Some((host, path)) if !host.is_empty() && !host.contains('/') => (PATH.check)(path),
            _ => (PATH.check)(text),
        },
    },
};

static TYPE: Text = Text {
    name: "a type of file systems",
    example: "ext4",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        match !text.is_empty() && text.chars().all(plain) {
            true => Ok(()),
            false => Err("it is made of letters, digits, dots, dashes and underscores".to_owned()),
        }
    },
};

pub(super) static MOUNT: BlockKind = BlockKind {
    name: "mount",
    label: Some("path"),
    doc: "A file system that is mounted on the host, at this path, before the process starts: a unit of its own, which the \
          process requires, and which goes when no workload wants it any more; what is on it stays. Workloads that have the same \
          mount say the same of it. One that is there already, and is nobody's of ours, is left alone, and the plan says so.",
    attributes: &[
        word(
            "source",
            Shape::Text(&SOURCE),
            "A block device (`/dev/…`, `LABEL=…`, `UUID=…`), a server's export (`nas:/export`), or a folder of the host, which is \
             then at this path, too. Of all but a `tmpfs`.",
        ),
        word(
            "type",
            Shape::Text(&TYPE),
            "Of the file system: `ext4`, `xfs`, `nfs4`; `tmpfs` is memory. Of a device it is looked for where it is not written, \
             of an export it is `nfs`.",
        ),
        word(
            "options",
            STRINGS,
            "As mount(8) has them: `[\"noatime\", \"size=1G\"]`.",
        ),
        word("read_only", Shape::Bool, "Not written to.").default("false"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    pub source: String,
    pub kind: Option<String>,
    /// Sorted.
    pub options: Vec<String>,
    pub read_only: bool,
}

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, At<Mounted>> {
    let mut mounts = BTreeMap::new();
    for mount in block.nested("mount") {
        let Some((path, span)) = place(mount, reader) else {
            continue;
        };
        let Some(value) = mounted(mount, reader) else {
            continue;
        };
        if mounts.insert(path, At { value, span }).is_some() {
            let text = "another mount is there already";
            reader.error("Path mounted twice", span, text, "mount it at another path");
        }
    }
    mounts
}

fn place(mount: &Block, reader: &mut Reader<'_>) -> Option<(String, infra_diag::Span)> {
    let label = mount.label.as_ref()?;
    let path = label.value.to_string();
    let why = match (PATH.check)(&path) {
        Ok(()) if path == "/" => "the host has its own".to_owned(),
        Ok(()) => return Some((path, label.span)),
        Err(why) => why,
    };
    let text = format!("`{path}`: {why}");
    let hint = "write the whole path on the host, as `/srv/data`";
    reader.error("Not a place to mount at", label.span, text, hint);
    None
}

fn mounted(mount: &Block, reader: &mut Reader<'_>) -> Option<Mounted> {
    let source = reader.string(mount, "source");
    let kind = reader.string(mount, "type").map(|word| word.value);
    let read_only = reader.bool(mount, "read_only").unwrap_or(false);
    let mut options = options(mount, reader);
    let (source, kind) = match (source, kind.as_deref()) {
        (None, Some(TMPFS)) => (TMPFS.to_owned(), kind),
        (Some(source), Some(TMPFS)) => {
            let text = "memory is of nothing that is there";
            reader.error("Source of a tmpfs", source.span, text, "leave it out");
            return None;
        }
        (None, _) => {
            let hint = "write `source`, or `type = \"tmpfs\"`";
            reader.error(
                "Mount of nothing",
                mount.span,
                "what is mounted there?",
                hint,
            );
            return None;
        }
        (Some(source), _) => {
            let source = source.value;
            let is_folder = source.starts_with('/') && !source.starts_with("/dev/");
            if is_folder {
                options.push("bind".to_owned());
            }
            let usual = match is_folder {
                true => Some("none"),
                false if source.contains(":/") => Some("nfs"),
                false => None,
            };
            let kind = kind.or_else(|| usual.map(str::to_owned));
            (source, kind)
        }
    };
    if read_only {
        options.push("ro".to_owned());
    }
    options.sort();
    options.dedup();
    Some(Mounted {
        source,
        kind,
        options,
        read_only,
    })
}

fn options(mount: &Block, reader: &mut Reader<'_>) -> Vec<String> {
    let options = reader.strings(mount, "options").unwrap_or_default();
    let odd = |option: &&String| {
        option.is_empty()
            || option.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control())
    };
    if let (Some(odd), Some(written)) = (options.iter().find(odd), mount.get("options")) {
        let text = format!("`{odd}` is no option of its own");
        let hint = "write each in a string of its own, as `\"noatime\"`";
        reader.error("Not an option", written.span, text, hint);
    }
    options
}
