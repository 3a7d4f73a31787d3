//! The state file's content: bytes ⇄ [`State`]. Pure; where it lies and how it is made durable is [`crate::Store`].

use std::collections::BTreeMap;
use std::io::Write;

use infra_api::{Address, Placement, Project, ResourceId, names};
use infra_plan::{Outcome, Record};
use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Kind, Unfinished};

/// `MAJOR.MINOR` of the state file. A reader takes those before it of its own major number, and refuses any other.
pub const FORMAT_VERSION: &str = "1.1";
const BEFORE: [&str; 1] = ["1.0"];

/// Whether a state, or a journal, of this version is read.
pub(crate) fn is_read(version: &str) -> bool {
    version == FORMAT_VERSION || BEFORE.contains(&version)
}

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
    let document = serde_json::to_value(state).map_err(|e| e.to_string())?;
    let checksum = checksum(&names::digest_of(&document));
    drop(document);
    let mut bytes =
        serde_json::to_vec_pretty(&StateFile { state, checksum }).map_err(|e| e.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The texts of an object's members, by name.
type Parts<'a> = BTreeMap<String, &'a str>;

/// Of an object's text, which is JSON; nothing of any other text. (serde_json's own `RawValue` would do, but where it can
/// be used, every map whose first key is a name of serde_json's is read as something else.)
fn parts(text: &str) -> Option<Parts<'_>> {
    let inner = text.trim_ascii().strip_prefix('{')?.strip_suffix('}')?;
    let mut parts = Parts::new();
    let mut rest = inner.trim_ascii();
    while !rest.is_empty() {
        let (name, after) = rest.split_at(length(rest, b':'));
        let value = after.strip_prefix(':')?;
        let (value, after) = value.split_at(length(value, b','));
        // Of two with one name the last counts, as it does for serde_json.
        parts.insert(serde_json::from_str(name).ok()?, value.trim_ascii());
        rest = after.strip_prefix(',').unwrap_or_default();
    }
    Some(parts)
}

/// How far it is to the first such byte that is inside of nothing.
fn length(text: &str, end: u8) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ if byte == end && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Member by member, so that the whole of a large state is never there twice.
pub(crate) fn read(bytes: &[u8]) -> Result<State, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Broken("it is empty".to_owned()));
    }
    // Of what is no JSON the whole tells where.
    let no_object = || match serde_json::from_slice::<Value>(bytes) {
        Err(error) => unreadable(&error),
        Ok(_) => broken("it is no JSON object"),
    };
    let text = str::from_utf8(bytes).map_err(|_| no_object())?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| no_object())?;
    let mut parts = parts(text).ok_or_else(no_object)?;
    let text = |part: &str| serde_json::from_str::<String>(part).ok();
    match parts.get("format_version").and_then(|part| text(part)) {
        Some(version) if is_read(&version) => {}
        Some(other) => return Err(Fault::Version(other)),
        None => return Err(broken("it has no `format_version`")),
    }
    let written = parts.remove("checksum").and_then(text);
    let (reading, sum) = Reading::of(&parts).map_err(|_| no_object())?;
    if written != Some(sum) {
        return Err(broken(
            "its content does not have its checksum: it was damaged or edited",
        ));
    }
    reading.typed().map_err(|e| Fault::Broken(e.to_string()))
}

/// What stands beside the outcome. Apart, because a flattened struct is read by way of a copy of everything.
#[derive(Deserialize)]
struct Head {
    /// Looked at already; it is written as today's.
    #[serde(rename = "format_version")]
    _format_version: IgnoredAny,
    project: Project,
    lineage: String,
    serial: u64,
    #[serde(default)]
    unfinished: Option<Unfinished>,
}

/// A state on its way from the file.
struct Reading {
    head: Map<String, Value>,
    /// The outcome, but for what there is much of.
    rest: Map<String, Value>,
    resources: Entries<ResourceId, Record>,
    workloads: Entries<Address, Placement>,
}

/// Typed one by one; why one is wrong is of no interest before it is known that they are as they were written.
type Entries<K, V> = serde_json::Result<Vec<(K, V)>>;

