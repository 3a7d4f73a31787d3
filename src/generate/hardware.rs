//! What a machine is built of, in its `kvm` block.

use infra_api::target::{
    Clock, Cpu, Filesystem, Firmware, Graphics, Hardware, HostDevice, SerialPort, Timer, Topology,
    Tpm, Watchdog,
};

use super::text::Block;

/// Its blocks follow its attributes.
pub(super) fn hardware(hardware: &Hardware, block: &mut Block) {
    let Hardware {
        title,
        description,
        machine_type,
        cpu: _,
        topology: _,
        firmware,
        tpm: _,
        clock: _,
        hyperv,
        // Written with its CPUs.
        dedicated_hint: _,
        without_pmu,
        realtime,
        on_poweroff,
        on_reboot,
        on_crash,
        locked_memory,
        shared_memory,
        graphics: _,
        video,
        watchdog: _,
        vsock_cid,
        panic,
        without_rng,
        without_balloon,
        serial_ports: _,
        agent,
        filesystems: _,
        host_devices: _,
    } = hardware;
    block.maybe("title", title.as_deref());
    block.maybe("description", description.as_deref());
    block.maybe("machine", machine_type.as_deref());
    if let Some(Firmware { secure_boot }) = firmware {
        block.text("firmware", "uefi");
        block.flag("secure_boot", *secure_boot);
    }
    block.flag("hyperv", *hyperv);
    block.number("realtime", realtime.as_ref());
    block.maybe("on_poweroff", on_poweroff.as_deref());
    block.maybe("on_reboot", on_reboot.as_deref());
    block.maybe("on_crash", on_crash.as_deref());
    block.flag("locked_memory", *locked_memory);
    block.flag("shared_memory", *shared_memory);
    block.maybe("video", video.as_deref());
    block.number("vsock_cid", vsock_cid.as_ref());
    block.flag("panic", *panic);
    let absent = [
        ("pmu", *without_pmu),
        ("rng", *without_rng),
        ("balloon", *without_balloon),
    ];
    for (name, _) in absent.into_iter().filter(|(_, absent)| *absent) {
        block.raw(name, false);
    }
    block.flag("agent", *agent);
    blocks(hardware, block);
}

fn blocks(hardware: &Hardware, block: &mut Block) {
    let Hardware {
        cpu,
        topology,
        tpm,
        clock,
        graphics,
        watchdog,
        filesystems,
        host_devices,
        serial_ports,
        ..
    } = hardware;
    let blocks = [
        cpu.as_ref().map(cpu_of),
        topology.as_ref().map(topology_of),
        tpm.as_ref().map(tpm_of),
        clock.as_ref().map(clock_of),
        graphics.as_ref().map(graphics_of),
        watchdog.as_ref().map(watchdog_of),
    ];
    blocks.into_iter().flatten().for_each(|b| block.block(b));
    for (tag, Filesystem { source }) in filesystems {
        let mut shared = Block::labelled("filesystem", tag);
        shared.text("source", source);
        block.block(shared);
    }
    host_devices.iter().for_each(|d| block.block(given(d)));
    serial_ports.iter().for_each(|p| block.block(port(p)));
}

fn cpu_of(cpu: &Cpu) -> Block {
    let Cpu {
        mode,
        model,
        features,
        check,
    } = cpu;
    let mut block = Block::new("cpu");
    block.text("mode", mode);
    block.maybe("model", model.as_deref());
    block.maybe("check", check.as_deref());
    block.map("features", features);
    block
}

fn topology_of(topology: &Topology) -> Block {
    let Topology {
        sockets,
        cores,
        threads,
    } = topology;
    let mut block = Block::new("topology");
    block.raw("sockets", sockets);
    block.raw("cores", cores);
    block.raw("threads", threads);
    block
}

fn tpm_of(tpm: &Tpm) -> Block {
    let Tpm { version, model } = tpm;
    let mut block = Block::new("tpm");
    block.text("version", version);
    block.text("model", model.trim_start_matches("tpm-"));
    block
}

fn clock_of(clock: &Clock) -> Block {
    let Clock { offset, timers } = clock;
    let mut block = Block::new("clock");
    block.text("offset", offset);
    for (name, timer) in timers {
        let Timer {
            present,
            tick_policy,
        } = timer;
        let mut ticks = Block::labelled("timer", name);
        ticks.number("present", present.as_ref());
        ticks.maybe("tick_policy", tick_policy.as_deref());
        // One of which nothing is said is there as QEMU has it, and not as infra would.
        block.required(ticks);
    }
    block
}

fn graphics_of(graphics: &Graphics) -> Block {
    let Graphics { protocol, port } = graphics;
    let mut block = Block::new("graphics");
    block.text("protocol", protocol);
    block.number("port", port.as_ref());
    block
}

fn watchdog_of(watchdog: &Watchdog) -> Block {
    let Watchdog { action } = watchdog;
    let mut block = Block::new("watchdog");
    block.text("action", action);
    block
}

fn given(device: &HostDevice) -> Block {
    let mut block = Block::new("host_device");
    match device {
        HostDevice::Pci { address } => block.text("pci", address),
        HostDevice::Usb { vendor, product } => block.text("usb", &format!("{vendor}:{product}")),
    }
    block
}

fn port(port: &SerialPort) -> Block {
    let mut block = Block::new("serial");
    match port {
        SerialPort::Pty => block.text("type", "pty"),
        SerialPort::File { path } => {
            block.text("type", "file");
            block.text("path", path);
        }
        SerialPort::Unix { path } => {
            block.text("type", "unix");
            block.text("path", path);
        }
        SerialPort::Tcp { address, port } => {
            block.text("type", "tcp");
            block.text("address", address);
            block.raw("port", port);
        }
    }
    block
}
