//! What is better: the policy of placing on a host.

use crate::waste::Waste;

/// Lower is better, and the first field that differs decides: the order of the fields is the policy, the derive is the
/// algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    /// Its memory is not on the nodes of its CPUs.
    pub remote_memory: u32,
    /// How far down its wishes the sizes of its pages are, cell by cell.
    pub page_wish: u32,
    /// NUMA nodes beyond the first.
    pub extra_nodes: u32,
    /// Between its nodes, both ways.
    pub distance: u64,
    /// Devices that are not as near as was asked.
    pub remote_devices: u32,
    pub(crate) waste: Waste,
    /// Free devices on the nodes of who wants none.
    pub device_nodes: u32,
    /// CPUs left over on its nodes: the tightest fit keeps room for what is large.
    pub left_over: u32,
    /// Of its huge pages' sizes, pages left over on its nodes.
    pub pages_left: u64,
}

impl Cost {
    pub(crate) const NONE: Self = Self {
        remote_memory: 0,
        page_wish: 0,
        extra_nodes: 0,
        distance: 0,
        remote_devices: 0,
        waste: Waste::NONE,
        device_nodes: 0,
        left_over: 0,
        pages_left: 0,
    };

    /// Domains of L3 beyond the first.
    #[must_use]
    pub fn extra_l3s(&self) -> u32 {
        self.waste.l3s().saturating_sub(1)
    }

    /// Each criterion and what it came to, the weightiest first.
    #[must_use]
    pub fn tiers(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("remote_memory", u64::from(self.remote_memory)),
            ("page_wish", u64::from(self.page_wish)),
            ("extra_nodes", u64::from(self.extra_nodes)),
            ("distance", self.distance),
            ("remote_devices", u64::from(self.remote_devices)),
            ("extra_l3s", u64::from(self.extra_l3s())),
            ("split_cores", u64::from(self.waste.split_cores())),
            ("opened_l3s", u64::from(self.waste.opened_l3s())),
            ("opened_cores", u64::from(self.waste.opened_cores())),
            ("left_in_l3s", u64::from(self.waste.left_in_l3s())),
            ("device_nodes", u64::from(self.device_nodes)),
            ("left_over_cpus", u64::from(self.left_over)),
            ("left_over_pages", self.pages_left),
        ]
    }
}
