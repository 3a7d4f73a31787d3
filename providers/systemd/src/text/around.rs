//! The files of slices and mounts, both ways.

use infra_api::Mark;
use infra_api::target::{HostMount, Slice, Unit};

use super::directives::{DIRECTIVES, LIVE, assignments};
use super::unit::{MADE, Marked, lines};
use super::words::{unwhole, whole};

/// What of a unit's control group a slice's has, too.
const LIMITS: [&str; 6] = [
    "MemoryMax",
    "MemoryLow",
    "MemorySwapMax",
    "TasksMax",
    "CPUWeight",
    "IOWeight",
];

/// Its limits, as if they were a unit's.
fn limited(slice: &Slice) -> Unit {
    Unit {
        limits: slice.limits.clone(),
        ..Unit::default()
    }
}

fn head(mark: &Mark) -> String {
    let Mark { project, address } = mark;
    let about = whole(&format!("{address} of {project}"));
    format!(
        "{MADE}[X-Infra]\nProject={project}\nAddress={address}\n\n[Unit]\nDescription={about}\n"
    )
}

pub(crate) fn encode_slice(slice: &Slice, mark: &Mark) -> String {
    let unit = limited(slice);
    let own = DIRECTIVES.iter().filter(|d| LIMITS.contains(&d.name));
    let lines = own.filter_map(|d| Some(format!("{}={}\n", d.name, (d.write)(&unit)?)));
    format!("{}\n[Slice]\n{}", head(mark), lines.collect::<String>())
}

/// The assignments that make a slice's control group as it is wanted.
pub(crate) fn live_slice(slice: &Slice) -> Vec<String> {
    let own = LIVE.iter().filter(|(name, _)| LIMITS.contains(name));
    assignments(&limited(slice), own)
}

pub(crate) fn encode_mount(mount: &HostMount, mark: &Mark) -> String {
    let mut out = head(mark) + "\n[Mount]\n";
    let mut line = |name: &str, value: &str| out += &format!("{name}={}\n", whole(value));
    line("What", &mount.source);
    line("Where", &mount.path);
    if let Some(kind) = &mount.kind {
        line("Type", kind);
    }
    if !mount.options.is_empty() {
        line("Options", &mount.options.join(","));
    }
    out + "\n[Install]\nWantedBy=multi-user.target\n"
}

/// A slice by its texts, its own first. Nothing where it carries no mark; then the line that is not understood.
pub(crate) fn decode_slice(name: &str, texts: &[String]) -> Option<(Mark, Slice, Option<String>)> {
    let (mut marked, mut unit, mut odd) = (Marked::default(), Unit::default(), None);
    for (section, line, said) in texts.iter().flat_map(|text| lines(text)) {
        let read = said.and_then(|(name, value)| match section {
            "X-Infra" => marked.read(name, value),
            "Slice" if LIMITS.contains(&name) => {
                let directive = DIRECTIVES.iter().find(|d| d.name == name)?;
                (directive.read)(&mut unit, value)
            }
            "Unit" if name == "Description" => Some(()),
            _ => {
                let other = format!("{section}.{name}");
                unit.others.insert(other, value.to_owned());
                Some(())
            }
        });
        if read.is_none() {
            odd = Some(line.to_owned());
        }
    }
    let slice = Slice {
        name: name.to_owned(),
        limits: unit.limits,
        others: unit.others,
    };
    Some((marked.mark()?, slice, odd))
}

/// The same of a mount, without its state.
pub(crate) fn decode_mount(
    name: &str,
    texts: &[String],
) -> Option<(Mark, HostMount, Option<String>)> {
    let (mut marked, mut odd) = (Marked::default(), None);
    let mut mount = HostMount {
        name: name.to_owned(),
        ..HostMount::default()
    };
    for (section, line, said) in texts.iter().flat_map(|text| lines(text)) {
        let read = said.and_then(|(name, value)| {
            match (section, name) {
                ("X-Infra", _) => return marked.read(name, value),
                ("Mount", "What") => mount.source = unwhole(value),
                ("Mount", "Where") => mount.path = unwhole(value),
                ("Mount", "Type") => mount.kind = Some(unwhole(value)),
                ("Mount", "Options") => {
                    let options = unwhole(value);
                    mount.options = options.split(',').map(str::to_owned).collect();
                    mount.options.sort();
                }
                ("Unit", "Description") | ("Install", "WantedBy") => {}
                _ => {
                    let other = format!("{section}.{name}");
                    mount.others.insert(other, value.to_owned());
                }
            }
            Some(())
        });
        if read.is_none() {
            odd = Some(line.to_owned());
        }
    }
    Some((marked.mark()?, mount, odd))
}

