//! The fault sweep: whatever step fails, however it fails and wherever the process dies, recovering, planning
//! and applying once more leads to the wanted world; nothing is lost, nothing is made twice, strangers are left
//! alone. Beside it, in `checks` and `time`, a test for each safety check that dies when the check is removed.

#[path = "converge/again.rs"]
mod again;
#[path = "converge/checks.rs"]
mod checks;
#[path = "converge/house.rs"]
mod house;
#[path = "converge/imports.rs"]
mod imports;
#[path = "converge/lost.rs"]
mod lost;
#[path = "converge/migrate.rs"]
mod migrate;
#[path = "converge/nouns.rs"]
mod nouns;
#[path = "converge/ready.rs"]
mod ready;
#[path = "converge/rolling.rs"]
mod rolling;
#[path = "converge/three.rs"]
mod three;
#[path = "converge/time.rs"]
mod time;
#[path = "converge/windows.rs"]
mod windows;

use infra_api::Remedy;
use infra_sim::{Fault, When};
use serde_json::json;

use house::{Death, End, House, Wanted, Weather};
use nouns::{id, thing};

/// From one world to another, by every kind of step.
struct Journey {
    name: &'static str,
    from: fn(&House) -> Wanted,
    to: fn(&House) -> Wanted,
}

const JOURNEYS: [Journey; 3] = [
    Journey {
        name: "everything is made",
        from: nothing,
        to: before,
    },
    Journey {
        name: "update, prepare, restart, replace, delete, create",
        from: before,
        to: after,
    },
    Journey {
        name: "everything goes",
        from: after,
        to: nothing,
    },
];

const ROLLED_OUT: Journey = Journey {
    name: "one instance after the other",
    from: |_| rolling::three(1),
    to: |_| rolling::three(2),
};

const REPLACED_NETWORK: Journey = Journey {
    name: "what stands on it goes with it",
    from: before,
    to: other_network,
};

fn nothing(_: &House) -> Wanted {
    Wanted::default()
}

fn network(subnet: &str) -> infra_api::Resource {
    thing("network", "lan", json!({ "subnet": subnet }), &[])
}

fn on_lan(name: &str, image: u32, cpus: &str) -> infra_api::Resource {
    let body = json!({"image": image, "cpus": cpus, "memory_bytes": 64, "state": "running"});
    thing("container", name, body, &[id("network", "lan")])
}

fn domain(memory: u32) -> infra_api::Resource {
    thing(
        "domain",
        "vm",
        json!({"memory_bytes": memory, "vcpus": memory, "state": "running"}),
        &[],
    )
}

fn before(house: &House) -> Wanted {
    let mut keeper = on_lan("keeper", 1, "0");
    keeper.body["env"] = json!({"PASSWORD": house.secret()});
    let resources = vec![
        network("10.0.0.0/24"),
        keeper,
        on_lan("pinned", 1, "0"),
        on_lan("rebuilt", 1, "0"),
        on_lan("leaves", 1, "0"),
        domain(1),
    ];
    Wanted {
        resources,
        depends_on: vec![(id("container", "pinned"), id("domain", "vm"))],
        ..Wanted::default()
    }
}

fn after(house: &House) -> Wanted {
    let mut keeper = on_lan("keeper", 1, "0");
    keeper.body["env"] = json!({"PASSWORD": house.secret()});
    let mut pinned = on_lan("pinned", 1, "1");
    pinned.body["memory_bytes"] = json!(128);
    let mut comes = on_lan("comes", 1, "0");
    comes.body["env"] = json!({"PASSWORD": house.secret()});
    let resources = vec![
        network("10.0.0.0/24"),
        keeper,
        pinned,
        on_lan("rebuilt", 2, "0"),
        comes,
        domain(2),
    ];
    Wanted {
        resources,
        depends_on: vec![(id("container", "comes"), id("container", "pinned"))],
        // It is that time.
        stopped_when: [(id("domain", "vm"), windows::week("Mon 00:00-01:00"))].into(),
        ..Wanted::default()
    }
}

fn other_network(house: &House) -> Wanted {
    let mut wanted = before(house);
    wanted.resources[0] = network("10.9.0.0/24");
    wanted
}

/// One apply with one mishap, then one without.
struct Trip {
    house: House,
    to: Wanted,
}

impl Trip {
    async fn begin(journey: &Journey) -> Self {
        let house = House::new();
        let from = (journey.from)(&house);
        assert!(house.converge(&from).await.is_complete());
        house.assert_is(&from, "at the start").await;
        house.sim.world().made.clear();
        let to = (journey.to)(&house);
        Self { house, to }
    }

