//! Calls of libvirt that the `virt` crate has no wrapper for.

use std::ffi::CString;
use std::os::raw::{c_int, c_void};
use std::ptr;

use infra_api::IdSet;
use virt::domain::Domain;
use virt::error::Error;
use virt::network::Network;
use virt::sys;

/// Running threads are meant by all of these; the definition is written by itself.
const LIVE: u32 = sys::VIR_DOMAIN_AFFECT_LIVE;

/// A set as libvirt takes it: CPU `n` is bit `n % 8` of byte `n / 8`.
pub(crate) fn bitmap(cpus: &IdSet) -> Vec<u8> {
    let mut bytes = vec![0; cpus.last().map_or(1, |last| last as usize / 8 + 1)];
    for cpu in cpus {
        bytes[cpu as usize / 8] |= 1 << (cpu % 8);
    }
    bytes
}

fn checked(answer: c_int) -> Result<(), Error> {
    match answer {
        -1 => Err(Error::last_error()),
        _ => Ok(()),
    }
}

pub(crate) fn add_iothread(domain: &Domain, thread: u32) -> Result<(), Error> {
    // SAFETY: the pointer is the domain's own and lives as long as it; libvirt keeps nothing of the call.
    checked(unsafe { sys::virDomainAddIOThread(domain.as_ptr(), thread, LIVE) })
}

pub(crate) fn drop_iothread(domain: &Domain, thread: u32) -> Result<(), Error> {
    // SAFETY: as above.
    checked(unsafe { sys::virDomainDelIOThread(domain.as_ptr(), thread, LIVE) })
}

pub(crate) fn pin_iothread(domain: &Domain, thread: u32, cpus: &IdSet) -> Result<(), Error> {
    let mut map = bitmap(cpus);
    let length = c_int::try_from(map.len()).unwrap_or(c_int::MAX);
    // SAFETY: as above; the map is ours, `length` bytes long, and only read during the call.
    checked(unsafe {
        sys::virDomainPinIOThread(domain.as_ptr(), thread, map.as_mut_ptr(), length, LIVE)
    })
}

/// Ends what is being done with it, such as a migration: it stays as it was.
pub(crate) fn abort_job(domain: &Domain) -> Result<(), Error> {
    // SAFETY: as above.
    checked(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })
}

/// Has the one over there go on before all of its memory has arrived.
pub(crate) fn start_post_copy(domain: &Domain) -> Result<(), Error> {
    // SAFETY: as above.
    checked(unsafe { sys::virDomainMigrateStartPostCopy(domain.as_ptr(), 0) })
}

/// The UUIDs of all that is plugged into a network.
pub(crate) fn ports(network: &Network) -> Result<Vec<String>, Error> {
    let mut list: *mut sys::virNetworkPortPtr = ptr::null_mut();
    // SAFETY: the network is the caller's and lives; libvirt writes the list's address, which is ours.
    let count = unsafe { sys::virNetworkListAllPorts(network.as_ptr(), &raw mut list, 0) };
    checked(count)?;
    let mut found = Vec::new();
    for index in 0..usize::try_from(count).unwrap_or_default() {
        let mut text = [0; UUID_LENGTH];
        // SAFETY: the list has `count` ports, each of them ours until it is freed here, once; the text has room for a
        // UUID and its end.
        let told = unsafe {
            let port = *list.add(index);
            let told = sys::virNetworkPortGetUUIDString(port, text.as_mut_ptr());
            sys::virNetworkPortFree(port);
            told
        };
        let bytes = text
            .iter()
            .map(|c| c.to_ne_bytes()[0])
            .take_while(|byte| *byte != 0);
        if told == 0 {
            found.push(bytes.map(char::from).collect());
        }
    }
    // SAFETY: libvirt took it from malloc for us to give back; nothing points into it any more.
    unsafe { free(list.cast()) };
    Ok(found)
}

/// `VIR_UUID_STRING_BUFLEN`: 36 characters and the end.
const UUID_LENGTH: usize = 37;

// SAFETY: the C library's own, as every Unix has it.
unsafe extern "C" {
    fn free(pointer: *mut c_void);
}

/// Limits by libvirt's names; 0 is none.
pub(crate) fn throttle(
    domain: &Domain,
    disk: &str,
    limits: &[(&'static str, u64)],
) -> Result<(), Error> {
    let disk = CString::new(disk)?;
    let mut parameters = Parameters::new();
    for (name, limit) in limits {
        parameters.add(name, *limit)?;
    }
    // SAFETY: the pointers are the domain's and ours, all live during the call; the count is libvirt's own.
    checked(unsafe {
        sys::virDomainSetBlockIoTune(
            domain.as_ptr(),
            disk.as_ptr(),
            parameters.first,
            parameters.count,
            LIVE,
        )
    })
}

/// A list that libvirt makes and frees.
struct Parameters {
    first: sys::virTypedParameterPtr,
    count: c_int,
    room: c_int,
}

impl Parameters {
    fn new() -> Self {
        Self {
            first: ptr::null_mut(),
            count: 0,
            room: 0,
        }
    }

    fn add(&mut self, name: &str, value: u64) -> Result<(), Error> {
        let name = CString::new(name)?;
        // SAFETY: libvirt grows the list in place and writes its three parts, which are ours and live; it copies the
        // name.
        checked(unsafe {
            sys::virTypedParamsAddULLong(
                &raw mut self.first,
                &raw mut self.count,
                &raw mut self.room,
                name.as_ptr(),
                value,
            )
        })
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        // SAFETY: the list was made by libvirt alone, or is null, which this takes as well; nothing uses it any more.
        unsafe { sys::virTypedParamsFree(self.first, self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_has_a_bit_a_cpu() {
        assert_eq!(bitmap(&IdSet::from([0, 1])), [3]);
        assert_eq!(bitmap(&IdSet::from([8, 17])), [0, 1, 2]);
        assert_eq!(bitmap(&IdSet::new()), [0]);
    }
}
