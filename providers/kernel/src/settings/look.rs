//! What is there: the records of every project on a host, and what the kernel says of each.

use infra_api::target::KernelSetting;
use infra_api::{Failure, Observed, Project, Remedy};
use infra_door::{Door, NOT_ROOT, Order};
use serde_json::json;

use super::kinds::{self, places, said};
use super::record::Record;

/// What the script says first, so that a greeting of the login shell is told from the rest.
const HEAD: &str = "infra-settings 1";

/// A record, and what its file says now; nothing where that is not there.
type Seen = (Record, Option<String>);

/// Looks at all of them.
///
/// # Errors
/// When the host does not tell.
pub(super) async fn look(door: &Door) -> Result<Vec<Seen>, Failure> {
    let files: String = places()
        .iter()
        .map(|(folder, end)| format!(" {folder}/infra.*.{end}"))
        .collect();
    let script = format!(
        "{}printf '%s\\0' '{HEAD}'\n\
         for it in{files}; do\n\
         [ -f \"$it\" ] || continue\n\
         [ \"$(id -u)\" = 0 ] || {{ printf '{NOT_ROOT}'; exit 0; }}\n\
         cat \"$it\"; printf '\\0'\n\
         file=$(sed -n 's/^# file=//p' \"$it\"); value=$(sed -n 's/^# value=//p' \"$it\")\n\
         if [ -e \"$file\" ]; then printf 1; (said \"$file\" \"$value\"); fi; printf '\\0'\n\
         done\n\
         printf '\\0'\n",
        said()
    );
    let doing = "looking at the kernel's settings";
    let order = Order::script(doing, &script);
    let said = door.reads(order).await?;
    parse(&said.stdout).ok_or_else(|| {
        let doing = format!("{doing} on host `{}`", door.host());
        Failure::new(Remedy::Retry, doing, "what came back is cut off")
    })
}

pub(super) fn parse(output: &[u8]) -> Option<Vec<Seen>> {
    let text = String::from_utf8_lossy(output);
    let (_, rest) = text.split_once(&format!("{HEAD}\0"))?;
    let mut words = rest.strip_suffix("\0")?.split_terminator('\0');
    let mut all = Vec::new();
    while let Some(record) = words.next() {
        let said = words.next()?;
        // What is no record of ours is none of our business.
        if let Some(record) = Record::parse(record) {
            all.push((record, said.strip_prefix('1').map(KernelSetting::said)));
        }
    }
    Some(all)
}

/// What a project has of a file.
pub(super) fn observed(all: &[Seen], project: &Project, file: &str) -> Observed {
    let mut of_file = all.iter().filter(|(record, _)| record.file == file);
    match of_file
        .clone()
        .find(|(record, _)| record.project == *project)
    {
        Some((record, said)) => present(record, said.as_deref()),
        None => match of_file.next().filter(|_| !kinds::of(file).shared) {
            Some((other, _)) => Observed::Foreign {
                what: format!("a setting of project `{}`", other.project),
                unmarked: None,
            },
            None => Observed::Absent,
        },
    }
}

/// As it is now, whatever it was to be.
fn present(record: &Record, said: Option<&str>) -> Observed {
    let Record {
        address,
        file,
        value,
        ..
    } = record;
    match said {
        Some(said) => {
            let mut setting = KernelSetting::new(file, said);
            if value.as_deref() != Some(said) {
                setting.next_start = Some(value.clone().unwrap_or_default());
            }
            Observed::Present {
                address: address.clone(),
                body: json!(setting).into(),
            }
        }
        None => Observed::Partial {
            address: address.clone(),
            why: format!("{file} is not there any more"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_setting_is_and_what_it_says() {
        let record = |project: &str, file: &str| {
            format!("# project={project}\n# address=host.r1\n# file={file}\n# value=8\n# found=0\n")
        };
        let (ours, theirs, gone) = (
            record("a", "/sys/x"),
            record("b", "/sys/y"),
            record("a", "/sys/z"),
        );
        let output = format!("Welcome\n{HEAD}\0{ours}\x001 7\n\0{theirs}\x001b\n\0{gone}\0\0\0");
        let all = parse(output.as_bytes()).unwrap();
        let (a, x) = (Project::new("a"), "/sys/x");
        let Observed::Present { body, .. } = observed(&all, &a, x) else {
            panic!("{all:?}")
        };
        assert_eq!(
            *body,
            json!({ "file": "/sys/x", "value": "7", "next_start": "8" })
        );
        assert!(matches!(
            observed(&all, &a, "/sys/y"),
            Observed::Foreign { .. }
        ));
        assert!(matches!(
            observed(&all, &a, "/sys/z"),
            Observed::Partial { .. }
        ));
        assert_eq!(observed(&all, &a, "/sys/w"), Observed::Absent);
        assert_eq!(parse(&output.as_bytes()[..output.len() - 4]), None);
        assert_eq!(parse(format!("{HEAD}\0\0").as_bytes()), Some(Vec::new()));
    }
}
