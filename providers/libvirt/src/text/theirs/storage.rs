//! A pool or a volume that somebody else has made, as one that infra could have made. Pure. Neither is ever written
//! again: what libvirt tells of them beyond what infra says is either filled in by itself or a reason to refuse.

use infra_api::target::{Allocation, DiskVolume, Format, Pool, VolumeRef};

use super::super::companion;
use super::super::compare::{differences, named};
use super::super::pool::{self, Pools};
use super::super::tree::{Child, Tree};
use super::super::volume;
use super::nobody;
use super::usual::each_child;

/// Its body; or why infra could not have made it.
pub(crate) fn pool(xml: &str) -> Result<Pool, String> {
    let pool::Found { pool, kind, .. } = pool::read(xml)?;
    if !matches!(kind.as_deref(), Some("dir" | "logical")) {
        let kind = kind.unwrap_or_default();
        return Err(format!(
            "it is of kind `{kind}`, which infra does not make: declare it by `existing = \"{}\"`, which needs no import",
            pool.name
        ));
    }
    is_plain(&pool.name)?;
    if let Some(group) = &pool.volume_group
        && pool.path != format!("/dev/{group}")
    {
        return Err(format!(
            "its path is `{}`, and of the group `{group}` infra writes `/dev/{group}`",
            pool.path
        ));
    }
    same(
        usual_pool(Tree::parse(&pool::write(&pool, &nobody())?)?.compact()),
        usual_pool(Tree::parse(xml)?.compact()),
    )?;
    Ok(pool)
}

/// Without its use, its identity and who may enter; and without what a volume group consists of, which only matters
/// where one is made.
fn usual_pool(mut pool: Tree) -> Tree {
    without(&mut pool, &["uuid", "capacity", "allocation", "available"]);
    each_child(&mut pool, "target", &mut |target| {
        without(target, &["permissions"]);
    });
    each_child(&mut pool, "source", &mut |source| {
        let ours = |e: &Tree| {
            let name = e.attribute("name");
            name.is_some_and(|name| {
                name.starts_with(pool::OURS) || name == nobody().address.as_str()
            })
        };
        let mark = |child: &Child| matches!(child, Child::Element(e) if matches!(e.name.as_str(), "vendor" | "product") && ours(e));
        source.children.retain(|child| !mark(child));
        without(source, &["device", "format"]);
    });
    pool.children.retain(
        |child| !matches!(child, Child::Element(e) if e.name == "source" && e.children.is_empty()),
    );
    pool
}

/// A disk; or why it is none that a declaration could have.
pub(crate) fn volume(
    xml: &str,
    volume: VolumeRef,
    pools: &Pools,
    logical: bool,
) -> Result<DiskVolume, String> {
    let found = Tree::parse(xml)?.compact();
    is_plain(&volume.name)?;
    if companion::volume_of(&volume.name).is_some() {
        return Err("names that end in `.infra` are marks of other volumes".to_owned());
    }
    match found.attribute("type") {
        None | Some("file" | "block") => {}
        Some(kind) => return Err(format!("it is a `{kind}`, and no disk")),
    }
    let format = format(&found)?;
    let read = volume::read(xml, pools)?;
    if read.is_astray() {
        return Err("it stands on a file outside of every pool: make a pool of that file's directory, or let it stand \
                    alone (`qemu-img rebase -b ''`)"
            .to_owned());
    }
    if logical && read.backing.is_some() {
        return Err("it is a snapshot of another logical volume".to_owned());
    }
    let (backing, backing_format) = read.backing.unzip();
    let disk = DiskVolume {
        volume,
        format,
        capacity_bytes: read.capacity,
        backing,
        backing_format,
        allocation: Allocation::Sparse,
        copy_of: None,
    };
    let written = volume::write_disk(&disk, pools)?;
    same(
        usual_volume(Tree::parse(&written)?.compact()),
        usual_volume(found),
    )?;
    let allocation = match logical {
        true => Allocation::Full,
        false => Allocation::Sparse,
    };
    Ok(DiskVolume { allocation, ..disk })
}

/// Bytes that mean something else would be taken for a disk's.
fn format(volume: &Tree) -> Result<Format, String> {
    let target = volume.elements().find(|e| e.name == "target");
    let format = target.and_then(|target| target.elements().find(|e| e.name == "format"));
    match format.and_then(|format| format.attribute("type")) {
        None | Some("raw") => Ok(Format::Raw),
        Some("qcow2") => Ok(Format::Qcow2),
        Some(other) => Err(format!(
            "its format is `{other}`, and infra knows raw and qcow2: convert it (`qemu-img convert -O qcow2`), or name \
             its path in the workload (`disk {{ path }}`, `cdrom {{ path }}`)"
        )),
    }
}

/// Without what is of the file and not of the disk in it.
fn usual_volume(mut volume: Tree) -> Tree {
    volume.attributes.retain(|(name, _)| name != "type");
    let filled_in = ["key", "allocation", "physical", "source"];
    without(&mut volume, &filled_in);
    each_child(&mut volume, "target", &mut |target| {
        let kept = |child: &Child| !matches!(child, Child::Element(e) if is_raw(e));
        target.children.retain(kept);
        without(
            target,
            &[
                "path",
                "permissions",
                "timestamps",
                "compat",
                "features",
                "clusterSize",
                "nocow",
            ],
        );
    });
    volume.children.retain(
        |child| !matches!(child, Child::Element(e) if e.name == "target" && e.children.is_empty()),
    );
    each_child(&mut volume, "backingStore", &mut |backing| {
        without(backing, &["permissions", "timestamps"]);
    });
    volume
}

/// Of a logical volume libvirt does not say so.
fn is_raw(element: &Tree) -> bool {
    element.name == "format" && element.attribute("type") == Some("raw")
}