impl Reading {
    /// With the checksum of what is read.
    fn of(parts: &Parts<'_>) -> serde_json::Result<(Self, String)> {
        let mut reading = Self {
            head: Map::new(),
            rest: Map::new(),
            resources: Ok(Vec::new()),
            workloads: Ok(Vec::new()),
        };
        let mut sum = Sum::default();
        let mut object = Object::begin(&mut sum)?;
        for (name, part) in parts {
            object.name(name)?;
            let value = match (name.as_str(), self::parts(part)) {
                ("resources", Some(entries)) => {
                    reading.resources = typed_entries(&entries, object.sum)?;
                    Value::Object(Map::new())
                }
                ("workloads", Some(entries)) => {
                    reading.workloads = typed_entries(&entries, object.sum)?;
                    Value::Object(Map::new())
                }
                _ => object.value(part)?,
            };
            let is_head = matches!(
                name.as_str(),
                "format_version" | "project" | "lineage" | "serial" | "unfinished"
            );
            let members = match is_head {
                true => &mut reading.head,
                false => &mut reading.rest,
            };
            members.insert(name.clone(), value);
        }
        object.end()?;
        Ok((reading, checksum(&sum.digest())))
    }

    fn typed(self) -> serde_json::Result<State> {
        let Head {
            _format_version: _,
            project,
            lineage,
            serial,
            unfinished,
        } = serde_json::from_value(Value::Object(self.head))?;
        let mut outcome: Outcome = serde_json::from_value(Value::Object(self.rest))?;
        // All at once: a map that grows by what is last leaves half of its room empty.
        outcome.resources = self.resources?.into_iter().collect();
        outcome.workloads = self.workloads?.into_iter().collect();
        Ok(State {
            format_version: FORMAT_VERSION.to_owned(),
            project,
            lineage,
            serial,
            unfinished,
            outcome,
        })
    }
}

/// The inner result tells of what has no place in a state, the outer one of what is no JSON.
fn typed_entries<K: DeserializeOwned, V: DeserializeOwned>(
    parts: &Parts<'_>,
    sum: &mut Sum,
) -> serde_json::Result<Entries<K, V>> {
    let mut object = Object::begin(sum)?;
    let mut entries = Ok(Vec::with_capacity(parts.len()));
    for (name, part) in parts {
        object.name(name)?;
        let value = object.value(part)?;
        if let Ok(all) = &mut entries {
            let key: StrDeserializer<'_, serde_json::Error> = name.as_str().into_deserializer();
            let typed =
                K::deserialize(key).and_then(|key| Ok((key, serde_json::from_value(value)?)));
            match typed {
                Ok(entry) => all.push(entry),
                Err(error) => {
                    entries = Err(serde_json::Error::custom(format!("`{name}`: {error}")))
                }
            }
        }
    }
    object.end()?;
    Ok(entries)
}

/// Of the document as compact JSON with sorted keys, so that white space does not count.
type Sum = names::Digesting;

/// An object whose members come one by one, in order.
struct Object<'a> {
    sum: &'a mut Sum,
    separator: &'static [u8],
}

impl<'a> Object<'a> {
    fn begin(sum: &'a mut Sum) -> serde_json::Result<Self> {
        sum.write_all(b"{").map_err(serde_json::Error::io)?;
        Ok(Self {
            sum,
            separator: b"",
        })
    }

    fn name(&mut self, name: &str) -> serde_json::Result<()> {
        self.sum
            .write_all(self.separator)
            .map_err(serde_json::Error::io)?;
        self.separator = b",";
        serde_json::to_writer(&mut *self.sum, name)?;
        self.sum.write_all(b":").map_err(serde_json::Error::io)
    }

    fn value(&mut self, part: &str) -> serde_json::Result<Value> {
        let value = serde_json::from_str(part)?;
        serde_json::to_writer(&mut *self.sum, &value)?;
        Ok(value)
    }

    fn end(self) -> serde_json::Result<()> {
        self.sum.write_all(b"}").map_err(serde_json::Error::io)
    }
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::Broken(match error.is_eof() {
        true => format!("it is truncated at line {}", error.line()),
        false => format!("it is no JSON: {error}"),
    })
}

fn broken(why: &str) -> Fault {
    Fault::Broken(why.to_owned())
}

