//! `kill -9` at many moments: nothing is lost, nothing is there twice, and the next apply converges. `tests/live/kills N`
//! does it N times; twenty without a word. Another seed, other moments.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::{Bench, pair};

/// A fixed sequence of numbers, so that a failure can be had again.
struct Dice(u64);

impl Dice {
    /// Below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What is there when an apply has converged.
const WHOLE: [&str; 6] = [
    "infra-infra-live-kills",
    "infra-live-kills.cache",
    "infra-live-kills.cache.disk-data",
    "infra-live-kills.guest",
    "infra-live-kills.lan",
    "infra-live-kills.lan",
];

fn number(name: &str, otherwise: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(otherwise, |n| n.parse().expect("it is a number"))
}

/// The pair, with a word that is in the container's environment: another one makes it anew.
fn configuration() -> String {
    pair("97.2").replace(
        "image   = image.memcached\n",
        "image   = image.memcached\n    env     = { WORD = var.word }\n",
    ) + "\nvariable \"word\" { default = \"0\" }\n"
}

#[test]
fn killed_at_any_moment_it_converges() {
    let Some(bench) = Bench::new("infra-live-kills", &configuration()) else {
        return;
    };
    let times = number("INFRA_LIVE_KILLS", 20);
    let (mut dice, began) = (
        Dice(number("INFRA_LIVE_KILLS_SEED", 20_261_123)),
        Instant::now(),
    );
    let (mut round, mut killed, mut converged) = (0, 0, 0);
    while killed < times {
        let vars = [
            format!("--var=cpu={}", dice.roll(2)),
            format!("--var=word={}", dice.roll(3)),
        ];
        let apply = ["apply", "--auto-approve", "--json", &vars[0], &vars[1]];
        let args: &[&str] = if round % 5 == 4 {
            &["destroy", "--auto-approve", "--json"]
        } else {
            &apply
        };
        // Most of its steps' time: what ends before it is killed does not count.
        let moment = Duration::from_millis(dice.roll(600));
        killed += u64::from(was_killed(&bench, args, moment));
        bench.run(0, &["state", "list"]);
        if round % 4 == 3 {
            bench.run(0, &apply);
            bench.run(0, &["plan", "--detailed-exitcode", &vars[0], &vars[1]]);
            assert_eq!(
                bench.left(),
                WHOLE,
                "round {round}, killed after {moment:?}"
            );
            converged += 1;
        }
        round += 1;
    }
    eprintln!(
        "{killed} of {round} killed while they ran, and the state was readable after each; {converged} of {converged} \
         applies after them converged, with nothing lost, left over or twice; {} s",
        began.elapsed().as_secs()
    );
}

/// So long after its first step has begun; false where it had ended by then.
fn was_killed(bench: &Bench, args: &[&str], moment: Duration) -> bool {
    let mut child = bench
        .command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("infra runs");
    let mut events = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let begun = events.any(|line| line.is_ok_and(|line| line.contains(r#""type":"started""#)));
    // It must not wait for a reader.
    let reader = std::thread::spawn(move || events.count());
    std::thread::sleep(moment);
    let ran = begun && child.try_wait().expect("it can be asked").is_none();
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    reader.join().expect("it was read");
    ran
}
