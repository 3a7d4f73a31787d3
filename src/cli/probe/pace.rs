//! How long something takes: it is done again and again until a span is over.

use std::time::{Duration, Instant};

/// How many times at most: what takes no time would never end.
const MOST: u32 = 1 << 24;

/// Seconds that one of many takes, seen as a whole: for what is too short to be timed alone.
pub(super) fn mean(span: Duration, mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    mean_by(span, || began.elapsed(), &mut work)
}

fn mean_by(span: Duration, mut clock: impl FnMut() -> Duration, work: &mut impl FnMut()) -> f64 {
    let began = clock();
    let mut times = 0;
    loop {
        work();
        times += 1;
        let took = clock().saturating_sub(began);
        if took >= span || times == MOST {
            return took.as_secs_f64() / f64::from(times);
        }
    }
}

/// The median of many, in seconds, each timed alone: one that was held up by something else does not count.
pub(super) fn median<E>(span: Duration, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let began = Instant::now();
    let mut took = Vec::new();
    while took.is_empty() || began.elapsed() < span {
        let one = Instant::now();
        work()?;
        took.push(one.elapsed());
    }
    Ok(middle(took).as_secs_f64())
}

fn middle(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_until_the_span_is_over() {
        let (mut now, mut done) = (0, 0);
        let clock = || {
            now += 10;
            Duration::from_millis(now)
        };
        let mean = mean_by(Duration::from_millis(35), clock, &mut || done += 1);
        assert_eq!(done, 4);
        assert!((mean - 0.010).abs() < 1e-9);
    }

    #[test]
    fn one_that_was_held_up_does_not_count() {
        let times = [5, 4, 900, 6, 5].map(Duration::from_millis);
        assert_eq!(middle(times.to_vec()), Duration::from_millis(5));
    }

    #[test]
    fn what_fails_ends_it() {
        let mut left = 3;
        let ended = median(Duration::from_secs(3600), || {
            left -= 1;
            if left == 0 { Err("gone") } else { Ok(()) }
        });
        assert_eq!(ended, Err("gone"));
    }
}
