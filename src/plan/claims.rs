//! What objects hold of their hosts, and who must let go of it before whom.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, IdSet, ResourceId};
use serde_json::Value;

use crate::Before;
use crate::order::Draft;

/// What an object holds of its host, of which there is only so much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// CPUs it is bound to.
    pub cpus: IdSet,
    /// Whether nobody else may use these.
    pub dedicated: bool,
    /// What two can never have at once, not for a moment: `ip 10.0.0.2`, `port tcp/80`, `vf 0000:3b:02.1`.
    pub exclusive: BTreeSet<String>,
}

/// What a step's object holds before it and after it.
pub(crate) fn held(
    draft: &Draft<'_>,
    claims: &dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims,
) -> (Claims, Claims) {
    let found = match &draft.before {
        Before::Present { body } => claims(draft.origin(), &draft.address, body, false),
        Before::Absent | Before::Partial | Before::Removed => Claims::default(),
    };
    let wanted = draft.after.map_or_else(Claims::default, |b| {
        claims(&draft.id, &draft.address, b, true)
    });
    (found, wanted)
}

/// (who releases, who takes, whether they may never have it at once), without repetition, in order.
pub(crate) fn handovers(
    drafts: &[Draft<'_>],
    held: &[(Claims, Claims)],
) -> BTreeSet<(usize, usize, bool)> {
    let nothing = Claims::default();
    let mut releasers: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for (n, (found, wanted)) in held.iter().enumerate() {
        let host = drafts[n].origin().host.as_str();
        let kept = if moves(&drafts[n]) { &nothing } else { wanted };
        for token in found.exclusive.difference(&kept.exclusive) {
            releasers.entry((host, token.clone())).or_default().push(n);
        }
        for cpu in (&found.cpus - &kept.cpus).iter() {
            releasers
                .entry((host, format!("cpu {cpu}")))
                .or_default()
                .push(n);
        }
    }
    let mut handovers = BTreeSet::new();
    for (taker, (found, wanted)) in held.iter().enumerate() {
        let host = drafts[taker].id.host.as_str();
        let had = if moves(&drafts[taker]) {
            &nothing
        } else {
            found
        };
        for token in wanted.exclusive.difference(&had.exclusive) {
            for releaser in releasers.get(&(host, token.clone())).into_iter().flatten() {
                handovers.insert((*releaser, taker, true));
            }
        }
        for cpu in (&wanted.cpus - &had.cpus).iter() {
            for releaser in releasers
                .get(&(host, format!("cpu {cpu}")))
                .into_iter()
                .flatten()
            {
                if wanted.dedicated || held[*releaser].0.dedicated {
                    handovers.insert((*releaser, taker, false));
                }
            }
        }
    }
    handovers.retain(|(releaser, taker, _)| releaser != taker);
    handovers
}

/// What it holds before its step and after it is of two hosts.
fn moves(draft: &Draft<'_>) -> bool {
    draft.origin().host != draft.id.host
}
