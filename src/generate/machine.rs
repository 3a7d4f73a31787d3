//! A machine's declaration.

use infra_api::target::{
    Acceleration, Bandwidth, Boot, DiskDevice, DiskLogin, DiskServer, Format, GuestReady, Machine,
    MachineDisk, MachineInterface, Rate, RemoteDisk, Throttle, XmlPatch,
};
use infra_api::{IdSet, names};

use super::Declarations;
use super::hardware::hardware;
use super::numa;
use super::text::Block;

/// `declared`: the networks it is in.
#[must_use]
pub fn machine(label: &str, body: &Machine, declared: &Declarations) -> Block {
    let mut block = Block::labelled("workload", label);
    block.text("name", &body.name);
    block.block(cpus(body, &mut Vec::new()));
    block.block(memory(body));
    block.block(numa::block(body).0);
    for (n, nic) in body.interfaces.iter().enumerate() {
        block.block(interface(n, nic, declared));
    }
    let mut form = form(body);
    let (mut disks, mut drives) = (0, 0);
    let mut turns: Vec<(u32, String)> = Vec::new();
    for disk in &body.disks {
        let (kind, count) = match disk.device {
            DiskDevice::Disk => ("disk", &mut disks),
            DiskDevice::Cdrom => ("cdrom", &mut drives),
        };
        let label = format!("{kind}{count}");
        *count += 1;
        turns.extend(disk.boot.map(|turn| (turn, format!("{kind}.{label}"))));
        match disk.device {
            DiskDevice::Disk => block.block(self::disk(&label, disk)),
            DiskDevice::Cdrom => form.required(drive(&label, disk)),
        }
    }
    let nics = body.interfaces.iter().enumerate();
    turns.extend(nics.filter_map(|(n, nic)| Some((nic.boot?, format!("interface.net{n}")))));
    turns.sort();
    let turns: Vec<String> = turns.into_iter().map(|(_, device)| device).collect();
    form.list(
        "boot",
        if turns.is_empty() {
            &body.boot_order
        } else {
            &turns
        },
    );
    block.required(form);
    block
}

/// How many, and which where they are pinned. `notes`: what of that no declaration says.
fn cpus(body: &Machine, notes: &mut Vec<&'static str>) -> Block {
    let mut block = Block::new("cpus");
    let online = body.online_vcpus.unwrap_or(body.vcpus);
    let pins: Vec<&IdSet> = body.vcpu_pins.values().collect();
    let all = pins.iter().fold(IdSet::new(), |all, pin| &all | *pin);
    let whole = pins.len() == usize::try_from(online).unwrap_or(usize::MAX);
    let dedicated = has_own_cpus(body);
    let shared = whole && pins.windows(2).all(|pair| pair[0] == pair[1]);
    if numa::are_declared(body) {
        // The cells say how many.
        if dedicated {
            block.text("policy", "dedicated");
        }
        return block;
    }
    if pins.is_empty() || !(dedicated || shared) {
        block.raw("count", online);
    } else if dedicated {
        block.text("set", &all.to_string());
    } else {
        block.raw("count", online);
        block.text("set", &all.to_string());
        block.text("policy", "shared");
    }
    if !(pins.is_empty() || dedicated || shared) {
        notes.push("its vCPUs are each pinned to CPUs of their own: infra chooses anew");
    }
    if body.emulator_pin.is_some() || !body.iothread_pins.is_empty() {
        notes.push("where its emulator's and I/O threads run is chosen anew");
    }
    block.number("maximum", body.online_vcpus.map(|_| body.vcpus));
    block
}

/// Each vCPU that is plugged in has a CPU that no other one has.
fn has_own_cpus(body: &Machine) -> bool {
    let online = body.online_vcpus.unwrap_or(body.vcpus);
    let pins = body.vcpu_pins.values();
    let all = pins.clone().fold(IdSet::new(), |all, pin| &all | pin);
    let own = pins.clone().all(|pin| pin.len() == 1);
    own && pins.len() == usize::try_from(online).unwrap_or(usize::MAX) && all.len() == pins.len()
}

