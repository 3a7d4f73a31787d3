//! Memory: copying, and going from place to place, in a buffer larger than the caches, near and far.

use std::hint::black_box;
use std::time::Duration;

use super::figure::{Figure, Found};
use super::{nodes, pace};

/// Words of a line of the cache.
const LINE: usize = 8;

/// So many places are gone to at once.
const HOPS: u32 = 1 << 14;

const MIB: u64 = 1 << 20;

/// How large a buffer is that this cache holds no more than a quarter of.
pub(in crate::cli) fn buffer_for(l3_bytes: Option<u64>) -> u64 {
    let wanted = l3_bytes.unwrap_or(0).saturating_mul(4);
    wanted.clamp(64 * MIB, 1024 * MIB).next_multiple_of(2 * MIB)
}

pub(super) fn look(bytes: usize, span: Duration, found: &mut Found) {
    let room = nodes::Room::here();
    // Else it could go to another node in the middle of it.
    let stays = room.stay();
    let near = stays.and_then(|()| room.buffer(bytes, room.near()));
    both(
        (Figure::MemoryBandwidth, Figure::MemoryLatency),
        near,
        span,
        found,
    );
    let far = match room.far() {
        Some(node) => room.buffer(bytes, Some(node)),
        None => Err("it may use the memory of one node alone".to_owned()),
    };
    let [bandwidth, latency] = Figure::REMOTE;
    both((bandwidth, latency), far, span, found);
    room.leave();
}

fn both(
    (bandwidth, latency): (Figure, Figure),
    buffer: Result<nodes::Buffer, String>,
    span: Duration,
    found: &mut Found,
) {
    match buffer {
        Ok(mut buffer) => {
            found.set(bandwidth, Ok(copying(buffer.words(), span)));
            found.set(latency, Ok(chasing(buffer.words(), span)));
        }
        Err(why) => {
            found.set(bandwidth, Err(why.clone()));
            found.set(latency, Err(why));
        }
    }
}

/// In GB/s, what is read and what is written counted.
fn copying(words: &mut [u64], span: Duration) -> f64 {
    let half = words.len() / 2;
    let (from, to) = words.split_at_mut(half);
    let to = &mut to[..half];
    // Memory is there once it was written to.
    from.fill(1);
    to.fill(2);
    let seconds = pace::mean(span, || {
        black_box(&mut *to).copy_from_slice(black_box(from))
    });
    #[allow(clippy::cast_precision_loss)]
    let bytes = (2 * size_of_val(from)) as f64;
    bytes / seconds / 1e9
}

/// In ns from one to the next.
fn chasing(words: &mut [u64], span: Duration) -> f64 {
    link(words);
    let mut place = 0;
    let seconds = pace::mean(span, || place = black_box(hop(words, place, HOPS)));
    seconds / f64::from(HOPS) * 1e9
}

/// From line to line, wherever the first word of each says.
fn hop(words: &[u64], mut place: usize, hops: u32) -> usize {
    for _ in 0..hops {
        #[allow(clippy::cast_possible_truncation)]
        let next = words[place * LINE] as usize;
        place = next;
    }
    place
}

/// One circle through all lines, in an order that no prefetcher guesses (Sattolo's shuffle).
fn link(words: &mut [u64]) {
    let lines = words.len() / LINE;
    for line in 0..lines {
        words[line * LINE] = line as u64;
    }
    let mut state = 1_u64;
    for line in (1..lines).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        #[allow(clippy::cast_possible_truncation)]
        let other = ((state >> 33) as usize) % line;
        words.swap(line * LINE, other * LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_goes_through_every_line_once() {
        let lines = 1000;
        let mut words = vec![0; lines * LINE];
        link(&mut words);
        let (mut place, mut seen) = (0, vec![false; lines]);
        for _ in 0..lines {
            assert!(!seen[place], "line {place} is met twice");
            seen[place] = true;
            place = hop(&words, place, 1);
        }
        assert_eq!(place, 0);
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn the_buffer_is_larger_than_the_cache() {
        assert_eq!(buffer_for(None), 64 * MIB);
        assert_eq!(buffer_for(Some(8 * MIB)), 64 * MIB);
        assert_eq!(buffer_for(Some(33 * MIB)), 132 * MIB);
        assert_eq!(buffer_for(Some(u64::MAX)), 1024 * MIB);
    }
}
