//! What is better: the policy of placement.

use infra_api::Tier;

/// Lower is better, and the first field that differs decides: the order of the fields is the policy, the derive is
/// the algorithm. The last field makes the order total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// It runs elsewhere now.
    pub moved: bool,
    /// NUMA nodes beyond the first.
    pub extra_nodes: u32,
    /// Cores of which it gets some threads and leaves others.
    pub split_cores: u32,
    /// CPUs left over on the nodes it uses: the tightest fit keeps room for what is large.
    pub left_over: u32,
    /// Its lowest CPU.
    pub first_cpu: u32,
}

impl Cost {
    /// For the plan: each criterion and what it came to.
    #[must_use]
    pub fn tiers(self) -> Vec<Tier> {
        let Self {
            moved,
            extra_nodes,
            split_cores,
            left_over,
            first_cpu: _,
        } = self;
        let tier = |name: &str, cost: u64| Tier {
            name: name.to_owned(),
            cost,
        };
        vec![
            tier("moves", u64::from(moved)),
            tier("extra_nodes", u64::from(extra_nodes)),
            tier("split_cores", u64::from(split_cores)),
            tier("left_over_cpus", u64::from(left_over)),
        ]
    }
}
