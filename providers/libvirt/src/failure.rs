//! libvirt's errors as failures: what was being done, in its own words, and what to do about it.
//!
//! Its codes are coarse (five of them cover nearly everything), so no decision is taken by a code except
//! whether a thing is there and whether the connection is gone. Texts are matched for hints only.

use std::thread;
use std::time::Duration;

use infra_api::{Failure, Remedy};
use virt::error::{Error, ErrorDomain, ErrorNumber};

/// The object a call names is not there.
const ABSENT: [ErrorNumber; 4] = [
    ErrorNumber::NoDomain,
    ErrorNumber::NoNetwork,
    ErrorNumber::NoStoragePool,
    ErrorNumber::NoStorageVolume,
];

/// What libvirt says, and what a person can do about it.
const HINTS: [(&str, &str); 21] = [
    (
        "Failed to connect socket",
        "is libvirtd running there? A private one has its socket named in the URI",
    ),
    (
        "unable to map backing store for guest RAM",
        "the pool of huge pages is used up: see nr_hugepages and free_hugepages under /sys/devices/system/node",
    ),
    (
        "usable hugetlbfs mount",
        "mount hugetlbfs with that page size, then restart libvirtd: it looks only when it starts",
    ),
    (
        "hugetlbfs filesystem is not mounted",
        "mount hugetlbfs, then restart libvirtd: it looks only when it starts",
    ),
    (
        "cannot set up guest memory",
        "the host has less memory than the machine asks for",
    ),
    ("is not active", "start it, or let infra do so: plan again"),
    (
        "Cannot get interface MTU",
        "the network's bridge is not there: make it, or name another in `bridge`; where a container network makes it, that must come first",
    ),
    (
        "Unable to get index for interface",
        "the network's device is not there: make it, or name another in `parent`",
    ),
    (
        "can only be set for SR-IOV VFs",
        "only a VF is told of a VLAN: name one in `parent`, or a device of the VLAN such as `eth0.7` and no `vlan`",
    ),
    (
        "but none are available",
        "all of the network's devices are given to machines: stop one, make more VFs of the PF, or use another network",
    ),
    (
        "present on SRIOV PF",
        "it has no VFs: write how many there are to be to /sys/class/net/DEVICE/device/sriov_numvfs",
    ),
    (
        "does not support virt type 'kvm'",
        "libvirt offers no KVM here: load the module kvm_intel or kvm_amd, or write `acceleration = \"emulated\"`",
    ),
    (
        "Could not access KVM",
        "KVM does not work on this host; `acceleration = \"emulated\"` does without it",
    ),
    (
        "already exists with uuid",
        "a domain, network or pool of that name is there and was not made by infra: rename one of them",
    ),
    (
        "is already defined with uuid",
        "the uuid derived from this address is taken: it may have been renamed by hand",
    ),
    (
        "Storage source conflict",
        "another pool has that path already",
    ),
    (
        "already in use by interface",
        "the subnet is that of an interface of the host: choose another one",
    ),
    (
        "No space left on device",
        "the file system of the pool is full",
    ),
    (
        "Permission denied",
        "QEMU's user (libvirt-qemu) must be able to enter every directory above the pool",
    ),
    (
        "Failed to get \"write\" lock",
        "another virtual machine uses that volume",
    ),
    (
        "is unavailable",
        "the host has no such NUMA node: plan again with fresh facts",
    ),
];

/// Says what was being done when libvirt refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T, Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| hinted(Failure::new(remedy(&error), what(), error.message())))
    }
}

/// What a pure writer or reader refuses, only a person can put right.
impl<T> Doing<T> for Result<T, String> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|why| Failure::new(Remedy::Operator, what(), why))
    }
}

/// With what a person can do about it, where that is known.
pub(crate) fn hinted(failure: Failure) -> Failure {
    let hint = HINTS
        .iter()
        .find(|(said, _)| failure.cause.contains(said))
        .map(|(_, hint)| *hint);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn remedy(error: &Error) -> Remedy {
    // The client's own transport speaks in the domain RPC: a lost connection, a keep-alive that timed out.
    // What the call did is then unknown. A timeout is also a domain locked by a monitor that hangs.
    let lost = error.domain().is(ErrorDomain::Rpc);
    match lost || busy(error) || error.code().is(ErrorNumber::OperationTimeout) {
        true => Remedy::Retry,
        false if ABSENT.iter().any(|code| error.code().is(*code)) => Remedy::Replan,
        false => Remedy::Operator,
    }
}

/// A pool or volume is locked while anybody makes or reads a volume. There is no code for it.
fn busy(error: &Error) -> bool {
    let said = [
        "asynchronous jobs running",
        "is still being allocated",
        "is still in use",
    ];
    said.iter().any(|said| error.message().contains(said))
}

/// Waits for what is busy; another's download of a companion takes milliseconds. Blocks its thread.
pub(crate) fn patiently<T>(call: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    const TIMES: u32 = 50;
    for _ in 1..TIMES {
        match call() {
            Err(error) if busy(&error) => thread::sleep(Duration::from_millis(100)),
            done => return done,
        }
    }
    call()
}

/// An absent object is nothing, not an error.
pub(crate) fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(error) if ABSENT.iter().any(|code| error.code().is(*code)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks at each object of a listing. Other people's come and go: one that has gone since is left out, as is
/// one that `look` has nothing to say about.
pub(crate) fn each<O, T>(
    objects: impl IntoIterator<Item = O>,
    look: impl Fn(&O) -> Result<Option<T>, Failure>,
) -> Result<Vec<T>, Failure> {
    there(objects.into_iter().map(|object| look(&object)))
}

/// What looking at each object of a listing has shown, as [`each`] has it.
pub(crate) fn there<T>(
    looks: impl IntoIterator<Item = Result<Option<T>, Failure>>,
) -> Result<Vec<T>, Failure> {
    let looks = looks.into_iter().map(|look| match look {
        Err(failure) if failure.remedy == Remedy::Replan => Ok(None),
        looked => looked,
    });
    looks.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_get_a_hint() {
        let said = "network 'x' is not active";
        let failure = hinted(Failure::new(Remedy::Operator, "starting domain `a`", said));
        assert!(failure.hint.is_some());
        assert_eq!(
            hinted(Failure::new(Remedy::Operator, "", "whatever")).hint,
            None
        );
    }

    #[test]
    fn a_zero_byte_is_an_error_of_a_persons() {
        let error = Error::from(std::ffi::CString::new("a\0b").unwrap_err());
        assert_eq!(
            Err::<(), _>(error).doing(|| "x".into()).unwrap_err().remedy,
            Remedy::Operator
        );
    }
}
