//! Whether the host's systemd can run processes for us.

use infra_api::facts::Offer;

use crate::reader::Reader;

/// systemd makes this directory early when it is process 1, and only then.
const BOOTED: &str = "run/systemd/system";

/// None where the tree does not hold `/run`: it cannot tell then.
pub(crate) fn offer(reader: &Reader<'_>) -> Option<Offer> {
    reader.exists("run").then(|| {
        Offer::new(match reader.exists(BOOTED) {
            true => Ok(()),
            false => Err(format!(
                "systemd is not this host's init: there is no /{BOOTED}"
            )),
        })
    })
}