fn checksum(digest: &str) -> String {
    format!("sha256:{digest}")
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
            text.starts_with("{\n  \"format_version\": \"1.1\""),
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

    /// As it would be written by somebody who knows how.
    fn sealed(mut document: Value) -> Vec<u8> {
        let sum = checksum(&names::digest_of(&document));
        document["checksum"] = json!(sum);
        document.to_string().into_bytes()
    }

    #[test]
    fn what_is_read_bit_by_bit_has_the_checksum_of_the_whole() {
        let mut state = state();
        let record = state.outcome.resources.values().next().unwrap().clone();
        // In another order than their texts.
        for id in [
            "a/docker/volume/v",
            "a-b/docker/volume/\"é\n",
            "a/docker/volume/v/w",
        ] {
            let id = id.parse().unwrap();
            state.outcome.resources.insert(id, record.clone());
        }
        let document = serde_json::to_value(&state).unwrap();
        assert_eq!(read(&sealed(document)), Ok(state.clone()));
        assert_eq!(read(&write(&state).unwrap()), Ok(state));
    }

    #[test]
    fn whatever_a_body_has_is_read_as_it_was_written() {
        let mut state = state();
        let records = state.outcome.resources.values_mut();
        let texts = [
            "$serde_json::private::RawValue",
            "$serde_json::private::Number",
            "{\"a\": [1}, \\\",",
            "\\",
            "ä\u{2028}→:\n",
            "",
        ];
        for record in records {
            let labels: Map<String, Value> =
                texts.iter().map(|t| ((*t).to_owned(), json!(t))).collect();
            let alone = texts.map(|text| json!({text: [text, {text: {}}]}));
            record.body =
                json!({"labels": labels, "alone": alone, "none": [], "n": 1.5e300}).into();
        }
        let written = write(&state).unwrap();
        assert_eq!(read(&written), Ok(state.clone()));
        let document = serde_json::to_value(&state).unwrap();
        assert_eq!(read(&sealed(document)), Ok(state));
        // Of two members with one name the last counts.
        let text = String::from_utf8(written).unwrap();
        let twice = text.replacen('{', "{ \"serial\" : [\"}\"] ,", 1);
        assert!(read(twice.as_bytes()).is_ok());
    }

    #[test]
    fn what_has_no_place_in_a_state_is_named() {
        let with = |change: fn(&mut Value)| {
            let mut document = serde_json::to_value(state()).unwrap();
            change(&mut document);
            why(&sealed(document))
        };
        let record = |document: &mut Value| {
            let record = &mut document["resources"]["r1/docker/container/demo.b"];
            record.as_object_mut().unwrap().remove("address");
        };
        let expected = "`r1/docker/container/demo.b`: missing field `address`";
        assert_eq!(with(record), expected);
        let id = |document: &mut Value| document["resources"]["x"] = json!({});
        assert_eq!(with(id), "`x`: `x` is not HOST/PROVIDER/KIND/NAME");
        let list = |document: &mut Value| document["resources"] = json!([]);
        assert!(with(list).contains("invalid type"), "{}", with(list));
        let none =
            |document: &mut Value| drop(document.as_object_mut().unwrap().remove("workloads"));
        assert_eq!(with(none), "missing field `workloads`");
        let more = |document: &mut Value| document["more"] = json!(1);
        assert!(
            with(more).contains("unknown field `more`"),
            "{}",
            with(more)
        );
        // Damage is damage, whatever else it looks like.
        let text = String::from_utf8(write(&state()).unwrap()).unwrap();
        assert!(why(text.replace("address", "add").as_bytes()).contains("checksum"));
        let placed = why(text.replace("\"x\"", "\"\\ud800\"").as_bytes());
        assert!(placed.contains("at line"), "{placed}");
        let cases: [&[u8]; 4] = [
            b"{\"\\ud800\": 1}",
            b"{\"a\": \"\xff\"}",
            b"{\"a\": 1,}",
            b"{} {}",
        ];
        for bytes in cases {
            let error = serde_json::from_slice::<Value>(bytes).unwrap_err();
            assert_eq!(why(bytes), format!("it is no JSON: {error}"));
        }
        let (open, close) = ("[".repeat(200), "]".repeat(200));
        let deep = format!("{{\"format_version\": \"{FORMAT_VERSION}\", \"a\": {open}{close}}}");
        assert!(
            why(deep.as_bytes()).contains("recursion"),
            "{}",
            why(deep.as_bytes())
        );
    }

    #[test]
    fn other_documents_are_refused() {
        assert_eq!(why(b"[]"), "it is no JSON object");
        assert_eq!(why(b"{}"), "it has no `format_version`");
        assert_eq!(why(br#"{"format_version": "1.2"}"#), "version 1.2");
        assert!(why(b"hello").starts_with("it is no JSON"));
        assert!(why(&[0; 64]).starts_with("it is no JSON"));
    }
}
