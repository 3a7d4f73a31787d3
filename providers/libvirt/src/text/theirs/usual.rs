//! A domain without what libvirt fills in by itself, and with what it takes for the same in one form.

use super::super::tree::{Child, Tree};

/// Does something to each device.
pub(super) fn each_device(domain: &mut Tree, act: &mut dyn FnMut(&mut Tree)) {
    each_child(domain, "devices", &mut |devices| {
        for child in &mut devices.children {
            if let Child::Element(device) = child {
                act(device);
            }
        }
    });
}

/// And to each child of a name.
pub(super) fn each_child(tree: &mut Tree, name: &str, act: &mut dyn FnMut(&mut Tree)) {
    for child in &mut tree.children {
        if let Child::Element(element) = child
            && element.name == name
        {
            act(element);
        }
    }
}

pub(super) fn put(tree: &mut Tree, name: &str, value: &str) {
    match tree.attributes.iter_mut().find(|(other, _)| other == name) {
        Some((_, there)) => value.clone_into(there),
        None => tree.attributes.push((name.to_owned(), value.to_owned())),
    }
}

fn put_missing(tree: &mut Tree, name: &str, value: &str) {
    if tree.attribute(name).is_none() {
        put(tree, name, value);
    }
}

/// Takes an attribute away where it has one of these values.
fn forget(tree: &mut Tree, name: &str, values: &[&str]) {
    tree.attributes
        .retain(|(other, value)| other != name || !values.contains(&value.as_str()));
}

fn drop_children(tree: &mut Tree, goes: &dyn Fn(&Tree) -> bool) {
    tree.children
        .retain(|child| !matches!(child, Child::Element(element) if goes(element)));
}

fn child<'a>(tree: &'a Tree, name: &str) -> Option<&'a Tree> {
    tree.elements().find(|element| element.name == name)
}

fn is_bare(tree: &Tree) -> bool {
    tree.children.is_empty() && tree.attributes.is_empty()
}

pub(super) fn usual(mut domain: Tree) -> Tree {
    // Which hypervisor it is follows from who runs it.
    domain
        .attributes
        .retain(|(name, _)| name != "id" && name != "type" && !name.starts_with("xmlns"));
    let dynamic = |e: &Tree| {
        e.name == "seclabel" && e.attribute("type") == Some("dynamic") && e.children.is_empty()
    };
    let machine = |e: &Tree| {
        e.name == "resource" && child(e, "partition").is_some_and(|p| p.text() == "/machine")
    };
    drop_children(&mut domain, &|e| {
        e.name == "metadata" || dynamic(e) || machine(e)
    });
    for child in &mut domain.children {
        if let Child::Element(element) = child {
            part(element);
        }
    }
    let memory = child(&domain, "memory").map(Tree::text);
    drop_children(&mut domain, &|e| {
        e.name == "currentMemory" && Some(e.text()) == memory
    });
    drop_children(&mut domain, &|e| e.name == "iothreadids" && numbered(e));
    let efi = child(&domain, "os").is_some_and(|os| os.attribute("firmware") == Some("efi"));
    let name = child(&domain, "name").map(Tree::text).unwrap_or_default();
    each_child(&mut domain, "os", &mut |os| chosen_firmware(os, efi, &name));
    let spice = child(&domain, "devices").is_some_and(|d| {
        d.elements()
            .any(|e| e.name == "graphics" && e.attribute("type") == Some("spice"))
    });
    each_child(&mut domain, "devices", &mut |devices| {
        let all = std::mem::take(&mut devices.children);
        let kept = all.into_iter().filter_map(|child| match child {
            Child::Element(e) => device(e)
                .filter(|e| !is_silent(e, spice))
                .map(Child::Element),
            Child::Text(_) => None,
        });
        devices.children = kept.collect();
    });
    domain
}

