//! A stack that is large enough: evaluation follows references, and people write long chains of them.

use std::cell::Cell;
use std::hint::black_box;

/// Only what is used of it is ever backed by memory.
const SIZE: usize = 1 << 30;

/// Where even that is refused.
const SMALL: usize = 64 << 20;

/// What must be left for one more step.
const RESERVE: usize = 8 << 20;

thread_local! {
    /// Where the large stack of this thread ends, less the reserve; 0 where it has none.
    static END: Cell<usize> = const { Cell::new(0) };
}

/// Runs `f` on a stack that is large enough for whatever the language is given. What needs one gets it by itself, on a thread
/// of its own; a program that begins so needs no other thread.
pub fn on_large_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    large(|_| f())
}

/// Runs `f` on a large stack, this one where it is large, and tells it where that ends.
pub(crate) fn large<T: Send>(f: impl FnOnce(usize) -> T + Send) -> T {
    match END.get() {
        0 => elsewhere(f),
        end => f(end),
    }
}

fn elsewhere<T: Send>(f: impl FnOnce(usize) -> T + Send) -> T {
    let mut f = Some(f);
    let mut result = None;
    for size in [SIZE, SMALL] {
        let run = || {
            if let Some(f) = f.take() {
                END.set(here().saturating_sub(size - RESERVE));
                result = Some(f(END.get()));
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
