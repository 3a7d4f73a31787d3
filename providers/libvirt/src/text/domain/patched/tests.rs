//! What patches do to a whole machine, how they are found again, and which are refused.

use infra_api::target::{MachineDisk, XmlPatch};
use infra_api::{Address, Mark, Project};

use super::*;
use crate::text::domain_tests::{plain, whole};
use crate::text::golden;

fn set(at: &str, value: &str) -> XmlPatch {
    XmlPatch {
        at: Some(at.into()),
        set: Some(value.into()),
        add: None,
        remove: false,
    }
}

fn add(at: &str, fragment: &str) -> XmlPatch {
    XmlPatch {
        at: Some(at.into()).filter(|at: &String| !at.is_empty()),
        set: None,
        add: Some(fragment.into()),
        remove: false,
    }
}

fn remove(at: &str) -> XmlPatch {
    XmlPatch {
        at: Some(at.into()),
        set: None,
        add: None,
        remove: true,
    }
}

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.feed"),
    }
}

fn patched(patches: Vec<XmlPatch>) -> Machine {
    Machine { patches, ..whole() }
}

fn xml(machine: &Machine) -> String {
    write_domain(machine, &mark(), &pools(machine), Hypervisor::Qemu).unwrap()
}

fn back(xml: &str) -> Machine {
    domain_read::read(xml, &pools(&whole())).unwrap().machine
}

fn against(patch: XmlPatch) -> String {
    let told = objections(&patched(vec![patch]), &mark());
    told.into_iter().map(|(_, why)| why).collect()
}

fn some_of_everything() -> Vec<XmlPatch> {
    vec![
        set("devices/memballoon/@autodeflate", "on"),
        set("features/ioapic/@driver", "kvm"),
        set(
            "devices/disk[target/@dev='vdb']/driver/@detect_zeroes",
            "unmap",
        ),
        set("genid", "43dc0cf8-809b-4adb-9bea-a9abb5f3d90e"),
        add(
            "",
            "<qemu:commandline><qemu:arg value='-foo'/></qemu:commandline>",
        ),
        add(
            "devices",
            "<disk type='network' device='disk'>\n<source protocol='nbd' name='x'/><target dev='vdz'/></disk>",
        ),
        add("devices", "<input type='tablet' bus='usb'/>"),
        remove("devices/controller[@index='16']"),
        remove("devices/memballoon/@model"),
    ]
}

#[test]
fn what_is_patched_is_found_again_and_nothing_else_is_touched() {
    let mut patches = some_of_everything();
    // A memory balloon without a model is none that libvirt takes: only for the test of attributes.
    patches.retain(|patch| patch.at.as_deref() != Some("devices/memballoon/@model"));
    let machine = patched(patches);
    assert_eq!(objections(&machine, &mark()), []);
    golden("domain-patched.xml", &xml(&machine));
    assert_eq!(back(&xml(&machine)), super::super::definition(machine));
}

/// libvirt adds what it likes: addresses, aliases, other attributes.
#[test]
fn what_libvirt_adds_is_no_drift() {
    let machine = patched(vec![add("devices", "<input type='tablet' bus='usb'/>")]);
    let grown = xml(&machine).replace(
        "<input type=\"tablet\" bus=\"usb\"/>",
        "<input bus=\"usb\" type=\"tablet\">\n<alias name=\"input0\"/><address type=\"usb\" bus=\"0\" port=\"1\"/></input><input type=\"mouse\" bus=\"ps2\"/>",
    );
    assert_eq!(back(&grown).patches, machine.patches);
}

#[test]
fn what_does_not_hold_is_seen() {
    let machine = patched(some_of_everything());
    let changed = xml(&machine)
        .replace("autodeflate=\"on\"", "autodeflate=\"off\"")
        .replace("<ioapic driver=\"kvm\"/>", "")
        .replace("value=\"-foo\"", "value=\"-bar\"")
        .replace("</devices>", "<controller index=\"16\"/></devices>");
    let found = back(&changed).patches;
    let not: Vec<usize> = (0..found.len())
        .filter(|n| found[*n] != machine.patches[*n])
        .collect();
    assert_eq!(not, [0, 1, 4, 7]);
    assert_eq!(found[0].set.as_deref(), Some("off"));
    assert_eq!(
        (&found[1].set, &found[4].add, found[7].remove),
        (&None, &None, false)
    );
}

#[test]
fn what_cannot_be_is_said() {
    for (patch, why) in [
        (remove("devices/tablet"), "nothing infra writes is there"),
        (
            remove("devices/memballoon/@nothing"),
            "nothing infra writes is there",
        ),
        (set("name", "x"), "what infra finds its machines by"),
        (set("uuid", "x"), "what infra finds its machines by"),
        (add("metadata", "<x/>"), "what infra finds its machines by"),
        (
            add("", "<uuid>x</uuid>"),
            "what infra finds its machines by",
        ),
        (add("devices", "<input"), "expected a whitespace"),
        (add("devices", "<a/><b/>"), "more than one element"),
        (add("devices/memballoon/@model", "<a/>"), "takes no element"),
        (set("devices/disk/driver/@x", "y"), "there are 5 `disk`"),
        (set("devices", "text"), "has elements"),
        (set("/domain/devices", "x"), "begins below <domain>"),
        (set("devices/a b", "x"), "no name of XML"),
        (set("devices/disk[1]/@x", "x"), "is not as in"),
        (
            set("devices/disk[target/@dev='vdq']/@x", "x"),
            "could not be made so",
        ),
        (set("devices/disk[@x='y", "x"), "is not closed"),
        (set("vcpu", "8"), "as `vcpus`"),
        (set("on_crash", "restart"), "as `on_crash`"),
        (set("@type", "qemu"), "as `acceleration`"),
        (remove("devices/watchdog"), "as `watchdog`"),
        (remove("vcpu"), "no machine could be without it"),
    ] {
        let told = against(patch.clone());
        assert!(told.contains(why), "{patch:?}: {told}");
    }
}

/// What an earlier one made a later one may change; what is refused is not done for it.
#[test]
fn patches_are_done_in_their_order() {
    let tablet = "devices/input[@type='tablet']";
    let made = add("devices", "<input type='tablet' bus='usb'/>");
    let machine = patched(vec![
        made.clone(),
        set(&format!("{tablet}/@model"), "virtio"),
    ]);
    assert_eq!(objections(&machine, &mark()), []);
    let wrong = patched(vec![remove(tablet), made, remove("devices/nothing")]);
    let places: Vec<usize> = objections(&wrong, &mark())
        .iter()
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(places, [0, 2]);
}

#[test]
fn a_disk_that_is_added_is_not_one_of_ours() {
    let disk = "<disk type='file' device='disk'><source file='/x'/><target dev='vdx' bus='virtio'/></disk>";
    let machine = Machine {
        disks: Vec::<MachineDisk>::new(),
        patches: vec![add("devices", disk)],
        ..plain()
    };
    assert_eq!(objections(&machine, &mark()), []);
    let found = domain_read::read(&xml(&machine), &pools(&machine)).unwrap();
    assert_eq!(found.machine.disks, []);
}