    /// Whether all that was cut off is the writing of the state.
    fn is_done(&self, plan: &infra_plan::Plan) -> bool {
        let state = self.house.load().state;
        state.is_some_and(|state| state.outcome == plan.result && state.unfinished.is_none())
    }

    /// The same plan does the rest.
    async fn again(&self, plan: &infra_plan::Plan, context: &str) {
        if !self.is_done(plan) {
            let end = self.house.apply(plan, Weather::default()).await;
            let report = end.report();
            assert!(report.is_complete(), "{context}: {report:#?}");
        }
        self.house.sim.world().calls.clear();
        self.end(context, false).await;
        assert!(
            self.house.sim.world().calls.is_empty(),
            "{context}: more to do"
        );
    }

    /// What runs was made once, and never ran twice.
    fn assert_moved(&self, context: &str) {
        let world = self.house.sim.world();
        let anew = world.made.keys().find(|id| id.kind == "domain");
        assert_eq!(anew, None, "{context}: started anew");
        assert!(world.ran_twice.is_empty(), "{context}: ran on two hosts");
    }

    async fn back(self, journey: &Journey, context: &str) {
        let to = (journey.from)(&self.house);
        let context = format!("{context}, and back");
        // What was made by then is made again.
        Self { to, ..self }.end(&context, true).await;
    }

    /// Twice is allowed only to an object that was made wrong.
    async fn end(&self, context: &str, wrongly_made: bool) {
        self.house.assert_secret(context);
        let report = self.house.converge(&self.to).await;
        if self.to.migrate {
            self.assert_moved(context);
        }
        assert!(report.is_complete(), "{context}: {report:#?}");
        self.house.assert_is(&self.to, context).await;
        if !wrongly_made {
            let made = self.house.sim.world().made.clone();
            assert!(
                made.values().all(|times| *times == 1),
                "{context}: made twice: {made:?}"
            );
        }
    }
}

/// How it goes on after the mishap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The world is planned anew.
    Replan,
    /// The plan that was cut off is applied again.
    Again,
    /// The person thinks better of it: what there was is wanted again.
    Back,
}

const WAYS: [Way; 3] = [Way::Replan, Way::Again, Way::Back];

fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::Lie,
        Fault::Hang,
        Fault::CrashBefore,
        Fault::CrashHalf,
        Fault::CrashLate,
        Fault::CrashAfter,
    ];
    for remedy in [Remedy::Retry, Remedy::Replan, Remedy::Operator] {
        faults.extend([
            Fault::Before(remedy),
            Fault::Half(remedy),
            Fault::Late(remedy),
            Fault::After(remedy),
        ]);
    }
    faults
}

#[tokio::test(start_paused = true)]
async fn every_step_fails_in_every_way() {
    for journey in &JOURNEYS {
        fails_everywhere(journey, &faults()).await;
    }
}

async fn fails_everywhere(journey: &Journey, faults: &[Fault]) {
    for fault in faults {
        let crash = matches!(fault, Fault::CrashHalf | Fault::CrashLate);
        for way in WAYS.into_iter().filter(|way| crash || *way != Way::Back) {
            let mut call = 1;
            while fails_at(journey, fault, call, way).await {
                call += 1;
            }
            assert!(call > 3, "{}: {call}", journey.name);
        }
    }
}

/// False where there is no such call any more.
async fn fails_at(journey: &Journey, fault: &Fault, call: u32, way: Way) -> bool {
    let trip = Trip::begin(journey).await;
    let context = format!("{}, call {call}, {fault:?}", journey.name);
    trip.house.sim.world().fail(When::Call(call), fault.clone());
    let plan = trip.house.plan(&trip.to).await;
    let end = trip.house.apply(&plan, Weather::default()).await;
    if trip.house.sim.world().faults_left() > 0 {
        return false;
    }
    let wrong = matches!(fault, Fault::LieWith(_));
    match (fault, end) {
        (
            Fault::CrashBefore | Fault::CrashHalf | Fault::CrashLate | Fault::CrashAfter,
            End::Killed,
        ) => {}
        // A call that may go through later does, and the apply with it.
        (Fault::Before(Remedy::Retry) | Fault::After(Remedy::Retry), End::Report(report)) => {
            assert!(report.is_complete(), "{context}: {report:#?}");
        }
        // An object that is half changed is not as planned any more; half made, it is finished.
        (Fault::Half(Remedy::Retry) | Fault::Late(Remedy::Retry), End::Report(_)) => {}
        // A lie about a removal that did remove is none.
        (Fault::LieWith(_), End::Report(report)) if report.is_complete() => {}
        (_, End::Report(report)) => {
            assert_eq!(
                report.failed.len(),
                1,
                "{context}: it was noticed: {report:#?}"
            );
        }
        (_, End::Killed) => panic!("{context}: killed"),
        (_, End::Refused(failure)) => panic!("{context}: {failure}"),
    }
    match way {
        Way::Again if !wrong => trip.again(&plan, &context).await,
        Way::Back => trip.back(journey, &context).await,
        _ => trip.end(&context, wrong).await,
    }
    true
}

