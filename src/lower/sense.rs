//! What libvirt accepts in a machine and cannot mean, or refuses only when it starts: said while planning.

use std::collections::BTreeSet;

use infra_api::target::{Acceleration, GuestCell};
use infra_api::{CpuPolicy, Runtime};

use super::Lowering;
use super::machine::is_kind;
use crate::declared::{Kvm, Numa, Workload};

impl Lowering<'_> {
    /// `vcpus`: how many there can be.
    pub(super) fn meaningless(&mut self, workload: &Workload, form: &Kvm, vcpus: u32) {
        self.topology(form, vcpus);
        self.queues(workload, form, vcpus);
        self.emulation(form);
        self.sockets(workload, form);
        let (hardware, memory) = (&form.hardware, &workload.memory);
        if let Some(maximum) = memory
            .maximum_bytes
            .as_ref()
            .filter(|_| hardware.locked_memory)
        {
            let text = "locked memory is taken whole: a balloon cannot give it back";
            self.error(
                maximum.span,
                "Locked memory that could be given back",
                text,
                "leave one of the two out",
            );
        }
        if let Some(maximum) = memory
            .maximum_bytes
            .as_ref()
            .filter(|_| hardware.without_balloon)
        {
            let text = "without a balloon the guest has all of it";
            let hint = "leave `maximum` or `balloon = false` out";
            self.error(maximum.span, "Memory that cannot be given back", text, hint);
        }
        self.alone_on_its_cpus(workload, form);
        self.boot_order(workload, form);
    }

    /// What would hold up whoever shares its CPUs.
    fn alone_on_its_cpus(&mut self, workload: &Workload, form: &Kvm) {
        if workload.cpus.policy == CpuPolicy::Dedicated {
            return;
        }
        let hint = form.dedicated_hint.as_ref().filter(|told| told.value);
        let written = [
            ("dedicated_hint", hint.map(|told| told.span)),
            (
                "realtime",
                form.realtime.as_ref().map(|priority| priority.span),
            ),
        ];
        for (word, span) in written {
            if let Some(span) = span {
                let text = format!("`{word}` on CPUs that it shares");
                let hint = "write `cpus { policy = \"dedicated\" }`, or leave it out";
                self.error(span, "CPUs that are not its own", &text, hint);
            }
        }
    }

    /// Kinds, or devices that are there; each once.
    fn boot_order(&mut self, workload: &Workload, form: &Kvm) {
        let (words, span) = (&form.boot.value, form.boot.span);
        let mut sorted: Vec<&String> = words.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            let hint = "name each once";
            self.error(span, "Boot order names one thing twice", "see `boot`", hint);
        }
        let devices: Vec<&String> = words.iter().filter(|word| !is_kind(word)).collect();
        if !devices.is_empty() && devices.len() < words.len() {
            let text = "kinds and devices in one order";
            let hint = "name every device that is to be tried, or kinds alone";
            self.error(span, "Boot order of two kinds", text, hint);
        }
        let disks = workload.disks.iter().map(|d| format!("disk.{}", d.label));
        let nics = workload.interfaces.iter();
        let there: Vec<String> = disks
            .chain(nics.map(|nic| format!("interface.{}", nic.label)))
            .chain(form.cdroms.iter().map(|c| format!("cdrom.{}", c.label)))
            .chain(form.image.is_some().then(|| "image".to_owned()))
            .collect();
        for absent in devices.into_iter().filter(|word| !there.contains(word)) {
            let text = format!("it has no `{absent}`");
            let hint = match there.is_empty() {
                true => "write `disk`, `cdrom` or `network`".to_owned(),
                false => format!(
                    "it has {}; kinds are disk, cdrom and network",
                    there.join(", ")
                ),
            };
            self.error(span, "Nothing to boot from", &text, &hint);
        }
    }

    fn topology(&mut self, form: &Kvm, vcpus: u32) {
        let Some(topology) = form.hardware.topology else {
            return;
        };
        let product =
            u64::from(topology.sockets) * u64::from(topology.cores) * u64::from(topology.threads);
        if product != u64::from(vcpus) {
            let text = format!(
                "{} sockets × {} cores × {} threads are {product} CPUs, and it can have {vcpus}",
                topology.sockets, topology.cores, topology.threads
            );
            let hint = "make them multiply to `cpus.count`, or to its `maximum`";
            self.error(form.span, "Topology that does not come out", &text, hint);
        }
    }

    /// The threads of a core are on one node, as they are in every machine there is.
    pub(super) fn cells_fit(&mut self, form: &Kvm, numa: &Numa, cells: &[GuestCell]) {
        let threads = form
            .hardware
            .topology
            .map_or(1, |topology| topology.threads);
        let whole = |cell: &&GuestCell| cell.vcpus.len().is_multiple_of(threads.max(1) as usize);
        let (Some(span), Some(parted)) = (numa.span, cells.iter().find(|cell| !whole(cell))) else {
            return;
        };
        let text = format!(
            "a cell of {} CPUs parts a core of {threads} threads, as `topology` has them",
            parted.vcpus.len()
        );
        let hint = "make the CPUs of each cell a multiple of `threads`";
        self.error(span, "Core in two cells", &text, hint);
    }

    /// What a queue or a thread serves nobody with.
    fn queues(&mut self, workload: &Workload, form: &Kvm, vcpus: u32) {
        let of_nics = workload.interfaces.iter().filter_map(|i| i.queues.clone());
        let of_disks = workload.disks.iter().filter_map(|d| d.queues.clone());
        let queues: Vec<_> = of_nics
            .chain(of_disks)
            .filter(|q| q.value > vcpus)
            .collect();
        for queues in queues {
            let text = format!("{} queues for {vcpus} CPUs", queues.value);
            self.error(
                queues.span,
                "More queues than CPUs",
                &text,
                "at most one for each CPU is used",
            );
        }
        let threads = workload.disks.iter().filter_map(|d| d.iothread.clone());
        let absent: Vec<_> = threads.filter(|t| t.value > form.iothreads).collect();
        for thread in absent {
            let text = format!("there are {}", form.iothreads);
            let hint = "write `iothreads` in the `kvm` block";
            self.error(thread.span, "I/O thread that is not there", &text, hint);
        }
    }

    fn emulation(&mut self, form: &Kvm) {
        if form.acceleration != Acceleration::Emulated {
            return;
        }
        let cpu = form.hardware.cpu.as_ref();
        if cpu.is_some_and(|cpu| cpu.mode == "host-passthrough") {
            let text = "in software there is no host's CPU to pass through";
            self.error(
                form.span,
                "Host's CPU without KVM",
                text,
                "write another `mode`, or `acceleration = \"kvm\"`",
            );
        }
        if form.hardware.hyperv {
            let text = "QEMU's emulation has none of Hyper-V's interfaces";
            self.error(
                form.span,
                "Enlightenments without KVM",
                text,
                "leave `hyperv` out, or write `acceleration = \"kvm\"`",
            );
        }
    }

    /// What would be waited for in vain.
    pub(super) fn readiness(&mut self, workload: &Workload, form: &Kvm, seed: bool) {
        let Some(ready) = &form.ready else { return };
        let (asked, nics) = (&ready.value, !workload.interfaces.is_empty());
        let declared = &self.inputs.declared.networks;
        let networks = workload.interfaces.iter();
        let networks = networks.filter_map(|nic| declared.get(&nic.network.value));
        let networks: Vec<_> = networks.collect();
        let beside = networks.first().and_then(|n| n.driver.as_ref());
        let log = form.console_log.as_ref();
        let unread = log.is_some_and(|log| log.value == "none");
        let vain = [
            (
                unread && (asked.console.is_some() || asked.cloud_init),
                "what its console says is written nowhere",
                "leave `console_log` out, or give it a path",
            ),
            (
                asked.agent && !form.hardware.agent,
                "the guest agent has no channel",
                "write `agent = true` in the `kvm` block as well",
            ),
            (
                asked.lease && !nics,
                "it has no NIC that could get a lease",
                "write an `interface` block",
            ),
            (
                asked.lease && nics && networks.iter().all(|network| network.dhcp.is_none()),
                "none of its networks has DHCP of libvirt's",
                "write `dhcp {}` in one of them",
            ),
            (
                asked.port.is_some() && !nics,
                "it has no NIC that could take a connection",
                "write an `interface` block",
            ),
            (
                asked.port.is_some()
                    && networks.first().is_some_and(|n| n.range.is_none())
                    && beside.is_none_or(|d| d.value.name != "macvlan"),
                "the address of its first interface is others' to give: its network has no `subnet`",
                "wait for `agent`, or write `subnet` in the network",
            ),
            (
                asked.port.is_some() && beside.is_some_and(|d| d.value.name == "macvlan"),
                "its first interface is beside the host's device, where the host itself does not reach it",
                "wait for something else, or for `agent`",
            ),
            (
                asked.cloud_init && !seed,
                "it has no seed: cloud-init has nothing to do",
                "write `seed = true` or `user_data`",
            ),
        ];
        for (_, text, hint) in vain.into_iter().filter(|(vain, ..)| *vain) {
            self.error(ready.span, "Waited for in vain", text, hint);
        }
    }

    /// A context id is one guest's of a host.
    fn sockets(&mut self, workload: &Workload, form: &Kvm) {
        let Some(cid) = form.hardware.vsock_cid else {
            return;
        };
        let placements = self.inputs.placements;
        let host = |w: &Workload| {
            let placed = placements.get(&w.address)?;
            (placed.runtime == Runtime::Kvm).then_some(&placed.host)
        };
        let mut others = BTreeSet::new();
        for other in &self.inputs.declared.workloads {
            let same = other.kvm.as_ref().and_then(|k| k.hardware.vsock_cid) == Some(cid);
            if same && other.address < workload.address && host(other) == host(workload) {
                others.insert(other.address.to_string());
            }
        }
        if let Some(other) = others.pop_first() {
            let text = format!("`{other}` has the number {cid} on this host");
            self.error(
                form.span,
                "Socket number taken",
                &text,
                "give each guest another `vsock_cid`",
            );
        }
    }
}
