//! Many domains and volumes by few calls, as they are now: a list tells which are not there, and the others are read side
//! by side. Of pools and networks there are few.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Failure, Observed, Project, ResourceId};

use crate::link::Link;
use crate::wire::AT_A_TIME;
use crate::{domain, network, volume};

/// Of what is somebody else's nothing is told: reading it by itself says more.
pub(crate) fn survey(
    link: &Link,
    project: &Project,
    ids: &[ResourceId],
) -> Result<Vec<(ResourceId, Observed)>, Failure> {
    let named = |kind: &str| -> BTreeSet<&str> {
        let ids = ids.iter().filter(|id| id.kind == kind);
        ids.map(|id| id.name.as_str()).collect()
    };
    let mut told = BTreeMap::new();
    let domains = domains(link, project, &named("domain"))?.into_iter();
    told.extend(domains.map(|(name, there)| (("domain", name), there)));
    let mut pools: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in named("volume") {
        let place = volume::place(name)?;
        pools.entry(place.pool).or_default().push(place.name);
    }
    for (pool, names) in &pools {
        let volumes = volume::survey(link, project, pool, names)?.into_iter();
        told.extend(volumes.map(|(name, there)| (("volume", name), there)));
    }
    let tell = |id: &ResourceId| {
        let there = told.get(&(id.kind.as_str(), id.name.clone()))?;
        Some((id.clone(), there.clone()))
    };
    Ok(ids.iter().filter_map(tell).collect())
}

fn domains(
    link: &Link,
    project: &Project,
    names: &BTreeSet<&str>,
) -> Result<Vec<(String, Observed)>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // An apply begins with this: the places are those they have now.
    let pools = link.pools_now()?;
    let there = domain::look(link, &pools, AT_A_TIME, Some(names))?;
    let nets = there.iter().flat_map(|(_, seen)| seen.stands_on());
    let ports = network::ports(link, &nets.collect())?;
    let absent = names
        .iter()
        .filter(|name| !there.iter().any(|(other, _)| other == *name));
    let mut told: Vec<_> = absent
        .map(|name| ((*name).to_owned(), Observed::Absent))
        .collect();
    for (name, seen) in &there {
        match seen.observe(ports.as_ref(), project)? {
            Observed::Foreign { .. } => {}
            observed => told.push((name.clone(), observed)),
        }
    }
    Ok(told)
}
