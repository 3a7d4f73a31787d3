//! Cells that are given to nodes, each on one of its own: branch and bound. The order of costs is that of
//! [`Cost`]; a branch is left when no end of it could be cheaper than the best place known.

use infra_api::IdSet;

use crate::cost::Cost;
use crate::fit::search::{Need, Search, Seat};
use crate::fit::{Fit, Place, Placed, Shared};
use crate::memory;
use crate::waste::Waste;

/// Where each cell could be.
struct Cells<'s, 'a> {
    search: &'s Search<'a>,
    needs: &'s [Need],
    /// Which cell is seated when: those with the fewest seats first.
    order: Vec<usize>,
    /// By cell.
    seats: Vec<Vec<Seat>>,
    /// The least a cell costs, wherever it sits.
    least: Vec<(u32, Waste)>,
    /// The least distance between two nodes that could have a cell.
    nearest: u64,
    best: Option<(Cost, Place)>,
}

/// What cells seated so far cost.
#[derive(Clone, Copy)]
struct Partial {
    wish: u32,
    distance: u64,
    waste: Waste,
}

impl Search<'_> {
    /// The best nodes for these cells.
    pub(super) fn cells(&self, needs: &[Need]) -> Option<Fit> {
        self.cells_with(needs, None)
    }

    /// The same, with only this one of their wishes for pages.
    pub(super) fn cells_with(&self, needs: &[Need], wish: Option<usize>) -> Option<Fit> {
        let nodes = self.eligible();
        let of = |need: &Need| {
            nodes
                .iter()
                .flat_map(|node| self.seats(need, *node, wish))
                .collect()
        };
        let mut seats: Vec<Vec<Seat>> = needs.iter().map(of).collect();
        if !matched(&seats, self.topology.nodes.len()) {
            return None;
        }
        for seats in &mut seats {
            seats.sort_by_key(|s| (s.wish, s.waste, s.left_over, s.pages_left, s.node));
        }
        let mut order: Vec<usize> = (0..needs.len()).collect();
        order.sort_by_key(|cell| {
            (
                seats[*cell].len(),
                std::cmp::Reverse(needs[*cell].cpus),
                *cell,
            )
        });
        let least = |seats: &Vec<Seat>| {
            let wish = seats.iter().map(|s| s.wish).min().unwrap_or(0);
            (
                wish,
                seats.iter().map(|s| s.waste).min().unwrap_or(Waste::NONE),
            )
        };
        let mut cells = Cells {
            search: self,
            needs,
            order,
            least: seats.iter().map(least).collect(),
            nearest: self.nearest(&nodes),
            seats,
            best: None,
        };
        let partial = Partial {
            wish: 0,
            distance: 0,
            waste: Waste::NONE,
        };
        cells.branch(&mut Vec::new(), partial);
        cells.best.map(|(cost, place)| Fit {
            cost,
            proven: true,
            place,
        })
    }

    fn nearest(&self, nodes: &[usize]) -> u64 {
        let pairs = nodes.iter().enumerate();
        let pairs = pairs.flat_map(|(i, a)| nodes[i + 1..].iter().map(move |b| (*a, *b)));
        pairs
            .map(|(a, b)| self.topology.distance(a, b))
            .min()
            .unwrap_or(0)
    }
}

/// Whether every cell could have a node of its own, whatever else: a maximal matching.
fn matched(seats: &[Vec<Seat>], nodes: usize) -> bool {
    fn seated(
        seats: &[Vec<Seat>],
        cell: usize,
        of: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        for node in seats[cell].iter().map(|seat| seat.node) {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if of[node].is_none_or(|other| seated(seats, other, of, seen)) {
                of[node] = Some(cell);
                return true;
            }
        }
        false
    }
    let mut of = vec![None; nodes];
    (0..seats.len()).all(|cell| seated(seats, cell, &mut of, &mut vec![false; nodes]))
}

impl Cells<'_, '_> {
    /// `chosen` are seats of the first cells in their order.
    fn branch(&mut self, chosen: &mut Vec<Seat>, partial: Partial) {
        let Some(cell) = self.order.get(chosen.len()).copied() else {
            self.leaf(chosen, partial);
            return;
        };
        let topology = self.search.topology;
        let added = |node: usize| {
            chosen
                .iter()
                .map(|other| topology.distance(other.node, node))
                .sum::<u64>()
        };
        let open = self.seats[cell]
            .iter()
            .filter(|seat| chosen.iter().all(|other| other.node != seat.node));
        let mut next: Vec<(u64, Seat)> =
            open.map(|seat| (added(seat.node), seat.clone())).collect();
        next.sort_by_key(|(distance, seat)| (seat.wish, *distance));
        for (distance, seat) in next {
            if !self.search.step() {
                return;
            }
            let with = Partial {
                wish: partial.wish + seat.wish,
                distance: partial.distance + distance,
                waste: partial.waste + seat.waste,
            };
            chosen.push(seat);
            if self.promising(chosen, with) {
                self.branch(chosen, with);
            }
            chosen.pop();
        }
    }

