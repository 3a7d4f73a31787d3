//! The devices it has to itself are its own.

use super::Claim;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "devices",
    holds: "Each PCI function is bound to `vfio-pci`, and QEMU has the IOMMU group of it open (`/dev/vfio/GROUP`).",
    source: "kernel documentation: VFIO; `/sys/bus/pci/devices/ADDRESS/driver` and `iommu_group`, `/proc/PID/fd`",
    of_processes: true,
    check,
};

const DRIVER: &str = "vfio-pci";

fn check(case: &Case<'_>) -> Vec<Check> {
    let functions = case.wanted.functions.iter().map(|address| {
        let what = format!("device {address}");
        let expected = format!("{DRIVER}, its IOMMU group open");
        let Some(function) = case.running.functions.get(address) else {
            return case.check(what, expected, "no driver has it", Verdict::Fails);
        };
        let open = function.iommu_group.is_some_and(|group| {
            let file = format!("/dev/vfio/{group}");
            case.processes
                .iter()
                .any(|(_, process)| process.opened.contains(&file))
        });
        let driver = function.driver.as_deref().unwrap_or("no driver");
        let group = match (function.iommu_group, open) {
            (None, _) => "without an IOMMU group".to_owned(),
            (Some(group), true) => format!("IOMMU group {group} open"),
            (Some(group), false) => format!("IOMMU group {group} not open"),
        };
        let verdict = Verdict::of(driver == DRIVER && open);
        case.check(what, expected, format!("{driver}, {group}"), verdict)
    });
    functions.collect()
}
