//! A domain goes to another host while it runs: libvirt's own migration, from daemon to daemon. Whoever waits for it no
//! longer ends it, and then it stays where it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use infra_api::target::Machine;
use infra_api::{Failure, MigrationOptions, Progress, Remedy};
use virt::domain::{Domain, JobStats, MigrateParameters};
use virt::sys;

use crate::domain::{lookup, state};
use crate::failure::Doing;
use crate::guard::Claim;
use crate::link::Link;
use crate::raw;
use crate::settle::written;
use crate::text::theirs::with_notes_of;
use crate::text::travel::{address, on_its_way};
use crate::wire::{Say, Wire};

/// Where to, and how.
pub(crate) struct Way {
    pub(crate) uri: String,
    pub(crate) options: MigrationOptions,
}

const FLAGS: u32 = sys::VIR_MIGRATE_LIVE
    | sys::VIR_MIGRATE_PEER2PEER
    | sys::VIR_MIGRATE_PERSIST_DEST
    | sys::VIR_MIGRATE_UNDEFINE_SOURCE;

/// How often it is looked at, and how often that is told.
const LOOK: Duration = Duration::from_millis(200);
const TELL: Duration = Duration::from_secs(1);

/// How long what nobody waits for may take to end.
const END: Duration = Duration::from_secs(10);

/// How long the end of an attempt that somebody else has ended is waited for.
const FORMER: Duration = Duration::from_secs(30);

pub(crate) async fn migrate(
    wire: &Wire,
    claim: &Claim,
    way: Way,
    wanted: Machine,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (over, ended) = channel();
    let call = Call {
        unwanted: Arc::default(),
        ended,
    };
    let (claim, unwanted) = (claim.clone(), Arc::clone(&call.unwanted));
    wire.act(progress, move |link, say| {
        let done = go(link, &claim, &way, &wanted, (say, &unwanted));
        let _nobody_waits: Result<(), _> = Sender::send(&over, ());
        done
    })
    .await
}

/// The call under way. Dropped before its end it has the migration ended, and waits for that: after this nobody could.
struct Call {
    unwanted: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        let _in_time = self.ended.recv_timeout(END);
    }
}

fn go(
    link: &Link,
    claim: &Claim,
    way: &Way,
    wanted: &Machine,
    watch: (&Say, &AtomicBool),
) -> Result<(), Failure> {
    let name = &wanted.name;
    let doing = || format!("moving the domain `{name}` to {}", way.uri);
    let gone = || Failure::new(Remedy::Replan, doing(), "it is gone");
    let domain = lookup(link, name)?.ok_or_else(gone)?;
    let found = crate::domain::stored(link, &domain)?;
    let identity = domain.uuid_string().doing(doing)?;
    claim.may(&format!("the domain `{name}`"), found.mark(), &identity)?;
    if state(&domain)? != "running" {
        return Err(Failure::new(Remedy::Replan, doing(), "it does not run"));
    }
    alone(&domain, doing)?;
    let stored = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE).doing(doing)?;
    let live = sys::VIR_DOMAIN_XML_MIGRATABLE | sys::VIR_DOMAIN_XML_SECURE;
    let live = domain.xml_desc(live).doing(doing)?;
    let there = with_notes_of(written(link, wanted, &claim.mark, doing)?, &stored).doing(doing)?;
    let MigrationOptions {
        downtime_ms,
        bandwidth_bytes,
        post_copy,
    } = way.options;
    if let Some(ms) = downtime_ms {
        domain.migrate_set_max_downtime(ms, 0).doing(doing)?;
    }
    let parameters = MigrateParameters {
        dest_xml: Some(on_its_way(&live, &there).doing(doing)?),
        persist_xml: Some(there),
        bandwidth: bandwidth_bytes.map(|bytes| bytes >> 20),
        uri: address(&way.uri),
        ..MigrateParameters::default()
    };
    let flags = match post_copy {
        true => FLAGS | sys::VIR_MIGRATE_POSTCOPY,
        false => FLAGS,
    };
    watched(&domain, post_copy, watch, || {
        domain.migrate_to_uri3(Some(&way.uri), parameters, flags)
    })
    .doing(doing)
}

/// Waits until what somebody else has begun with it is over.
fn alone(domain: &Domain, doing: impl Fn() -> String) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let job = domain.job_info().doing(&doing)?;
        if job.r#type == NO_JOB {
            return Ok(());
        }
        if began.elapsed() > FORMER {
            let cause = "something else is being done with it";
            return Err(Failure::new(Remedy::Operator, doing(), cause)
                .hint("`virsh domjobinfo` tells what, and `virsh domjobabort` ends it"));
        }
        thread::sleep(LOOK);
    }
}

/// `VIR_DOMAIN_JOB_NONE`.
const NO_JOB: i32 = 0;

/// Calls, while another thread tells how far it is, and ends it where it is not wanted any more.
fn watched<T: Send>(
    domain: &Domain,
    post_copy: bool,
    (say, unwanted): (&Say, &AtomicBool),
    call: impl FnOnce() -> T + Send,
) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut told, mut switched) = (Instant::now(), !post_copy);
            while !over.load(Ordering::Relaxed) {
                thread::sleep(LOOK);
                if unwanted.load(Ordering::Relaxed) {
                    // It may have come to its end by itself.
                    let _ended = raw::abort_job(domain);
                    continue;
                }
                let Ok(job) = domain.job_stats(0) else {
                    continue;
                };
                if told.elapsed() >= TELL {
                    say.say(so_far(&job));
                    told = Instant::now();
                }
                let sent_once = job.mem_iteration.is_some_and(|iteration| iteration > 1);
                if !switched && sent_once && raw::start_post_copy(domain).is_ok() {
                    switched = true;
                }
            }
        });
        let done = call();
        over.store(true, Ordering::Relaxed);
        done
    })
}

/// `12 of 128 MiB of its memory are left`.
fn so_far(job: &JobStats) -> String {
    match (job.mem_remaining, job.mem_total) {
        (Some(left), Some(all)) if all > 0 => {
            format!("{} of {} MiB of its memory are left", left >> 20, all >> 20)
        }
        _ => "moving it".to_owned(),
    }
}
