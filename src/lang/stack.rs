//! A stack that is large enough: evaluation follows references, and people write long chains of them.

use std::hint::black_box;

/// Only what is used of it is ever backed by memory.
const SIZE: usize = 1 << 30;

/// Where even that is refused.
const SMALL: usize = 64 << 20;

/// What must be left for one more step.
const RESERVE: usize = 8 << 20;

/// Runs `f` on a large stack and tells it where that ends.
pub(crate) fn large<T: Send>(f: impl FnOnce(usize) -> T + Send) -> T {
    let mut f = Some(f);
    let mut result = None;
    for size in [SIZE, SMALL] {
        let run = || {
            if let Some(f) = f.take() {
                result = Some(f(here().saturating_sub(size - RESERVE)));
            }
        };
        let spawned = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(size)
                .spawn_scoped(scope, run);
            thread.map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        });
        if spawned.is_ok() {
            break;
        }
    }
    result.expect("a thread can be started")
}

/// Roughly where the stack has got to.
fn here() -> usize {
    let local = 0u8;
    std::ptr::from_ref(black_box(&local)).addr()
}

/// Whether the stack that ends there is nearly used up.
pub(crate) fn is_low(end: usize) -> bool {
    here() < end
}
