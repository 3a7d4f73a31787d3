//! How the CPUs of a unit of systemd's own are changed: systemd writes its control groups itself, so it is told, and what is
//! found there is told to it again in the end. What it is told it keeps in a file of its own, which outdoes every drop-in: so
//! what somebody else has told it is told over.

use infra_door::quoted;

/// For a shell that has `value`.
pub(super) fn set(unit: &str) -> String {
    // (nobody may have logged in yet; a scope is started by who is in it)
    let start = match unit.strip_suffix(".slice") {
        Some(_) => format!("systemctl start {}\n", quoted(unit)),
        None => String::new(),
    };
    let unit = quoted(unit);
    format!(
        "{start}\
         systemctl set-property {unit} \"AllowedCPUs=$value\"\n"
    )
}

/// For a shell that has `knob`, and what was `found` there. Once a unit has CPUs of its own the kernel does not take that it has
/// none any more: where it had all there are it is told those, and systemd nothing.
pub(super) fn put_back(unit: &str) -> String {
    let unit = quoted(unit);
    format!(
        "all=$(cat /sys/fs/cgroup/cpuset.cpus.effective)\n\
         if [ \"$found\" != \"$all\" ]; then systemctl set-property {unit} \"AllowedCPUs=$found\"\n\
         else\n\
         systemctl set-property {unit} AllowedCPUs=\n\
         rm -f /etc/systemd/system.control/{unit}.d/50-AllowedCPUs.conf\n\
         rmdir /etc/systemd/system.control/{unit}.d 2> /dev/null || true\n\
         fi\n"
    )
}
