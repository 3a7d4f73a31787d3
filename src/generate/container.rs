//! A container's declaration.

use std::collections::BTreeMap;

use infra_api::Text;
use infra_api::target::{
    Confinement, Container, Endpoint, HealthCheck, Log, Mount, Naming, Port, Probe, Process,
    Restart, Security, Ulimit, UploadedFile,
};

use super::Declarations;
use super::devices::{devices_of, limited};
use super::text::{Block, list};

/// `declared`: what it stands on.
#[must_use]
pub fn container(label: &str, body: &Container, declared: &Declarations) -> Block {
    let mut block = Block::labelled("workload", label);
    block.text("name", &body.name);
    around(body, &mut block);
    for (n, (name, endpoint)) in body.networks.iter().enumerate() {
        block.block(interface(n, name, endpoint, declared, body));
    }
    let (disks, mounts) = mounts(&body.mounts, declared);
    disks.into_iter().for_each(|disk| block.block(disk));
    let mut form = form(body);
    mounts.into_iter().for_each(|mount| form.block(mount));
    block.block(form);
    block
}

/// What stands outside of its `container` block.
fn around(body: &Container, block: &mut Block) {
    let mut cpus = Block::new("cpus");
    if let Some(set) = &body.cpus {
        cpus.text("set", &set.to_string());
        cpus.text("policy", "shared");
    }
    block.block(cpus);
    let mut memory = Block::new("memory");
    memory.size("size", body.memory_bytes);
    memory.maybe(
        "nodes",
        body.memory_nodes
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
    );
    block.block(memory);
}

fn interface(
    n: usize,
    name: &str,
    endpoint: &Endpoint,
    declared: &Declarations,
    body: &Container,
) -> Block {
    let Endpoint {
        address,
        address6,
        aliases,
        mac,
    } = endpoint;
    let mut block = Block::labelled("interface", &format!("net{n}"));
    if let Some(network) = declared.networks.get(name) {
        block.raw("network", network);
    }
    block.maybe("address", address.map(|a| a.to_string()).as_deref());
    block.maybe("address6", address6.map(|a| a.to_string()).as_deref());
    let others: Vec<String> = aliases
        .iter()
        .filter(|alias| **alias != body.hostname)
        .cloned()
        .collect();
    block.list("aliases", &others);
    block.maybe("mac", mac.as_deref());
    block
}

fn form(body: &Container) -> Block {
    // Whoever adds a field comes by here: each is written by one of the functions of this file.
    let Container {
        name: _,
        image: _,
        state: _,
        entrypoint: _,
        command: _,
        env: _,
        user: _,
        working_dir: _,
        hostname: _,
        labels: _,
        ports: _,
        mounts: _,
        files: _,
        networks: _,
        naming: _,
        restart: _,
        health_check: _,
        process: _,
        log: _,
        security: _,
        confinement: _,
        devices: _,
        ulimits: _,
        cpus: _,
        memory_nodes: _,
        memory_bytes: _,
        pids: _,
        limits: _,
    } = body;
    let mut block = Block::new("container");
    let image = &body.image;
    let (image, moved) = image
        .split_once(" (was ")
        .map_or((image.as_str(), false), |(name, _)| (name, true));
    if moved {
        let note = "its image is no longer what its reference stands for: it would be made anew";
        block.note(note);
    }
    if body.state != "running" {
        block.note(format!("it is {}: it would be started", body.state));
    }
    block.text("image", image);
    program(body, &mut block);
    processes(&body.process, &mut block);
    secured(&body.security, &mut block);
    confined(&body.confinement, &mut block);
    parts(body, &mut block);
    block
}

