//! [`Security`] ⇄ JSON.

use std::collections::BTreeSet;

use bollard::models::HostConfig;
use infra_api::target::Security;
use serde::Deserialize;

use super::{Set, some, sorted};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    cap_add: Option<Vec<String>>,
    cap_drop: Option<Vec<String>>,
    security_opt: Option<Vec<String>>,
    privileged: bool,
    readonly_rootfs: bool,
}

const NO_NEW_PRIVILEGES: &str = "no-new-privileges";

pub(crate) fn encode(wanted: &Security, host: &mut HostConfig) {
    let Security {
        drop,
        add,
        no_new_privileges,
        privileged,
        seccomp,
        apparmor,
        selinux,
        read_only,
    } = wanted;
    let option = |name: &str, value: &String| format!("{name}={value}");
    let options: Vec<String> = no_new_privileges
        .then(|| NO_NEW_PRIVILEGES.to_owned())
        .into_iter()
        .chain(seccomp.iter().map(|profile| option("seccomp", profile)))
        .chain(apparmor.iter().map(|profile| option("apparmor", profile)))
        .chain(selinux.iter().map(|label| option("label", label)))
        .collect();
    host.cap_drop = some(drop.clone());
    host.cap_add = some(add.clone());
    host.security_opt = some(options);
    host.privileged = privileged.then_some(true);
    host.readonly_rootfs = read_only.then_some(true);
}

/// With the host's processes or shared memory the engine itself asks for `disable`.
pub(crate) fn set(wanted: &Security) -> Vec<String> {
    super::named("security", &[("selinux", !wanted.selinux.is_empty())])
}

pub(crate) fn decode(found: &Found, set: &Set<'_>) -> Security {
    let options = found.security_opt.as_deref().unwrap_or_default();
    // Older engines write a colon, and keep it.
    let named = |name: &'static str| {
        let value = move |option: &String| {
            let rest = option.strip_prefix(name)?;
            rest.strip_prefix(['=', ':']).map(str::to_owned)
        };
        options.iter().filter_map(value)
    };
    let plain = options.iter().any(|option| option == NO_NEW_PRIVILEGES);
    Security {
        drop: capabilities(found.cap_drop.as_deref()),
        add: capabilities(found.cap_add.as_deref()),
        no_new_privileges: plain || named(NO_NEW_PRIVILEGES).any(|value| value == "true"),
        privileged: found.privileged,
        seccomp: named("seccomp").next_back(),
        apparmor: named("apparmor").next_back(),
        selinux: sorted(named("label").filter(|_| set.contains("security.selinux"))),
        read_only: found.readonly_rootfs,
    }
}

/// Newer engines tell `CAP_KILL` of what was asked for as `KILL`.
fn capabilities(names: Option<&[String]>) -> Vec<String> {
    let plain = |name: &String| {
        let upper = name.to_ascii_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    let names: BTreeSet<String> = names.unwrap_or_default().iter().map(plain).collect();
    names.into_iter().collect()
}
