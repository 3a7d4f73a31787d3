//! How what is ours is known: labels on containers, networks and volumes. (An image's mark is its
//! name, see `names::image`.) Pure.

use std::collections::BTreeMap;

use infra_api::{Address, Mark, Project};

pub(crate) const PROJECT: &str = "infra.project";
pub(crate) const ADDRESS: &str = "infra.address";
/// On containers: which attributes that an image gives too were set by us. Names, never values.
pub(crate) const SET: &str = "infra.set";
/// On containers: the name it was made with. A container has the labels of its image too, and an image that
/// was committed from a container of ours has all of ours; but no two containers share a name.
pub(crate) const NAME: &str = "infra.name";

/// On containers: before the path of each file that was put into it, with [`TEXT`] or [`BINARY`].
pub(crate) const FILE: &str = "infra.file.";
pub(crate) const TEXT: &str = "text";
pub(crate) const BINARY: &str = "binary";

/// Labels of an object. The engine writes null for none.
pub(crate) type Labels = Option<BTreeMap<String, String>>;

/// Whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Ours(Address),
    Project(Project, Address),
    Nobody,
}

pub(crate) fn labels(mark: &Mark) -> BTreeMap<String, String> {
    let Mark { project, address } = mark;
    BTreeMap::from([
        (PROJECT.to_owned(), project.to_string()),
        (ADDRESS.to_owned(), address.to_string()),
    ])
}

/// A person's labels with ours.
pub(crate) fn with(theirs: &BTreeMap<String, String>, mark: &Mark) -> BTreeMap<String, String> {
    theirs.clone().into_iter().chain(labels(mark)).collect()
}

/// A person's labels without ours.
pub(crate) fn theirs(labels: &Labels) -> BTreeMap<String, String> {
    let all = labels.iter().flatten();
    all.filter(|(name, _)| !name.starts_with("infra."))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The mark somebody's `infra` left.
pub(crate) fn of(labels: &Labels) -> Option<(Project, Address)> {
    let label = |name| labels.as_ref().and_then(|all| all.get(name)).cloned();
    Some((Project::new(label(PROJECT)?), Address::new(label(ADDRESS)?)))
}

pub(crate) fn owner(labels: &Labels, project: &Project) -> Owner {
    match of(labels) {
        Some((theirs, address)) if theirs == *project => Owner::Ours(address),
        Some((theirs, address)) => Owner::Project(theirs, address),
        None => Owner::Nobody,
    }
}

/// Whether it carries a project's mark, its own or one it has from its image: what the engine's filter finds.
pub(crate) fn is_of(labels: &Labels, project: &Project) -> bool {
    let named = labels.as_ref().and_then(|all| all.get(PROJECT));
    named.is_some_and(|named| named == project.as_str())
}

/// What is told of an object that is not ours: `thing` as in "container `x` (id 0123)".
pub(crate) fn foreign(thing: &str, owner: &Owner) -> String {
    match owner {
        Owner::Project(project, address) => {
            format!("{thing} belongs to {address} of project `{project}`")
        }
        Owner::Ours(_) | Owner::Nobody => format!("{thing} was not made by infra"),
    }
}

/// As `docker ps` shows an id.
pub(crate) fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_whose_it_is() {
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("workload.a"),
        };
        let ours = Some(labels(&mark));
        assert_eq!(
            owner(&ours, &mark.project),
            Owner::Ours(mark.address.clone())
        );
        let theirs = owner(&ours, &Project::new("other"));
        assert_eq!(
            foreign("volume `v`", &theirs),
            "volume `v` belongs to workload.a of project `demo`"
        );
        assert_eq!(owner(&None, &mark.project), Owner::Nobody);
        let half = Some(BTreeMap::from([(PROJECT.to_owned(), "demo".to_owned())]));
        assert_eq!(owner(&half, &mark.project), Owner::Nobody);
    }
}
