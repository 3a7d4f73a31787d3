//! A plan by which everything goes.

use std::collections::{BTreeMap, BTreeSet};

use super::import::Imports;
use super::{Planned, Session};
use crate::cli::ui::Stop;
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::recover;
use crate::world::{ImageFiles, World};

impl Session {
    /// A plan by which everything of the project goes.
    pub(super) async fn destroy(self, world: World) -> Result<Planned, Stop> {
        let none = BTreeMap::new();
        let (mut observed, imported) = self.observe_with(&world, &none, &Imports::new()).await?;
        let selection = self.selection(&Inventory::default(), self.prior())?;
        let left = self.leave(&mut observed, &BTreeSet::new(), &selection);
        let prior = recover::completed(self.prior().clone(), &observed);
        let mut decision = Decision::default();
        let selection = self.selection(&Inventory::default(), &prior)?;
        let mut plan = self.assembled(
            &mut decision,
            (&observed, &imported),
            (&prior, &Inventory::default()),
            &selection,
        )?;
        plan.let_go.extend(left);
        Ok(Planned {
            session: self,
            world,
            plan,
            decision,
            inventory: Inventory::default(),
            files: ImageFiles::new(),
        })
    }
}
