//! What is read of a stranger's domain, and what is refused.

use super::*;
use infra_api::target::{Acceleration, XmlPatch};

const FOUND: &str = include_str!("../golden/theirs-as-read.xml");

fn around<'a>(pools: &'a Pools, networks: &'a BTreeMap<String, MachineNetwork>) -> Around<'a> {
    Around {
        pools,
        networks,
        runs: Hypervisor::Qemu,
    }
}

fn known(name: &str) -> BTreeMap<String, MachineNetwork> {
    let network = MachineNetwork {
        name: name.to_owned(),
        uuid: String::new(),
        bridge: Some("br-lan".to_owned()),
        driver: None,
        own: None,
    };
    [(name.to_owned(), network)].into()
}

fn read(xml: &str) -> Result<Machine, String> {
    let pools = Pools([("images".to_owned(), "/srv/images".to_owned())].into());
    stored(xml, &around(&pools, &known("lan")))
}

/// What is found, with something in the place of something else.
fn with(from: &str, to: &str) -> String {
    assert!(FOUND.contains(from), "{from}");
    FOUND.replacen(from, to, 1)
}

fn more(patches: &[XmlPatch]) -> Vec<String> {
    let told = |patch: &XmlPatch| {
        let place = patch.at.as_deref().unwrap_or_default();
        match (&patch.set, &patch.add) {
            (Some(value), _) => format!("{place} = {value}"),
            (None, Some(element)) => format!("{place} + {element}"),
            (None, None) => format!("{place} -"),
        }
    };
    patches.iter().map(told).collect()
}

/// As virt-install makes one, and libvirt hands it back.
#[test]
fn a_usual_one_is_read_whole() {
    let machine = read(FOUND).unwrap();
    assert_eq!(machine.hardware.machine_type.as_deref(), Some("pc-q35-7.2"));
    assert_eq!(machine.disks[0].path.as_deref(), Some("/srv/win.qcow2"));
    assert_eq!(machine.interfaces[0].network, "lan");
    assert_eq!(machine.interfaces[0].bridge.as_deref(), Some("br-lan"));
    assert_eq!(machine.console_log, None);
    assert!(machine.hardware.agent);
    assert_eq!(
        more(&machine.patches),
        [
            "features + <vmport state='off'/>",
            " + <pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>",
            "devices/controller[@type='usb']/@model = qemu-xhci",
            "devices/controller[@type='usb']/@ports = 15",
            "devices + <input type='tablet' bus='usb'/>",
            "devices + <sound model='ich9'/>",
        ]
    );
}

/// The host's own CPU is what a declaration says without a word.
#[test]
fn a_usual_cpu_is_no_wish() {
    let own = "<cpu mode='host-passthrough' check='none' migratable='on'/>";
    let start = FOUND.find("<cpu mode").unwrap();
    let end = FOUND.find("</cpu>").unwrap() + "</cpu>".len();
    let xml = format!("{}{own}{}", &FOUND[..start], &FOUND[end..]);
    let machine = read(&xml.replace("type='qemu'>", "type='kvm'>")).unwrap();
    assert_eq!(machine.acceleration, Acceleration::Kvm);
    assert_eq!(machine.hardware.cpu, None);
    let shown: Vec<String> = more(&machine.patches);
    assert!(!shown.iter().any(|text| text.contains("cpu")), "{shown:?}");
}

/// Whatever libvirt writes of our own machines by itself is nothing beyond them.
#[test]
fn ours_without_its_mark_has_nothing_more() {
    let own = include_str!("../golden/domain-as-read.xml");
    let (start, end) = (
        own.find("<metadata>").unwrap(),
        own.find("</metadata>").unwrap(),
    );
    let unmarked = format!("{}{}", &own[..start], &own[end + "</metadata>".len()..]);
    let unmarked = unmarked.replace("<serial>cidata</serial>", "");
    let pools = Pools([("demo".to_owned(), "/srv/demo".to_owned())].into());
    let machine = stored(&unmarked, &around(&pools, &known("demo.lan"))).unwrap();
    assert_eq!(machine.patches, []);
    let paths: Vec<_> = machine
        .disks
        .iter()
        .map(|disk| disk.path.as_deref())
        .collect();
    assert_eq!(
        paths[0],
        Some("/srv/demo/root"),
        "its pool is not ours to use"
    );
}

