//! Many objects looked at over one connection: a few calls at a time.

use std::panic::resume_unwind;
use std::thread::{ScopedJoinHandle, scope};

/// Looks at all of them, in so many parts side by side; what was seen is in their order.
pub(crate) fn side_by_side<T: Sync, R: Send>(
    parts: usize,
    all: &[T],
    look: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let look = |part: &[T]| part.iter().map(&look).collect::<Vec<R>>();
    let size = all.len().div_ceil(parts.max(1)).max(1);
    let Some((first, rest)) = all.split_at_checked(size) else {
        return look(all);
    };
    scope(|scope| {
        let rest: Vec<_> = rest
            .chunks(size)
            .map(|part| scope.spawn(|| look(part)))
            .collect();
        let mut seen = look(first);
        seen.extend(rest.into_iter().flat_map(joined));
        seen
    })
}

/// What another thread has seen.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_looked_at_once_and_stay_in_order() {
        for (parts, count) in [
            (0, 3),
            (1, 3),
            (3, 0),
            (3, 1),
            (3, 2),
            (3, 3),
            (3, 7),
            (4, 9),
        ] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(
                side_by_side(parts, &all, |n| n + 1),
                (1..=count).collect::<Vec<_>>()
            );
        }
    }
}
