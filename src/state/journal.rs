//! The journal of one apply: what was started, done and failed, one record a line, each with its checksum. What the
//! records add up to is [`crate::Folding`]'s business.
//!
//! A start is synced before its effect, and whatever was written before it is synced with it. An end is written at once,
//! which a killed program survives, and is not waited for: where the machine loses its power before the next start, or
//! before the state is written, the step is in doubt as if it had been cut off one moment earlier. Before the first step
//! nothing is written at all.
//!
//! A line is 16 hexadecimal digits of the JSON's SHA-256, a space, the JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infra_api::{Address, Placement, Project, ResourceId, names};
use infra_plan::{Output, Record, StepAction};
use serde::{Deserialize, Serialize};

use crate::disk::replace;
use crate::{Disk, Error, Kind, Unfinished};

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "record", deny_unknown_fields)]
pub enum Entry {
    /// The first one, and only that.
    Begin(Begin),
    /// Written before the effect.
    Started {
        step: u32,
        resource: ResourceId,
        address: Address,
        action: StepAction,
        /// Of what moves: what it is until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ResourceId>,
    },
    /// Its effect was read back.
    Done {
        step: u32,
        resource: ResourceId,
        address: Address,
        /// Null: removed.
        kept: Option<Record>,
        /// Of what has moved: what it was, and is no more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ResourceId>,
    },
    Failed {
        step: u32,
        resource: ResourceId,
        error: String,
        /// What is there all the same: ours, and whole though not as it was wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Record>,
        /// Of what has moved all the same: what it was, and is no more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ResourceId>,
    },
    /// The last one, where the apply came to its end; complete: every step is done.
    End { complete: bool },
}

/// What an apply sets out to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    pub format_version: String,
    pub project: Project,
    pub lineage: String,
    /// Of the state it began on; 0: there was none.
    pub serial: u64,
    /// Where workloads will run.
    pub workloads: BTreeMap<Address, Placement>,
    pub outputs: BTreeMap<String, Output>,
    /// What tags of images stand for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How far applies before this one have come with the plan.
    pub unfinished: Unfinished,
    /// Left over from an apply before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<ResourceId>,
    /// Of these what may be about to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopping: Vec<ResourceId>,
}

/// Takes entries down, all or the first of them: returns when they outlive the program, and where one is a start, the
/// machine.
pub trait Log: Send + Sync {
    fn append(&self, entries: &[Entry]) -> Result<(), Error>;
}

/// The journal of the running apply.
pub struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    begin: Begin,
    tail: Mutex<Tail>,
}

struct Tail {
    /// The first line, as long as it is not written.
    head: Option<String>,
    /// A write failed: what the file ends with is not known any more.
    broken: bool,
    /// Steps started and not ended.
    open: BTreeMap<u32, ResourceId>,
    unfinished: Unfinished,
}

impl Journal {
    /// With the first step. `former`: there is one of an apply that was cut off, whose place it takes at once, in one go:
    /// what that one tells is in the state by now, and is not to be told of a later one.
    pub(crate) fn create(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        begin: Begin,
        former: bool,
    ) -> Result<Self, Error> {
        let head = line(&Entry::Begin(begin.clone()))?;
        if former {
            replace(&*disk, &path, head.as_bytes())
                .map_err(|e| Error::io("starting the journal", &path, &e))?;
        }
        let tail = Tail {
            head: (!former).then_some(head),
            broken: false,
            open: BTreeMap::new(),
            unfinished: begin.unfinished.clone(),
        };
        Ok(Self {
            disk,
            path,
            begin,
            tail: Mutex::new(tail),
        })
    }

    #[must_use]
    pub fn begin(&self) -> &Begin {
        &self.begin
    }

    /// Whether every step that was started is known to be done or to have failed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.tail().open.is_empty()
    }

    /// How far the plan has come, where it has begun and come to no end.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        self.tail().unfinished.left()
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // A panic while it was held leaves at worst `broken` unset after a torn line, which reading finds.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, head: Option<&str>, lines: &str, waits: bool) -> std::io::Result<()> {
        if let Some(head) = head {
            let text = head.to_owned() + lines;
            return replace(&*self.disk, &self.path, text.as_bytes());
        }
        self.disk.append(&self.path, lines.as_bytes())?;
        match waits {
            true => self.disk.sync(&self.path),
            false => Ok(()),
        }
    }
}

