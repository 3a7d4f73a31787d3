//! Virtual functions that a host's cards are to have, and the facts as they are once they are made: where each will lie the
//! card itself tells.

use infra_api::facts::{Facts, IommuGroup, PciDevice, Sriov};
use infra_api::target::KernelSetting;
use infra_diag::{Diagnostic, Diagnostics};

use crate::declared::{At, Fabric, Host};

/// What each card is set to.
pub(super) fn make(
    host: &Host,
    facts: &mut Facts,
    diagnostics: &mut Diagnostics,
) -> Vec<KernelSetting> {
    let mut settings: Vec<KernelSetting> = Vec::new();
    for (name, fabric) in &host.fabrics {
        let Some(vfs) = &fabric.vfs else { continue };
        for (parent, before) in fabric.parents.value.iter().zip(0..) {
            // A card that is not there is told of elsewhere.
            let Some(card) = facts.pci_named(parent).cloned() else {
                continue;
            };
            let file = format!("/sys/bus/pci/devices/{}/sriov_numvfs", card.address);
            let setting = KernelSetting::new(file, value(fabric, vfs.value, before));
            match settings.iter().find(|other| other.file == setting.file) {
                Some(other) if other.value == setting.value => continue,
                Some(other) => {
                    let text = format!("`{parent}` has `{}` in another `fabric`", other.value);
                    let hint = "a card has one number of them, and all of them are alike";
                    diagnostics.push(refused(name, vfs, text, hint));
                    continue;
                }
                None => settings.push(setting),
            }
            let driver = fabric.each.iter().find(|(name, _)| *name == "driver");
            let driver = driver.map(|(_, driver)| driver.as_str());
            if let Err((text, hint)) = made(&card, vfs.value, driver, facts) {
                let text = format!("`{parent}` of `{}` {text}", host.name);
                diagnostics.push(refused(name, vfs, text, &hint));
            }
        }
    }
    settings
}

/// As the provider has it: their number, and what is asked of each in the order of the words' names. `before` are the cards
/// that have addresses of the same row.
fn value(fabric: &Fabric, count: u32, before: u32) -> String {
    let mut words: Vec<(&str, String)> = fabric.each.clone();
    if let (Some(mac), 1..) = (&fabric.mac, count) {
        let from = count.saturating_mul(before);
        let row = (from..from.saturating_add(count)).map(|n| later(&mac.value, n));
        words.push(("mac", row.collect::<Vec<_>>().join(",")));
    }
    words.extend(
        fabric
            .vlan
            .iter()
            .map(|vlan| ("vlan", vlan.value.to_string())),
    );
    words.sort_unstable();
    if count == 0 {
        words.clear();
    }
    let words = words.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{count}{}", words.collect::<String>())
}

/// The address so many behind another.
fn later(mac: &str, steps: u32) -> String {
    let bytes = mac
        .split(':')
        .map(|pair| u64::from_str_radix(pair, 16).unwrap_or(0));
    let number = bytes.fold(0, |number, byte| number << 8 | byte) + u64::from(steps);
    let pairs = (0..6)
        .rev()
        .map(|at| format!("{:02x}", number >> (8 * at) & 0xff));
    pairs.collect::<Vec<_>>().join(":")
}

fn refused(fabric: &str, vfs: &At<u32>, text: String, hint: &str) -> Diagnostic {
    let summary = format!("Fabric `{fabric}` of functions that cannot be made");
    Diagnostic::error(summary).at(vfs.span, text).hint(hint)
}

/// Makes the facts those of a card with so many functions; why that cannot be, and what to do.
/// Functions on the driver that each is to have are not somebody's by that alone: the step looks closer.
fn made(
    card: &PciDevice,
    count: u32,
    driver: Option<&str>,
    facts: &mut Facts,
) -> Result<(), (String, String)> {
    let because = |text: String, hint: &str| Err((text, hint.to_owned()));
    let Some(sriov) = &card.sriov else {
        return because(
            "can have no virtual functions".to_owned(),
            "name a physical function of a card with SR-IOV, and look whether the firmware has switched that off",
        );
    };
    if let Some(total) = sriov.total.filter(|total| count > *total) {
        return because(
            format!("can have {total} virtual functions at most"),
            "ask for fewer: `infra facts HOST` shows how many each card can have",
        );
    }
    if sriov.configured == Some(count) {
        return Ok(());
    }
    let had: Vec<String> = facts
        .functions(&card.address)
        .filter(|function| driver.is_none() || function.driver.as_deref() != driver)
        .filter(|function| is_given_away(function))
        .map(|function| match &function.driver {
            Some(driver) => format!("{} ({driver})", function.address),
            None => function.address.clone(),
        })
        .collect();
    if !had.is_empty() {
        return because(
            format!("has functions that somebody has: {}", had.join(", ")),
            "the number of a card's functions changes only while nobody has one: stop who has them, or keep the number",
        );
    }
    if count > 0 && (sriov.offset.is_none() || sriov.stride.is_none()) {
        return because(
            "does not tell where its functions will lie".to_owned(),
            "facts that an older `infra` recorded, and old kernels, do not tell: read them anew, or make the functions by hand",
        );
    }
    remake(card, sriov, count, facts);
    Ok(())
}

