//! What a process on the metal runs from: files that are unpacked for it, and packages of its host's distribution. Without
//! either it runs what is on the host.

use std::collections::BTreeMap;

use infra_api::Address;
use infra_diag::Span;
use infra_lang::{Attribute, Block, Shape, Text};

use crate::declared::read::{At, Reader};
use crate::declared::words::{PATH, STRING_MAP, word};

pub(super) const IMAGE: Attribute = word(
    "image",
    Shape::Ref(&["image"]),
    "A declared image with `files`: they are unpacked on its host before it starts, and it runs from them. Other files are \
     unpacked beside them, and it is started anew from those; where that fails the former ones run again.",
);

pub(super) const PACKAGES: Attribute = word(
    "packages",
    STRING_MAP,
    "Debian packages that are installed on its host before it starts, with their versions: `{ redis = \"5:7.0.15-1\" }`. \
     What was found is put back when nobody wants it any more. Services that a new package brings are stopped and disabled.",
);

/// Where a path may be of the unpacked files.
pub(super) static HERE: Text = Text {
    name: "a path on the host, or in the image's files",
    example: "/srv/feed",
    check: |text| match text.starts_with('/') {
        true => (PATH.check)(text),
        false => inside(text),
    },
};

fn inside(text: &str) -> Result<(), String> {
    let odd = |part: &str| matches!(part, "" | "." | "..");
    match text.split('/').any(odd) {
        true => Err("it has an empty part, a `.` or a `..`".to_owned()),
        false => Ok(()),
    }
}

/// What it runs from.
#[derive(Clone, Debug, Default)]
pub struct Software {
    pub image: Option<At<Address>>,
    /// Names and versions.
    pub packages: BTreeMap<String, String>,
    /// Of the packages.
    pub span: Option<Span>,
}

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Software {
    let packages = reader.string_map(block, "packages");
    let span = block.get("packages").map(|written| written.span);
    for (name, version) in &packages {
        let why = match (is_name(name), is_version(version)) {
            (false, _) => format!("`{name}` is no name of a Debian package"),
            (_, false) => format!("`{version}` is no version of a Debian package"),
            _ => continue,
        };
        reader.error(
            "Not a package",
            span.unwrap_or(block.span),
            why,
            "write name and version as `apt-cache madison NAME` shows them, `{ redis = \"5:7.0.15-1\" }`",
        );
    }
    let image = reader.string(block, "image");
    Software {
        image: image.map(|image| At {
            value: Address::new(image.value),
            span: image.span,
        }),
        packages,
        span,
    }
}

/// As Debian's policy has it.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    text.len() > 1
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// The same.
fn is_version(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+~:-".contains(c);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(plain)
}

/// A program is looked for on no path that nobody sees in the plan: it is on the host, or in the files.
pub(super) fn program(words: &[String], name: &str, block: &Block, reader: &mut Reader<'_>) {
    let Some(span) = block.get(name).map(|written| written.span) else {
        return;
    };
    let why = match words.first() {
        None => "no program is named".to_owned(),
        Some(first) => match in_place(first, block) {
            Ok(()) => return,
            Err(why) => format!("`{first}`: {why}"),
        },
    };
    reader.error(
        "Not a program",
        span,
        why,
        "write its whole path on the host, as `/usr/bin/memcached`, or with an `image` its path in the files, as `bin/feed`",
    );
}

/// The folder it runs in.
pub(super) fn folder(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let At { value, span } = reader.string(block, "working_dir")?;
    if let Err(why) = in_place(&value, block) {
        let why = format!("`{value}`: {why}");
        reader.error(
            "Not a folder",
            span,
            why,
            "write its whole path on the host, or with an `image` its path in the files",
        );
    }
    Some(value)
}

fn in_place(text: &str, block: &Block) -> Result<(), String> {
    let image = block.get("image");
    match image.is_some_and(|image| !image.value.is_null()) && !text.starts_with('/') {
        true => inside(text),
        false => (PATH.check)(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_debian_names_them() {
        for name in ["redis", "libc6", "g++", "0ad", "linux-image-6.1"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "r",
            "Redis",
            "-y",
            "redis=1",
            "redis:amd64",
            "a b",
            "../x",
        ] {
            assert!(!is_name(name), "{name}");
        }
        for version in ["1", "5:7.0.15-1~deb12u1", "1.2+dfsg-3"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "latest", "1 2", "1;x", "-1", "1/2"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
