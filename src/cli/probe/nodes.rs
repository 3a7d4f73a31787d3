//! Where this process runs and which memory it may use: CPUs, NUMA nodes, and buffers on one of these.

use std::io;

use infra_api::IdSet;

const SYS: &str = "/sys/devices/system/node";

/// The CPU and the nodes of this moment.
pub(super) struct Room {
    cpu: usize,
    before: Option<libc::cpu_set_t>,
    near: Option<u32>,
    far: Option<u32>,
}

impl Room {
    pub(super) fn here() -> Self {
        let (mut cpu, mut node): (libc::c_uint, libc::c_uint) = (0, 0);
        // SAFETY: both are numbers of ours that the kernel writes to.
        let told = unsafe {
            libc::syscall(
                libc::SYS_getcpu,
                &raw mut cpu,
                &raw mut node,
                std::ptr::null::<u8>(),
            )
        };
        let allowed = allowed();
        // Where there is one alone, there is nothing to bind.
        let near = (told == 0 && allowed.len() > 1).then_some(node);
        let distances = std::fs::read_to_string(format!("{SYS}/node{node}/distance"));
        Self {
            cpu: cpu as usize,
            before: affinity().ok(),
            near,
            far: near.and_then(|near| {
                farthest(near, &allowed, &online(), &distances.unwrap_or_default())
            }),
        }
    }

    pub(super) fn near(&self) -> Option<u32> {
        self.near
    }

    pub(super) fn far(&self) -> Option<u32> {
        self.far
    }

    /// On this CPU alone, where the memory of another would be another's.
    pub(super) fn stay(&self) -> Result<(), String> {
        if self.near.is_none() {
            return Ok(());
        }
        bind(&[self.cpu]).map_err(|e| format!("staying on CPU {}: {e}", self.cpu))
    }

    pub(super) fn leave(&self) {
        if let (Some(before), Some(_)) = (&self.before, self.near) {
            // SAFETY: the set is whole, and this thread is our own.
            let _stays = unsafe { libc::sched_setaffinity(0, size_of_val(before), before) };
        }
    }

    /// Memory of a node; without one, whatever the kernel gives.
    pub(super) fn buffer(&self, bytes: usize, node: Option<u32>) -> Result<Buffer, String> {
        let mut buffer = Buffer::new(bytes).map_err(|e| format!("{bytes} bytes of memory: {e}"))?;
        if let Some(node) = node {
            buffer
                .bind(node)
                .map_err(|e| format!("memory of node {node}: {e}"))?;
        }
        Ok(buffer)
    }
}

/// Of what may be used what is there.
fn allowed() -> IdSet {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = list(&status, "Mems_allowed_list:");
    let there = std::fs::read_to_string(format!("{SYS}/has_memory")).unwrap_or_default();
    let there: IdSet = there.trim().parse().unwrap_or_default();
    allowed.iter().filter(|id| there.contains(*id)).collect()
}

/// In the order in which distances are told.
fn online() -> IdSet {
    let online = std::fs::read_to_string(format!("{SYS}/online")).unwrap_or_default();
    online.trim().parse().unwrap_or_default()
}

fn list(status: &str, name: &str) -> IdSet {
    let mut lines = status.lines().filter_map(|line| line.strip_prefix(name));
    let list = lines.next().map(str::trim).unwrap_or_default();
    list.parse().unwrap_or_default()
}

/// The node that is farthest away of those that may be used.
fn farthest(near: u32, allowed: &IdSet, online: &IdSet, distances: &str) -> Option<u32> {
    let distances = distances
        .split_whitespace()
        .map(|d| d.parse().unwrap_or(0_u32));
    let told: Vec<(u32, u32)> = online.iter().zip(distances).collect();
    let distance = |node: u32| {
        told.iter()
            .find(|(id, _)| *id == node)
            .map_or(0, |(_, d)| *d)
    };
    let others = allowed.iter().filter(|node| *node != near);
    others.max_by_key(|node| (distance(*node), std::cmp::Reverse(*node)))
}

/// From now on no thread of this process runs elsewhere.
pub(super) fn keep_to(cpus: &IdSet) -> io::Result<()> {
    let cpus: Vec<usize> = cpus.iter().map(|cpu| cpu as usize).collect();
    bind(&cpus)
}

fn affinity() -> io::Result<libc::cpu_set_t> {
    // SAFETY: a set of bits, of which none is a set too; the kernel writes no more than its size.
    let (told, set) = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (
            libc::sched_getaffinity(0, size_of_val(&set), &raw mut set),
            set,
        )
    };
    if told == 0 {
        Ok(set)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn bind(cpus: &[usize]) -> io::Result<()> {
    // SAFETY: a set of bits, of which none is a set too; numbers beyond its end are left out before they are set.
    let done = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let within = cpus.iter().filter(|cpu| **cpu < libc::CPU_SETSIZE as usize);
        within.for_each(|cpu| libc::CPU_SET(*cpu, &mut set));
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set)
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Memory that nothing was written to yet, so that it can still be said whose it is to be.
pub(super) struct Buffer {
    start: *mut u64,
    words: usize,
}

impl Buffer {
    fn new(bytes: usize) -> io::Result<Self> {
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: new memory, which nobody else knows.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            start: start.cast(),
            words: bytes / size_of::<u64>(),
        })
    }

    /// All of it on a node, or none.
    fn bind(&mut self, node: u32) -> io::Result<()> {
        const BITS: usize = libc::c_ulong::BITS as usize;
        let mut mask = [0 as libc::c_ulong; 1024 / BITS];
        let bit = node as usize;
        let word = mask
            .get_mut(bit / BITS)
            .ok_or(io::ErrorKind::InvalidInput)?;
        *word = 1 << (bit % BITS);
        let bytes = self.words * size_of::<u64>();
        // SAFETY: the memory and the mask are ours; of the mask the kernel reads one bit less than it is told.
        let done = unsafe {
            libc::syscall(
                libc::SYS_mbind,
                self.start,
                bytes,
                libc::MPOL_BIND,
                mask.as_ptr(),
                1024 + 1,
                0,
            )
        };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    pub(super) fn words(&mut self) -> &mut [u64] {
        // SAFETY: so much is mapped, as zeros, and is borrowed as long as this is.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.words) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it was mapped so, and nobody borrows it any more.
        let _gone = unsafe { libc::munmap(self.start.cast(), self.words * size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> IdSet {
        text.parse().unwrap()
    }

    #[test]
    fn the_farthest_of_those_that_may_be_used() {
        // Node 3 is not there; distances are told of those that are.
        let online = ids("0-2,4");
        let far = |allowed: &str| farthest(0, &ids(allowed), &online, "10 21 31 41\n");
        assert_eq!(far("0"), None);
        assert_eq!(far("0-1"), Some(1));
        assert_eq!(far("0-2"), Some(2));
        assert_eq!(far("0-4"), Some(4));
        assert_eq!(farthest(0, &ids("0-2"), &ids(""), ""), Some(1));
    }

    #[test]
    fn what_may_be_used_stands_in_the_status() {
        let status = "Name:\tx\nMems_allowed:\t3\nMems_allowed_list:\t0-1\nother:\t1\n";
        assert_eq!(list(status, "Mems_allowed_list:"), ids("0-1"));
        assert_eq!(list("", "Mems_allowed_list:"), ids(""));
    }

    #[test]
    fn a_buffer_is_all_there() {
        let mut buffer = Buffer::new(1 << 16).unwrap();
        let words = buffer.words();
        assert_eq!(words.len(), 1 << 13);
        assert!(words.iter().all(|word| *word == 0));
        words.fill(7);
    }
}