/// To a machine by VFIO, or with its interface to another network namespace.
fn is_given_away(function: &PciDevice) -> bool {
    let network = function
        .class
        .as_deref()
        .is_some_and(|c| c.starts_with("02"));
    function.driver.as_deref().is_some_and(|driver| {
        driver.contains("vfio")
            || driver.contains("uio")
            || driver == "pci-stub"
            || network && function.interfaces.is_empty()
    })
}

fn remake(card: &PciDevice, sriov: &Sriov, count: u32, facts: &mut Facts) {
    let old: Vec<String> = facts
        .functions(&card.address)
        .map(|function| function.address.clone())
        .collect();
    facts.pci.retain(|device| !old.contains(&device.address));
    for group in &mut facts.iommu_groups {
        group.devices.retain(|device| !old.contains(device));
    }
    facts.iommu_groups.retain(|group| !group.devices.is_empty());
    let mut group = Groups::of(card, facts);
    let addresses: Vec<String> = (0..count)
        .map_while(|number| address(card, sriov, number))
        .collect();
    for address in &addresses {
        let function = PciDevice {
            address: address.clone(),
            device: sriov.vf_device.clone(),
            driver: None,
            iommu_group: group.next(address, facts),
            physfn: Some(card.address.clone()),
            sriov: None,
            interfaces: Vec::new(),
            ..card.clone()
        };
        facts.pci.push(function);
    }
    facts
        .pci
        .sort_by_cached_key(|device| number(&device.address));
    for link in facts.links.iter_mut().flatten() {
        if card.interfaces.iter().any(|own| own.name == link.name) {
            link.vfs = Some(count);
        }
    }
    if let Some(card) = facts.pci.iter_mut().find(|d| d.address == card.address) {
        card.sriov = Some(Sriov {
            configured: Some(count),
            vfs: addresses,
            ..sriov.clone()
        });
    }
}

/// IOMMU groups of functions that are not there yet. Where the card shares its own with other devices, nothing between them
/// and the IOMMU tells them apart, and neither will its functions be; else each has one of its own.
enum Groups {
    None,
    Shared(u32),
    Own(u32),
}

impl Groups {
    fn of(card: &PciDevice, facts: &Facts) -> Self {
        let Some(own) = card.iommu_group else {
            return Self::None;
        };
        let alone = facts.iommu_group(own).is_none_or(|g| g.devices.len() < 2);
        let last = facts.iommu_groups.iter().map(|group| group.id).max();
        match (alone, last) {
            (true, Some(last)) => Self::Own(last.saturating_add(1)),
            _ => Self::Shared(own),
        }
    }

    fn next(&mut self, address: &str, facts: &mut Facts) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Shared(id) => {
                let mut groups = facts.iommu_groups.iter_mut();
                let group = groups.find(|group| group.id == *id)?;
                group.devices.push(address.to_owned());
                Some(*id)
            }
            Self::Own(id) => {
                let own = *id;
                *id = id.saturating_add(1);
                facts.iommu_groups.push(IommuGroup {
                    id: own,
                    devices: vec![address.to_owned()],
                });
                Some(own)
            }
        }
    }
}

/// PCI Express Base Specification, SR-IOV: First VF Offset and VF Stride count routing IDs.
fn address(card: &PciDevice, sriov: &Sriov, function: u32) -> Option<String> {
    let (domain, own) = number(&card.address)?;
    let stride = sriov.stride?.checked_mul(function)?;
    let id = own.checked_add(sriov.offset?)?.checked_add(stride)?;
    (id <= 0xffff).then(|| {
        let (bus, device, function) = (id >> 8, id >> 3 & 0x1f, id & 7);
        format!("{domain:04x}:{bus:02x}:{device:02x}.{function}")
    })
}

/// Domain, and bus, device and function as one number.
fn number(address: &str) -> Option<(u32, u32)> {
    let (domain, rest) = address.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let (bus, device, function) = (hex(bus)?, hex(device)?, hex(function)?);
    (bus < 256 && device < 32 && function < 8)
        .then_some((hex(domain)?, bus << 8 | device << 3 | function))
}

#[cfg(test)]
mod tests {
    use infra_diag::{Sources, Span};

    use super::*;

