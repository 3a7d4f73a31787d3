//! `container { … }`: the form of a container. One file a concern; what the engine would refuse is said here.

mod confinement;
mod devices;
mod engine;
mod file;
mod health;
mod limits;
mod log;
mod mount;
mod naming;
mod port;
mod process;
mod security;

pub(super) use file::{ATTRIBUTES as FILE_ATTRIBUTES, read as files};
pub(super) use process::stop_timeout;
use std::collections::BTreeMap;

use infra_api::target::{
    Confinement, Devices, HealthCheck, Log, Naming, Port, Process, Restart, Security, Ulimit,
    UploadedFile,
};
use infra_api::{Address, Text};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use self::process::USER;
use crate::declared::read::{At, Reader};
use crate::declared::words::{STRING_MAP, STRINGS, duration, path, size, whole, word};

pub use limits::Limited;
pub use mount::{DiskMount, Mounted};

pub(super) static ULIMIT: BlockKind = BlockKind {
    name: "ulimit",
    label: Some("name"),
    doc: "A resource limit of its processes, such as `nofile` or `memlock`.",
    attributes: &[
        whole("soft", -1, i64::MAX, "The limit; -1 is none.").required(),
        whole(
            "hard",
            -1,
            i64::MAX,
            "What a process may raise it to; the soft limit where it is not written.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "container",
    label: None,
    doc: "The form of a container.",
    attributes: &[
        word(
            "image",
            Shape::Any,
            "`image.NAME`, or a registry's reference as a string.",
        )
        .required(),
        word("entrypoint", STRINGS, "Instead of the image's."),
        word("command", STRINGS, "Instead of the image's."),
        word("env", STRING_MAP, "Environment, added to the image's."),
        word(
            "user",
            Shape::Text(&USER),
            "`USER[:GROUP]`, by name or number.",
        ),
        path("working_dir", "Where its command starts."),
        word(
            "hostname",
            Shape::String,
            "Its name for itself; derived from the workload's where it is not written.",
        ),
        word("labels", STRING_MAP, "Labels of the container."),
        word(
            "restart",
            Shape::OneOf(&["no", "always", "on-failure", "unless-stopped"]),
            "When the engine starts it again by itself.",
        )
        .default("\"no\""),
        whole(
            "restart_retries",
            1,
            1_000_000,
            "Of `on-failure`: how often at most.",
        ),
        whole("pids", 1, i64::MAX, "How many processes it may have."),
        word(
            "groups",
            STRINGS,
            "Further groups of its user, by name or number.",
        ),
        word(
            "init",
            Shape::Bool,
            "An init that reaps processes and passes signals on; as the engine is configured where it is not written.",
        ),
        word("tty", Shape::Bool, "Whether it runs on a terminal.").default("false"),
        word("stdin", Shape::Bool, "Whether its input is kept open.").default("false"),
        word(
            "stop_signal",
            Shape::String,
            "What tells it to stop, such as `SIGINT`; the image's where it is not written, else `SIGTERM`.",
        ),
        duration(
            "stop_timeout",
            "So long it may take to stop before it is killed, in whole seconds; `10s` where it is not written.",
        ),
        word(
            "read_only",
            Shape::Bool,
            "Whether its root file system is not written to.",
        )
        .default("false"),
        word(
            "privileged",
            Shape::Bool,
            "Whether it has every capability and every device of the host.",
        )
        .default("false"),
        word(
            "privilege_escalation",
            Shape::Bool,
            "Whether a program may get more rights than the one that starts it, by set-uid bits; as `privileged` where              it is not written.",
        ),
        word(
            "seccomp",
            Shape::String,
            "`unconfined`, or a profile: `file(\"PROFILE.json\")`; the engine's own where it is not written.",
        ),
        word(
            "apparmor",
            Shape::String,
            "`unconfined`, or a profile that the host has loaded; the engine's own where it is not written.",
        ),
        word(
            "selinux",
            STRINGS,
            "Its label, such as `[\"type:container_t\", \"level:s0:c1\"]`; the engine's choice where it is not written.",
        ),
        word(
            "runtime",
            Shape::String,
            "What runs it: `runc`, `runsc`, `kata`, by the engine's name; the engine's default where it is not written.",
        ),
        word(
            "network_mode",
            Shape::OneOf(&["host", "none"]),
            "The host's network, or none; instead of `interface` blocks.",
        ),
        word(
            "ipc_mode",
            Shape::OneOf(&["private", "none", "shareable", "host"]),
            "Whose shared memory and semaphores it has.",
        )
        .default("\"private\""),
        word(
            "pid_mode",
            Shape::OneOf(&["private", "host"]),
            "Whose processes it sees.",
        )
        .default("\"private\""),
        word(
            "uts_mode",
            Shape::OneOf(&["private", "host"]),
            "Whose host name it has.",
        )
        .default("\"private\""),
        word(
            "userns_mode",
            Shape::OneOf(&["host"]),
            "`host`: its ids are the host's, though the engine is configured to map them.",
        ),
        word(
            "cgroupns_mode",
            Shape::OneOf(&["private", "host"]),
            "Whose control groups it sees; as the engine is configured where it is not written.",
        ),
        word(
            "cgroup_parent",
            Shape::String,
            "The control group its own is made in: a slice such as `work.slice`, or a path.",
        ),
        word(
            "sysctls",
            STRING_MAP,
            "Settings of its own namespaces in the kernel.",
        ),
        size(
            "shm_size",
            "Of `/dev/shm`; 64MiB where neither it nor the engine says otherwise.",
        ),
        word(
            "storage_options",
            STRING_MAP,
            "Of the engine's storage driver: `{ size = \"20G\" }`.",
        ),
        word(
            "device_rules",
            STRINGS,
            "Devices it may use, as `c 1:3 mr`.",
        ),
        word("domainname", Shape::String, "Its NIS domain name."),
        word(
            "extra_hosts",
            STRING_MAP,
            "In its `/etc/hosts`: name = address, or `host-gateway` for the host's own.",
        ),
    ],
    blocks: &[
        Nested::many(&port::KIND),
        Nested::many(&mount::KIND),
        Nested::many(&file::KIND),
        Nested::one(&health::KIND),
        Nested::one(&log::KIND),
        Nested::one(&naming::DNS),
        Nested::one(&security::CAPABILITIES),
        Nested::many(&devices::DEVICE),
        Nested::many(&devices::REQUEST),
        Nested::many(&ULIMIT),
        Nested::one(&limits::KIND),
    ],
    computed: &[],
    meta: Meta::NONE,
};

/// What a container starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageRef {
    /// A declared image.
    Declared(Address),
    /// A registry's, by its reference.
    Registry(String),
}

/// The form of a container.
#[derive(Clone, Debug)]
pub struct Container {
    pub image: At<ImageRef>,
    pub entrypoint: Option<Vec<Text>>,
    pub command: Option<Vec<Text>>,
    pub env: BTreeMap<String, Text>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub hostname: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub restart: Option<Restart>,
    pub pids: Option<u64>,
    pub ports: Vec<At<Port>>,
    /// By the path inside the container.
    pub mounts: BTreeMap<String, At<Mounted>>,
    pub files: BTreeMap<String, At<UploadedFile>>,
    pub health_check: Option<HealthCheck>,
    pub log: Option<Log>,
    pub naming: Naming,
    pub process: Process,
    pub security: Security,
    pub confinement: Confinement,
    pub devices: Devices,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub limits: Limited,
    pub span: Span,
}

impl Container {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        engine::check(block, reader);
        Some(Self {
            image: image(block, reader)?,
            entrypoint: reader.texts(block, "entrypoint"),
            command: reader.texts(block, "command"),
            env: reader.text_map(block, "env"),
            user: reader.string(block, "user").map(|s| s.value),
            working_dir: reader.string(block, "working_dir").map(|s| s.value),
            hostname: naming::name(block, "hostname", reader),
            labels: reader.string_map(block, "labels"),
            restart: restart(block, reader),
            pids: reader.whole(block, "pids").map(|n| n.value),
            ports: block
                .nested("port")
                .flat_map(|b| port::read(b, reader))
                .collect(),
            mounts: mounts(block, reader),
            files: file::read(block, reader),
            health_check: block
                .nested("health_check")
                .next()
                .and_then(|b| health::read(b, reader)),
            log: block
                .nested("log")
                .next()
                .and_then(|b| log::read(b, reader)),
            naming: naming::read(block, reader),
            process: process::read(block, reader),
            security: security::read(block, reader),
            confinement: confinement::read(block, reader),
            devices: devices::read(block, reader),
            ulimits: block
                .nested("ulimit")
                .filter_map(|b| ulimit(b, reader))
                .collect(),
            limits: limits::read(block.nested("limits").next(), reader),
            span: block.span,
        })
    }
}

