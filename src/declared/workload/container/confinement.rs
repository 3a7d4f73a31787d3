//! What the container shares with its host, and what runs it: nothing is shared unless it is written.

use infra_api::target::Confinement;
use infra_diag::Span;
use infra_lang::Block;

use crate::declared::read::{At, Reader};

/// The kernel's settings that a namespace has of its own.
const IPC_SETTINGS: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Confinement {
    // What nobody would write but to say the default.
    let mut other = |name: &str, own: &str| {
        let word = reader.string(block, name)?;
        (word.value != own).then_some(word.value)
    };
    let (ipc, pid) = (other("ipc_mode", "private"), other("pid_mode", "private"));
    let (uts, userns) = (other("uts_mode", "private"), other("userns_mode", ""));
    let network = other("network_mode", "");
    let wanted = Confinement {
        runtime: reader.string(block, "runtime").map(|name| name.value),
        ipc,
        pid,
        uts,
        userns,
        cgroupns: reader.string(block, "cgroupns_mode").map(|word| word.value),
        cgroup_parent: reader.string(block, "cgroup_parent").map(|path| path.value),
        sysctls: reader.string_map(block, "sysctls"),
        shm_bytes: shm(block, reader).map(|size| size.value),
        storage: reader.string_map(block, "storage_options"),
        network,
    };
    conflicts(&wanted, block, reader);
    sysctls(&wanted, block, reader);
    wanted
}

fn shm(block: &Block, reader: &mut Reader<'_>) -> Option<At<u64>> {
    let size = reader.bytes(block, "shm_size")?;
    if size.value == 0 {
        let hint = "write a size, or leave it out";
        reader.error(
            "No shared memory",
            size.span,
            "the engine takes 0 for its default",
            hint,
        );
    }
    Some(size)
}

/// What cannot be had of a namespace that is the host's, or of none.
fn conflicts(wanted: &Confinement, block: &Block, reader: &mut Reader<'_>) {
    let place = |name: &str| written(block, name);
    if let (Some(_), Some(span)) = (
        &wanted.uts,
        place("hostname").or_else(|| place("domainname")),
    ) {
        let text = "with `uts_mode = \"host\"` it has the host's own name";
        reader.error("Name of the host", span, text, "leave one of the two out");
    }
    let no_shm = matches!(wanted.ipc.as_deref(), Some("host" | "none"));
    if let Some(span) = place("shm_size").filter(|_| no_shm) {
        let text = "its `ipc_mode` gives it no shared memory of its own";
        reader.error(
            "Size of what it does not have",
            span,
            text,
            "leave one of the two out",
        );
    }
    if let (Some(mode), Some(port)) = (&wanted.network, block.nested("port").next()) {
        let text = format!("with `network_mode = \"{mode}\"` the engine publishes no ports");
        let hint = match mode.as_str() {
            "host" => "leave the block out: what listens in the container listens on the host",
            _ => "leave one of the two out",
        };
        reader.error("Port without a network", port.span, text, hint);
    }
}

fn sysctls(wanted: &Confinement, block: &Block, reader: &mut Reader<'_>) {
    let Some(span) = written(block, "sysctls") else {
        return;
    };
    for name in wanted.sysctls.keys() {
        if let Some(why) = not_its_own(name, wanted) {
            let hint = "set it on the host (`sysctl.d`), or leave it out";
            reader.error("Setting of the host", span, format!("`{name}` {why}"), hint);
        }
    }
}

/// What runs the container would refuse at its start.
fn not_its_own(name: &str, wanted: &Confinement) -> Option<&'static str> {
    let hosts = |mode: &Option<String>| mode.as_deref() == Some("host");
    let of_ipc = IPC_SETTINGS.contains(&name) || name.starts_with("fs.mqueue.");
    let of_network = name.starts_with("net.");
    match name {
        _ if of_ipc && hosts(&wanted.ipc) => Some("is the host's with `ipc_mode = \"host\"`"),
        _ if of_network && hosts(&wanted.network) => {
            Some("is the host's with `network_mode = \"host\"`")
        }
        "kernel.domainname" if hosts(&wanted.uts) => {
            Some("is the host's with `uts_mode = \"host\"`")
        }
        "kernel.domainname" => None,
        _ if of_ipc || of_network => None,
        _ => Some("is one for the whole host: no container has its own"),
    }
}

fn written(block: &Block, name: &str) -> Option<Span> {
    let value = block.get(name).filter(|written| !written.value.is_null())?;
    Some(value.span)
}
