//! What a script of ours prints of a tree: names and links, then files, each ended by a zero byte.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use crate::tree::Tree;

/// Of the paths that come, each ended by a zero byte: those that are there, and where they lead if they are links.
pub(crate) const ENTRIES_OF_WORDS: &str =
    r#"xargs -0 sh -c 'exec find "$@" -maxdepth 0 -printf "%p\t%l\0"' sh 2> /dev/null"#;

/// The text of the files whose paths come in the same way.
pub(crate) const FILES_OF_WORDS: &str = "xargs -0 grep -a -d skip -s -H -Z ''";

/// A tree that was printed.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    /// Of each folder the names in it.
    names: BTreeMap<String, BTreeSet<String>>,
    links: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Printed {
    /// # Errors
    /// Where it is cut off.
    pub(crate) fn entries(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        while let Some(path) = words.path('\t')? {
            let link = words.until('\0')?;
            self.is_there(path);
            if !link.is_empty() {
                self.links.insert(path.to_owned(), link.to_owned());
            }
        }
        Ok(())
    }

    /// # Errors
    /// Where it is cut off.
    pub(crate) fn files(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        while let Some(path) = words.path('\0')? {
            let line = words.until('\n')?;
            self.is_there(path);
            let file = self.files.entry(path.to_owned()).or_default();
            file.extend(line.bytes().chain([b'\n']));
        }
        Ok(())
    }

    /// Of files, in their order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    fn is_there(&mut self, path: &str) {
        if let Some((folder, name)) = path.rsplit_once('/') {
            let names = self.names.entry(folder.to_owned()).or_default();
            if names.insert(name.to_owned()) {
                self.is_there(folder);
            }
        }
    }
}

impl Tree for Printed {
    fn head(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let file = self.files.get(path).ok_or(ErrorKind::NotFound)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(file[..file.len().min(most)].to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(names.iter().cloned().collect())
    }

    fn link(&self, path: &str) -> io::Result<String> {
        let target = self.links.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(target.clone())
    }
}

/// What is left to be read.
pub(crate) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// What comes behind the head, and whatever a login said before it.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn behind(head: &str, text: &'a str) -> Result<Self, String> {
        let start = text.find(&format!("{head}\0"));
        let start = start.ok_or("what came back is not what was asked for")?;
        let mut words = Self(&text[start..]);
        words.until('\0')?;
        Ok(words)
    }

    pub(crate) fn until(&mut self, end: char) -> Result<&'a str, String> {
        let (word, rest) = self.0.split_once(end).ok_or("what came back is cut off")?;
        self.0 = rest;
        Ok(word)
    }

    /// Nothing at the end of a part.
    pub(crate) fn path(&mut self, end: char) -> Result<Option<&'a str>, String> {
        if let Some(rest) = self.0.strip_prefix('\0') {
            self.0 = rest;
            return Ok(None);
        }
        self.until(end).map(Some)
    }
}