impl Log for Journal {
    fn append(&self, entries: &[Entry]) -> Result<(), Error> {
        let lines: String = entries.iter().map(line).collect::<Result<_, _>>()?;
        let ends = |entry: &Entry| matches!(entry, Entry::Done { .. } | Entry::End { .. });
        let mut tail = self.tail();
        if tail.broken {
            let doing = format!("writing {}", self.path.display());
            return Err(Error::new(Kind::Io, doing, "an earlier write to it failed"));
        }
        let waits = !entries.iter().all(ends);
        let written = match (tail.head.take(), waits) {
            // Nothing was started: there is nothing to know.
            (Some(head), false) => {
                tail.head = Some(head);
                Ok(())
            }
            (head, waits) => self.write(head.as_deref(), &lines, waits),
        };
        if let Err(error) = written {
            // Nothing may follow half a line, and after a failed sync no later one can be believed.
            tail.broken = true;
            return Err(Error::io("writing", &self.path, &error));
        }
        entries.iter().for_each(|entry| tail.note(entry));
        Ok(())
    }
}

impl Tail {
    fn note(&mut self, entry: &Entry) {
        self.unfinished.see(entry);
        match entry {
            Entry::Started { step, resource, .. } => {
                self.open.insert(*step, resource.clone());
            }
            Entry::Done { step, .. } | Entry::Failed { step, .. } => {
                self.open.remove(step);
            }
            Entry::Begin(_) | Entry::End { .. } => {}
        }
    }
}

fn line(entry: &Entry) -> Result<String, Error> {
    let json =
        serde_json::to_string(entry).map_err(|e| Error::new(Kind::Io, "writing the journal", e))?;
    Ok(format!("{} {json}\n", checksum(&json)))
}

fn checksum(json: &str) -> String {
    let mut digest = names::digest(&[json]);
    digest.truncate(16);
    digest
}

/// The entries of a journal; the error names the line that is wrong. A wrong *last* line was being written
/// when the crash came: nothing had followed from it, so it counts for nothing.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut entries = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match entry(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if index + 1 == lines.len() => break,
            Err(why) => return Err(format!("line {}: {why}", index + 1)),
        }
    }
    Ok(entries)
}

fn entry(line: &[u8]) -> Result<Entry, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is no text")?;
    let text = text.strip_suffix('\n').ok_or("it has no end")?;
    let (sum, json) = text.split_once(' ').ok_or("it has no checksum")?;
    if sum != checksum(json) {
        return Err("its content does not have its checksum".to_owned());
    }
    serde_json::from_str(json).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let resource: ResourceId = "r1/sim/container/demo.a".parse().unwrap();
        let address = Address::new("workload.a");
        vec![
            Entry::Started {
                step: 1,
                resource: resource.clone(),
                address: address.clone(),
                action: StepAction::Create,
                from: None,
            },
            Entry::Done {
                step: 1,
                resource: resource.clone(),
                address,
                kept: None,
                from: None,
            },
            Entry::Failed {
                step: 2,
                resource,
                error: "two\nlines".to_owned(),
                left: None,
                from: None,
            },
            Entry::End { complete: false },
        ]
    }

    fn text() -> String {
        entries().iter().map(|entry| line(entry).unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(text().as_bytes()), Ok(entries()));
        assert_eq!(read(b""), Ok(vec![]));
    }

    #[test]
    fn cut_anywhere_the_whole_lines_count() {
        let text = text();
        for length in 0..=text.len() {
            let whole = text[..length].matches('\n').count();
            assert_eq!(
                read(&text.as_bytes()[..length]),
                Ok(entries()[..whole].to_vec()),
                "{length}"
            );
        }
    }

    #[test]
    fn damage_before_the_last_line_is_an_error_and_names_it() {
        let good = text();
        let last = good.trim_end().rfind('\n').unwrap();
        for at in (0..last).filter(|at| good.as_bytes()[*at] != b'\n') {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            let number = good[..at].matches('\n').count() + 1;
            let error = read(&bytes).unwrap_err();
            assert!(
                error.starts_with(&format!("line {number}: ")),
                "{at}: {error}"
            );
        }
    }
}