/// What it runs, and as what.
fn program(body: &Container, block: &mut Block) {
    texts(block, "entrypoint", body.entrypoint.as_deref());
    texts(block, "command", body.command.as_deref());
    let env = body.env.iter();
    let env = env.map(|(name, value)| (name.clone(), plain(value)));
    block.map("env", &env.collect());
    block.maybe("user", body.user.as_deref());
    block.maybe("working_dir", body.working_dir.as_deref());
    let hostname = Some(body.hostname.as_str());
    block.maybe("hostname", hostname.filter(|name| !name.is_empty()));
    block.map("labels", &body.labels);
    if let Some(Restart {
        policy,
        max_retries,
    }) = &body.restart
    {
        block.text("restart", policy);
        block.number("restart_retries", max_retries.as_ref());
    }
    block.number("pids", body.pids.as_ref());
}

/// Its blocks.
fn parts(body: &Container, block: &mut Block) {
    block.list("device_rules", &body.devices.rules);
    block.maybe("domainname", body.naming.domainname.as_deref());
    block.map("extra_hosts", &body.naming.hosts);
    for port in &body.ports {
        block.block(published(port));
    }
    for (path, file) in &body.files {
        block.block(uploaded(path, file));
    }
    block.block(health(body.health_check.as_ref()));
    block.block(logged(body.log.as_ref()));
    block.block(resolver(&body.naming));
    devices_of(&body.devices, block);
    for (name, Ulimit { soft, hard }) in &body.ulimits {
        let mut limit = Block::labelled("ulimit", name);
        limit.raw("soft", soft);
        limit.raw("hard", hard);
        block.block(limit);
    }
    block.block(limited(&body.limits));
}

fn plain(text: &Text) -> String {
    match text {
        Text::Plain(text) => text.clone(),
        Text::Secret { .. } => String::new(),
    }
}

/// An empty list is not as if it were not written.
fn texts(block: &mut Block, name: &'static str, words: Option<&[Text]>) {
    if let Some(words) = words {
        let words: Vec<String> = words.iter().map(plain).collect();
        block.raw(name, list(&words));
    }
}

fn processes(process: &Process, block: &mut Block) {
    let Process {
        groups,
        init,
        tty,
        stdin,
        stop_signal,
        stop_timeout_s,
    } = process;
    block.list("groups", groups);
    block.number("init", init.as_ref());
    block.flag("tty", *tty);
    block.flag("stdin", *stdin);
    block.maybe("stop_signal", stop_signal.as_deref());
    block.maybe(
        "stop_timeout",
        stop_timeout_s.map(|s| format!("{s}s")).as_deref(),
    );
}

fn secured(security: &Security, block: &mut Block) {
    let Security {
        drop,
        add,
        no_new_privileges,
        privileged,
        seccomp,
        apparmor,
        selinux,
        read_only,
    } = security;
    block.flag("read_only", *read_only);
    block.flag("privileged", *privileged);
    if *no_new_privileges == *privileged {
        block.raw("privilege_escalation", !no_new_privileges);
    }
    block.maybe("seccomp", seccomp.as_deref());
    block.maybe("apparmor", apparmor.as_deref());
    block.list("selinux", selinux);
    let mut capabilities = Block::new("capabilities");
    // Those two are dropped unless something is said; but not from all.
    let all = add.iter().any(|name| name == "ALL");
    let said: Vec<String> = drop
        .iter()
        .filter(|name| all || !matches!(name.as_str(), "MKNOD" | "NET_RAW"))
        .cloned()
        .collect();
    capabilities.list("drop", &said);
    capabilities.list("add", add);
    if !privileged {
        block.block(capabilities);
    }
}

fn confined(confinement: &Confinement, block: &mut Block) {
    let Confinement {
        runtime,
        network,
        ipc,
        pid,
        uts,
        userns,
        cgroupns,
        cgroup_parent,
        sysctls,
        shm_bytes,
        storage,
    } = confinement;
    block.maybe("runtime", runtime.as_deref());
    block.maybe("network_mode", network.as_deref());
    block.maybe("ipc_mode", ipc.as_deref());
    block.maybe("pid_mode", pid.as_deref());
    block.maybe("uts_mode", uts.as_deref());
    block.maybe("userns_mode", userns.as_deref());
    block.maybe("cgroupns_mode", cgroupns.as_deref());
    block.maybe("cgroup_parent", cgroup_parent.as_deref());
    block.map("sysctls", sysctls);
    block.size("shm_size", *shm_bytes);
    block.map("storage_options", storage);
}

