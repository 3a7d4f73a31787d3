//! Not the best place only, but all that differ in what they leave to others: for the few who together find room only
//! if one of them takes less than its best.

use infra_api::IdSet;

use crate::ask::Numa;
use crate::fit::search::{Need, Search, Seat};
use crate::fit::spread::Sets;
use crate::fit::{Fit, Place, Placed, Shared};
use crate::memory;

impl Search<'_> {
    /// All places, the best first; at most so many, and whether these are all.
    pub(crate) fn all(&self, most: usize) -> (Vec<Fit>, bool) {
        let Ok(best) = self.best() else {
            return (Vec::new(), true);
        };
        let mut places = vec![best.place.clone()];
        let complete = self.every(most, &mut places);
        let fit = |place: Place| Fit {
            place,
            proven: false,
            cost: best.cost,
        };
        (places.into_iter().map(fit).collect(), complete)
    }

    /// Adds them to those that are there; whether these are all.
    pub(super) fn every(&self, most: usize, places: &mut Vec<Place>) -> bool {
        match (&self.ask.cpus.set, &self.ask.numa) {
            (Some(_), _) => {}
            (None, Numa::Auto) => self.all_anywhere(most, places),
            (None, Numa::Nodes(_) | Numa::Cells(_)) => self.all_cells(&self.needs(), most, places),
        }
        places.len() < most && !self.exhausted()
    }

    fn add(&self, place: Place, places: &mut Vec<Place>) {
        let fits = memory::check(self.room, &place.memory).is_ok() && self.leaves_enough(&place);
        if fits && !places.contains(&place) {
            places.push(place);
        }
    }

    fn all_anywhere(&self, most: usize, places: &mut Vec<Place>) {
        let wishes = self.wishes(&[]);
        if self.shared() && !self.wants_node(&wishes) {
            return;
        }
        for (wish, size) in wishes.iter().enumerate() {
            let one = Need {
                wishes: vec![*size],
                ..self.whole()
            };
            self.all_cells(&[one], most, places);
            if self.shared() {
                let unbound = self.unbound(wish, *size);
                places.extend(unbound.map(|fit| fit.place));
                continue;
            }
            for local in [true, false] {
                // Without memory of their own the nodes are no cells: what is to be undivided is on one of them.
                let undivided = !local && self.ask.cpus.l3.undivided();
                let most_nodes = if undivided { 1 } else { self.seats_at_most() };
                for count in 1..=most_nodes {
                    Sets::all(
                        self,
                        count,
                        wish,
                        &wishes,
                        local,
                        &mut |nodes, parts, place| {
                            self.all_picks(nodes, parts, &place, local, most, places);
                            places.len() < most
                        },
                    );
                }
            }
        }
    }

    /// Every choice of CPUs for parts of which the rest is known.
    fn all_picks(
        &self,
        nodes: &[usize],
        parts: &[(u32, u32)],
        place: &Place,
        local: bool,
        most: usize,
        places: &mut Vec<Place>,
    ) {
        let mut open = vec![place.clone()];
        for (position, (node, (cpus, helpers))) in nodes.iter().zip(parts).enumerate() {
            let picks = self.picks(*node, *cpus, *helpers, most);
            let mut next = Vec::new();
            for place in open {
                for pick in &picks {
                    let mut place = place.clone();
                    place.taken.extend(&pick.taken);
                    place.helpers.extend(&pick.helpers);
                    let cell = &mut place.cells[if local { position } else { 0 }];
                    cell.count += cpus;
                    cell.cpus = &cell.cpus | &pick.cpus;
                    next.push(place);
                }
            }
            next.truncate(most);
            open = next;
        }
        for place in open {
            self.add(place, places);
        }
    }

    /// Every way of giving each cell a node of its own.
    fn all_cells(&self, needs: &[Need], most: usize, places: &mut Vec<Place>) {
        let nodes = self.eligible();
        self.all_seats(needs, &nodes, &mut Vec::new(), most, places);
    }

    fn all_seats(
        &self,
        needs: &[Need],
        nodes: &[usize],
        chosen: &mut Vec<Seat>,
        most: usize,
        places: &mut Vec<Place>,
    ) {
        if places.len() >= most || !self.step() {
            return;
        }
        let Some(need) = needs.get(chosen.len()) else {
            if let Some(place) = self.seated(needs, chosen) {
                let nodes: Vec<usize> = chosen.iter().map(|seat| seat.node).collect();
                let parts: Vec<(u32, u32)> = needs.iter().map(|n| (n.cpus, n.helpers)).collect();
                self.all_picks(&nodes, &parts, &place, true, most, places);
            }
            return;
        };
        let open = nodes
            .iter()
            .filter(|node| chosen.iter().all(|seat| seat.node != **node));
        let seats: Vec<Seat> = open
            .flat_map(|node| self.seats(need, *node, None))
            .collect();
        for seat in seats {
            chosen.push(seat);
            self.all_seats(needs, nodes, chosen, most, places);
            chosen.pop();
        }
    }

    /// All but the CPUs.
    fn seated(&self, needs: &[Need], seats: &[Seat]) -> Option<Place> {
        let nodes: Vec<usize> = seats.iter().map(|seat| seat.node).collect();
        let mut place = Place {
            devices: self.devices(&nodes)?,
            ..Place::default()
        };
        let mut ordinary = Vec::new();
        for (need, seat) in needs.iter().zip(seats) {
            place
                .pages
                .extend(seat.pages.map(|(size, count)| (seat.node, size, count)));
            ordinary.push((seat.node, if seat.pages.is_some() { 0 } else { need.bytes }));
            place.cells.push(Placed {
                node: Some(seat.node),
                bytes: need.bytes,
                page_size: seat.pages.map(|(size, _)| self.topology.page_sizes[size]),
                ..Placed::default()
            });
        }
        place.memory = self.demands(&ordinary);
        if self.shared() {
            let count = self.ask.cpus.count;
            place.shared = Some(Shared {
                count,
                named: IdSet::new(),
                on_nodes: true,
            });
        }
        Some(place)
    }
}
