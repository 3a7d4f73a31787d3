//! Small made-up machines, written as lines of text.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use infra_api::{Facts, IdSet};
use infra_kernel::{Problem, Tree, read};

/// A tree in memory. A value that begins with `->` is a symlink; links are not followed.
pub(crate) struct Sketch(pub(crate) BTreeMap<String, String>);

impl Tree for Sketch {
    fn head(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(ErrorKind::NotFound)?;
        let mut bytes = text.clone().into_bytes();
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let inside = |file: &str| {
            let rest = file.strip_prefix(path)?.strip_prefix('/')?;
            rest.split('/').next().map(str::to_owned)
        };
        let mut names: Vec<String> = self.0.keys().filter_map(|file| inside(file)).collect();
        names.dedup();
        if names.is_empty() {
            Err(ErrorKind::NotFound.into())
        } else {
            Ok(names)
        }
    }

    fn link(&self, path: &str) -> io::Result<String> {
        let target = self.0.get(path).and_then(|text| text.strip_prefix("->"));
        target
            .map(str::to_owned)
            .ok_or(ErrorKind::InvalidInput.into())
    }
}

/// Lines of `path value`, in which `\\n` is a new line and `CPU`, `NODE` and `PCI` are short for
/// their directories.
pub(crate) fn sketch(text: &str) -> Sketch {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let files = lines.map(|line| {
        let (path, value) = line.split_once(' ').unwrap_or((line, ""));
        let path = path.replace("CPU/", "sys/devices/system/cpu/");
        let path = path.replace("PCI/", "sys/bus/pci/devices/");
        (
            path.replace("NODE/", "sys/devices/system/node/"),
            value.replace("\\n", "\n") + "\n",
        )
    });
    Sketch(
        files
            .map(|(path, value)| {
                let link = value.starts_with("->");
                (
                    path,
                    if link {
                        value.trim_end().to_owned()
                    } else {
                        value
                    },
                )
            })
            .collect(),
    )
}

pub(crate) fn facts(text: &str) -> Facts {
    let (facts, problems) = read(&sketch(text));
    assert!(problems.is_empty(), "{problems:#?}");
    facts
}

pub(crate) fn faulty(text: &str) -> (Facts, Vec<Problem>) {
    read(&sketch(text))
}

pub(crate) fn ids(text: &str) -> IdSet {
    text.parse().unwrap()
}
