//! Whose an object is. Nothing is changed or deleted before [`ours`] has said yes.

use infra_api::{Address, Failure, Mark, Observed, Project, Remedy};
use serde::Serialize;

/// The address an object of this project was made for; of another's, what is to be said about it.
pub(crate) fn owner(
    what: &str,
    found: Option<&Mark>,
    project: &Project,
) -> Result<Address, String> {
    match found {
        Some(mark) if mark.project == *project => Ok(mark.address.clone()),
        Some(mark) => Err(format!(
            "{what} belongs to {} of the project `{}`",
            mark.address, mark.project
        )),
        None => Err(format!("{what} was not made by infra")),
    }
}

/// Refuses to touch what is not ours.
pub(crate) fn ours(what: &str, found: Option<&Mark>, project: &Project) -> Result<(), Failure> {
    let refused = |why| {
        Failure::new(Remedy::Replan, format!("taking {what}"), why)
            .hint("rename it, or remove it by hand if nobody needs it: infra changes only what it has made")
    };
    owner(what, found, project).map(|_| ()).map_err(refused)
}

/// Somebody has made it since the plan found none of its name.
pub(crate) fn taken(doing: String) -> Failure {
    Failure::new(
        Remedy::Replan,
        doing,
        "the world changed meanwhile: it was not there while planning, and is now",
    )
    .hint("nothing was done to it; plan again")
}

/// What a change may touch: what carries the mark, and the one object without any that was imported.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) mark: Mark,
    /// Its UUID.
    pub(crate) imported: Option<String>,
}

impl Claim {
    /// Refuses to touch what is not ours: it carries another's mark, or none and is not the very one.
    pub(crate) fn may(
        &self,
        what: &str,
        found: Option<&Mark>,
        identity: &str,
    ) -> Result<(), Failure> {
        match (found, &self.imported) {
            (None, Some(imported)) if imported == identity => Ok(()),
            _ => ours(what, found, &self.mark.project),
        }
    }
}

/// An object of ours that is whole.
pub(crate) fn present(address: Address, body: &impl Serialize) -> Result<Observed, Failure> {
    match serde_json::to_value(body) {
        Ok(body) => Ok(Observed::Present {
            address,
            body: body.into(),
        }),
        Err(why) => Err(Failure::new(
            Remedy::Operator,
            format!("reading what was made for {address}"),
            why,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a mark only the very object that was imported may be touched, and with another's mark none.
    #[test]
    fn what_is_imported_is_known_by_its_uuid() {
        let mark = |project: &str| Mark {
            project: Project::new(project),
            address: Address::new("workload.a"),
        };
        let may = |found: Option<&Mark>, imported: Option<&str>| {
            let claim = Claim {
                mark: mark("demo"),
                imported: imported.map(str::to_owned),
            };
            claim.may("it", found, "1").is_ok()
        };
        assert!(may(None, Some("1")));
        assert!(!may(None, Some("2")) && !may(None, None));
        assert!(may(Some(&mark("demo")), None));
        assert!(!may(Some(&mark("other")), Some("1")));
    }

    #[test]
    fn only_this_projects_objects_are_ours() {
        let project = Project::new("demo");
        let mark = |project: &str| Mark {
            project: Project::new(project),
            address: Address::new("workload.a"),
        };
        assert!(ours("it", Some(&mark("demo")), &project).is_ok());
        assert!(
            ours("it", Some(&mark("other")), &project)
                .unwrap_err()
                .cause
                .contains("`other`")
        );
        assert!(
            ours("it", None, &project)
                .unwrap_err()
                .cause
                .contains("was not made by infra")
        );
    }
}
