//! `bare_metal { … }`: the form of a process under the host's systemd.

mod confinement;
pub(in crate::declared) mod limits;
mod mounts;
mod software;
mod times;

use std::collections::BTreeMap;

use infra_api::target::{Scheduling, Ulimit, UnitConfinement, UnitLife, UnitLimits, UploadedFile};
use infra_api::{Address, Text};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use self::mounts::Mounted;
use self::software::{Software, program};
use super::container::{FILE_ATTRIBUTES, ULIMIT, files, ulimit};
use crate::declared::read::{At, Reader};
use crate::declared::words::{STRING_MAP, STRINGS, duration, word};

static FILE: BlockKind = BlockKind {
    name: "file",
    label: Some("path"),
    doc: "A file of the host that is made before the process starts and removed with it, by its path. It is read back: what \
          somebody changed is put right. One that is there already, and is not the unit's own, is left alone, and the apply \
          says so. Exactly one of `content` and `content_base64` is written.",
    attributes: FILE_ATTRIBUTES,
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "bare_metal",
    label: None,
    doc: "The form of a process on the metal: a unit of the host's systemd, in the slice `infra.slice`. Its CPUs and memory \
          are the workload's. Without `open` it sees the host's files and changes none but those it is given.",
    attributes: &[
        word(
            "exec",
            STRINGS,
            "The program, by its path on the host or in the files of its `image`, and its arguments; no shell, no variables.",
        )
        .required(),
        word(
            "slice",
            Shape::Ref(&["slice"]),
            "A declared slice, which it shares weights and limits with others in; `infra.slice` where none is written.",
        ),
        software::IMAGE,
        software::PACKAGES,
        word("env", STRING_MAP, "Its environment. A secret is kept as a digest; on the host only root reads it."),
        word("user", Shape::String, "Who it runs as, by name or number; root where it is not written."),
        word("group", Shape::String, "Its group; the user's where it is not written."),
        word(
            "working_dir",
            Shape::Text(&software::HERE),
            "The folder it runs in, on the host or in the files of its `image`; with an `image` these themselves where it is \
             not written, so that arguments find files by their paths in there.",
        ),
        word("task", Shape::Bool, "True: it ends by itself, having done its work; it is started again whenever it changes.")
            .default("false"),
        word(
            "times",
            Shape::Text(&times::TIMES),
            "When a task runs, as systemd writes it: `daily`, `Mon *-*-* 02:00`. A run that the host missed is caught up.",
        ),
        word("notifies", Shape::Bool, "True: it tells systemd itself when it is ready, and is waited for (sd_notify).")
            .default("false"),
        duration("watchdog", "It tells systemd that it is alive at least so often, or is started again."),
        word(
            "restart",
            Shape::OneOf(&["never", "on-failure", "always"]),
            "When it is started again by itself. A task is never started again that ended well.",
        )
        .default("\"on-failure\""),
        duration("restart_delay", "How long before that; 100 ms where it is not written."),
        word("stop_signal", Shape::Text(&times::SIGNAL), "What it is stopped by; `SIGTERM` where it is not written."),
        duration("stop_timeout", "After so long it is killed; 90 s where it is not written."),
        word(
            "health_check",
            STRINGS,
            "A command on the host that ends with 0 where the process is well; who depends on it waits for that. Run as root.",
        ),
        word("open", Shape::Bool, "True: it may do all that its user may; nothing of the host is hidden or protected.")
            .default("false"),
        word("writable", STRINGS, "Paths that it may write to; they must be there."),
        word(
            "state_directory",
            Shape::Text(&confinement::FOLDER),
            "A folder below `/var/lib` that is made for it, is its user's, and stays when it goes: for its data.",
        ),
        word("capabilities", STRINGS, "Those that it has: `CAP_NET_ADMIN`. Without `open` it has no other, root neither."),
        word("devices", STRINGS, "Devices that it may open: `/dev/vfio/12`, or a group of them, `char-input`."),
    ],
    blocks: &[
        Nested::many(&FILE),
        Nested::many(&mounts::MOUNT),
        Nested::many(&ULIMIT),
        Nested::one(&limits::LIMITS),
        Nested::one(&limits::SCHEDULING),
    ],
    computed: &[],
    meta: Meta::NONE,
};

/// The form of a unit.
#[derive(Clone, Debug)]
pub struct BareMetal {
    pub exec: Vec<String>,
    pub env: BTreeMap<String, Text>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub working_dir: Option<String>,
    pub software: Software,
    pub files: BTreeMap<String, At<UploadedFile>>,
    pub life: UnitLife,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub confinement: UnitConfinement,
    pub slice: Option<At<Address>>,
    /// By their paths on the host.
    pub mounts: BTreeMap<String, At<Mounted>>,
    /// Memory is the workload's.
    pub limits: UnitLimits,
    pub scheduling: Scheduling,
    pub span: Span,
}

impl BareMetal {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        let exec = reader.strings(block, "exec")?;
        program(&exec, "exec", block, reader);
        let env = reader.text_map(block, "env");
        variables(&env, block, reader);
        let mut said = |name: &str| reader.string(block, name).map(|word| word.value);
        let (user, group) = (said("user"), said("group"));
        Some(Self {
            exec,
            env,
            user,
            group,
            working_dir: software::folder(block, reader),
            software: software::read(block, reader),
            files: files(block, reader),
            life: times::read(block, reader),
            ulimits: block
                .nested("ulimit")
                .filter_map(|b| ulimit(b, reader))
                .collect(),
            confinement: confinement::read(block, reader),
            limits: block
                .nested("limits")
                .next()
                .map(|block| limits::read(block, reader))
                .unwrap_or_default(),
            slice: slice(block, reader),
            mounts: mounts::read(block, reader),
            scheduling: limits::scheduling(block.nested("scheduling").next(), reader),
            span: block.span,
        })
    }
}

fn slice(block: &Block, reader: &mut Reader<'_>) -> Option<At<Address>> {
    let slice = reader.string(block, "slice")?;
    Some(At {
        value: Address::new(slice.value),
        span: slice.span,
    })
}

fn variables(env: &BTreeMap<String, Text>, block: &Block, reader: &mut Reader<'_>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name =
        |name: &str| name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit());
    for name in env.keys().filter(|name| !is_name(name)) {
        let Some(written) = block.get("env") else {
            return;
        };
        let text = format!("`{name}` is no name of a variable");
        let span = written.span;
        reader.error(
            "Not a variable",
            span,
            text,
            "use letters, digits and underscores, and no digit first",
        );
    }
}
