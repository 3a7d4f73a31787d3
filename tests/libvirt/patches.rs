//! On a real daemon: what is said in libvirt's own words is there, and is missed when it is not.

use infra_api::target::*;
use infra_api::*;

use crate::bench::*;

fn set(at: &str, value: &str) -> XmlPatch {
    XmlPatch {
        at: Some(at.into()),
        set: Some(value.into()),
        add: None,
        remove: false,
    }
}

fn add(at: Option<&str>, fragment: &str) -> XmlPatch {
    XmlPatch {
        at: at.map(str::to_owned),
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

fn some(b: &Bench) -> Machine {
    Machine {
        patches: vec![
            set("devices/memballoon/@autodeflate", "on"),
            set("features/vmport/@state", "off"),
            add(Some("devices"), "<input type='tablet' bus='virtio'/>"),
            add(
                None,
                "<qemu:commandline><qemu:arg value='-name'/><qemu:arg value='patched,debug-threads=on'/></qemu:commandline>",
            ),
            remove("devices/controller[@index='16']"),
        ],
        ..b.plain()
    }
}

#[test]
fn live_patches_are_there_and_missed() {
    live("patch", |b| {
        Box::pin(async {
            let machine = some(b);
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine, "with all that libvirt adds");
            let xml = b.domain_by_hand(&machine).xml_desc(0).unwrap();
            assert!(
                xml.contains("<vmport state='off'/>") && !xml.contains("type='pci' index='16'"),
                "{xml}"
            );
            // Another one takes a restart, and is then there.
            let mut other = machine.clone();
            other.patches[0] = set("devices/memballoon/@autodeflate", "off");
            other.patches.remove(2);
            let refused = b.update(&id, &machine, &other, Impact::InPlace).await;
            assert!(refused.unwrap_err().cause.contains("takes a restart"));
            b.update(&id, &machine, &other, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, other);
            // Taken back by hand, for the next start.
            let stored = b
                .domain_by_hand(&other)
                .xml_desc(virt::sys::VIR_DOMAIN_XML_INACTIVE)
                .unwrap();
            let edited = stored.replace("autodeflate='off'", "autodeflate='on'");
            assert_ne!(edited, stored);
            b.by_hand().define_domain_xml(&edited).unwrap();
            let found = b.machine(&id).await;
            assert_eq!(found.patches[0].set.as_deref(), Some("on"));
            assert_eq!(found.patches[1..], other.patches[1..]);
            b.update(&id, &found, &other, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, other);
        })
    });
}