    /// Whether an end of this branch might be cheaper than the best.
    fn promising(&self, chosen: &[Seat], partial: Partial) -> bool {
        let Some((best, _)) = &self.best else {
            return true;
        };
        let rest = &self.order[chosen.len()..];
        let topology = self.search.topology;
        let (mut wish, mut distance, mut waste) = (partial.wish, partial.distance, partial.waste);
        for cell in rest {
            let (least_wish, least_waste) = self.least[*cell];
            wish += least_wish;
            waste = waste + least_waste;
            let open = self.seats[*cell]
                .iter()
                .filter(|s| chosen.iter().all(|c| c.node != s.node));
            let near = open.map(|s| {
                chosen
                    .iter()
                    .map(|c| topology.distance(c.node, s.node))
                    .sum::<u64>()
            });
            distance += near.min().unwrap_or(0);
        }
        let pairs = (rest.len() * rest.len().saturating_sub(1) / 2) as u64;
        distance += pairs * self.nearest;
        let bound = Cost {
            page_wish: wish,
            distance,
            remote_devices: self.served_afar_at_least(chosen),
            waste,
            extra_nodes: best.extra_nodes,
            ..Cost::NONE
        };
        bound < *best
    }

    /// Served devices that are far from who serves them, whatever comes to the cells that have no seat yet.
    fn served_afar_at_least(&self, chosen: &[Seat]) -> u32 {
        if self.search.ask.serves.is_empty() {
            return 0;
        }
        if self.search.ask.helpers > 0 {
            // They are in the first cell.
            let first = chosen.iter().zip(&self.order).find(|(_, cell)| **cell == 0);
            return match first {
                Some((seat, _)) => self.search.served_afar(&[seat.node]),
                None => self.search.served_afar_at_least(&[], 1),
            };
        }
        let nodes: Vec<usize> = chosen.iter().map(|seat| seat.node).collect();
        let open = self.order.len() - chosen.len();
        self.search.served_afar_at_least(&nodes, open)
    }

    fn leaf(&mut self, chosen: &[Seat], partial: Partial) {
        let nodes: Vec<usize> = chosen.iter().map(|seat| seat.node).collect();
        let Some(devices) = self.search.devices(&nodes) else {
            return;
        };
        let extra_nodes = u32::try_from(chosen.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let cost = Cost {
            remote_memory: 0,
            page_wish: partial.wish,
            extra_nodes,
            distance: partial.distance,
            remote_devices: devices.remote + self.served_afar_at_least(chosen),
            waste: partial.waste,
            left_over: chosen.iter().map(|seat| seat.left_over).sum(),
            pages_left: chosen.iter().map(|seat| seat.pages_left).sum(),
        };
        if self.best.as_ref().is_some_and(|(best, _)| *best <= cost) {
            return;
        }
        let mut place = self.place(chosen);
        place.devices = devices;
        if memory::check(self.search.room, &place.memory).is_ok()
            && self.search.leaves_enough(&place)
        {
            self.best = Some((cost, place));
        }
    }

    fn place(&self, chosen: &[Seat]) -> Place {
        let mut place = Place {
            cells: vec![Placed::default(); chosen.len()],
            ..Place::default()
        };
        let mut ordinary = Vec::new();
        for (seat, cell) in chosen.iter().zip(&self.order) {
            let need = &self.needs[*cell];
            let pick = self.search.pick(seat.node, need.cpus, need.helpers);
            place.taken.extend(&pick.taken);
            place.helpers.extend(&pick.helpers);
            place
                .pages
                .extend(seat.pages.map(|(size, count)| (seat.node, size, count)));
            ordinary.push((seat.node, if seat.pages.is_some() { 0 } else { need.bytes }));
            place.cells[*cell] = Placed {
                node: Some(seat.node),
                count: need.cpus,
                cpus: pick.cpus,
                bytes: need.bytes,
                page_size: seat
                    .pages
                    .map(|(size, _)| self.search.topology.page_sizes[size]),
            };
        }
        place.memory = self.search.demands(&ordinary);
        if self.search.shared() {
            let count = self.search.ask.cpus.count;
            place.shared = Some(Shared {
                count,
                named: IdSet::new(),
                on_nodes: true,
            });
        }
        place
    }
}