/// The host's network or none is instead of networks of its own.
pub(super) fn alone(form: Option<&Block>, interface: Option<&Block>, reader: &mut Reader<'_>) {
    let mode = form.and_then(|form| reader.string(form, "network_mode"));
    if let (Some(mode), Some(interface)) = (mode, interface) {
        reader.diagnostics.push(
            infra_diag::Diagnostic::error("Two networks at once")
                .at(
                    mode.span,
                    format!("`network_mode` is \"{}\" here", mode.value),
                )
                .at(
                    interface.span,
                    "and the workload has an interface in a network of its own",
                )
                .hint("leave one of the two out"),
        );
    }
}

/// A whole `image` object gives its address; a string is an address or a registry's reference.
fn image(block: &Block, reader: &mut Reader<'_>) -> Option<At<ImageRef>> {
    let spanned = reader.clear(block, "image")?;
    let object = spanned.value.get("id");
    let text = object.as_ref().unwrap_or(&spanned.value).as_str();
    let declared = text.and_then(|t| t.parse::<infra_lang::Address>().ok());
    let declared = declared.filter(|a| a.kind.as_ref() == "image");
    let value = match (text, declared) {
        (Some(text), Some(_)) => ImageRef::Declared(Address::new(text)),
        (Some(text), None) if object.is_none() && !text.is_empty() => {
            ImageRef::Registry(text.to_owned())
        }
        _ => {
            reader.error(
                "Not an image",
                spanned.span,
                "this is neither a declared image nor a reference",
                "write `image = image.NAME`, or a registry's reference as a string",
            );
            return None;
        }
    };
    Some(At {
        value,
        span: spanned.span,
    })
}

