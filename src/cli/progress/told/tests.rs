//! What is said while an apply runs, word for word.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use infra_api::{Address, Failure, Project, Remedy};
use infra_apply::Sink;
use infra_plan::{Basis, Before, FORMAT_VERSION, Outcome, Reason};

use super::*;
use crate::cli::progress::Progress;

fn plan(steps: &[(&str, &str, StepAction)]) -> Plan {
    let step = |(number, (address, id, action)): (u32, &(&str, &str, StepAction))| Step {
        number,
        resource: id.parse().unwrap(),
        address: Address::new(*address),
        action: *action,
        before: Before::Absent,
        source: None,
        reason: Reason::New,
        deltas: Vec::new(),
        prepared: None,
        needs: Vec::new(),
        overlaps: Vec::new(),
        waits_for: Vec::new(),
        starts: None,
        until_ready: false,
        ready_ms: BTreeMap::new(),
        timeout_ms: None,
        imported: None,
        when: None,
        migration: None,
    };
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        project: Project::new("demo"),
        basis: Basis::default(),
        result: Outcome::default(),
        steps: (1..).zip(steps).map(step).collect(),
        secrets: Vec::new(),
        daemons: BTreeMap::new(),
        left_out: BTreeSet::new(),
        unreachable: BTreeMap::new(),
        moved: BTreeMap::new(),
        let_go: BTreeSet::new(),
        imports: BTreeSet::new(),
    }
}

fn small() -> Plan {
    plan(&[
        (
            "image.cache",
            "r1/docker/image/infra/demo/cache:1",
            StepAction::Create,
        ),
        (
            "workload.cache",
            "r1/docker/container/demo.cache",
            StepAction::Create,
        ),
        (
            "workload.web",
            "r1/libvirt/domain/demo.web",
            StepAction::Restart,
        ),
    ])
}

/// Paper that can be read while it is written on.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn said(plan: &Plan, events: &[Event]) -> String {
    let paper = Paper::default();
    let progress = Progress::to(plan, Box::new(paper.clone()));
    for event in events {
        progress.event(event);
    }
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    // How long the test itself took is not looked at.
    match text.rsplit_once(", in ") {
        Some((before, _)) => format!("{before}.\n"),
        None => text,
    }
}

fn started(plan: &Plan, number: u32) -> Event {
    let step = plan.steps.iter().find(|s| s.number == number).unwrap();
    Event::Started {
        step: number,
        resource: step.resource.clone(),
        address: step.address.clone(),
        action: step.action,
    }
}

fn done(step: u32, elapsed_ms: u64) -> Event {
    Event::Done { step, elapsed_ms }
}

fn finished_event(done: usize, failed: usize, skipped: usize, left: usize) -> Event {
    Event::Finished {
        done,
        failed,
        skipped,
        left,
        held: 0,
    }
}

#[test]
fn all_goes_well() {
    let plan = small();
    let uploading = |n: u32| Event::Progress {
        step: 1,
        text: format!("uploading {n} of 40 MiB"),
    };
    let events = [
        started(&plan, 1),
        uploading(1),
        uploading(2),
        done(1, 1250),
        started(&plan, 2),
        done(2, 400),
        started(&plan, 3),
        done(3, 125_000),
        finished_event(3, 0, 0, 0),
    ];
    assert_eq!(
        said(&plan, &events),
        "image.cache: creating image infra/demo/cache:1 …
image.cache: image infra/demo/cache:1: uploading 1 of 40 MiB
image.cache: image infra/demo/cache:1 created in 1.2 s
cache: creating container demo.cache …
cache: container demo.cache created in 0.4 s
web: restarting domain demo.web …
web: domain demo.web restarted in 2 min 5 s

3 steps done.
"
    );
}

#[test]
fn one_fails() {
    let plan = small();
    let failure = Failure::new(
        Remedy::Operator,
        "starting container `demo.cache`",
        "driver failed\nport 11211 is \u{1b}[1mtaken",
    )
    .hint("see who listens on it");
    let events = [
        done(1, 10),
        started(&plan, 2),
        Event::Failed {
            step: 2,
            elapsed_ms: 400,
            problem: Problem::from(&failure),
        },
        Event::Skipped {
            step: 3,
            because: 2,
        },
        Event::Stopping {
            running: Vec::new(),
        },
        finished_event(1, 1, 1, 0),
    ];
    assert_eq!(
        said(&plan, &events),
        "image.cache: image infra/demo/cache:1 created in 0.0 s
cache: creating container demo.cache …
cache: container demo.cache failed after 0.4 s
  starting container `demo.cache`
  driver failed
  port 11211 is \\u{1b}[1mtaken
  hint: see who listens on it
web: domain demo.web was not started, because container demo.cache failed
Stopping: no step is running, no other starts. Once more stops at once.

1 step done, 1 failed, 1 skipped.
"
    );
}

#[test]
fn with_several_hosts_each_is_named() {
    let plan = plan(&[
        (
            "workload.a",
            "r1/docker/container/demo.a",
            StepAction::Delete,
        ),
        (
            "workload.a",
            "r2/docker/container/demo.a",
            StepAction::Update,
        ),
    ]);
    let events = [done(1, 0), done(2, 0), done(9, 0)];
    assert_eq!(
        said(&plan, &events),
        "a: container demo.a on r1 deleted in 0.0 s
a: container demo.a on r2 changed in 0.0 s
step 9 done in 0.0 s
"
    );
}

/// Nobody reads any more.
#[test]
fn a_broken_pipe_is_no_error() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    Progress::to(&small(), Box::new(Gone)).event(&done(1, 1));
}