fn memory(body: &Machine) -> Block {
    let mut block = Block::new("memory");
    let size = body.balloon_bytes.unwrap_or(body.memory_bytes);
    block.size("size", Some(size));
    block.size("maximum", body.balloon_bytes.map(|_| body.memory_bytes));
    let nodes = body
        .memory_nodes
        .as_ref()
        .filter(|_| !numa::are_declared(body));
    let nodes = nodes.map(ToString::to_string);
    block.maybe("nodes", nodes.as_deref());
    block.maybe("mode", body.memory_mode.as_deref());
    block.size("page_size", body.page_size_bytes);
    block
}

fn interface(n: usize, nic: &MachineInterface, declared: &Declarations) -> Block {
    let MachineInterface {
        mac,
        network,
        // Both are its network's.
        bridge: _,
        driver: _,
        // Which one is the host's to give.
        function: _,
        vhost_user,
        vlan,
        address,
        model,
        queues,
        queue_size,
        mtu,
        unplugged,
        bandwidth,
        // Its turn is in the order of all.
        boot: _,
    } = nic;
    let mut block = Block::labelled("interface", &format!("net{n}"));
    match declared.networks.get(network) {
        Some(to) => block.raw("network", to),
        None => block.note(format!("its network `{network}` is not declared")),
    }
    block.text("mac", mac);
    let told = declared.leases.get(mac);
    if let Some(address) = address.as_ref().or(told) {
        block.text("address", &address.to_string());
    }
    block.maybe("model", model.as_deref());
    block.number("vlan", vlan.as_ref());
    block.number("queues", queues.as_ref());
    block.number("queue_size", queue_size.as_ref());
    block.maybe("vhost_user", vhost_user.as_deref());
    block.number("mtu", mtu.as_ref());
    if *unplugged {
        block.text("link", "down");
    }
    if let Some(Bandwidth { inbound, outbound }) = bandwidth {
        let mut limits = Block::new("bandwidth");
        let mut rate = |average, peak, rate: &Option<Rate>| {
            if let Some(Rate {
                average_bytes,
                peak_bytes,
            }) = rate
            {
                limits.size(average, Some(*average_bytes));
                limits.size(peak, *peak_bytes);
            }
        };
        rate("inbound", "inbound_peak", inbound);
        rate("outbound", "outbound_peak", outbound);
        block.block(limits);
    }
    block
}

fn disk(label: &str, disk: &MachineDisk) -> Block {
    let MachineDisk {
        volume,
        path,
        remote,
        format,
        read_only,
        device: _,
        bus,
        cache,
        io,
        discard,
        serial,
        queues,
        iothread,
        throttle,
        boot: _,
    } = disk;
    let mut block = Block::labelled("disk", label);
    if let Some(volume) = volume {
        let name = &volume.name;
        block.note(format!(
            "it is the volume `{name}`, which is not written here"
        ));
    }
    block.maybe("path", path.as_deref());
    if *format == Format::Qcow2 {
        block.text("format", "qcow2");
    }
    block.flag("read_only", *read_only);
    block.maybe("bus", bus.as_deref());
    block.maybe("cache", cache.as_deref());
    block.maybe("io", io.as_deref());
    block.maybe("discard", discard.as_deref());
    block.maybe("serial", serial.as_deref());
    block.number("queues", queues.as_ref());
    block.number("iothread", iothread.as_ref());
    if let Some(limits) = throttle {
        block.block(throttled(limits));
    }
    if let Some(remote) = remote {
        block.block(elsewhere(remote));
    }
    block
}

fn throttled(limits: &Throttle) -> Block {
    let Throttle {
        bytes,
        read_bytes,
        write_bytes,
        iops,
        read_iops,
        write_iops,
    } = limits;
    let mut block = Block::new("throttle");
    block.size("bytes", *bytes);
    block.size("read_bytes", *read_bytes);
    block.size("write_bytes", *write_bytes);
    block.number("iops", iops.as_ref());
    block.number("read_iops", read_iops.as_ref());
    block.number("write_iops", write_iops.as_ref());
    block
}

