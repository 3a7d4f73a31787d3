//! The steps of [`crate::way`], done to a running domain.

use std::thread;
use std::time::{Duration, Instant};

use infra_api::target::{Machine, MachineDisk, MachineInterface};
use infra_api::{Failure, Mark, Remedy};
use virt::connect::Connect;
use virt::domain::{Domain, NUMAParameters};
use virt::sys;

use crate::failure::Doing;
use crate::text::domain::{disk, interface};
use crate::text::domain_read::{self, Places};
use crate::text::mark::NAMESPACE;
use crate::text::{domain as text, xml};
use crate::way::{PASSING, Step};
use crate::{network, raw};

const LIVE: u32 = sys::VIR_DOMAIN_AFFECT_LIVE;

/// A running domain that is changed.
pub(crate) struct Running<'a> {
    pub(crate) connection: &'a Connect,
    pub(crate) domain: &'a Domain,
    pub(crate) mark: &'a Mark,
    pub(crate) wanted: &'a Machine,
}

impl Running<'_> {
    pub(crate) fn go(&self, steps: &[Step]) -> Result<(), Failure> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&self, step: &Step) -> Result<(), Failure> {
        let (domain, name) = (self.domain, &self.wanted.name);
        match step {
            Step::OnlineVcpus(count) => domain
                .set_vcpus_flags(*count, LIVE)
                .doing(|| format!("plugging vCPUs into `{name}`, up to {count}")),
            Step::PinVcpu(vcpu, cpus) => domain
                .pin_vcpu_flags(*vcpu, &raw::bitmap(cpus), LIVE)
                .doing(|| format!("pinning vCPU {vcpu} of `{name}` to {cpus}")),
            Step::PinEmulator(cpus) => domain
                .pin_emulator(&raw::bitmap(cpus), LIVE)
                .doing(|| format!("pinning the emulator of `{name}` to {cpus}")),
            Step::AddIothread(thread) => raw::add_iothread(domain, *thread)
                .doing(|| format!("adding I/O thread {thread} to `{name}`")),
            Step::PinIothread(thread, cpus) => raw::pin_iothread(domain, *thread, cpus)
                .doing(|| format!("pinning I/O thread {thread} of `{name}` to {cpus}")),
            Step::DropIothread(thread) => raw::drop_iothread(domain, *thread)
                .doing(|| format!("taking I/O thread {thread} from `{name}`")),
            Step::Nodes(nodes) => {
                let parameters = NUMAParameters {
                    node_set: Some(nodes.to_string()),
                    mode: None,
                };
                domain
                    .set_numa_parameters(parameters, LIVE)
                    .doing(|| format!("moving the memory of `{name}` to the nodes {nodes}"))
            }
            Step::Balloon(bytes) => domain
                .set_memory_flags(bytes / 1024, LIVE)
                .doing(|| format!("giving `{name}` another part of its memory")),
            Step::Attach(disk) => self.attach(disk),
            Step::Detach(disk) => self.detach(disk),
            Step::Medium(drive, medium) => self.exchange(*drive, medium),
            Step::Throttle(disk) => self.throttle(disk),
            Step::AttachNic(nic) => self.attach_nic(nic),
            Step::DetachNic(nic) => self.detach_nic(nic),
            Step::ChangeNic(nic) => self.change_nic(nic),
            Step::MoveNic(nic) => self.move_nic(nic),
            Step::Reattach(nic) => self.reattach(nic),
            Step::Title(text) => self.note(sys::VIR_DOMAIN_METADATA_TITLE, text.as_deref()),
            Step::Description(text) => {
                self.note(sys::VIR_DOMAIN_METADATA_DESCRIPTION, text.as_deref())
            }
            Step::OnPoweroff(word) => self.on(sys::VIR_DOMAIN_LIFECYCLE_POWEROFF, word, "destroy"),
            Step::OnReboot(word) => self.on(sys::VIR_DOMAIN_LIFECYCLE_REBOOT, word, "restart"),
            Step::OnCrash(word) => self.on(sys::VIR_DOMAIN_LIFECYCLE_CRASH, word, "destroy"),
            Step::Remark => self.remark(),
        }
    }

    /// Where its disks are now.
    fn places(&self) -> Result<Places, Failure> {
        let doing = || format!("reading the disks of `{}`", self.wanted.name);
        let xml = self.domain.xml_desc(0).doing(doing)?;
        domain_read::places(&xml).doing(doing)
    }

    fn attach(&self, disk: &MachineDisk) -> Result<(), Failure> {
        let doing = || format!("plugging {} into `{}`", named(disk), self.wanted.name);
        let place = self.places()?.free(disk.bus());
        let place = place
            .ok_or_else(|| format!("there is no room left on {}", disk.bus()))
            .doing(doing)?;
        let xml = disk::write(disk, &place).document().doing(doing)?;
        self.domain.attach_device_flags(&xml, LIVE).doing(doing)
    }

    fn detach(&self, disk: &MachineDisk) -> Result<(), Failure> {
        let doing = || format!("pulling {} out of `{}`", named(disk), self.wanted.name);
        let Some(place) = self.places()?.of(disk) else {
            return Ok(());
        };
        let xml = disk::write(disk, &place).document().doing(doing)?;
        self.domain.detach_device_flags(&xml, LIVE).doing(doing)?;
        self.let_go(doing, || Ok(self.places()?.of(disk).is_none()))
    }

    fn exchange(&self, drive: usize, medium: &MachineDisk) -> Result<(), Failure> {
        let doing = || format!("changing the medium of `{}`", self.wanted.name);
        let place = self.places()?.drive(drive);
        let place = place.ok_or("the drive is not there").map_err(str::to_owned);
        let xml = disk::write(medium, &place.doing(doing)?)
            .document()
            .doing(doing)?;
        // A guest that has locked its drive is not asked: the person was.
        let flags = LIVE | sys::VIR_DOMAIN_DEVICE_MODIFY_FORCE;
        self.domain.update_device_flags(&xml, flags).doing(doing)
    }

    /// What is not limited is set free.
    fn throttle(&self, disk: &MachineDisk) -> Result<(), Failure> {
        let doing = || format!("throttling {} of `{}`", named(disk), self.wanted.name);
        let place = self.places()?.of(disk).ok_or("it is not there");
        let place = place.map_err(str::to_owned).doing(doing)?;
        let limits = disk.throttle.unwrap_or_default();
        let limits = disk::limits(&limits).map(|(name, limit)| (name, limit.unwrap_or(0)));
        raw::throttle(self.domain, &place, &limits).doing(doing)
    }

    /// Our mark at the running machine, with what is noted in it.
    fn remark(&self) -> Result<(), Failure> {
        let doing = || format!("marking the running `{}`", self.wanted.name);
        let note = text::mark_of(self.wanted, self.mark).unprefixed();
        let note = note.document().doing(doing)?;
        let (prefix, namespace) = (Some("infra"), Some(NAMESPACE));
        self.domain
            .set_metadata(METADATA_ELEMENT, Some(&note), prefix, namespace, LIVE)
            .doing(doing)
    }

    /// The address it was planned to have is noted at the running machine too.
    fn attach_nic(&self, nic: &MachineInterface) -> Result<(), Failure> {
        let doing = || format!("plugging the NIC {} into `{}`", nic.mac, self.wanted.name);
        self.remark()?;
        let xml = interface::write(nic).document().doing(doing)?;
        self.domain.attach_device_flags(&xml, LIVE).doing(doing)
    }

    fn detach_nic(&self, nic: &MachineInterface) -> Result<(), Failure> {
        let doing = || format!("pulling the NIC {} out of `{}`", nic.mac, self.wanted.name);
        let xml = interface::write(nic).document().doing(doing)?;
        self.domain.detach_device_flags(&xml, LIVE).doing(doing)?;
        self.let_go(doing, || {
            let xml = self.domain.xml_desc(0).doing(doing)?;
            let there = xml::parse(&xml, |root| Some(domain_read::has_nic(root, &nic.mac)));
            there.map(|there| !there).doing(doing)
        })
    }

    /// With all that libvirt knows of it: what an update does not name it would take away.
    fn change_nic(&self, nic: &MachineInterface) -> Result<(), Failure> {
        let doing = || format!("changing the NIC {} of `{}`", nic.mac, self.wanted.name);
        let xml = interface::write(nic).document().doing(doing)?;
        self.domain.update_device_flags(&xml, LIVE).doing(doing)
    }

    /// A guest that sees its cable come back asks for its address again, and tells the switches where it is now.
    fn move_nic(&self, nic: &MachineInterface) -> Result<(), Failure> {
        self.change_nic(&MachineInterface {
            unplugged: true,
            ..nic.clone()
        })?;
        self.remark()?;
        match nic.unplugged {
            true => Ok(()),
            false => self.change_nic(nic),
        }
    }

    /// libvirt moves a NIC from one bridge to another and the guest sees nothing of it, but never to the one it takes
    /// it to be on: so it goes by way of another.
    pub(crate) fn reattach(&self, nic: &MachineInterface) -> Result<(), Failure> {
        let doing = || {
            format!(
                "putting the NIC {} of `{}` back on its bridge",
                nic.mac, self.wanted.name
            )
        };
        let name = format!("{}{PASSING}", nic.network);
        let passing = network::passing(self.connection, self.mark, &name)?;
        let away = self.change_nic(&MachineInterface {
            network: name,
            ..nic.clone()
        });
        let back = away.and_then(|()| self.change_nic(nic));
        passing.destroy().doing(doing)?;
        back
    }

    fn note(&self, kind: sys::virDomainMetadataType, text: Option<&str>) -> Result<(), Failure> {
        let kind = i32::try_from(kind).unwrap_or_default();
        let noted = self.domain.set_metadata(kind, text, None, None, LIVE);
        noted.doing(|| format!("describing `{}`", self.wanted.name))
    }

    fn on(&self, event: u32, word: &Option<String>, usual: &str) -> Result<(), Failure> {
        let doing = || format!("saying what becomes of `{}`", self.wanted.name);
        let word = word.as_deref().unwrap_or(usual);
        let action = ACTIONS.iter().find(|(name, _)| *name == word);
        let (_, action) = action
            .ok_or_else(|| format!("libvirt knows no `{word}`"))
            .doing(doing)?;
        let set = self.domain.set_lifecycle_action(event, *action, LIVE);
        set.doing(doing)
    }

    /// A device is gone when the guest has let it go.
    fn let_go(
        &self,
        doing: impl Fn() -> String,
        gone: impl Fn() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if gone()? {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let why = format!(
            "the guest has not let it go within {} s",
            PATIENCE.as_secs()
        );
        Err(Failure::new(Remedy::Operator, doing(), why)
            .hint("unmount it in the guest and apply again, or restart the machine"))
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

const METADATA_ELEMENT: i32 = 2;

const ACTIONS: [(&str, sys::virDomainLifecycleAction); 5] = [
    ("destroy", sys::VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY),
    ("restart", sys::VIR_DOMAIN_LIFECYCLE_ACTION_RESTART),
    ("preserve", sys::VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE),
    (
        "coredump-destroy",
        sys::VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY,
    ),
    (
        "coredump-restart",
        sys::VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART,
    ),
];

fn named(disk: &MachineDisk) -> String {
    match (&disk.volume, &disk.path) {
        (Some(volume), _) => format!("the volume `{}`", volume.name),
        (None, Some(path)) => format!("`{path}`"),
        (None, None) => "a drive".to_owned(),
    }
}
