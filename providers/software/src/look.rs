//! What is there: one script tells of every mark on the host, and what lies beside it now.

use infra_api::target::{Package, UnpackedFiles};
use infra_api::{Failure, Observed, Project, Remedy};
use infra_door::{Door, NOT_ROOT, Order};
use serde_json::json;

use crate::mark::Record;
use crate::{FILES, PACKAGE};

/// What the script says first, so that a greeting of the login shell is told from the rest.
const HEAD: &str = "infra-software 1";

/// Where the marks of packages are.
pub(crate) const PACKAGES: &str = "/var/lib/infra/packages";

/// What every script knows how to ask.
///
/// `tree FOLDER`: a digest of all that is below it, by names, kinds, modes, owners, sizes and times; not of contents, which
/// would all have to be read. `installed NAME`: the version of a package that is.
pub(crate) const ASKS: &str = "LC_ALL=C; export LC_ALL\n\
    tree() {\n\
    (cd \"$1\" 2> /dev/null && find . \\( -type d -printf '%P %y %m %U %G\\n' \\) -o -printf '%P %y %m %U %G %s %T@ %l\\n' | sort | sha256sum | cut -c 1-64)\n\
    }\n\
    installed() {\n\
    dpkg-query -W -f '${db:Status-Status} ${Version}\\n' -- \"$1\" 2> /dev/null | sed -n 's/^installed //p'\n\
    }\n";

/// One mark, and what was found beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    kind: &'static str,
    record: Record,
    /// A digest of the files, a package's version; empty where it is not there.
    said: String,
}

/// Looks at all of them.
///
/// # Errors
/// When the host does not tell.
pub(crate) async fn look(door: &Door) -> Result<Vec<Seen>, Failure> {
    let doing = "looking at unpacked files and packages";
    let script = script();
    let order = Order::script(doing, &script);
    let said = door.reads(order).await?;
    parse(&said.stdout).ok_or_else(|| {
        let doing = format!("{doing} on host `{}`", door.host());
        Failure::new(Remedy::Retry, doing, "what came back is cut off")
    })
}

fn script() -> String {
    let files = UnpackedFiles::FOLDER;
    let one = |kind: &str, said: &str| {
        format!(
            "[ -f \"$it\" ] || continue\n\
             [ \"$(id -u)\" = 0 ] || {{ printf '{NOT_ROOT}'; exit 0; }}\n\
             printf '%s\\0' {kind}; cat \"$it\"; printf '\\0'; {said}; printf '\\0'\n\
             done\n"
        )
    };
    let (files_are, package_is) = (
        one(FILES, "tree \"${it%.mark}\""),
        one(PACKAGE, "installed \"$(sed -n 's/^name=//p' \"$it\")\""),
    );
    format!(
        "{ASKS}printf '%s\\0' '{HEAD}'\n\
         for it in {files}/*/*.mark; do\n{files_are}\
         for it in {PACKAGES}/*.mark; do\n{package_is}\
         printf '\\0'\n"
    )
}

pub(crate) fn parse(output: &[u8]) -> Option<Vec<Seen>> {
    let text = String::from_utf8_lossy(output);
    let (_, rest) = text.split_once(&format!("{HEAD}\0"))?;
    let mut words = rest.strip_suffix('\0')?.split_terminator('\0');
    let mut all = Vec::new();
    while let Some(kind) = words.next() {
        let kind = [FILES, PACKAGE].into_iter().find(|known| *known == kind)?;
        let (record, said) = (words.next()?, words.next()?.trim().to_owned());
        // What is no mark of ours is none of our business.
        if let Some(record) = Record::parse(record) {
            all.push(Seen { kind, record, said });
        }
    }
    Some(all)
}

/// The kinds and names of what is a project's.
pub(crate) fn own<'a>(
    all: &'a [Seen],
    project: &'a Project,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let own = all.iter().filter(|seen| seen.record.project == *project);
    own.map(|seen| (seen.kind, seen.record.name.as_str()))
}