#[tokio::test(start_paused = true)]
async fn the_process_dies_at_every_entry_of_the_journal() {
    for journey in &JOURNEYS {
        dies_everywhere(journey).await;
    }
}

async fn dies_everywhere(journey: &Journey) {
    for death in [Death::BeforeEntry, Death::AfterEntry] {
        for way in WAYS {
            let mut entry = 1;
            while dies_at(journey, death(entry), way).await {
                entry += 1;
            }
            assert!(entry > 6, "{}: {entry}", journey.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_wrong_is_made_anew() {
    for journey in JOURNEYS.iter().chain([&REPLACED_NETWORK]) {
        fails_everywhere(journey, &[Fault::LieWith(json!({"state": "exited"}))]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_the_apply_and_loses_nothing() {
    for journey in &JOURNEYS {
        let mut entry = 1;
        while full_at(journey, entry).await {
            entry += 1;
        }
        assert!(entry > 10, "{}: {entry}", journey.name);
    }
}

/// False where all but the last entry was written.
async fn full_at(journey: &Journey, entry: u32) -> bool {
    let trip = Trip::begin(journey).await;
    let context = format!("{}, full at {entry}", journey.name);
    let plan = trip.house.plan(&trip.to).await;
    let calls = trip.house.sim.world().calls.len();
    let death = Some(Death::FullDisk(entry));
    let weather = Weather {
        death,
        ..Weather::default()
    };
    let report = trip.house.apply(&plan, weather).await.report();
    if report.is_complete() {
        return false;
    }
    let calls = trip.house.sim.world().calls.len() - calls;
    assert!(calls < entry as usize, "{context}: {calls} effects");
    let failed = report.failed.len();
    assert!(
        failed <= 4,
        "{context}: {failed} failed, though four run at once"
    );
    trip.end(&context, false).await;
    true
}

#[tokio::test(start_paused = true)]
async fn a_replacement_of_many_is_cut_off_anywhere() {
    fails_everywhere(&REPLACED_NETWORK, &faults()).await;
    dies_everywhere(&REPLACED_NETWORK).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_cut_off_anywhere() {
    fails_everywhere(&ROLLED_OUT, &faults()).await;
    dies_everywhere(&ROLLED_OUT).await;
}

/// False where there is no such entry any more.
async fn dies_at(journey: &Journey, death: Death, way: Way) -> bool {
    let trip = Trip::begin(journey).await;
    let context = format!("{}, {death:?}", journey.name);
    let plan = trip.house.plan(&trip.to).await;
    let weather = Weather {
        death: Some(death),
        ..Weather::default()
    };
    match trip.house.apply(&plan, weather).await {
        End::Killed => match way {
            Way::Replan => trip.end(&context, false).await,
            Way::Again => trip.again(&plan, &context).await,
            Way::Back => trip.back(journey, &context).await,
        },
        End::Report(_) => return false,
        End::Refused(failure) => panic!("{context}: {failure}"),
    }
    true
}

#[tokio::test(start_paused = true)]
async fn what_need_not_change_is_not_touched() {
    let trip = Trip::begin(&JOURNEYS[1]).await;
    let identities = |names: [(&str, &str); 4]| {
        let world = trip.house.sim.world();
        names.map(|(kind, name)| world.objects[&id(kind, name)].identity)
    };
    let kept = [
        ("network", "lan"),
        ("container", "keeper"),
        ("container", "pinned"),
        ("domain", "vm"),
    ];
    let before = identities(kept);
    assert!(trip.house.converge(&trip.to).await.is_complete());
    assert_eq!(
        identities(kept),
        before,
        "the same objects, also those that were changed"
    );
    let starts = |kind, name| trip.house.sim.world().objects[&id(kind, name)].starts;
    assert_eq!(
        (starts("container", "pinned"), starts("domain", "vm")),
        (1, 2)
    );
}
