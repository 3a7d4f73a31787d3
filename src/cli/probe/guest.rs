//! What process 1 of a virtual machine has to do before anything can be measured there: file systems, drivers, the address.
//!
//! The machine has a kernel, an initramfs in which its drivers lie (anybody's), and this program beside them.

use std::ffi::CStr;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use ipnet::Ipv4Net;
use rustix::mount::{MountFlags, mount};
use rustix::system::finit_module;

/// What a machine's disk and card need, whether or not its kernel has them built in.
const DRIVERS: [&str; 9] = [
    "virtio",
    "virtio_ring",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
];

/// Where an initramfs has its modules.
const FOLDERS: [&str; 3] = ["/modules", "/lib/modules", "/usr/lib/modules"];

/// The kernel unpacks what is packed.
const PACKED: i32 = 4;

/// So long a card and a disk may take to appear.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Makes a machine of what has been started.
pub(super) fn prepare(address: Ipv4Net) -> Result<(), String> {
    for (kind, at) in [
        (c"proc", "/proc"),
        (c"sysfs", "/sys"),
        (c"devtmpfs", "/dev"),
    ] {
        mounted(kind, at).map_err(|e| format!("mounting {at}: {e}"))?;
    }
    drivers();
    up("lo", None).map_err(|e| format!("bringing up lo: {e}"))?;
    let card = card().ok_or("no network card appears: does the initramfs hold `virtio_net`?")?;
    up(&card, Some(address)).map_err(|e| format!("giving {card} the address {address}: {e}"))
}

fn mounted(kind: &CStr, at: &str) -> io::Result<()> {
    fs::create_dir_all(at)?;
    let nothing: Option<&CStr> = None;
    match mount(kind, at, kind, MountFlags::empty(), nothing) {
        // By the kernel itself.
        Err(rustix::io::Errno::BUSY) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// One that needs another is tried again once that is there.
fn drivers() {
    let mut left: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|folder| modules(Path::new(folder)))
        .collect();
    loop {
        let before = left.len();
        left.retain(|module| load(module).is_err());
        if left.is_empty() || left.len() == before {
            return;
        }
    }
}

fn load(module: &Path) -> io::Result<()> {
    let packed = module
        .extension()
        .is_some_and(|extension| extension != "ko");
    let flags = if packed { PACKED } else { 0 };
    match finit_module(File::open(module)?, c"", flags) {
        Err(rustix::io::Errno::EXIST) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Those of the drivers that lie below a folder.
fn modules(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(modules(&path));
        } else if is_driver(&entry.file_name().to_string_lossy()) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `virtio-net.ko.xz` and `virtio_net.ko` are one.
fn is_driver(file: &str) -> bool {
    let Some((name, packed)) = file.split_once(".ko") else {
        return false;
    };
    let known = ["", ".gz", ".xz", ".zst"].contains(&packed);
    known && DRIVERS.contains(&name.replace('-', "_").as_str())
}

fn card() -> Option<String> {
    for _ in 0..TRIES {
        let cards = fs::read_dir("/sys/class/net")
            .into_iter()
            .flatten()
            .flatten();
        let names = cards.map(|card| card.file_name().to_string_lossy().into_owned());
        let there = names
            .filter(|name| fs::exists(format!("/sys/class/net/{name}/device")).unwrap_or(false))
            .min();
        if there.is_some() {
            return there;
        }
        thread::sleep(PAUSE);
    }
    None
}

/// Gives a device an address, and brings it up.
fn up(device: &str, address: Option<Ipv4Net>) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    if let Some(net) = address {
        ask(
            &socket,
            libc::SIOCSIFADDR,
            &mut about(device, Some(net.addr())),
        )?;
        ask(
            &socket,
            libc::SIOCSIFNETMASK,
            &mut about(device, Some(net.netmask())),
        )?;
    }
    let mut request = about(device, None);
    #[allow(clippy::cast_possible_truncation)]
    {
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    }
    ask(&socket, libc::SIOCSIFFLAGS, &mut request)
}

fn about(device: &str, address: Option<Ipv4Addr>) -> libc::ifreq {
    // SAFETY: numbers and bytes, of which all may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last stays zero: names end there.
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..room].iter_mut().zip(device.bytes()) {
        *to = from.cast_signed() as libc::c_char;
    }
    if let Some(address) = address {
        let inet = libc::sockaddr_in {
            #[allow(clippy::cast_possible_truncation)]
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: 0,
            sin_addr: libc::in_addr {
                s_addr: u32::from(address).to_be(),
            },
            sin_zero: [0; 8],
        };
        // SAFETY: both kinds of address are 16 bytes, and an address of this family is read as the second.
        request.ifr_ifru.ifru_addr =
            unsafe { std::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(inet) };
    }
    request
}

fn ask(
    socket: &std::net::UdpSocket,
    what: libc::Ioctl,
    request: &mut libc::ifreq,
) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the request is whole, and these only read it.
    match unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw mut *request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_known_however_they_are_packed() {
        for file in [
            "virtio_net.ko",
            "virtio-net.ko.xz",
            "virtio_blk.ko.zst",
            "failover.ko.gz",
        ] {
            assert!(is_driver(file), "{file}");
        }
        for file in [
            "virtio_net",
            "virtio_gpu.ko",
            "virtio_net.ko.bz2",
            "not_virtio_net.ko",
        ] {
            assert!(!is_driver(file), "{file}");
        }
    }

    #[test]
    fn modules_lie_anywhere_below() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("6.1/kernel/drivers/net");
        fs::create_dir_all(&deep).unwrap();
        for file in ["virtio_net.ko", "veth.ko"] {
            fs::write(deep.join(file), "").unwrap();
        }
        assert_eq!(modules(folder.path()), [deep.join("virtio_net.ko")]);
        assert!(modules(&deep.join("none")).is_empty());
    }
}