/// What a project has under a name.
pub(crate) fn observed(all: &[Seen], project: &Project, (kind, name): (&str, &str)) -> Observed {
    let mut named = all
        .iter()
        .filter(|seen| seen.kind == kind && seen.record.name == name);
    match named
        .clone()
        .find(|seen| seen.record.project == *project)
        .or_else(|| named.next())
    {
        None => Observed::Absent,
        Some(seen) if seen.record.project != *project => Observed::Foreign {
            what: format!("a {kind} of project `{}`", seen.record.project),
            unmarked: None,
        },
        Some(seen) if kind == PACKAGE => Observed::Present {
            address: seen.record.address.clone(),
            body: json!(Package {
                name: name.to_owned(),
                version: seen.said.clone(),
            })
            .into(),
        },
        Some(seen) => unpacked(seen),
    }
}

fn unpacked(seen: &Seen) -> Observed {
    let Seen { record, said, .. } = seen;
    let address = record.address.clone();
    let why = match (&record.sha256, &record.tree) {
        (Some(sha256), Some(tree)) if tree == said => {
            let files = UnpackedFiles {
                name: record.name.clone(),
                sha256: sha256.clone(),
            };
            return Observed::Present {
                address,
                body: json!(files).into(),
            };
        }
        (_, None) | (None, _) => "they were not unpacked to the end",
        _ if said.is_empty() => "their folder is gone",
        _ => "some of them were changed, added or removed",
    };
    Observed::Partial {
        address,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn record(project: &str, name: &str, more: &str) -> String {
        format!("project={project}\naddress=image.feed\nname={name}\n{more}")
    }

    #[test]
    fn whose_it_is_and_whether_it_is_whole() {
        let whole = "sha256=00ff\ntree=aa\n";
        let parts = [
            ("files", record("a", "a.x/1", whole), "aa\n"),
            ("files", record("a", "a.x/2", whole), "bb\n"),
            ("files", record("a", "a.x/3", whole), ""),
            ("files", record("a", "a.x/4", "sha256=00ff\n"), "aa\n"),
            ("package", record("b", "redis", "found=\n"), "5:7.0-1\n"),
            ("package", record("a", "nginx", "found=\n"), ""),
        ];
        let parts: String = parts
            .iter()
            .map(|(kind, record, said)| format!("{kind}\0{record}\0{said}\0"))
            .collect();
        let output = format!("Welcome\n{HEAD}\0{parts}\0");
        let all = parse(output.as_bytes()).unwrap();
        let a = Project::new("a");
        let of = |kind, name| observed(&all, &a, (kind, name));
        let Observed::Present { body, .. } = of(FILES, "a.x/1") else {
            panic!("{all:?}")
        };
        assert_eq!(*body, json!({ "name": "a.x/1", "sha256": "00ff" }));
        for (name, why) in [("2", "changed"), ("3", "gone"), ("4", "to the end")] {
            let name = format!("a.x/{name}");
            let found = observed(&all, &a, (FILES, &name));
            let told = matches!(&found, Observed::Partial { why: said, .. } if said.contains(why));
            assert!(told, "{found:?}");
        }
        assert!(matches!(of(PACKAGE, "redis"), Observed::Foreign { .. }));
        let Observed::Present { body, .. } = of(PACKAGE, "nginx") else {
            panic!("it is ours, and removed")
        };
        assert_eq!(*body, json!({ "name": "nginx", "version": "" }));
        assert_eq!(of(PACKAGE, "a.x/1"), Observed::Absent);
        assert_eq!(own(&all, &a).count(), 5);
        assert_eq!(parse(&output.as_bytes()[..output.len() - 4]), None);
    }

    /// What a shell says of a folder, as it is and changed in one way.
    #[test]
    fn every_change_of_unpacked_files_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        let tree = |change: &str| {
            let script = format!("{ASKS}cd '{at}' && {{ {change}; }} && tree '{at}'");
            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert!(output.status.success(), "{change}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let mut before = tree("mkdir d; echo x > d/a; ln -s a b");
        assert_eq!(before.trim().len(), 64);
        assert_eq!(tree("true"), before);
        for change in [
            "echo y > c",
            "chmod 600 d/a",
            "touch -d @1 d/a",
            "printf xyz > d/a; touch -d @1 d/a",
            "rm b; ln -s c b",
            "rm c",
            "mkdir e",
        ] {
            let after = tree(change);
            assert_ne!(after, before, "{change}");
            before = after;
        }
        assert_eq!(tree("cd /; rm -r /nonexistent-it || true"), before);
    }
}
