//! Who is packed as an image carries what it needs with it, comes back as it was, and leaves nothing behind.

use infra_api::Runtime;

use super::Tie;

pub(super) const TIE: Tie = Tie {
    runtime: Runtime::Container,
    holds: |_| true,
    why: "it is packed",
};
