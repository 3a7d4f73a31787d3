//! The file that says whose something is: written before anything of it is there, removed after all of it is gone.

use infra_api::{Address, Mark, Project};

/// What stands in it, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) project: Project,
    pub(crate) address: Address,
    pub(crate) name: String,
    /// Of unpacked files: the archive's.
    pub(crate) sha256: Option<String>,
    /// Of unpacked files: what was seen of all of them when they were whole.
    pub(crate) tree: Option<String>,
}

/// Its first lines.
pub(crate) fn head(mark: &Mark, name: &str) -> String {
    let Mark { project, address } = mark;
    format!(
        "# Written by infra: whose this is.\nproject={project}\naddress={address}\nname={name}\n"
    )
}

impl Record {
    /// Nothing where it is none of ours, or cut off.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned());
            text.lines().find_map(value)
        };
        Some(Self {
            project: Project::new(field("project")?),
            address: Address::new(field("address")?),
            name: field("name")?,
            sha256: field("sha256"),
            tree: field("tree"),
        })
    }
}
