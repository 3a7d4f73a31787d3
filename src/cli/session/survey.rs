//! What else may be asked of where everything goes.

use std::collections::BTreeMap;
use std::path::Path;

use super::Session;
use crate::cli::ui::{Stop, Ui};
use crate::decide;
use crate::declared::Workload;
use crate::inventory::Inventory;
use crate::placing::{Arranged, Asked};
use crate::world::ImageFiles;

impl Session {
    /// Places everything on the hosts as they are found, and looks at what led to it. `other`: workloads that are asked
    /// about and not placed. Nothing is read beside: places follow from no file.
    ///
    /// # Errors
    /// When the world cannot be read.
    pub async fn survey<T>(
        &self,
        other: impl Fn(&Workload) -> bool,
        look: impl FnOnce(&Arranged<'_>, &[Asked<'_>], &[Asked<'_>]) -> T,
        ui: Ui,
    ) -> Result<T, Stop> {
        let world = self.connect().await?;
        let inventory = self.inventory(&world, ui).await?;
        Ok(self.survey_at(&inventory, other, look))
    }

    /// Whether a source of the configuration is this file.
    #[must_use]
    pub fn is_file(&self, source: &str, file: &Path) -> bool {
        let whole = |path: &str| self.folder.path(path).canonicalize().ok();
        let asked = whole(&file.to_string_lossy());
        asked.is_some() && asked == whole(source)
    }

    /// The same on hosts that are known.
    pub fn survey_at<T>(
        &self,
        inventory: &Inventory,
        other: impl Fn(&Workload) -> bool,
        look: impl FnOnce(&Arranged<'_>, &[Asked<'_>], &[Asked<'_>]) -> T,
    ) -> T {
        let mut declared = self.configuration.declared.clone();
        let (others, own) = declared.workloads.drain(..).partition(|w| other(w));
        let others: Vec<Workload> = others;
        declared.workloads = own;
        let (files, pinned) = (ImageFiles::new(), BTreeMap::new());
        let homes = self.homes();
        let inputs = self.inputs((&declared, inventory), &[], &homes, (&files, &pinned));
        decide::look(&inputs, &others, look)
    }
}