fn without(tree: &mut Tree, names: &[&str]) {
    let filled_in =
        |child: &Child| matches!(child, Child::Element(e) if names.contains(&e.name.as_str()));
    tree.children.retain(|child| !filled_in(child));
}

/// A declaration can say it.
fn is_plain(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match first && name.len() <= 128 && name.chars().all(plain) {
        true => Ok(()),
        false => Err(
            "its name has more than letters, digits, dots, dashes and underscores, or does not begin with a letter or digit"
                .to_owned(),
        ),
    }
}

fn same(ours: Tree, theirs: Tree) -> Result<(), String> {
    let differ = differences(&ours, &theirs);
    if differ.is_empty() && ours.is_same(&theirs) {
        return Ok(());
    }
    let names: Vec<String> = differ.iter().map(named).collect();
    Err(format!(
        "it has what infra has no word for: {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn pools() -> Pools {
        Pools(BTreeMap::from([("theirs".into(), "/srv/theirs".into())]))
    }

    fn named(name: &str) -> VolumeRef {
        VolumeRef {
            pool: "theirs".into(),
            name: name.into(),
        }
    }

    /// As libvirt 9.0 tells.
    fn file(format: &str, more: &str, beside: &str) -> String {
        format!(
            "<volume type='file'><name>a.img</name><key>/srv/theirs/a.img</key>
            <capacity unit='bytes'>1048576</capacity><allocation unit='bytes'>4096</allocation>
            <physical unit='bytes'>196616</physical><target><path>/srv/theirs/a.img</path>
            <format type='{format}'/><permissions><mode>0600</mode></permissions>
            <timestamps><btime>0</btime></timestamps>{more}</target>{beside}</volume>"
        )
    }

    fn read(xml: &str) -> Result<DiskVolume, String> {
        volume(xml, named("a.img"), &pools(), false)
    }

    #[test]
    fn a_strangers_disk_is_what_it_is() {
        let qcow2 = file(
            "qcow2",
            "<compat>1.1</compat><features><lazy_refcounts/></features>",
            "",
        );
        let disk = read(&qcow2).unwrap();
        assert_eq!(
            (disk.format, disk.capacity_bytes, disk.backing.is_none()),
            (Format::Qcow2, 1 << 20, true)
        );
        assert_eq!(read(&file("raw", "", "")).unwrap().format, Format::Raw);
        let backing = "<backingStore><path>/srv/theirs/base</path><format type='raw'/>
            <permissions><mode>0600</mode></permissions><timestamps/></backingStore>";
        let disk = read(&file("qcow2", "", backing)).unwrap();
        assert_eq!(
            (disk.backing, disk.backing_format),
            (Some(named("base")), Some(Format::Raw))
        );
        let logical = "<volume type='block'><name>a.img</name><key>Xy-1</key><source><device path='/dev/vdb'>
            <extent start='0' end='1048576'/></device></source><capacity unit='bytes'>4194304</capacity>
            <allocation unit='bytes'>4194304</allocation><target><path>/dev/vg/a.img</path></target></volume>";
        let disk = volume(logical, named("a.img"), &pools(), true).unwrap();
        assert_eq!(
            (disk.format, disk.allocation),
            (Format::Raw, Allocation::Full)
        );
    }

    #[test]
    fn what_is_no_disk_of_a_declaration_is_refused_by_its_reason() {
        let astray =
            "<backingStore><path>/elsewhere/base</path><format type='raw'/></backingStore>";
        let secret = "<encryption format='luks'><secret type='passphrase' uuid='1'/></encryption>";
        for (xml, why) in [
            (file("vmdk", "", ""), "`vmdk`"),
            (file("iso", "", ""), "`iso`"),
            (file("qcow2", secret, ""), "target/encryption"),
            (file("qcow2", "", astray), "outside of every pool"),
            (file("raw", "", "").replace("1048576", "1048577"), "sectors"),
            (file("raw", "", "").replace("'file'", "'dir'"), "a `dir`"),
        ] {
            let refused = read(&xml).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let xml = file("raw", "", "");
        for (name, why) in [("a b", "letters"), ("a.infra", "marks")] {
            let refused = volume(&xml, named(name), &pools(), false).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let snapshot = file("raw", "", &astray.replace("elsewhere", "srv/theirs"));
        let refused = volume(&snapshot, named("a.img"), &pools(), true).unwrap_err();
        assert!(refused.contains("snapshot"), "{refused}");
    }

    #[test]
    fn a_strangers_pool_is_what_it_is_or_refused_by_its_reason() {
        let dir = "<pool type='dir'><name>theirs</name><uuid>1</uuid><capacity unit='bytes'>9</capacity>
            <allocation unit='bytes'>1</allocation><available unit='bytes'>8</available><source>
            </source><target><path>/srv/theirs</path><permissions><mode>0711</mode></permissions></target></pool>";
        let found = pool(dir).unwrap();
        assert_eq!(
            (found.name.as_str(), found.path.as_str(), found.volume_group),
            ("theirs", "/srv/theirs", None)
        );
        let logical = "<pool type='logical'><name>fast</name><source><device path='/dev/vdb'/><name>vg0</name>
            <format type='lvm2'/></source><target><path>/dev/vg0</path></target></pool>";
        assert_eq!(pool(logical).unwrap().volume_group.as_deref(), Some("vg0"));
        for (xml, why) in [
            (dir.replace("'dir'", "'netfs'"), "existing = \"theirs\""),
            (logical.replace("/dev/vg0", "/dev/mapper"), "`/dev/vg0`"),
            (
                dir.replace("<target>", "<features><cow state='no'/></features><target>"),
                "features",
            ),
            (dir.replace("<name>theirs", "<name>their pool"), "letters"),
        ] {
            let refused = pool(&xml).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
