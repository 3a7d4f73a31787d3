//! On which CPUs one of systemd's own units may run (a slice, or process 1's scope): systemd writes its control groups itself, so it
//! is told, and what is found there is told to it again in the end. What it is told it keeps in a file of its own, which
//! outdoes every drop-in: so what somebody else has told it is told over.

use infra_api::target::KernelSetting;
use infra_door::quoted;

use super::{Kind, plain};

pub(super) const KIND: Kind = Kind {
    is: |file| unit(file).is_some(),
    said: Some(("/sys/fs/cgroup/*/cpuset.cpus", SAID)),
    records: ("/etc/systemd/system/*.d", "conf"),
    star: |file| unit(file).unwrap_or_default(),
    shared: false,
    rule,
    must: "",
    set,
    put_back,
    // (the folder of its drop-ins may have been made for this one)
    after: "rmdir \"${record%/*}\" 2> /dev/null || true\n",
};

fn unit(file: &str) -> Option<&str> {
    let below = file.strip_prefix("/sys/fs/cgroup/")?;
    let unit = below.strip_suffix("/cpuset.cpus")?;
    (!unit.contains('/')).then_some(unit)
}

/// Those it may really have: there is no file of its own until somebody gives it some.
const SAID: &str = "words=/sys/fs/cgroup/cpuset.cpus.effective\n\
    if [ -e \"$1.effective\" ]; then words=$1.effective; fi\n\
    cat \"$words\"\n";

fn rule(setting: &KernelSetting) -> String {
    let is_scope = unit(&setting.file).is_some_and(|unit| unit.ends_with(".scope"));
    let section = if is_scope { "Scope" } else { "Slice" };
    format!("[{section}]\nAllowedCPUs={}", setting.value)
}

fn set(setting: &KernelSetting) -> String {
    let unit = unit(&setting.file).unwrap_or_default();
    // (nobody may have logged in yet; a scope is started by who is in it)
    let start = match unit.strip_suffix(".slice") {
        Some(_) => format!("systemctl start {}\n", quoted(unit)),
        None => String::new(),
    };
    format!(
        "{start}systemctl set-property {} \"AllowedCPUs=$value\"\n",
        quoted(unit)
    )
}

/// Once a unit has CPUs of its own the kernel does not take that it has none any more: where it had all there are it is told
/// those, and systemd nothing.
fn put_back(file: &str) -> String {
    let unit = quoted(unit(file).unwrap_or_default());
    format!(
        "all=$(cat /sys/fs/cgroup/cpuset.cpus.effective)\n\
         if [ \"$found\" != \"$all\" ]; then systemctl set-property {unit} \"AllowedCPUs=$found\"\n\
         else\n\
         systemctl set-property {unit} AllowedCPUs=\n\
         for of in /etc/systemd/system.control /run/systemd/transient; do\n\
         rm -f $of/{unit}.d/50-AllowedCPUs.conf\n\
         rmdir $of/{unit}.d 2> /dev/null || true\n\
         done\n\
         fi\n{}",
        plain::WRITE_BACK
    )
}