fn published(port: &Port) -> Block {
    let Port {
        host,
        container,
        protocol,
        host_address,
    } = port;
    let mut block = Block::new("port");
    block.raw("host", host);
    block.raw("container", container);
    block.maybe(
        "protocol",
        Some(protocol.as_str()).filter(|word| *word != "tcp"),
    );
    block.maybe("address", host_address.as_deref());
    block
}

fn uploaded(path: &str, file: &UploadedFile) -> Block {
    let UploadedFile {
        content,
        binary,
        mode,
        uid,
        gid,
    } = file;
    let mut block = Block::labelled("file", path);
    block.text(
        if *binary { "content_base64" } else { "content" },
        &plain(content),
    );
    block.text("mode", &format!("{mode:04o}"));
    block.raw("uid", uid);
    block.raw("gid", gid);
    block
}

/// Disks of the workload and mounts of its form. One disk is one volume, wherever it is mounted.
fn mounts(mounts: &BTreeMap<String, Mount>, declared: &Declarations) -> (Vec<Block>, Vec<Block>) {
    let (mut disks, mut others) = (Vec::new(), Vec::new());
    let mut labels: BTreeMap<&str, String> = BTreeMap::new();
    for (target, mount) in mounts {
        let mut block = Block::new("mount");
        block.text("target", target);
        match mount {
            Mount::Volume {
                source,
                read_only,
                subpath,
                no_copy,
            } => {
                let next = format!("disk{}", labels.len());
                let label = labels.entry(source).or_insert_with(|| {
                    let mut disk = Block::labelled("disk", &next);
                    if let Some(volume) = declared.volumes.get(source) {
                        disk.raw("volume", volume);
                    }
                    disks.push(disk);
                    next
                });
                block.text("disk", label);
                block.flag("read_only", *read_only);
                block.maybe("subpath", subpath.as_deref());
                if *no_copy {
                    block.raw("copy", false);
                }
            }
            Mount::Bind {
                source,
                read_only,
                propagation,
                non_recursive,
            } => {
                block.text("source", source);
                block.flag("read_only", *read_only);
                block.maybe("propagation", propagation.as_deref());
                if *non_recursive {
                    block.raw("recursive", false);
                }
            }
            Mount::Tmpfs { size_bytes, mode } => {
                block.size("size", *size_bytes);
                block.maybe("mode", mode.map(|mode| format!("{mode:04o}")).as_deref());
            }
        }
        others.push(block);
    }
    (disks, others)
}

fn health(check: Option<&HealthCheck>) -> Block {
    let mut block = Block::new("health_check");
    let Some(HealthCheck {
        probe,
        interval_ns,
        timeout_ns,
        start_period_ns,
        start_interval_ns,
        retries,
    }) = check
    else {
        return block;
    };
    match probe {
        Probe::Command(words) => block.raw("command", list(words)),
        Probe::Shell(line) => block.text("shell", line),
        Probe::None => block.flag("disabled", true),
    }
    block.duration("interval", *interval_ns);
    block.duration("timeout", *timeout_ns);
    block.duration("start_period", *start_period_ns);
    block.duration("start_interval", *start_interval_ns);
    block.number("retries", retries.as_ref());
    block
}

fn logged(log: Option<&Log>) -> Block {
    let mut block = Block::new("log");
    if let Some(Log { driver, options }) = log {
        block.text("driver", driver);
        block.map("options", options);
    }
    block
}

fn resolver(naming: &Naming) -> Block {
    let Naming {
        domainname: _,
        servers,
        search,
        options,
        hosts: _,
    } = naming;
    let mut block = Block::new("dns");
    block.list("servers", servers);
    block.list("search", search);
    block.list("options", options);
    block
}
