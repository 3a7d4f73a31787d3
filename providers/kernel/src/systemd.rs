//! Whether the host's systemd can run processes for us.

use infra_api::facts::Offer;

use crate::reader::Reader;

/// systemd makes this directory early when it is process 1, and only then.
const BOOTED: &str = "run/systemd/system";

/// None where the tree tells neither that systemd runs nor what else is process 1.
pub(crate) fn offer(reader: &Reader<'_>) -> Option<Offer> {
    if reader.exists(BOOTED) {
        return Some(Offer::new(Ok(())));
    }
    let init = reader.line("proc/1/comm")?;
    Some(Offer::new(Err(match init.as_str() {
        "systemd" => format!("systemd is process 1 and has not come up: there is no /{BOOTED}"),
        _ => format!("process 1 is `{init}`, not systemd"),
    })))
}
