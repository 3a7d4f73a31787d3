//! The state file's content: bytes ⇄ [`State`]. Pure; where it lies and how it is made durable is [`crate::Store`].

use infra_api::{Project, names};
use infra_plan::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Kind, Unfinished};

/// `MAJOR.MINOR` of the state file. A reader refuses any other.
pub const FORMAT_VERSION: &str = "1.0";

/// What a project consists of, as of the last apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// `MAJOR.MINOR` of this format.
    pub format_version: String,
    pub project: Project,
    /// Drawn when the state was first made: two states of different lineage have no common past.
    pub lineage: String,
    /// One more at each change.
    pub serial: u64,
    /// The plan whose apply came to no end: it, and no other made before, may be applied again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Unfinished>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl State {
    /// As the file has it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        write(self).map_err(|e| Error::new(Kind::Io, "writing the state", e))
    }
}

/// The file: the state and the checksum of it.
#[derive(Serialize, JsonSchema)]
pub struct StateFile<'a> {
    #[serde(flatten)]
    state: &'a State,
    /// `sha256:` and the digest of the rest as compact JSON with sorted keys.
    checksum: String,
}

/// Why bytes are no state of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Broken(String),
    /// Of a version this program does not know.
    Version(String),
}

/// The same state gives the same bytes.
pub(crate) fn write(state: &State) -> Result<Vec<u8>, String> {
    let checksum = checksum(&serde_json::to_value(state).map_err(|e| e.to_string())?);
    let mut bytes =
        serde_json::to_vec_pretty(&StateFile { state, checksum }).map_err(|e| e.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(crate) fn read(bytes: &[u8]) -> Result<State, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Broken("it is empty".to_owned()));
    }
    let mut document: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    let fields = document
        .as_object_mut()
        .ok_or_else(|| broken("it is no JSON object"))?;
    match fields.get("format_version").and_then(Value::as_str) {
        Some(FORMAT_VERSION) => {}
        Some(other) => return Err(Fault::Version(other.to_owned())),
        None => return Err(broken("it has no `format_version`")),
    }
    let written = fields.remove("checksum");
    if written != Some(Value::String(checksum(&document))) {
        return Err(broken(
            "its content does not have its checksum: it was damaged or edited",
        ));
    }
    typed(document).map_err(|e| Fault::Broken(e.to_string()))
}

/// What stands beside the outcome. Apart, because a flattened struct is read by way of a copy of everything.
#[derive(Deserialize)]
struct Head {
    format_version: String,
    project: Project,
    lineage: String,
    serial: u64,
    #[serde(default)]
    unfinished: Option<Unfinished>,
}

fn typed(document: Value) -> serde_json::Result<State> {
    let Value::Object(fields) = document else {
        return serde_json::from_value(document);
    };
    let of_head = |name: &str| {
        matches!(
            name,
            "format_version" | "project" | "lineage" | "serial" | "unfinished"
        )
    };
    let (head, rest): (Map<_, _>, Map<_, _>) =
        fields.into_iter().partition(|(name, _)| of_head(name));
    let Head {
        format_version,
        project,
        lineage,
        serial,
        unfinished,
    } = serde_json::from_value(Value::Object(head))?;
    Ok(State {
        format_version,
        project,
        lineage,
        serial,
        unfinished,
        outcome: serde_json::from_value(Value::Object(rest))?,
    })
}

fn unreadable(error: serde_json::Error) -> Fault {
    Fault::Broken(match error.is_eof() {
        true => format!("it is truncated at line {}", error.line()),
        false => format!("it is no JSON: {error}"),
    })
}

fn broken(why: &str) -> Fault {
    Fault::Broken(why.to_owned())
}

/// Of the document as compact JSON with sorted keys, so that white space does not count.
fn checksum(document: &Value) -> String {
    format!("sha256:{}", names::digest_of(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state() -> State {
        State {
            format_version: FORMAT_VERSION.to_owned(),
            project: Project::new("demo"),
            lineage: "l".to_owned(),
            serial: 7,
            unfinished: None,
            outcome: serde_json::from_value(json!({
                "resources": {"r1/docker/container/demo.b": {"address": "workload.b", "body": {"z": 1, "a": "x"}}},
                "workloads": {},
                "outputs": {"url": {"value": "http://10.0.0.2"}},
            }))
            .unwrap(),
        }
    }

    fn why(bytes: &[u8]) -> String {
        match read(bytes).unwrap_err() {
            Fault::Broken(why) => why,
            Fault::Version(version) => format!("version {version}"),
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_bytes_are_stable() {
        let bytes = write(&state()).unwrap();
        let again = read(&bytes).unwrap();
        assert_eq!(again, state());
        assert_eq!(write(&again).unwrap(), bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.starts_with("{\n  \"format_version\": \"1.0\""),
            "{text}"
        );
        assert!(text.find("\"a\"") < text.find("\"z\""), "{text}");
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn every_truncation_is_noticed() {
        let bytes = write(&state()).unwrap();
        for length in 0..bytes.len() - 1 {
            let why = why(&bytes[..length]);
            assert!(
                why.contains("empty") || why.contains("truncated"),
                "{length}: {why}"
            );
        }
    }

    #[test]
    fn every_changed_digit_is_noticed() {
        let text = String::from_utf8(write(&state()).unwrap()).unwrap();
        let edited = text.replace("10.0.0.2", "10.0.0.3");
        assert!(why(edited.as_bytes()).contains("checksum"));
        let spaced = text.replace("\n", "\n ");
        assert_eq!(read(spaced.as_bytes()), Ok(state()));
    }

    #[test]
    fn other_documents_are_refused() {
        assert_eq!(why(b"[]"), "it is no JSON object");
        assert_eq!(why(b"{}"), "it has no `format_version`");
        assert_eq!(why(br#"{"format_version": "1.1"}"#), "version 1.1");
        assert!(why(b"hello").starts_with("it is no JSON"));
        assert!(why(&[0; 64]).starts_with("it is no JSON"));
    }
}
