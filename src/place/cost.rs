//! What is better: the policy of placing on a host.

use crate::waste::Waste;

/// The criteria, the weightiest first, and what each counts.
pub const TIERS: [(&str, &str); 13] = [
    (
        "remote_memory",
        "its memory is not on the nodes of its CPUs",
    ),
    ("page_wish", "steps down its wishes for pages"),
    ("extra_nodes", "NUMA nodes beyond the first"),
    ("distance", "between its nodes, there and back"),
    (
        "remote_devices",
        "devices not as near as asked, and those it serves afar",
    ),
    ("extra_l3s", "L3 caches beyond the first"),
    ("split_cores", "cores of which others could have threads"),
    (
        "device_nodes",
        "free devices on its nodes, and it wants none",
    ),
    ("opened_l3s", "L3 caches that nobody else uses"),
    ("opened_cores", "cores that nobody else uses"),
    ("left_in_l3s", "CPUs left over in the L3 caches it uses"),
    ("left_over_cpus", "CPUs left over on its nodes"),
    (
        "left_over_pages",
        "huge pages of its size left over on its nodes",
    ),
];

/// Those that tell how near to each other a place has all it needs; who else is there does not matter to them.
pub const LOCALITY: [&str; 7] = [
    TIERS[0].0, TIERS[1].0, TIERS[2].0, TIERS[3].0, TIERS[4].0, TIERS[5].0, TIERS[6].0,
];

/// Lower is better, and the first field that differs decides: the order of the fields is the policy, the derive is the
/// algorithm.
///
/// Its nodes are those of its CPUs; who shares CPUs has those of its cells, and none where it is bound to none. Of CPUs
/// that were named nothing is counted but `remote_memory`, `page_wish`, `extra_nodes` and `remote_devices`: they are
/// no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    /// 1 where its cells do not have their memory on the nodes of their CPUs: CPUs are wherever there are some, and
    /// memory is bound to the nodes that were named, to the one that has the huge pages, or to none. CPUs that were
    /// named have it near where they are all of one node, and it is there. Of shared CPUs that are bound to no node
    /// only huge pages are remote.
    pub remote_memory: u32,
    /// How far down its wishes the size of its pages is; where cells were asked for, the sum over them.
    pub page_wish: u32,
    /// NUMA nodes beyond the first.
    pub extra_nodes: u32,
    /// Between its nodes: the sum over every two of them, there and back.
    pub distance: u64,
    /// Devices that are not as near as was asked; none where it is bound to no node, but for the bridge of those who
    /// are to be below one. And devices that its threads serve and that are known to be on another node than these: than
    /// its helpers where they have CPUs, else than all of its nodes.
    pub remote_devices: u32,
    /// Of its vCPUs and helpers, summed over its nodes: a domain of L3 is what of it is on one node, and what nothing
    /// is known of on a node is one domain. The weightiest first:
    /// - `extra_l3s`: domains that have vCPUs, beyond the first; 0 under `L3::Any`.
    /// - `split_cores`: under `Threads::Prefer`, cores of which some threads are vCPUs and some are not.
    /// - `device_nodes`: free devices, of those that can be asked for, on the nodes of who wants none; 0 for who shares.
    ///   Before what is left for CPUs: a node with devices would else be the tightest, and nobody gets them any more.
    /// - `opened_l3s`: known domains it has CPUs of and nobody else had any.
    /// - `opened_cores`: cores it has CPUs of and nobody else had any.
    /// - `left_in_l3s`: in the domains it has CPUs of, CPUs that somebody might have had to himself and that are neither
    ///   its vCPUs nor helpers.
    pub(crate) waste: Waste,
    /// CPUs left over on its nodes, those nobody has to himself that are neither its vCPUs nor helpers: the tightest
    /// fit keeps room for what is large. 0 for who shares CPUs.
    pub left_over: u32,
    /// On the nodes it has huge pages of, pages of that size left over.
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
        left_over: 0,
        pages_left: 0,
    };

    /// Domains of L3 beyond the first.
    #[must_use]
    pub fn extra_l3s(&self) -> u32 {
        self.waste.l3s().saturating_sub(1)
    }

    /// What each criterion came to, in the order of [`TIERS`].
    fn counts(&self) -> [u64; TIERS.len()] {
        [
            u64::from(self.remote_memory),
            u64::from(self.page_wish),
            u64::from(self.extra_nodes),
            self.distance,
            u64::from(self.remote_devices),
            u64::from(self.extra_l3s()),
            u64::from(self.waste.split_cores()),
            u64::from(self.waste.device_nodes()),
            u64::from(self.waste.opened_l3s()),
            u64::from(self.waste.opened_cores()),
            u64::from(self.waste.left_in_l3s()),
            u64::from(self.left_over),
            self.pages_left,
        ]
    }

    /// What those of [`LOCALITY`] came to.
    pub(crate) fn locality(&self) -> [u64; LOCALITY.len()] {
        let counts = self.counts();
        std::array::from_fn(|tier| counts[tier])
    }

    /// Each criterion and what it came to, the weightiest first.
    #[must_use]
    pub fn tiers(&self) -> Vec<(&'static str, u64)> {
        let names = TIERS.iter().map(|(name, _)| *name);
        names.zip(self.counts()).collect()
    }
}
