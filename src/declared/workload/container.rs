//! `container { … }`: the form of a container.

use std::collections::BTreeMap;

use infra_api::target::{HealthCheck, Mount, Port, Restart, Ulimit};
use infra_api::{Address, Text};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{IP, STRING_MAP, STRINGS, duration, path, size, whole, word};
use crate::declared::workload::engine;

static PORT: BlockKind = BlockKind {
    name: "port",
    label: None,
    doc: "A port of the host that leads to one of the container.",
    attributes: &[
        whole("container", 1, 65535, "The container's port.").required(),
        whole("host", 1, 65535, "The host's port.").required(),
        word(
            "protocol",
            Shape::OneOf(&["tcp", "udp", "sctp"]),
            "The transport protocol.",
        )
        .default("\"tcp\""),
        word(
            "address",
            Shape::Text(&IP),
            "The host's address it listens on; all where it is not written.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static MOUNT: BlockKind = BlockKind {
    name: "mount",
    label: None,
    doc: "A path of the host, or memory, mounted in the container. Volumes are `disk` blocks.",
    attributes: &[
        path("target", "The path inside the container.").required(),
        path(
            "source",
            "The host's path, which must be there; a tmpfs where it is not written.",
        ),
        size("size", "Of a tmpfs: its limit."),
        word("read_only", Shape::Bool, "Not written to.").default("false"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static HEALTH_CHECK: BlockKind = BlockKind {
    name: "health_check",
    label: None,
    doc: "A command that tells whether it is well; what depends on the workload waits for it.",
    attributes: &[
        word(
            "command",
            STRINGS,
            "Run in the container, without a shell; exit status 0 is well.",
        )
        .required(),
        duration("interval", "Between two runs."),
        duration("timeout", "How long one may take."),
        duration("start_period", "Failures within it do not count."),
        whole("retries", 1, 1000, "So many failures in a row are unwell."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static ULIMIT: BlockKind = BlockKind {
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
        word("user", Shape::String, "`USER[:GROUP]`, by name or number."),
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
    ],
    blocks: &[
        Nested::many(&PORT),
        Nested::many(&MOUNT),
        Nested::one(&HEALTH_CHECK),
        Nested::many(&ULIMIT),
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
    pub mounts: BTreeMap<String, Mount>,
    pub health_check: Option<HealthCheck>,
    pub ulimits: BTreeMap<String, Ulimit>,
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
            hostname: reader.string(block, "hostname").map(|s| s.value),
            labels: reader.string_map(block, "labels"),
            restart: restart(block, reader),
            pids: reader.whole(block, "pids").map(|n| n.value),
            ports: block
                .nested("port")
                .filter_map(|b| port(b, reader))
                .collect(),
            mounts: block
                .nested("mount")
                .filter_map(|b| mount(b, reader))
                .collect(),
            health_check: block
                .nested("health_check")
                .next()
                .and_then(|b| health_check(b, reader)),
            ulimits: block
                .nested("ulimit")
                .filter_map(|b| ulimit(b, reader))
                .collect(),
            span: block.span,
        })
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

fn port(block: &Block, reader: &mut Reader<'_>) -> Option<At<Port>> {
    let value = Port {
        host: reader.whole(block, "host")?.value,
        container: reader.whole(block, "container")?.value,
        protocol: reader.string(block, "protocol")?.value,
        host_address: reader.string(block, "address").map(|a| a.value),
    };
    Some(At {
        value,
        span: block.span,
    })
}

fn mount(block: &Block, reader: &mut Reader<'_>) -> Option<(String, Mount)> {
    let target = reader.string(block, "target")?.value;
    let source = reader.string(block, "source");
    let size = reader.bytes(block, "size");
    let read_only = reader.bool(block, "read_only").unwrap_or(false);
    let mount = match (source, size) {
        (Some(source), None) => Mount::Bind {
            source: source.value,
            read_only,
        },
        (None, size) => Mount::Tmpfs {
            size_bytes: size.map(|s| s.value),
        },
        (Some(_), Some(size)) => {
            reader.error(
                "Size of a bind mount",
                size.span,
                "only a tmpfs has a size",
                "leave out `size` or `source`",
            );
            return None;
        }
    };
    Some((target, mount))
}

fn health_check(block: &Block, reader: &mut Reader<'_>) -> Option<HealthCheck> {
    Some(HealthCheck {
        command: reader.strings(block, "command")?,
        interval_ns: reader.nanoseconds(block, "interval"),
        timeout_ns: reader.nanoseconds(block, "timeout"),
        start_period_ns: reader.nanoseconds(block, "start_period"),
        retries: reader.whole(block, "retries").map(|n| n.value),
    })
}

fn ulimit(block: &Block, reader: &mut Reader<'_>) -> Option<(String, Ulimit)> {
    let soft = reader.whole(block, "soft")?.value;
    let hard = reader.whole(block, "hard").map_or(soft, |h| h.value);
    Some((
        block.label.as_ref()?.value.to_string(),
        Ulimit { soft, hard },
    ))
}
