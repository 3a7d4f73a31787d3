//! A storage pool's XML, and the map from volumes to paths that follows from all pools.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{Pool, VolumeRef};
use infra_api::{Address, Mark, Project};
use roxmltree::Node;

use super::xml::{all, attr, el, leaf, parse, size_at, text};

/// A pool as libvirt describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) mark: Option<Mark>,
    pub(crate) pool: Pool,
    pub(crate) kind: Option<String>,
    pub(crate) room: Option<Room>,
}

/// As libvirt saw it when it last looked; of a pool that is not started it says nothing that is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) capacity_bytes: u64,
    pub(crate) free_bytes: u64,
}

/// What stands before the project in a marked pool's vendor.
pub(crate) const OURS: &str = "infra:";

/// Pools have no `<metadata>`. The mark stands in `<source>` as vendor and product, which libvirt keeps for
/// every type of pool and gives no meaning in a directory (seen with 9.0).
pub(crate) fn write(pool: &Pool, mark: &Mark) -> Result<String, String> {
    let Pool {
        name,
        path,
        volume_group,
    } = pool;
    let kind = match volume_group {
        Some(_) => "logical",
        None => "dir",
    };
    let source = el("source").children(volume_group.as_ref().map(|group| leaf("name", group)));
    let vendor = el("vendor").attr("name", format!("{OURS}{}", mark.project));
    let product = el("product").attr("name", &mark.address);
    el("pool")
        .attr("type", kind)
        .child(leaf("name", name))
        .child(source.child(vendor).child(product))
        .child(el("target").child(leaf("path", path)))
        .document()
}

pub(crate) fn read(xml: &str) -> Result<Found, String> {
    parse(xml, |root| {
        let pool = Pool {
            name: text(root, "name")?,
            path: text(root, "target/path").unwrap_or_default(),
            volume_group: text(root, "source/name")
                .filter(|_| root.attribute("type") == Some("logical")),
        };
        Some(Found {
            mark: mark(root),
            pool,
            kind: root.attribute("type").map(str::to_owned),
            room: size_at(root, "capacity")
                .zip(size_at(root, "available"))
                .map(|(capacity_bytes, free_bytes)| Room {
                    capacity_bytes,
                    free_bytes,
                }),
        })
    })
}

/// The names of what pools could be made of, in order.
pub(crate) fn groups(xml: &str) -> Result<Vec<String>, String> {
    parse(xml, |root| {
        let names = all(root, "source").filter_map(|source| text(source, "name"));
        let names: BTreeSet<String> = names.collect();
        Some(names.into_iter().collect())
    })
}

fn mark(root: Node) -> Option<Mark> {
    let vendor = attr(root, "source/vendor", "name")?;
    let address = attr(root, "source/product", "name")?;
    Some(Mark {
        project: Project::new(vendor.strip_prefix(OURS)?),
        address: Address::new(address),
    })
}

/// Where the pools of a host are, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pools(pub(crate) BTreeMap<String, String>);

impl Pools {
    /// A volume of a directory is the file of its name in it.
    pub(crate) fn path(&self, volume: &VolumeRef) -> Result<String, String> {
        let VolumeRef { pool, name } = volume;
        let directory = self
            .0
            .get(pool)
            .ok_or_else(|| format!("there is no storage pool `{pool}`"))?;
        Ok(format!("{}/{name}", directory.trim_end_matches('/')))
    }

    /// The volume at a path; one outside every pool keeps its path as its name, in no pool.
    pub(crate) fn volume(&self, path: &str) -> VolumeRef {
        let inside = self.0.iter().find_map(|(pool, directory)| {
            let name = path
                .strip_prefix(directory.trim_end_matches('/'))?
                .strip_prefix('/')?;
            (!name.contains('/')).then(|| VolumeRef {
                pool: pool.clone(),
                name: name.to_owned(),
            })
        });
        inside.unwrap_or_else(|| VolumeRef {
            pool: String::new(),
            name: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::golden;

    #[test]
    fn written_and_read_back() {
        let pool = Pool {
            name: "demo".into(),
            path: "/var/lib/infra/a&b".into(),
            volume_group: None,
        };
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("module.m[\"k\"].host.r1"),
        };
        let found = read(&write(&pool, &mark).unwrap()).unwrap();
        assert_eq!(
            found,
            Found {
                mark: Some(mark),
                pool,
                kind: Some("dir".into()),
                room: None,
            }
        );
    }

    #[test]
    fn a_volume_group_is_named_and_read_back() {
        let pool = Pool {
            name: "demo.fast".into(),
            path: "/dev/vg0".into(),
            volume_group: Some("vg0".into()),
        };
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("pool.fast"),
        };
        let xml = write(&pool, &mark).unwrap();
        golden("pool-logical.xml", &xml);
        let found = read(&xml).unwrap();
        assert_eq!(
            (found.pool, found.mark, found.kind.as_deref()),
            (pool, Some(mark), Some("logical"))
        );
    }

    #[test]
    fn goldens() {
        let pool = Pool {
            name: "demo".into(),
            path: "/srv/demo".into(),
            volume_group: None,
        };
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("host.r1"),
        };
        golden("pool.xml", &write(&pool, &mark).unwrap());
    }

    #[test]
    fn its_room_stands_in_what_libvirt_tells() {
        let told = "<pool type='dir'><name>d</name><capacity unit='bytes'>1000</capacity>
            <allocation unit='bytes'>300</allocation><available unit='bytes'>700</available></pool>";
        let room = Room {
            capacity_bytes: 1000,
            free_bytes: 700,
        };
        assert_eq!(read(told).unwrap().room, Some(room));
    }

    #[test]
    fn volume_groups_stand_among_what_pools_could_be_made_of() {
        let told = "<sources><source><device path='/dev/vdb'/><name>vg1</name><format type='lvm2'/></source>
            <source><name>vg0</name></source></sources>";
        assert_eq!(groups(told).unwrap(), ["vg0", "vg1"]);
        assert!(groups("<sources>\n</sources>").unwrap().is_empty());
    }

    #[test]
    fn a_strangers_pool_has_no_mark() {
        let xml = "<pool type='disk'><name>d</name><source><vendor name='ATA'/><product name='x'/></source></pool>";
        assert_eq!(read(xml).unwrap().mark, None);
    }

    #[test]
    fn volumes_and_paths_correspond() {
        let pools = Pools(BTreeMap::from([
            ("a".into(), "/srv/a".into()),
            ("ab".into(), "/srv/ab/".into()),
        ]));
        let volume = VolumeRef {
            pool: "ab".into(),
            name: "disk".into(),
        };
        assert_eq!(pools.path(&volume).unwrap(), "/srv/ab/disk");
        assert_eq!(pools.volume("/srv/ab/disk"), volume);
        assert_eq!(pools.volume("/srv/a/deep/disk").name, "/srv/a/deep/disk");
        assert!(
            pools
                .path(&VolumeRef {
                    pool: "c".into(),
                    name: "x".into()
                })
                .unwrap_err()
                .contains("`c`")
        );
    }
}
