//! On which CPUs the kernel's own work goes on, as a mask of them: its unbound workers, and interrupts.

use infra_api::target::KernelSetting;

use super::{Kind, plain};

const INTERRUPTS: &str = "/proc/irq/default_smp_affinity";

pub(super) const KIND: Kind = Kind {
    is: |file| file.ends_with("/cpumask") || file == INTERRUPTS,
    // (digits of CPUs that there are not)
    said: Some((
        "*/cpumask | /proc/irq/default_smp_affinity",
        "sed 's/^[0,]*//' \"$1\"\n",
    )),
    rule,
    set: |setting| format!("{}{}", plain::WRITE, interrupts(&setting.file, "$value")),
    put_back: |file| format!("{}{}", plain::WRITE_BACK, interrupts(file, "$found")),
    ..plain::KIND
};

/// Those that come later have the default. Some of those that are there are the kernel's own to place: they do not take it.
fn interrupts(file: &str, mask: &str) -> String {
    match file {
        INTERRUPTS => format!(
            "for it in /proc/irq/[0-9]*/smp_affinity; do\n\
             {{ echo \"{mask}\" > \"$it\"; }} 2> /dev/null || true\n\
             done\n"
        ),
        _ => String::new(),
    }
}

fn rule(setting: &KernelSetting) -> String {
    let rule = plain::rule(setting);
    match setting.file.as_str() {
        INTERRUPTS => format!(
            "{rule}\nw- /proc/irq/[0-9]*/smp_affinity - - - - {}",
            setting.value
        ),
        _ => rule,
    }
}