fn elsewhere(remote: &RemoteDisk) -> Block {
    let RemoteDisk {
        protocol,
        name,
        servers,
        login,
    } = remote;
    let mut block = Block::new("remote");
    block.text("protocol", protocol);
    let server = |DiskServer { host, port }: &DiskServer| match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    block.list("servers", &servers.iter().map(server).collect::<Vec<_>>());
    block.text("name", name);
    if let Some(DiskLogin { user, secret }) = login {
        block.text("user", user);
        block.text("secret", secret);
    }
    block
}

/// All else of a drive is as each has it.
fn drive(label: &str, disk: &MachineDisk) -> Block {
    let mut block = Block::labelled("cdrom", label);
    block.maybe("path", disk.path.as_deref());
    if disk.volume.is_some() {
        block.note("its medium is a volume, which is not written here");
    }
    block
}

fn form(body: &Machine) -> Block {
    // Whoever adds a field comes by here: each is written by one of the functions of this file.
    let Machine {
        name,
        uuid,
        state,
        next_start,
        acceleration,
        vcpus: _,
        online_vcpus: _,
        vcpu_pins: _,
        emulator_pin: _,
        iothreads,
        iothread_pins: _,
        memory_bytes: _,
        balloon_bytes: _,
        memory_nodes: _,
        memory_mode: _,
        page_size_bytes: _,
        cells: _,
        boot,
        boot_order: _,
        disks: _,
        seed,
        seed_digest: _,
        ignition,
        interfaces: _,
        console_log,
        autostart,
        ready,
        stop_timeout_s,
        patches,
        hardware: built_of,
    } = body;
    let mut block = Block::new("kvm");
    noted(body, &mut block);
    if matches!(boot, Boot::Kernel { .. }) || seed.is_some() || ignition.is_some() {
        block.note("its kernel, its seed or its Ignition configuration is not written here");
    }
    if state != "running" {
        block.note(format!("it is {state}: it would be started"));
    }
    if next_start.is_some() {
        block.note("it was changed for its next start: this is what runs");
    }
    let emulated = *acceleration == Acceleration::Emulated;
    block.maybe("acceleration", emulated.then_some("emulated"));
    block.text("uuid", uuid);
    block.number("autostart", (!autostart).then_some(autostart));
    match console_log {
        Some(path) if *path == names::console_log(name) => {}
        Some(path) => block.text("console_log", path),
        None => block.text("console_log", "none"),
    }
    let stop = stop_timeout_s.map(|s| format!("{s}s"));
    block.maybe("stop_timeout", stop.as_deref());
    block.number("iothreads", (*iothreads > 0).then_some(iothreads));
    // With CPUs of its own it would be told.
    let untold = has_own_cpus(body) && !built_of.dedicated_hint && !emulated;
    block.number("dedicated_hint", untold.then_some(false));
    hardware(built_of, &mut block);
    if let Some(ready) = ready {
        block.block(awaited(ready));
    }
    for patch in patches {
        block.block(patched(patch));
    }
    block
}

fn noted(body: &Machine, block: &mut Block) {
    let mut notes = Vec::new();
    let _written = cpus(body, &mut notes);
    notes.extend(numa::block(body).1);
    for note in notes {
        block.note(note);
    }
}

fn awaited(ready: &GuestReady) -> Block {
    let GuestReady {
        agent,
        lease,
        port,
        console,
        cloud_init,
    } = ready;
    let mut block = Block::new("ready");
    block.flag("agent", *agent);
    block.flag("lease", *lease);
    block.number("port", port.as_ref());
    block.maybe("console", console.as_deref());
    block.flag("cloud_init", *cloud_init);
    block
}

fn patched(patch: &XmlPatch) -> Block {
    let XmlPatch {
        at,
        set,
        add,
        remove,
    } = patch;
    let mut block = Block::new("xml");
    block.maybe("at", at.as_deref());
    block.maybe("set", set.as_deref());
    block.maybe("add", add.as_deref());
    block.flag("remove", *remove);
    block
}