fn restart(block: &Block, reader: &mut Reader<'_>) -> Option<Restart> {
    let retries = reader.whole::<u32>(block, "restart_retries");
    let policy = reader.string(block, "restart")?;
    if let Some(retries) = retries.as_ref().filter(|_| policy.value != "on-failure") {
        let text = format!("`restart` is \"{}\" here", policy.value);
        reader.error(
            "Retries without on-failure",
            retries.span,
            text,
            "write `restart = \"on-failure\"`, or leave it out",
        );
    }
    let max_retries = retries.map(|r| r.value);
    (policy.value != "no").then_some(Restart {
        policy: policy.value,
        max_retries,
    })
}

fn mounts(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, At<Mounted>> {
    let mut mounts = BTreeMap::new();
    for written in block.nested("mount") {
        let Some(At {
            value: (target, mounted),
            span,
        }) = mount::read(written, reader)
        else {
            continue;
        };
        let value = mounted;
        if mounts.insert(target, At { value, span }).is_some() {
            let text = "another mount of the container is there already";
            reader.error("Path mounted twice", span, text, "mount it at another path");
        }
    }
    mounts
}

pub(super) fn ulimit(block: &Block, reader: &mut Reader<'_>) -> Option<(String, Ulimit)> {
    let soft = reader.whole(block, "soft")?.value;
    let hard = reader.whole(block, "hard").map_or(soft, |h| h.value);
    Some((
        block.label.as_ref()?.value.to_string(),
        Ulimit { soft, hard },
    ))
}

/// What has no order, in one.
fn sorted(list: Option<Vec<String>>) -> Vec<String> {
    let mut list = list.unwrap_or_default();
    list.sort();
    list.dedup();
    list
}