/// The threads that are there anyway.
fn numbered(ids: &Tree) -> bool {
    let plain = |(number, id): (usize, &Tree)| {
        id.attributes.len() == 1
            && id.children.is_empty()
            && id.attribute("id") == Some(&(number + 1).to_string())
    };
    ids.elements().enumerate().all(plain)
}

/// An audio backend that nothing plays to.
fn is_silent(device: &Tree, spice: bool) -> bool {
    let kind = device.attribute("type");
    device.name == "audio"
        && device.children.is_empty()
        && (kind == Some("none") || spice && kind == Some("spice"))
}

/// What libvirt writes down of the firmware that it has chosen.
fn chosen_firmware(os: &mut Tree, chosen: bool, name: &str) {
    if chosen {
        let own = format!("/var/lib/libvirt/qemu/nvram/{name}_VARS.fd");
        drop_children(os, &|e| {
            e.name == "loader" || e.name == "nvram" && e.text() == own
        });
    }
}

fn part(element: &mut Tree) {
    match element.name.as_str() {
        "memory" | "currentMemory" => in_bytes(element),
        "memtune" => element.children.iter_mut().for_each(|child| {
            if let Child::Element(limit) = child {
                in_bytes(limit);
            }
        }),
        "memoryBacking" => each_child(element, "hugepages", &mut |pages| {
            each_child(pages, "page", &mut |page| {
                let unit = page.attribute("unit").unwrap_or("KiB").to_owned();
                let size = page.attribute("size").unwrap_or_default().to_owned();
                if let Some(bytes) = bytes(&size, &unit) {
                    put(page, "size", &bytes.to_string());
                    put(page, "unit", "b");
                }
            });
        }),
        "vcpu" => forget(element, "placement", &["static"]),
        "features" => each_child(element, "hyperv", &mut |hyperv| {
            forget(hyperv, "mode", &["custom"]);
        }),
        "cpu" => {
            forget(element, "match", &["exact"]);
            each_child(element, "model", &mut |model| {
                forget(model, "fallback", &["allow", "forbid"])
            });
            drop_children(element, &|e| e.name == "model" && is_bare(e));
            each_child(element, "topology", &mut |topology| {
                forget(topology, "dies", &["1"]);
                forget(topology, "clusters", &["1"]);
            });
        }
        _ => {}
    }
}

fn bytes(text: &str, unit: &str) -> Option<u64> {
    let xml = format!("<size unit='{unit}'/>");
    let document = roxmltree::Document::parse(&xml).ok()?;
    super::super::xml::size(document.root_element(), text)
}

fn in_bytes(element: &mut Tree) {
    let unit = element.attribute("unit").unwrap_or("KiB").to_owned();
    if let Some(bytes) = bytes(&element.text(), &unit) {
        element.children = vec![Child::Text(bytes.to_string())];
        put(element, "unit", "b");
    }
}

/// Where a distribution has the emulator that libvirt takes unless it is told otherwise.
const EMULATORS: [&str; 4] = [
    "/usr/bin/qemu-system-x86_64",
    "/usr/bin/kvm",
    "/usr/bin/qemu-kvm",
    "/usr/libexec/qemu-kvm",
];

/// A device as it would be written; nothing where libvirt adds it by itself.
pub(super) fn device(mut device: Tree) -> Option<Tree> {
    let named_by_libvirt = |e: &Tree| {
        e.name == "alias"
            && !e
                .attribute("name")
                .is_some_and(|name| name.starts_with("ua-"))
    };
    drop_children(&mut device, &|e| e.name == "address" || named_by_libvirt(e));
    let is = |name: &str, value: &str| device.attribute(name) == Some(value);
    let own = match device.name.as_str() {
        "emulator" => EMULATORS.contains(&device.text().as_str()),
        "input" => is("bus", "ps2"),
        "watchdog" => is("model", "itco") && is("action", "reset"),
        "video" => child(&device, "model").is_some_and(|m| m.attribute("type") == Some("none")),
        "controller" => is_own_controller(&device),
        _ => false,
    };
    if own {
        return None;
    }
    match device.name.as_str() {
        "controller" => put_missing(&mut device, "index", "0"),
        "disk" => disk(&mut device),
        "serial" => serial(&mut device),
        "console" => each_child(&mut device, "target", &mut |target| {
            put_missing(target, "port", "0");
        }),
        "graphics" => graphics(&mut device),
        "video" => each_child(&mut device, "model", &mut video),
        "channel" => drop_children(&mut device, &|e| {
            let path = e.attribute("path").unwrap_or_default();
            e.name == "source" && path.starts_with("/var/lib/libvirt/qemu/channel/")
        }),
        "hostdev" => drop_children(&mut device, &|e| {
            e.name == "driver" && e.attributes == [("name".to_owned(), "vfio".to_owned())]
        }),
        _ => {}
    }
    Some(device)
}

