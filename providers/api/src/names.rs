//! What is derived from project and address and so is known before anything exists: daemon names,
//! UUIDs, MACs, bridge names. The same address gives the same names for ever.

use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Address, Project};

/// The namespace of our version 5 UUIDs: the v5 UUID of `infra` in the RFC's DNS namespace.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"infra")
}

/// The UUID of what is declared at `address`.
#[must_use]
pub fn uuid(project: &Project, address: &Address) -> String {
    Uuid::new_v5(&namespace(), format!("{project}/{address}").as_bytes()).to_string()
}

/// The daemon's name for what is declared at `address`: `demo.feed` for `workload.feed`, `demo.feed.0` for
/// `workload.feed[0]`. Any other address (a module's, a string key's) gets six hexadecimal digits of its
/// digest at the end, so that no two addresses of a project share a name: identifiers hold no dot, a plain
/// name has at most three parts and one with a digest at least four.
#[must_use]
pub fn object(project: &Project, address: &Address) -> String {
    let text = address.as_str();
    let mut parts = vec![project.as_str().to_owned()];
    let words: Vec<&str> = text
        .split(['.', '[', ']'])
        .filter(|p| !p.is_empty())
        .collect();
    let plain = match words.as_slice() {
        [_, _] => !text.contains('['),
        [_, _, key] => text.ends_with(']') && key.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    if plain {
        parts.extend(words[1..].iter().map(|w| (*w).to_owned()));
    } else {
        let kind_dropped = words
            .iter()
            .filter(|w| **w != "module")
            .skip(usize::from(!text.starts_with("module.")));
        parts.extend(kind_dropped.map(|w| safe(w)).filter(|w| !w.is_empty()));
        if parts.len() < 3 {
            parts.push("x".to_owned());
        }
        parts.push(digest(&[text])[..6].to_owned());
    }
    parts.join(".")
}

/// What systemd calls the unit of a path, without its kind: `srv-data` for `/srv/data`.
#[must_use]
pub fn unit_of(path: &str) -> String {
    let steps = path.split('/').filter(|step| !step.is_empty());
    let steps: Vec<String> = steps.map(step).collect();
    match steps.is_empty() {
        true => "-".to_owned(),
        false => steps.join("-"),
    }
}

/// What systemd calls a slice below `infra.slice`, without `.slice`: a dash is between a slice and the one in it.
#[must_use]
pub fn slice(object: &str) -> String {
    format!("infra-{}", step(object))
}

/// A step of a path, as `systemd-escape` writes it.
fn step(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let c = char::from(byte);
        match c.is_ascii_alphanumeric() || matches!(c, ':' | '_') || (c == '.' && at > 0) {
            true => out.push(c),
            false => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

/// Only what Docker, libvirt and systemd all allow in a name.
fn safe(word: &str) -> String {
    let dashed: String = word
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    dashed.trim_matches('-').chars().take(32).collect()
}

/// A name usable as a hostname: the object's name with dashes, at most 63 characters.
#[must_use]
pub fn hostname(address: &Address) -> String {
    let words: Vec<String> = address
        .as_str()
        .split(['.', '[', ']'])
        .map(|w| safe(w).to_ascii_lowercase())
        .filter(|w| !w.is_empty() && w != "module" && w != "workload")
        .collect();
    words
        .join("-")
        .chars()
        .take(63)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

/// Where a machine's serial console is written on its daemon's host unless it is told otherwise, by its own name.
#[must_use]
pub fn console_log(machine: &str) -> String {
    format!("/var/log/libvirt/qemu/{machine}.console.log")
}

/// The MAC of one interface: QEMU's prefix 52:54:00, then 24 bits of a digest. `attempt` is 0 unless an
/// earlier one is taken already.
#[must_use]
pub fn mac(project: &Project, address: &Address, interface: &str, attempt: u32) -> String {
    let hex = digest(&[
        project.as_str(),
        address.as_str(),
        interface,
        &attempt.to_string(),
    ]);
    format!("52:54:00:{}:{}:{}", &hex[0..2], &hex[2..4], &hex[4..6])
}

/// The name of a bridge: at most 15 bytes, the kernel's limit for an interface.
#[must_use]
pub fn bridge(project: &Project, address: &Address) -> String {
    format!(
        "br-{}",
        &digest(&[project.as_str(), address.as_str()])[..10]
    )
}

/// The reference of an image that comes from an archive with this digest: `infra/PROJECT/NAME:SHA256-16`. An
/// image from an archive cannot be labelled, so its name is its mark: [`image_mark`] reads it back.
#[must_use]
pub fn image(project: &Project, address: &Address, sha256: &str) -> String {
    let name = address
        .as_str()
        .strip_prefix("image.")
        .filter(|name| is_component(name));
    let name = name.map_or_else(|| escaped(address.as_str()), str::to_owned);
    let tag: String = sha256.chars().take(16).collect();
    format!("{}/{name}:{tag}", image_namespace(project))
}

/// What the repositories of a project's images begin with: `infra/demo`.
#[must_use]
pub fn image_namespace(project: &Project) -> String {
    let name = project.as_str();
    format!(
        "infra/{}",
        if is_component(name) {
            name.to_owned()
        } else {
            escaped(name)
        }
    )
}

/// Whose image this is, by its repository (`infra/demo/cache`); none where [`image`] did not make the name.
#[must_use]
pub fn image_mark(repository: &str) -> Option<(Project, Address)> {
    let (project, name) = repository.strip_prefix("infra/")?.split_once('/')?;
    let project = if is_component(project) {
        project.to_owned()
    } else {
        unescaped(project)?
    };
    let address = if is_component(name) {
        format!("image.{name}")
    } else {
        unescaped(name)?
    };
    Some((Project::new(project), Address::new(address)))
}

/// Whether an image's name may hold this word as it is. Docker allows a little more, which leaves room for
/// [`escaped`].
fn is_component(word: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty()
            && p.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    word.split(['-', '_']).all(part)
}

/// Any text in the letters an image's name may hold; two dashes are in no [`is_component`].
fn escaped(text: &str) -> String {
    format!("x--{}", hex(text.as_bytes()))
}

fn unescaped(word: &str) -> Option<String> {
    let digits = word.strip_prefix("x--").filter(|d| d.is_ascii())?;
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

/// SHA-256 of the parts, each ended by a zero byte so that no two lists run together, as hexadecimal digits.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// [`digest`] of a text: of what is shown, without holding all of it.
#[must_use]
pub fn digest_of(shown: &impl std::fmt::Display) -> String {
    let mut digesting = Digesting::default();
    let _ = write!(digesting, "{shown}");
    digesting.digest()
}

/// [`digest`] of a text that is written bit by bit.
pub struct Digesting(BufWriter<Hash>);

struct Hash(Sha256);

impl Default for Digesting {
    fn default() -> Self {
        Self(BufWriter::with_capacity(1 << 16, Hash(Sha256::new())))
    }
}

impl Digesting {
    /// Of all that was written.
    #[must_use]
    pub fn digest(mut self) -> String {
        let _ = self.0.write_all(&[0]);
        let _ = self.0.flush();
        hex(&self.0.get_mut().0.finalize_reset())
    }
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What follows the name of an object in that of the one which is made to take its place: no number and no digest, so
/// that no address's own name ends so.
const NEXT: &str = ".next";

/// What is made to take the place of the object `name` is called so until that is gone.
#[must_use]
pub fn next(name: &str) -> String {
    format!("{name}{NEXT}")
}

/// Whose place an object of this name was made to take.
#[must_use]
pub fn of_next(name: &str) -> Option<&str> {
    name.strip_suffix(NEXT)
}

#[cfg(test)]
mod tests {
    #[test]
    fn units_are_called_as_systemd_escape_does() {
        for (path, name) in [
            ("/srv/data", "srv-data"),
            ("/srv/my-data", "srv-my\\x2ddata"),
            ("/a b/.c/d.e", "a\\x20b-\\x2ec-d.e"),
            ("/é", "\\xc3\\xa9"),
            ("/", "-"),
        ] {
            assert_eq!(unit_of(path), name);
        }
        assert_eq!(slice("my-lab.desk"), "infra-my\\x2dlab.desk");
    }

    use super::*;

    fn name(address: &str) -> String {
        object(&Project::new("demo"), &Address::new(address))
    }

    #[test]
    fn plain_addresses_give_plain_names() {
        assert_eq!(name("workload.feed"), "demo.feed");
        assert_eq!(name("workload.feed[0]"), "demo.feed.0");
    }

    #[test]
    fn no_two_addresses_share_a_name() {
        let addresses = [
            "workload.a",
            "workload.a[0]",
            "workload.a[\"0\"]",
            "workload.a[\"b\"]",
            "workload.a[\"b.c\"]",
            "workload.a[\"b-c\"]",
            "workload.a[\"\"]",
            "workload.a[\"é\"]",
            "module.a.workload.b",
            "module.a[0].workload.b",
            "module.a.workload.b[0]",
            "module.workload.workload.a",
        ];
        let names: std::collections::BTreeSet<String> = addresses.iter().map(|a| name(a)).collect();
        assert_eq!(names.len(), addresses.len(), "{names:?}");
        for n in names {
            assert!(
                n.chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_'),
                "{n}"
            );
        }
    }

    #[test]
    fn an_images_name_is_its_mark() {
        let mark = |project: &str, address: &str| {
            let (project, address) = (Project::new(project), Address::new(address));
            let reference = image(&project, &address, "0123456789abcdef0123");
            let (repository, tag) = reference.split_once(':').unwrap();
            assert_eq!(tag, "0123456789abcdef");
            assert_eq!(
                image_mark(repository),
                Some((project, address)),
                "{reference}"
            );
            reference
        };
        assert_eq!(
            mark("demo", "image.cache"),
            "infra/demo/cache:0123456789abcdef"
        );
        assert_eq!(
            mark("Demo", "image.a_b-c"),
            "infra/x--44656d6f/a_b-c:0123456789abcdef"
        );
        for address in [
            "image.A",
            "image.a[0]",
            "module.m.image.a[\"é\"]",
            "image.x--61",
            "workload.feed",
            "image.a__b",
        ] {
            mark("my project", address);
        }
        for foreign in [
            "demo/cache",
            "infra/demo",
            "infra/demo/x--6",
            "infra/demo/x--zz",
            "infra/a/b/c",
            "infra//b",
        ] {
            assert_eq!(image_mark(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn derived_names_never_change() {
        // Computed once by Python's uuid and hashlib; changing them would orphan what people have running.
        let (project, address) = (Project::new("demo"), Address::new("workload.feed"));
        assert_eq!(
            uuid(&project, &address),
            "5dbeb8f5-3eb2-50a7-be4a-8319534a3bd6"
        );
        assert_eq!(mac(&project, &address, "md", 0), "52:54:00:4c:4d:8d");
        assert_eq!(bridge(&project, &address).len(), 13);
        assert_eq!(
            hostname(&Address::new("module.m.workload.feed[\"A b\"]")),
            "m-feed-a-b"
        );
    }
}
