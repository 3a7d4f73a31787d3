//! Rounds of one reader: an input, a run, and what must hold of it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::memory::most;
use super::mutation::{Corpus, Dice};

/// Of a reader that nobody gave more time.
const ROUNDS: u64 = 400;

/// Longer than this, on a machine that is busy, is a hang.
const LONGEST: Duration = Duration::from_secs(10);

/// No input is longer than 64 KiB.
const MOST_BYTES: usize = 256 << 20;

/// Says whether it took what it was given.
pub(crate) type Reader = Box<dyn Fn(&[u8]) -> bool>;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tries a reader, for as long as was asked for.
pub(crate) fn fuzz(name: &str, read: Reader) {
    if let Some(path) = std::env::var_os("INFRA_FUZZ_INPUT") {
        read(&fs::read(path).unwrap());
        return;
    }
    let seeds = seeds(name);
    assert!(
        seeds.iter().any(|seed| read(seed)),
        "{name}: no seed is taken, so nothing behind it is tried"
    );
    let corpus = Corpus::new(seeds);
    let seconds = number("INFRA_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = number("INFRA_FUZZ_SEED").unwrap_or(1);
    let kept = kept(name);
    let began = Instant::now();
    let mut round = 0;
    let more = |round| seconds.map_or(round < ROUNDS, |most| began.elapsed() < most);
    let watched = Watched::new(&kept);
    while more(round) {
        // Each round by itself: any of them can be repeated.
        let mut dice = Dice::new(seed.wrapping_mul(1 << 32).wrapping_add(round));
        let input = corpus.input(&mut dice);
        // Before the run: of a stack that is exhausted nothing else is left.
        fs::write(&kept, &input).unwrap();
        watched.round(round);
        if let Some(why) = tried(&read, &input) {
            panic!(
                "{name}, seed {seed}, round {round}: {why}\nagain: INFRA_FUZZ_INPUT={} cargo test --test fuzz {name}",
                kept.display()
            );
        }
        round += 1;
    }
    watched.round(u64::MAX);
    fs::remove_file(&kept).unwrap();
    println!(
        "{name}: {round} inputs in {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

/// What is wrong with one run.
fn tried(read: &Reader, input: &[u8]) -> Option<String> {
    let began = Instant::now();
    let (outcome, bytes) = most(|| catch_unwind(AssertUnwindSafe(|| read(input))));
    if outcome.is_err() {
        return Some("it panicked".to_owned());
    }
    let elapsed = began.elapsed();
    if elapsed > LONGEST {
        return Some(format!("it took {elapsed:?}"));
    }
    (bytes > MOST_BYTES).then(|| format!("it took {bytes} bytes of memory"))
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}", folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Where the input of a run is, until it went well.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Ends the program where a round does not end: nothing else stops a loop.
struct Watched(&'static AtomicU64);

impl Watched {
    fn new(kept: &Path) -> Self {
        let round: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let kept = kept.to_owned();
        std::thread::spawn(move || {
            let mut seen = 0;
            let mut since = Instant::now();
            loop {
                std::thread::sleep(Duration::from_millis(500));
                match round.load(Ordering::Relaxed) {
                    u64::MAX => return,
                    now if now != seen => (seen, since) = (now, Instant::now()),
                    _ if since.elapsed() > 6 * LONGEST => {
                        eprintln!("a reader hangs on {}", kept.display());
                        std::process::abort();
                    }
                    _ => {}
                }
            }
        });
        Self(round)
    }

    fn round(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.round(u64::MAX);
    }
}
