//! Readers given what nobody wrote: each seed of `tests/fuzz/corpus/READER` is changed again and again, and whatever
//! comes of it, a reader must not panic, hang or take memory without end.
//!
//! By itself a fixed number of rounds from a fixed seed, the same each time. `INFRA_FUZZ_SECONDS=60` goes on for so long
//! with each reader, `INFRA_FUZZ_SEED=7` begins elsewhere:
//!
//!     INFRA_FUZZ_SECONDS=60 cargo test --test fuzz
//!
//! What fails is kept in `target/tmp/fuzz/`, and the test says the command that tries it once more.

#[path = "fuzz/driver.rs"]
mod driver;
#[path = "fuzz/memory.rs"]
mod memory;
#[path = "fuzz/mutation.rs"]
mod mutation;
#[path = "fuzz/readers.rs"]
mod readers;

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

/// A test for each reader.
macro_rules! fuzzed {
    ($($name:ident),*) => { $(
        #[test]
        fn $name() {
            driver::fuzz(stringify!($name), readers::$name());
        }
    )* };
}

fuzzed!(
    archive,
    console,
    container,
    domain,
    engine_network,
    engine_volume,
    facts,
    far,
    journal,
    language,
    network,
    patch,
    plan,
    pool,
    processes,
    seed,
    settings,
    state,
    volume
);