#[cfg(test)]
mod tests {
    use infra_api::target::UnitLimits;
    use infra_api::{Address, Project};

    use super::*;

    fn mark() -> Mark {
        Mark {
            project: Project::new("demo"),
            address: Address::new("slice.desk"),
        }
    }

    fn slice() -> Slice {
        Slice {
            name: "infra-demo.desk".to_owned(),
            limits: UnitLimits {
                memory_bytes: Some(1 << 30),
                cpu_weight: Some(500),
                ..UnitLimits::default()
            },
            ..Slice::default()
        }
    }

    fn mount() -> HostMount {
        HostMount {
            name: "srv-100\\x25".to_owned(),
            path: "/srv/100%".to_owned(),
            source: "LABEL=100%".to_owned(),
            kind: Some("ext4".to_owned()),
            options: vec!["noatime".to_owned(), "ro".to_owned()],
            ..HostMount::default()
        }
    }

    #[test]
    fn they_are_written_like_this() {
        let head = "\
# Made by infra: what is changed here by hand is undone by the next apply.
[X-Infra]
Project=demo
Address=slice.desk

[Unit]
Description=slice.desk of demo

";
        let own = "[Slice]\nMemoryMax=1073741824\nCPUWeight=500\n";
        assert_eq!(encode_slice(&slice(), &mark()), format!("{head}{own}"));
        let own = "[Mount]\nWhat=LABEL=100%%\nWhere=/srv/100%%\nType=ext4\nOptions=noatime,ro\n\n\
                   [Install]\nWantedBy=multi-user.target\n";
        assert_eq!(encode_mount(&mount(), &mark()), format!("{head}{own}"));
    }

    #[test]
    fn what_is_written_is_read() {
        let read = decode_slice("infra-demo.desk", &[encode_slice(&slice(), &mark())]);
        assert_eq!(read, Some((mark(), slice(), None)));
        let read = decode_mount("srv-100\\x25", &[encode_mount(&mount(), &mark())]);
        assert_eq!(read, Some((mark(), mount(), None)));
        assert_eq!(decode_mount("a", &["[Mount]\nWhat=x\n".to_owned()]), None);
    }

    #[test]
    fn what_is_laid_over_them_is_told() {
        let laid = "[Slice]\nCPUWeight=20\nCPUQuota=5%\n".to_owned();
        let read = decode_slice("a", &[encode_slice(&slice(), &mark()), laid]);
        let (_, slice, _) = read.unwrap();
        assert_eq!(slice.limits.cpu_weight, Some(20));
        assert_eq!(slice.others["Slice.CPUQuota"], "5%");
        let laid = "[Mount]\nOptions=rw\nLazyUnmount=true\n".to_owned();
        let (_, mount, _) = decode_mount("a", &[encode_mount(&mount(), &mark()), laid]).unwrap();
        assert_eq!(mount.options, ["rw"]);
        assert_eq!(mount.others["Mount.LazyUnmount"], "true");
        let odd = encode_slice(&self::slice(), &mark()).replace("=500", "=many");
        let (_, _, odd) = decode_slice("a", &[odd]).unwrap();
        assert_eq!(odd.as_deref(), Some("CPUWeight=many"));
    }

    #[test]
    fn a_running_slice_is_told_all_of_its_limits() {
        let told = live_slice(&slice());
        let all = "MemoryMax=1073741824 MemoryLow=0 MemorySwapMax=infinity TasksMax=infinity CPUWeight=500 IOWeight=100";
        assert_eq!(told.join(" "), all);
    }
}
