//! A declared volume stays where it is: the workload goes to it.

use infra_api::Runtime;

use super::OfHost;

pub(super) const GATE: OfHost = OfHost {
    name: "volume",
    closed: |workload, runtime, host, homes| {
        let daemons = workload
            .disks
            .iter()
            .find(|disk| disk.volume.is_some() || disk.path.is_some() || disk.remote.is_some());
        if let Some(disk) = daemons.filter(|_| runtime == Runtime::BareMetal) {
            let label = &disk.label;
            return Some(format!(
                "its disk `{label}` is a volume or a block device, and a process on the metal has folders"
            ));
        }
        let attached = workload
            .disks
            .iter()
            .filter_map(|disk| disk.volume.as_ref());
        let mut elsewhere = attached.filter_map(|volume| {
            let home = homes.get(&volume.value)?;
            let here = home.host == host.declared.name && home.runtime.is_none_or(|r| r == runtime);
            let kind = home
                .runtime
                .map_or_else(String::new, |r| format!(", as a {r}'s"));
            (!here).then(|| format!("its `{}` is on {}{kind}", volume.value, home.host))
        });
        elsewhere.next()
    },
};
