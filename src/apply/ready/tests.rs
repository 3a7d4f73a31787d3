//! Tests: whatever the graph and whatever fails, the machine keeps its word.

use infra_api::{Address, ResourceId};
use infra_plan::{Before, Reason, StepAction};
use proptest::prelude::*;

use super::*;

fn step(number: u32, provider: &str, needs: &[u32]) -> Step {
    Step {
        number,
        resource: ResourceId::new(&HostName::new("r1"), provider, "thing", &number.to_string()),
        address: Address::new("workload.a"),
        action: StepAction::Create,
        before: Before::Absent,
        source: None,
        reason: Reason::New,
        deltas: vec![],
        prepared: None,
        needs: needs.to_vec(),
        overlaps: vec![],
        waits_for: Vec::new(),
        starts: None,
        until_ready: false,
        ready_ms: BTreeMap::new(),
        timeout_ms: None,
        imported: None,
        when: None,
        migration: None,
    }
}

fn ready(steps: &[Step]) -> Ready {
    Ready::new(steps, &Limits::default()).unwrap()
}

#[test]
fn a_plan_that_needs_what_is_not_before_it_is_refused() {
    let refused = |steps: &[Step]| Ready::new(steps, &Limits::default()).unwrap_err();
    assert_eq!(
        refused(&[step(1, "sim", &[2]), step(2, "sim", &[])]),
        "step 1 needs step 2, which is not before it"
    );
    assert_eq!(
        refused(&[step(1, "sim", &[1])]),
        "step 1 needs step 1, which is not before it"
    );
    assert_eq!(
        refused(&[step(2, "sim", &[]), step(2, "sim", &[])]),
        "step 2 is out of order"
    );
}

#[test]
fn each_daemon_has_its_limit() {
    let steps: Vec<Step> = (1..=40)
        .map(|n| step(n, ["docker", "libvirt", "other"][n as usize % 3], &[]))
        .collect();
    let mut ready = ready(&steps);
    let started = ready.start();
    let count = |provider: &str| {
        started
            .iter()
            .filter(|n| steps[**n as usize - 1].resource.provider == provider)
            .count()
    };
    assert_eq!(
        (count("docker"), count("libvirt"), count("other")),
        (10, 5, 4)
    );
    assert!(ready.start().is_empty());
}

#[test]
fn a_host_and_the_whole_have_limits_and_a_daemon_its_own() {
    let host = HostName::new("r1");
    let on = |n: u32, host: &str| Step {
        resource: ResourceId::new(&HostName::new(host), "docker", "thing", &n.to_string()),
        ..step(n, "docker", &[])
    };
    let mut steps: Vec<Step> = (1..=10)
        .map(|n| on(n, ["r1", "r2"][n as usize % 2]))
        .collect();
    let started = |limits: Limits| Ready::new(&steps, &limits).unwrap().start();
    assert_eq!(started(Limits::default().in_all(3)), [1, 2, 3]);
    assert_eq!(
        started(Limits::default().host(&host, 1)),
        [1, 2, 3, 5, 7, 9]
    );
    let own = Limits::default().daemon(&host, "docker", 2);
    assert_eq!(started(own), [1, 2, 3, 4, 5, 7, 9]);
    steps.truncate(2);
    let mut ready = Ready::new(&steps, &Limits::default().in_all(1)).unwrap();
    assert_eq!(ready.start(), [1]);
    ready.done(1);
    assert_eq!(ready.start(), [2]);
}

#[test]
fn a_failure_skips_what_stands_on_it_and_nothing_else() {
    let mut ready = ready(&[
        step(1, "sim", &[]),
        step(2, "sim", &[1]),
        step(3, "sim", &[2]),
        step(4, "sim", &[]),
    ]);
    assert_eq!(ready.start(), [1, 4]);
    assert_eq!(
        ready.failed(1),
        [
            Skipped {
                step: 2,
                because: 1
            },
            Skipped {
                step: 3,
                because: 1
            }
        ]
    );
    ready.done(4);
    assert!(ready.is_finished());
}

#[test]
fn after_a_stop_nothing_starts_and_what_runs_ends() {
    let mut ready = ready(&[
        step(1, "sim", &[]),
        step(2, "sim", &[1]),
        step(3, "sim", &[]),
    ]);
    assert_eq!(ready.start(), [1, 3]);
    ready.stop();
    ready.done(1);
    assert!(!ready.is_finished());
    ready.done(3);
    assert!(ready.is_finished() && ready.start().is_empty());
    assert_eq!(ready.summary().left, [2]);
}

#[test]
fn news_of_a_step_that_does_not_run_is_ignored() {
    let mut ready = ready(&[step(1, "sim", &[])]);
    ready.done(1);
    assert!(ready.failed(9).is_empty());
    assert_eq!(ready.start(), [1]);
    ready.done(1);
    ready.done(1);
    assert!(ready.failed(1).is_empty());
    assert_eq!(ready.summary().done, [1]);
}

/// Steps that need any of those before them, on one of three daemons.
fn graph() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (
            0..3usize,
            prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ),
        1..40,
    )
    .prop_map(|nodes| {
        let node = |(index, (provider, needs)): (usize, (usize, Vec<prop::sample::Index>))| {
            let before = |need: prop::sample::Index| u32::try_from(need.index(index) + 1).unwrap();
            let needs: Vec<u32> = if index == 0 {
                vec![]
            } else {
                needs.into_iter().map(before).collect()
            };
            step(
                u32::try_from(index + 1).unwrap(),
                ["docker", "libvirt", "other"][provider],
                &needs,
            )
        };
        nodes.into_iter().enumerate().map(node).collect()
    })
}

/// All that needs one of `failed`, directly or not.
fn downstream(steps: &[Step], failed: &BTreeSet<u32>) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for step in steps {
        if step
            .needs
            .iter()
            .any(|need| failed.contains(need) || all.contains(need))
        {
            all.insert(step.number);
        }
    }
    all
}

proptest! {
    #[test]
    fn it_keeps_its_word(steps in graph(), fails in prop::collection::vec(any::<bool>(), 40), pick in any::<u64>()) {
        let limits = Limits::new([("docker", 3), ("libvirt", 1)], 2);
        let mut ready = Ready::new(&steps, &limits).unwrap();
        let (mut running, mut done, mut failed) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut pick = pick;
        while !ready.is_finished() {
            for number in ready.start() {
                let step = &steps[number as usize - 1];
                prop_assert!(step.needs.iter().all(|need| done.contains(need)), "{number} before its needs");
                running.push(number);
            }
            for lane in ["docker", "libvirt", "other"] {
                let busy = running.iter().filter(|n| steps[**n as usize - 1].resource.provider == lane).count();
                prop_assert!(busy <= limits.of(&HostName::new("r1"), lane));
            }
            prop_assert!(!running.is_empty(), "stuck");
            pick = pick.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let ended = running.swap_remove(usize::try_from(pick >> 33).unwrap() % running.len());
            if fails[ended as usize - 1] {
                failed.insert(ended);
                ready.failed(ended);
            } else {
                done.insert(ended);
                ready.done(ended);
            }
        }
        let summary = ready.summary();
        let skipped: BTreeSet<u32> = summary.skipped.iter().map(|s| s.step).collect();
        prop_assert_eq!(&skipped, &downstream(&steps, &failed));
        prop_assert_eq!(done.len() + failed.len() + skipped.len(), steps.len(), "everything else ran");
        prop_assert!(summary.left.is_empty() && summary.running.is_empty());
    }
}
