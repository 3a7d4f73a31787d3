//! Which dedicated CPUs of one node: for every number of CPUs the cheapest way, by dynamic programming over the threads
//! of cores and the cores of L3 groups. What it tells is exact: no other choice on the node is cheaper.

use infra_api::{IdSet, L3, Threads};

use crate::room::Room;
use crate::topology::{Group, Topology};
use crate::waste::Waste;

/// What is to be had: at most so many CPUs and helper CPUs, under these rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) threads: Threads,
    pub(crate) l3: L3,
    pub(crate) cpus: u32,
    pub(crate) helpers: u32,
}

/// CPUs chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) cpus: IdSet,
    pub(crate) helpers: IdSet,
    /// Both, and what nobody else may have beside them: idle threads of isolated cores, the rest of a domain of one's own.
    pub(crate) taken: IdSet,
}

/// The ways of one node.
pub(crate) struct Table<'a> {
    topology: &'a Topology,
    room: &'a Room,
    rules: Rules,
    groups: &'a [Group],
    /// Of the first groups, by how many there are, the cheapest way to each number of CPUs and helpers.
    first: Vec<Vec<Waste>>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(topology: &'a Topology, room: &'a Room, node: usize, rules: Rules) -> Self {
        let mut table = Self {
            topology,
            room,
            rules,
            groups: topology.groups(node),
            first: Vec::new(),
        };
        let mut before = vec![Waste::NEVER; table.size()];
        before[0] = Waste::NONE;
        for group in table.groups {
            let after = table.joined(&before, &table.of_group(group));
            table.first.push(std::mem::replace(&mut before, after));
        }
        table.first.push(before);
        table
    }

    /// The cheapest way to so many CPUs and helpers.
    pub(crate) fn waste(&self, cpus: u32, helpers: u32) -> Waste {
        self.first
            .last()
            .map_or(Waste::NEVER, |all| all[self.at(cpus, helpers)])
    }

    /// The CPUs of it: of equal ones the lowest. `waste` must have told that they can be had.
    pub(crate) fn pick(&self, cpus: u32, helpers: u32) -> Pick {
        let mut pick = Pick::default();
        let (mut x, mut y) = (cpus, helpers);
        for (position, group) in self.groups.iter().enumerate().rev() {
            let whole = self.first[position + 1][self.at(x, y)];
            let own = self.of_group(group);
            // As little as may be of the later groups leaves the lowest CPUs.
            let part = self.parts(x, y).find(|(a, b)| {
                self.first[position][self.at(x - a, y - b)] + own[self.at(*a, *b)] == whole
            });
            let (a, b) = part.expect("the table was made of such parts");
            self.pick_of_group(group, a, b, &mut pick);
            (x, y) = (x - a, y - b);
        }
        pick
    }

    /// Every choice of so many CPUs and helpers, of choices that leave the same one; at most so many.
    pub(crate) fn picks(&self, cpus: u32, helpers: u32, most: usize) -> Vec<Pick> {
        let cores: Vec<(usize, usize)> = (self.groups.iter().enumerate())
            .flat_map(|(group, g)| g.cores.iter().map(move |core| (group, *core)))
            .collect();
        let mut found = Vec::new();
        self.choose(&cores, (cpus, helpers), &mut Vec::new(), most, &mut found);
        found
    }

    /// `given` is what the first cores give.
    fn choose(
        &self,
        cores: &[(usize, usize)],
        (cpus, helpers): (u32, u32),
        given: &mut Vec<(u32, u32)>,
        most: usize,
        found: &mut Vec<Pick>,
    ) {
        if found.len() >= most {
            return;
        }
        let Some((group, core)) = cores.get(given.len()).copied() else {
            if (cpus, helpers) == (0, 0) && self.may_give(cores, given) {
                found.push(self.picked(cores, given));
            }
            return;
        };
        let alike = |a: usize, b: usize| {
            let open = |core: usize| self.room.cores[core].open().count_ones();
            let all = |core: usize| self.topology.cores[core].all().count_ones();
            (open(a), all(a)) == (open(b), all(b))
        };
        // Of cores that are alike the first give most.
        let before = given
            .len()
            .checked_sub(1)
            .filter(|n| cores[*n].0 == group && alike(cores[*n].1, core));
        let limit = before.map(|n| given[n]);
        let parts: Vec<(u32, u32)> = self.of_core(core).map(|(a, b, _)| (a, b)).collect();
        for (a, b) in parts
            .into_iter()
            .filter(|part| limit.is_none_or(|limit| *part <= limit))
        {
            if a <= cpus && b <= helpers {
                given.push((a, b));
                self.choose(cores, (cpus - a, helpers - b), given, most, found);
                given.pop();
            }
        }
    }

    /// Whether the rules for L3 let these cores give that.
    fn may_give(&self, cores: &[(usize, usize)], given: &[(u32, u32)]) -> bool {
        let mut groups: Vec<usize> = cores
            .iter()
            .zip(given)
            .filter(|(_, (a, _))| *a > 0)
            .map(|((group, _), _)| *group)
            .collect();
        groups.dedup();
        let may = |group: &usize| {
            self.may_be_in(&self.groups[*group], self.untouched(&self.groups[*group]))
        };
        (!self.rules.l3.undivided() || groups.len() <= 1) && groups.iter().all(may)
    }

    fn picked(&self, cores: &[(usize, usize)], given: &[(u32, u32)]) -> Pick {
        let mut pick = Pick::default();
        for ((group, core), (a, b)) in cores.iter().zip(given) {
            self.pick_of_core(*core, *a, *b, &mut pick);
            if self.rules.l3 == L3::Alone && *a > 0 {
                self.take_domain(&self.groups[*group], &mut pick);
            }
        }
        pick
    }

    fn take_domain(&self, group: &Group, pick: &mut Pick) {
        pick.taken.extend(self.domain(group).flat_map(|core| {
            let core = &self.topology.cores[core];
            core.ids(core.all())
        }));
    }

    fn at(&self, cpus: u32, helpers: u32) -> usize {
        (helpers as usize) * (self.rules.cpus as usize + 1) + cpus as usize
    }

    fn size(&self) -> usize {
        (self.rules.cpus as usize + 1) * (self.rules.helpers as usize + 1)
    }

    /// How much of (cpus, helpers) one group may give, the least first.
    fn parts(&self, cpus: u32, helpers: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
        let undivided = matches!(self.rules.l3, L3::Require | L3::Alone);
        let some = move |a: &u32| !undivided || *a == 0 || *a == cpus;
        (0..=cpus)
            .filter(some)
            .flat_map(move |a| (0..=helpers).map(move |b| (a, b)))
    }

    fn joined(&self, before: &[Waste], own: &[Waste]) -> Vec<Waste> {
        let mut after = vec![Waste::NEVER; self.size()];
        let given: Vec<(u32, u32)> = (0..=self.rules.cpus)
            .flat_map(|a| (0..=self.rules.helpers).map(move |b| (a, b)))
            .filter(|(a, b)| own[self.at(*a, *b)].can_be_had())
            .collect();
        let undivided = matches!(self.rules.l3, L3::Require | L3::Alone);
        for (a, b) in given {
            let waste = own[self.at(a, b)];
            for y in b..=self.rules.helpers {
                let most = if undivided && a > 0 {
                    a
                } else {
                    self.rules.cpus
                };
                for x in a..=most {
                    let sum = before[self.at(x - a, y - b)] + waste;
                    let best = &mut after[self.at(x, y)];
                    *best = sum.min(*best);
                }
            }
        }
        after
    }

    /// The ways of one group.
    fn of_group(&self, group: &Group) -> Vec<Waste> {
        let mut ways = self.of_cores(group).pop().unwrap_or_default();
        let free = self.free(group);
        let untouched = self.untouched(group);
        for cpus in 0..=self.rules.cpus {
            for helpers in 0..=self.rules.helpers {
                let way = &mut ways[self.at(cpus, helpers)];
                if !way.can_be_had() || cpus + helpers == 0 {
                    continue;
                }
                if cpus > 0 && !self.may_be_in(group, untouched) {
                    *way = Waste::NEVER;
                    continue;
                }
                *way = *way + Waste::left(free.saturating_sub(cpus + helpers));
                if cpus > 0 && self.rules.l3 != L3::Any {
                    *way = *way + Waste::L3;
                }
                if group.l3.is_some() && untouched {
                    *way = *way + Waste::OPENED_L3;
                }
            }
        }
        ways
    }

    /// Whether the rules let its CPUs be in this group: a domain that nobody tells of is none to be required.
    fn may_be_in(&self, group: &Group, untouched: bool) -> bool {
        match self.rules.l3 {
            L3::Any | L3::Prefer => true,
            L3::Require => group.l3.is_some(),
            L3::Alone => untouched && self.whole_domain(group),
        }
    }

    fn free(&self, group: &Group) -> u32 {
        let open = group
            .cores
            .iter()
            .map(|core| self.room.cores[*core].open().count_ones());
        open.sum()
    }

    /// Whether nobody has any CPU of it.
    fn untouched(&self, group: &Group) -> bool {
        let open = |core: &usize| self.room.cores[*core].open() == self.topology.cores[*core].all();
        group.cores.iter().all(open)
    }

    /// The same of the whole domain, which may reach into other nodes.
    fn whole_domain(&self, group: &Group) -> bool {
        group.l3.is_some()
            && self
                .domain(group)
                .all(|core| self.room.cores[core].open() == self.topology.cores[core].all())
    }

    fn domain(&self, group: &Group) -> impl Iterator<Item = usize> {
        let l3 = group.l3;
        let cores = self.topology.cores.iter().enumerate();
        cores
            .filter(move |(_, core)| core.l3 == l3)
            .map(|(position, _)| position)
    }

    /// Of the first cores of a group, by how many there are, the ways to each number.
    fn of_cores(&self, group: &Group) -> Vec<Vec<Waste>> {
        let mut before = vec![Waste::NEVER; self.size()];
        before[0] = Waste::NONE;
        let mut first = Vec::with_capacity(group.cores.len() + 1);
        let (mut most_x, mut most_y) = (0, 0);
        for core in &group.cores {
            let mut after = before.clone();
            let parts: Vec<(u32, u32, Waste)> =
                self.of_core(*core).filter(|(a, b, _)| a + b > 0).collect();
            for (a, b, waste) in &parts {
                for y in *b..=self.rules.helpers.min(most_y + b) {
                    for x in *a..=self.rules.cpus.min(most_x + a) {
                        let sum = before[self.at(x - a, y - b)] + *waste;
                        let best = &mut after[self.at(x, y)];
                        *best = sum.min(*best);
                    }
                }
            }
            most_x = self
                .rules
                .cpus
                .min(most_x + parts.iter().map(|p| p.0).max().unwrap_or(0));
            most_y = self
                .rules
                .helpers
                .min(most_y + parts.iter().map(|p| p.1).max().unwrap_or(0));
            first.push(std::mem::replace(&mut before, after));
        }
        first.push(before);
        first
    }

    /// What one core can give, nothing first: CPUs, helpers, and their cost.
    fn of_core(&self, core: usize) -> impl Iterator<Item = (u32, u32, Waste)> {
        let open = self.room.cores[core].open();
        let all = self.topology.cores[core].all();
        let (free, threads, whole) = (open.count_ones(), all.count_ones(), open == all);
        let (rules, most) = (self.rules, self.rules.cpus);
        let may = move |cpus: u32, helpers: u32| match rules.threads {
            Threads::Any | Threads::Prefer => true,
            Threads::Require => cpus == 0 || (whole && cpus == threads),
            Threads::Isolate => cpus == 0 || (whole && cpus == 1 && helpers == 0),
        };
        let cost = move |cpus: u32, helpers: u32| {
            let mut waste = Waste::NONE;
            if rules.threads == Threads::Prefer && cpus > 0 && cpus < threads {
                waste = waste + Waste::SPLIT;
            }
            if whole && cpus + helpers > 0 {
                waste = waste + Waste::OPENED_CORE;
            }
            waste
        };
        (0..=free.min(most)).flat_map(move |cpus| {
            let helpers = 0..=(free - cpus).min(rules.helpers);
            let helpers = helpers.filter(move |helpers| may(cpus, *helpers));
            helpers.map(move |helpers| (cpus, helpers, cost(cpus, helpers)))
        })
    }

    fn pick_of_group(&self, group: &Group, cpus: u32, helpers: u32, pick: &mut Pick) {
        let first = self.of_cores(group);
        let (mut x, mut y) = (cpus, helpers);
        for (position, core) in group.cores.iter().enumerate().rev() {
            let whole = first[position + 1][self.at(x, y)];
            let part = self.of_core(*core).find(|(a, b, waste)| {
                *a <= x && *b <= y && first[position][self.at(x - a, y - b)] + *waste == whole
            });
            let (a, b, _) = part.expect("the ways were made of such parts");
            self.pick_of_core(*core, a, b, pick);
            (x, y) = (x - a, y - b);
        }
        if self.rules.l3 == L3::Alone && cpus > 0 {
            self.take_domain(group, pick);
        }
    }

    fn pick_of_core(&self, core: usize, cpus: u32, helpers: u32, pick: &mut Pick) {
        let open: Vec<u32> = self.topology.cores[core]
            .ids(self.room.cores[core].open())
            .collect();
        let (own, rest) = open.split_at(cpus as usize);
        pick.cpus.extend(own.iter().copied());
        pick.helpers
            .extend(rest.iter().copied().take(helpers as usize));
        let all = if self.rules.threads == Threads::Isolate && cpus > 0 {
            open.len()
        } else {
            (cpus + helpers) as usize
        };
        pick.taken.extend(open.iter().copied().take(all));
    }
}