/// What no block has a word for is said by `xml`, and nothing of it is lost.
#[test]
fn what_is_beyond_a_declaration_is_said_by_xml() {
    for (from, to, said) in [
        (
            "<source file='/srv/win.qcow2'/>",
            "<source file='/srv/win.qcow2' startupPolicy='optional'/>",
            "devices/disk[target/@dev='vda']/source/@startupPolicy = optional",
        ),
        (
            "discard='unmap'/>",
            "discard='unmap' detect_zeroes='unmap'/>",
            "devices/disk[target/@dev='vda']/driver/@detect_zeroes = unmap",
        ),
        (
            "<source network='lan'/>",
            "<source network='other'/>",
            "devices + <interface type='network'><mac address='52:54:00:12:34:57'/><source network='other'/><model type='virtio'/></interface>",
        ),
        (
            "<model type='virtio'/>\n",
            "<model type='virtio'/><driver name='vhost' rx_queue_size='512'/>\n",
            "devices/interface[mac/@address='52:54:00:12:34:57'] + <driver name='vhost' rx_queue_size='512'/>",
        ),
        (
            "/usr/bin/qemu-system-x86_64",
            "/opt/qemu",
            "devices + <emulator>/opt/qemu</emulator>",
        ),
        (
            "<listen type='address'/>",
            "<listen type='address' address='0.0.0.0'/>",
            "devices + <graphics type='vnc' autoport='yes'><listen type='address' address='0.0.0.0'/></graphics>",
        ),
        (
            "<model type='virtio' heads='1' primary='yes'/>",
            "<model type='qxl' ram='131072' vram='65536' vgamem='16384' heads='1' primary='yes'/>",
            "devices/video/model/@ram = 131072",
        ),
        (
            "<vcpu placement='static'>2",
            "<vcpu placement='auto'>2",
            "vcpu/@placement = auto",
        ),
        (
            "<target dev='sda' bus='sata'/>",
            "<target dev='hda' bus='ide'/>",
            "devices + <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hda' bus='ide'/><readonly/></disk>",
        ),
        ("<acpi/>", "", "features/acpi -"),
        (
            "<acpi/>",
            "<acpi/><hyperv mode='custom'><relaxed state='on'/><vapic state='on'/></hyperv>",
            "features/hyperv/vpindex -",
        ),
        (
            "<memballoon model='virtio'>",
            "<memballoon model='virtio'><stats period='5'/>",
            "devices/memballoon + <stats period='5'/>",
        ),
        (
            "<cpu mode='custom' match='exact' check='none'>\n    <model fallback='forbid'>qemu64</model>",
            "<cpu mode='host-model' check='partial'>\n    <model fallback='allow'/>",
            "devices + <sound model='ich9'/>",
        ),
    ] {
        let machine = read(&with(from, to)).unwrap_or_else(|why| panic!("{to}: {why}"));
        let told = more(&machine.patches);
        assert!(told.contains(&said.to_owned()), "{to}: {told:#?}");
    }
}

#[test]
fn what_would_be_lost_is_refused_by_its_name() {
    for (from, to, named) in [
        (
            "type='vnc'",
            "type='vnc' passwd='x'",
            "devices/graphics/@passwd",
        ),
        (
            "<clock offset='utc'>",
            "<clock offset='variable' adjustment='1'>",
            "clock/@offset",
        ),
        ("arch='x86_64'", "arch='aarch64'", "os/type/@arch"),
        ("<boot dev='hd'/>", "<boot dev='fd'/>", "os/boot"),
        (
            "<boot dev='hd'/>",
            "<kernel>/boot/vmlinuz</kernel>",
            "os/kernel",
        ),
        ("<name>win</name>", "<name>win 10</name>", "`name`"),
        ("<on_crash>destroy", "<on_crash>rename-restart", "on_crash"),
    ] {
        let why = read(&with(from, to)).expect_err(to);
        assert!(why.contains(named), "{to}: {why}");
    }
}

/// A declaration's drives come after its disks: what is plugged in the other way about would be moved.
#[test]
fn what_no_change_could_keep_is_refused() {
    let xml = with(
        "<target dev='vda' bus='virtio'/>",
        "<target dev='sdb' bus='sata'/>",
    );
    let why = read(&xml).unwrap_err();
    assert!(
        why.contains("cannot say by `xml`") && why.contains("devices/disk"),
        "{why}"
    );
}

/// With the mark and the changes it is found as it was declared.
#[test]
fn written_anew_it_is_the_same_one() {
    let machine = read(FOUND).unwrap();
    let mark = nobody();
    let xml = write(&machine, &mark, &Pools::default(), Hypervisor::Qemu).unwrap();
    let again = domain_read::read(&xml, &Pools::default()).unwrap();
    assert_eq!(definition(again.machine), definition(machine));
    let xml = with_notes_of(xml, FOUND).unwrap();
    assert!(xml.contains("http://os.example.net/12"), "{xml}");
    let twice = with_notes_of(xml.clone(), &xml).unwrap();
    assert_eq!(twice.matches("<infra:mark ").count(), 1, "{twice}");
    assert_eq!(xml.matches("<infra:mark ").count(), 1, "{xml}");
}

/// A CPU that runs is spelled out, and what was added stands in it with what libvirt has filled in.
#[test]
fn what_runs_is_what_was_defined() {
    let pools = Pools::default();
    let networks = known("lan");
    let around = around(&pools, &networks);
    let machine = stored(FOUND, &around).unwrap();
    let runs = with(
        "<cpu mode='custom' match='exact' check='none'>",
        "<cpu mode='custom' match='exact' check='full'><feature policy='require' name='x2apic'/>",
    );
    let runs = runs.replace(
        "<sound model='ich9'>",
        "<sound model='ich9'><alias name='sound0'/>",
    );
    assert_eq!(live(&runs, &machine, &around).unwrap(), machine);
    let other = runs.replace(">2</vcpu>", ">3</vcpu>");
    assert_ne!(live(&other, &machine, &around).unwrap(), machine);
}
