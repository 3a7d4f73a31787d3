//! Storage pools on a daemon: directories of ours, and pools of ours over volume groups that are not.

use std::collections::BTreeSet;
use std::sync::Arc;

use infra_api::target::Pool;
use infra_api::{Failure, Mark, Observed, Project, Remedy, Unmarked};
use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::sys;

use crate::failure::{Doing, each, found, patiently};
use crate::guard::{self, Claim, taken};
use crate::link::Link;
use crate::text::pool::{self as text, Found, Pools};
use crate::text::theirs::storage;

pub(crate) fn lookup(connection: &Connect, name: &str) -> Result<Option<StoragePool>, Failure> {
    found(connection.lookup_storage_pool_by_name(name))
        .doing(|| format!("looking for the pool `{name}`"))
}

pub(crate) fn describe(pool: &StoragePool) -> Result<Found, Failure> {
    let xml = pool.xml_desc(0).doing(|| "reading a storage pool".into())?;
    text::read(&xml).doing(|| "reading a storage pool".into())
}

/// All pools that are there.
pub(crate) fn all(connection: &Connect) -> Result<Vec<StoragePool>, Failure> {
    connection
        .list_all_storage_pools(0)
        .doing(|| "listing the storage pools".into())
}

/// Where they are.
pub(crate) fn paths(connection: &Connect) -> Result<Pools, Failure> {
    Ok(places(&each(all(connection)?, |pool| {
        describe(pool).map(Some)
    })?))
}

fn places<'a>(found: impl IntoIterator<Item = &'a Found>) -> Pools {
    let places = found.into_iter().map(|found| &found.pool);
    Pools(
        places
            .map(|pool| (pool.name.clone(), pool.path.clone()))
            .collect(),
    )
}

/// The volume groups that pools could be made of; nothing where this libvirt knows nothing of LVM.
pub(crate) fn groups(connection: &Connect) -> Result<Option<Vec<String>>, Failure> {
    let Ok(xml) = connection.find_storage_pool_sources("logical", None, 0) else {
        return Ok(None);
    };
    let groups = text::groups(&xml).doing(|| "looking for volume groups".into())?;
    Ok(Some(groups))
}

/// A pool as it is.
pub(crate) struct Seen {
    pub(crate) found: Found,
    pub(crate) active: bool,
    autostart: bool,
}

impl Seen {
    /// `whole`: it is known to be started, now and with the host.
    fn look(pool: &StoragePool, whole: bool) -> Result<Self, Failure> {
        let doing = || "reading a storage pool".to_owned();
        let active = whole || pool.is_active().doing(doing)?;
        if active {
            // libvirt tells what it saw when it last looked: it looks now. It refuses while a volume is being made; what
            // it knew before is then good enough.
            let _ = pool.refresh(0);
        }
        Ok(Self {
            found: describe(pool)?,
            active,
            autostart: whole || pool.autostart().doing(doing)?,
        })
    }

    pub(crate) fn observe(&self, project: &Project) -> Result<Observed, Failure> {
        let pool = &self.found.pool;
        let what = format!("the storage pool `{}`", pool.name);
        let address = match guard::owner(&what, self.found.mark.as_ref(), project) {
            Ok(address) => address,
            Err(what) => {
                return Ok(Observed::Foreign {
                    what,
                    unmarked: None,
                });
            }
        };
        match self.active && self.autostart {
            true => guard::present(address, pool),
            false => Ok(Observed::Partial {
                address,
                why: format!("{what} is not started"),
            }),
        }
    }
}

impl Seen {
    fn unmarked(&self, pool: &StoragePool) -> Result<Unmarked, Failure> {
        let doing = || "reading a storage pool".to_owned();
        let body = storage::pool(&pool.xml_desc(0).doing(doing)?);
        let body = body.and_then(|pool| match self.active && self.autostart {
            true => serde_json::to_value(pool).map_err(|e| e.to_string()),
            false => Err(
                "it is not started, or not with the host (`virsh pool-start`, `virsh pool-autostart`)"
                    .to_owned(),
            ),
        });
        let identity = pool.uuid_string().doing(doing)?;
        Ok(Unmarked { identity, body })
    }
}

/// All of them, and where they are.
pub(crate) fn look(link: &Link) -> Result<(Vec<Seen>, Arc<Pools>), Failure> {
    let pools = all(link)?;
    let flags =
        sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE | sys::VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART;
    let whole = link
        .list_all_storage_pools(flags)
        .doing(|| "listing the storage pools".into())?;
    let whole: BTreeSet<String> = whole.iter().filter_map(|pool| pool.name().ok()).collect();
    let seen = each(pools, |pool| {
        let whole = pool.name().is_ok_and(|name| whole.contains(&name));
        Seen::look(pool, whole).map(Some)
    })?;
    let places = link.learn(places(seen.iter().map(|seen| &seen.found)));
    Ok((seen, places))
}

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    name: &str,
) -> Result<Observed, Failure> {
    let Some(pool) = lookup(connection, name)? else {
        return Ok(Observed::Absent);
    };
    let seen = Seen::look(&pool, false)?;
    match seen.observe(project)? {
        Observed::Foreign { what, .. } if seen.found.mark.is_none() => {
            let unmarked = Some(Box::new(seen.unmarked(&pool)?));
            Ok(Observed::Foreign { what, unmarked })
        }
        observed => Ok(observed),
    }
}

/// Each step is skipped where it has been done.
pub(crate) fn create(
    connection: &Connect,
    claim: &Claim,
    wanted: &Pool,
    anew: bool,
) -> Result<(), Failure> {
    let doing = || format!("making the storage pool `{}`", wanted.name);
    let pool = match lookup(connection, &wanted.name)? {
        Some(_) if anew => return Err(taken(doing())),
        Some(pool) => {
            same(&pool, claim, wanted)?;
            pool
        }
        None => {
            let xml = text::write(wanted, &claim.mark).doing(doing)?;
            connection.define_storage_pool_xml(&xml, 0).doing(doing)?
        }
    };
    if !pool.is_active().doing(doing)? {
        // Of a volume group this would make the group.
        if wanted.volume_group.is_none() {
            pool.build(0).doing(doing)?;
        }
        pool.create(0).doing(doing)?;
    }
    pool.set_autostart(true).doing(doing)
}

fn same(pool: &StoragePool, claim: &Claim, wanted: &Pool) -> Result<(), Failure> {
    let (what, there) = (
        format!("the storage pool `{}`", wanted.name),
        describe(pool)?,
    );
    let identity = pool
        .uuid_string()
        .doing(|| "reading a storage pool".into())?;
    claim.may(&what, there.mark.as_ref(), &identity)?;
    match there.pool == *wanted {
        true => Ok(()),
        false => Err(Failure::new(
            Remedy::Replan,
            format!("making {what}"),
            format!("it is at {}", there.pool.path),
        )),
    }
}

pub(crate) fn delete(connection: &Connect, mark: &Mark, name: &str) -> Result<(), Failure> {
    let Some(pool) = lookup(connection, name)? else {
        return Ok(());
    };
    let there = describe(&pool)?;
    guard::ours(
        &format!("the storage pool `{name}`"),
        there.mark.as_ref(),
        &mark.project,
    )?;
    let doing = || format!("removing the storage pool `{name}`");
    if pool.is_active().doing(doing)? {
        patiently(|| pool.destroy()).doing(doing)?;
    }
    // This removes an empty directory and refuses one that holds anything, which is then not ours to remove. Of a volume
    // group it would remove the group.
    if there.kind.as_deref() == Some("dir") {
        let _ = pool.delete(0);
    }
    pool.undefine().doing(doing)
}
