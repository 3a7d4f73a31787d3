//! Applies that are cut off, asked to stop, or meet another: each leaves what the next one needs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Bench, said};

/// Six of one block, one after the other, each with a volume of its own.
const SIX: &str = r#"
infra { project = "PROJECT" }
variable "word" { default = "0" }
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  count = 6
  update { max_parallel = 2 }
  disk "data" { mount = "/data" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
    env     = { WORD = var.word }
  }
}
"#;

fn start(bench: &Bench, args: &[&str]) -> Child {
    bench
        .command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("infra runs")
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([name, &pid]).status();
    assert!(status.expect("kill runs").success());
}

/// Its events, and the code it ends with; at each event `seen` may do something to it.
fn events(mut child: Child, mut seen: impl FnMut(&Child, &Value)) -> (Vec<Value>, Option<i32>) {
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut events = Vec::new();
    for line in lines {
        let event: Value =
            serde_json::from_str(&line.expect("it can be read")).expect("it is JSON");
        seen(&child, &event);
        events.push(event);
    }
    (events, child.wait().expect("it ends").code())
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}

#[test]
fn one_interrupt_lets_what_runs_end_and_two_stop_at_once() {
    let Some(bench) = Bench::new("infra-live-stop", SIX) else {
        return;
    };
    for (word, signals) in [("1", 1), ("2", 2)] {
        bench.run(0, &["apply", "--auto-approve", "--var=word=0"]);
        let var = format!("--var=word={word}");
        let apply = start(&bench, &["apply", "--auto-approve", "--json", &var]);
        let mut sent: Option<Instant> = None;
        let (events, code) = events(apply, |child, event| {
            let now = match signals {
                1 => event["type"] == "done" && sent.is_none(),
                _ => event["type"] == "started" && sent.is_none() || event["type"] == "stopping",
            };
            if now && (signals == 2 || sent.is_none()) {
                signal(child, "-INT");
                sent.get_or_insert_with(Instant::now);
            }
        });
        assert_eq!(code, Some(4), "{events:#?}");
        assert!(sent.expect("it was interrupted").elapsed() < Duration::from_secs(20));
        let stopping = events.iter().position(|event| event["type"] == "stopping");
        let after = &events[stopping.expect("it said so")..];
        assert_eq!(count(after, "started"), 0, "{events:#?}");
        if signals == 1 {
            let ended = count(&events, "done") + count(&events, "failed");
            assert_eq!(
                count(&events, "started"),
                ended,
                "what ran has ended: {events:#?}"
            );
        }
        bench.run(0, &["apply", "--auto-approve", &var]);
        bench.run(0, &["plan", "--detailed-exitcode", &var]);
        assert_eq!(bench.left().len(), 12, "six containers and their volumes");
    }
}

#[test]
fn a_saved_plan_that_was_killed_does_the_rest() {
    let Some(bench) = Bench::new("infra-live-again", SIX) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    let plan = bench.path("the.plan");
    let plan = plan.to_str().expect("a path of ours is text");
    bench.run(0, &["plan", "--var=word=1", "--out", plan]);
    for done in [1, 3] {
        let apply = start(&bench, &["apply", "--json", "--var=word=1", plan]);
        let mut left = done;
        let (_, code) = events(apply, |child, event| {
            left -= u32::from(event["type"] == "done" && left > 0);
            if left == 0 {
                signal(child, "-KILL");
            }
        });
        assert_eq!(code, None, "it was killed");
    }
    bench.run(0, &["apply", "--var=word=1", plan]);
    bench.run(0, &["plan", "--detailed-exitcode", "--var=word=1"]);
    assert_eq!(bench.left().len(), 12, "six containers and their volumes");
    bench.run(5, &["apply", "--var=word=1", plan]);
}

#[test]
fn of_two_at_once_the_second_is_told_or_waits() {
    let Some(bench) = Bench::new("infra-live-two", SIX) else {
        return;
    };
    let first = start(&bench, &["apply", "--auto-approve", "--json"]);
    let pid = first.id();
    let mut waiting = None;
    let (_, code) = events(first, |_, event| {
        if event["type"] == "started" && waiting.is_none() {
            let second = bench.command(&["apply", "--auto-approve"]).output();
            let second = second.expect("infra runs");
            assert_eq!(second.status.code(), Some(6), "{}", said(&second));
            let words = said(&second);
            assert!(words.contains(&format!("(pid {pid}) since 20")), "{words}");
            let patient = ["apply", "--auto-approve", "--json", "--lock-timeout", "60s"];
            waiting = Some(start(&bench, &patient));
        }
    });
    assert_eq!(code, Some(0));
    let (_, code) = events(waiting.expect("it was begun"), |_, _| {});
    assert_eq!(code, Some(0), "it waited, and found nothing to do");
}

/// What is there of a dead one keeps nobody out.
#[test]
fn a_dead_holder_holds_nothing() {
    let Some(bench) = Bench::new("infra-live-dead", SIX) else {
        return;
    };
    let first = start(&bench, &["apply", "--auto-approve", "--json"]);
    let (_, code) = events(first, |child, event| {
        if event["type"] == "started" {
            signal(child, "-KILL");
        }
    });
    assert_eq!(code, None, "it was killed");
    let next = bench.command(&["apply", "--auto-approve"]).output();
    let next = next.expect("infra runs");
    assert!(next.status.success(), "{}", said(&next));
    assert!(
        said(&next).contains("took over the lock of"),
        "{}",
        said(&next)
    );
    bench.run(0, &["plan", "--detailed-exitcode"]);
}
