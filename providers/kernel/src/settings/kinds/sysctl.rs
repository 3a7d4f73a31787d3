//! What sysctl(8) has a name for: systemd-sysctl writes it at each start, and again for a network device that comes later.

use infra_api::target::KernelSetting;

use super::{Kind, plain};

const BELOW: &str = "/proc/sys/";

pub(super) const KIND: Kind = Kind {
    is: |file| file.starts_with(BELOW),
    records: ("/etc/sysctl.d", "conf"),
    rule,
    ..plain::KIND
};

fn rule(setting: &KernelSetting) -> String {
    let KernelSetting { file, value, .. } = setting;
    format!("{} = {value}", file.strip_prefix(BELOW).unwrap_or(file))
}