    /// A card of two functions, of which the second is as the driver of whoever has it.
    fn had_by(driver: &str, interfaces: usize) -> (PciDevice, Facts) {
        let function = |number: u32, driver: &str, interfaces| PciDevice {
            address: format!("0000:01:10.{number}"),
            class: Some("020000".to_owned()),
            driver: Some(driver.to_owned()),
            physfn: Some("0000:01:00.0".to_owned()),
            interfaces: vec![Default::default(); interfaces],
            ..PciDevice::default()
        };
        let card = PciDevice {
            address: "0000:01:00.0".to_owned(),
            sriov: Some(Sriov {
                total: Some(7),
                configured: Some(2),
                offset: Some(128),
                stride: Some(2),
                ..Sriov::default()
            }),
            ..PciDevice::default()
        };
        let facts = Facts {
            pci: vec![
                card.clone(),
                function(0, "igbvf", 1),
                function(2, driver, interfaces),
            ],
            ..Facts::default()
        };
        (card, facts)
    }

    #[test]
    fn what_somebody_has_is_not_taken_away() {
        for (driver, interfaces, is_had) in [
            ("igbvf", 1, false),
            ("igbvf", 0, true),
            ("vfio-pci", 0, true),
            ("igb_uio", 0, true),
        ] {
            let (card, mut facts) = had_by(driver, interfaces);
            let before = facts.clone();
            assert_eq!(
                made(&card, 2, None, &mut facts),
                Ok(()),
                "as many as there are"
            );
            assert_eq!(facts, before);
            let more = made(&card, 4, None, &mut facts);
            match more {
                Ok(()) => assert_eq!(facts.functions(&card.address).count(), 4),
                Err((text, _)) => assert!(text.contains("0000:01:10.2"), "{text}"),
            }
            assert_eq!(facts == before, is_had, "{driver} {interfaces}");
        }
    }

    #[test]
    fn those_on_the_driver_they_are_to_have_are_nobody_s_yet() {
        let (card, mut facts) = had_by("vfio-pci", 0);
        assert!(made(&card, 4, Some("other"), &mut facts).is_err());
        assert_eq!(made(&card, 4, Some("vfio-pci"), &mut facts), Ok(()));
    }

    #[test]
    fn what_each_is_given_is_in_the_order_of_names() {
        let span = Span::new(Sources::new().add("", ""), 0..0);
        let fabric = Fabric {
            parents: At {
                value: Vec::new(),
                span,
            },
            vfs: None,
            mac: Some(At {
                value: "52:54:00:00:00:fe".to_owned(),
                span,
            }),
            vlan: None,
            each: vec![
                ("trust", "on".to_owned()),
                ("driver", "vfio-pci".to_owned()),
            ],
        };
        assert_eq!(
            value(&fabric, 2, 1),
            "2 driver=vfio-pci mac=52:54:00:00:01:00,52:54:00:00:01:01 trust=on"
        );
        assert_eq!(value(&fabric, 0, 0), "0");
    }

    #[test]
    fn functions_are_told_apart_where_their_card_is() {
        let groups = |own: &[&str]| {
            let (mut card, mut facts) = had_by("igbvf", 1);
            card.iommu_group = Some(7);
            let devices = own.iter().map(|&own| own.to_owned()).collect();
            facts.iommu_groups = vec![IommuGroup { id: 7, devices }];
            made(&card, 3, None, &mut facts).unwrap();
            let of = facts.functions(&card.address);
            let of: Vec<usize> = of.map(|vf| facts.handed_on_with(vf).len()).collect();
            of
        };
        assert_eq!(groups(&["0000:01:00.0"]), [1, 1, 1]);
        assert_eq!(groups(&["0000:01:00.0", "0000:01:00.1"]), [5, 5, 5]);
    }

    #[test]
    fn functions_lie_where_the_card_says() {
        let card = |address: &str| PciDevice {
            address: address.to_owned(),
            ..PciDevice::default()
        };
        let sriov = |offset, stride| Sriov {
            offset: Some(offset),
            stride: Some(stride),
            ..Sriov::default()
        };
        for (pf, offset, stride, number, vf) in [
            // (the first as an emulated igb has them)
            ("0000:81:00.0", 128, 2, 0, Some("0000:81:10.0")),
            ("0000:81:00.1", 128, 2, 3, Some("0000:81:10.7")),
            ("0000:3b:00.0", 16, 1, 9, Some("0000:3b:03.1")),
            ("10000:3b:00.0", 384, 2, 1, Some("10000:3c:10.2")),
            ("0000:ff:1f.7", 1, 1, 0, None),
            ("nonsense", 1, 1, 0, None),
        ] {
            let at = address(&card(pf), &sriov(offset, stride), number);
            assert_eq!(at.as_deref(), vf, "{pf}");
        }
    }
}
