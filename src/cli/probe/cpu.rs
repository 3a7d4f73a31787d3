//! A job that computes: whole numbers and floating point, in registers alone.

use std::hint::black_box;
use std::time::Duration;

use super::pace;

/// Of one piece of the job.
const STEPS: u32 = 1 << 16;

/// In millions of steps a second.
pub(super) fn rate(span: Duration) -> f64 {
    let seconds = pace::mean(span, || {
        black_box(job(black_box(1)));
    });
    f64::from(STEPS) / seconds / 1e6
}

/// Each step needs the one before.
fn job(seed: u64) -> u64 {
    let (mut whole, mut real) = (seed, 1.0_f64);
    for _ in 0..STEPS {
        whole = whole
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        whole ^= whole >> 29;
        #[allow(clippy::cast_precision_loss)]
        let next = (whole >> 40) as f64;
        real = real * 0.5 + next;
    }
    whole ^ real.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_is_always_the_same() {
        assert_eq!(job(1), job(1));
        assert_ne!(job(1), job(2));
    }
}
