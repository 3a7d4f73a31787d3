//! What a container's processes may do: safe unless the person says otherwise.

use std::collections::BTreeSet;

use infra_api::target::Security;
use infra_lang::{Block, BlockKind, Meta};

use crate::declared::read::{At, Reader};
use crate::declared::words::{STRINGS, word};

pub(super) static CAPABILITIES: BlockKind = BlockKind {
    name: "capabilities",
    label: None,
    doc: "The capabilities of its processes: the engine's default ones, less `NET_RAW` and `MKNOD`, less `drop`, and \
          `add`. With or without `CAP_`; `ALL` is each of them.",
    attributes: &[
        word("drop", STRINGS, "Taken away."),
        word(
            "add",
            STRINGS,
            "Given; also what would be taken away otherwise.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// Of the engine's default capabilities those that few need and that help whoever breaks in: forging packets on the
/// network it shares with others, making device nodes.
const UNSAFE: [&str; 2] = ["MKNOD", "NET_RAW"];

const ALL: &str = "ALL";

/// As of Linux 6.12.
const KNOWN: &[&str] = &[
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Security {
    let privileged = reader.bool(block, "privileged").unwrap_or(false);
    let (drop, add) = match (block.nested("capabilities").next(), privileged) {
        (Some(written), true) => {
            let text = "a privileged container has every capability, whatever is written here";
            let hint = "leave `capabilities` or `privileged` out";
            reader.error(
                "Capabilities of a privileged container",
                written.span,
                text,
                hint,
            );
            (BTreeSet::new(), BTreeSet::new())
        }
        (None, true) => (BTreeSet::new(), BTreeSet::new()),
        (written, false) => capabilities(written, reader),
    };
    let escalation = reader.bool(block, "privilege_escalation");
    let list = |set: BTreeSet<String>| set.into_iter().collect();
    Security {
        drop: list(drop),
        add: list(add),
        no_new_privileges: !escalation.unwrap_or(privileged),
        privileged,
        seccomp: seccomp(block, reader),
        apparmor: reader.string(block, "apparmor").map(|name| name.value),
        selinux: super::sorted(reader.strings(block, "selinux")),
        read_only: reader.bool(block, "read_only").unwrap_or(false),
    }
}

/// What is dropped and what is added.
fn capabilities(
    block: Option<&Block>,
    reader: &mut Reader<'_>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut named = |name| block.map_or_else(BTreeSet::new, |block| names(block, name, reader));
    let (mut drop, add) = (named("drop"), named("add"));
    if let Some(block) = block
        && let Some(both) = drop.intersection(&add).next()
    {
        let span = block.get("add").map_or(block.span, |written| written.span);
        let text = format!("`{both}` is both dropped and added");
        reader.error(
            "Contradictory capabilities",
            span,
            text,
            "leave it out of one of them",
        );
    }
    if !add.contains(ALL) {
        let taken = UNSAFE.iter().filter(|name| !add.contains(**name));
        drop.extend(taken.map(|name| (*name).to_owned()));
    }
    if drop.contains(ALL) {
        drop.retain(|name| name == ALL);
    }
    (drop, add)
}

fn names(block: &Block, attribute: &str, reader: &mut Reader<'_>) -> BTreeSet<String> {
    let written = reader.strings(block, attribute).unwrap_or_default();
    let plain = |name: &String| {
        let upper = name.to_ascii_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    let names: BTreeSet<String> = written.iter().map(plain).collect();
    let unknown = names
        .iter()
        .find(|name| *name != ALL && !KNOWN.contains(&name.as_str()));
    if let (Some(unknown), Some(written)) = (unknown, block.get(attribute)) {
        let text = format!("Linux has no capability `{unknown}`");
        let hint = format!("it is ALL, or one of {}", KNOWN.join(", "));
        reader.error("Unknown capability", written.span, text, hint);
    }
    names
}

/// A profile is kept without spaces, so that it is the same however it is laid out.
fn seccomp(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let At { value, span } = reader.string(block, "seccomp")?;
    if value == "unconfined" {
        return Some(value);
    }
    match serde_json::from_str::<serde_json::Value>(&value) {
        Ok(profile) if profile.is_object() => Some(profile.to_string()),
        _ => {
            let text = "it is neither `unconfined` nor a profile's JSON";
            let hint =
                "write `file(\"PROFILE.json\")`, or leave it out for the engine's own profile";
            reader.error("Not a seccomp profile", span, text, hint);
            None
        }
    }
}