/// What other devices are plugged into: libvirt makes as many as are needed.
fn is_own_controller(device: &Tree) -> bool {
    let plain = !device.elements().any(|e| e.name == "driver" && !is_bare(e));
    match device.attribute("type") {
        Some("pci") => true,
        Some("sata" | "ide" | "fdc" | "virtio-serial" | "ccid") => plain,
        _ => false,
    }
}

fn disk(disk: &mut Tree) {
    put_missing(disk, "device", "disk");
    let read_only = disk.attribute("device") == Some("cdrom") || child(disk, "readonly").is_some();
    if child(disk, "driver").is_none() {
        disk.children.push(Child::Element(Tree::new("driver")));
    }
    each_child(disk, "driver", &mut |driver| {
        put_missing(driver, "name", "qemu");
        put_missing(driver, "type", "raw");
        forget(driver, "cache", &["default"]);
        if !read_only {
            put_missing(driver, "discard", "ignore");
        }
    });
    each_child(disk, "source", &mut |source| {
        source.attributes.retain(|(name, _)| name != "index");
    });
    each_child(disk, "target", &mut |target| {
        forget(target, "tray", &["closed"])
    });
    drop_children(disk, &|e| e.name == "backingStore" && is_bare(e));
    // An empty drive has no source.
    drop_children(disk, &|e| e.name == "source" && is_bare(e));
}

fn serial(serial: &mut Tree) {
    if child(serial, "target").is_none() {
        serial.children.push(Child::Element(Tree::new("target")));
    }
    each_child(serial, "target", &mut |target| {
        put_missing(target, "port", "0");
        forget(target, "type", &["isa-serial"]);
        drop_children(target, &|e| {
            e.name == "model" && e.attribute("name") == Some("isa-serial")
        });
    });
}

/// Where nothing is said of it a screen is on the loopback address.
fn graphics(graphics: &mut Tree) {
    const HERE: &str = "127.0.0.1";
    forget(graphics, "port", &["-1"]);
    forget(graphics, "autoport", &["no"]);
    if child(graphics, "listen").is_none() {
        let mut listen = Tree::new("listen");
        put(&mut listen, "type", "address");
        let told = graphics.attribute("listen").unwrap_or(HERE).to_owned();
        put(&mut listen, "address", &told);
        graphics.children.push(Child::Element(listen));
    }
    graphics.attributes.retain(|(name, _)| name != "listen");
    each_child(graphics, "listen", &mut |listen| {
        if listen.attribute("type") == Some("address") {
            put_missing(listen, "address", HERE);
        }
    });
}

/// Sizes that each card has by itself.
fn video(model: &mut Tree) {
    let sizes: &[(&str, &str)] = match model.attribute("type") {
        Some("qxl") => &[("ram", "65536"), ("vram", "65536"), ("vgamem", "16384")],
        Some("vga" | "bochs" | "cirrus") => &[("vram", "16384")],
        _ => &[],
    };
    for (name, size) in sizes {
        forget(model, name, &[size]);
    }
    forget(model, "heads", &["1"]);
    forget(model, "primary", &["yes"]);
}
