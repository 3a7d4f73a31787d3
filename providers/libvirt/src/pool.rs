//! Storage pools on a daemon: directories of ours, and pools of ours over volume groups that are not.

use infra_api::target::Pool;
use infra_api::{Failure, Mark, Observed, Project, Remedy};
use virt::connect::Connect;
use virt::storage_pool::StoragePool;

use crate::failure::{Doing, each, found, patiently};
use crate::guard;
use crate::text::pool::{self as text, Found, Pools};

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
    let places = each(all(connection)?, |pool| describe(pool).map(Some))?;
    let places = places
        .into_iter()
        .map(|found| (found.pool.name, found.pool.path));
    Ok(Pools(places.collect()))
}

pub(crate) fn list(
    connection: &Connect,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    each(all(connection)?, |pool| {
        let found = describe(pool)?;
        let ours = found
            .mark
            .as_ref()
            .is_some_and(|mark| mark.project == *project);
        let name = found.pool.name.clone();
        ours.then(|| Ok((name, observe(pool, found, project)?)))
            .transpose()
    })
}

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    name: &str,
) -> Result<Observed, Failure> {
    match lookup(connection, name)? {
        Some(pool) => observe(&pool, describe(&pool)?, project),
        None => Ok(Observed::Absent),
    }
}

fn observe(pool: &StoragePool, found: Found, project: &Project) -> Result<Observed, Failure> {
    let what = format!("the storage pool `{}`", found.pool.name);
    let address = match guard::owner(&what, found.mark.as_ref(), project) {
        Ok(address) => address,
        Err(what) => {
            return Ok(Observed::Foreign {
                what,
                unmarked: None,
            });
        }
    };
    let doing = || format!("reading {what}");
    match pool.is_active().doing(doing)? && pool.autostart().doing(doing)? {
        true => guard::present(address, &found.pool),
        false => Ok(Observed::Partial {
            address,
            why: format!("{what} is not started"),
        }),
    }
}

/// Each step is skipped where it has been done.
pub(crate) fn create(connection: &Connect, mark: &Mark, wanted: &Pool) -> Result<(), Failure> {
    let doing = || format!("making the storage pool `{}`", wanted.name);
    let pool = match lookup(connection, &wanted.name)? {
        Some(pool) => {
            same(&describe(&pool)?, mark, wanted)?;
            pool
        }
        None => {
            let xml = text::write(wanted, mark).doing(doing)?;
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

fn same(there: &Found, mark: &Mark, wanted: &Pool) -> Result<(), Failure> {
    let what = format!("the storage pool `{}`", wanted.name);
    guard::ours(&what, there.mark.as_ref(), &mark.project)?;
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
