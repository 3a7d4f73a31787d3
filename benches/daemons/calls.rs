//! Calls in what a client sends to libvirt.

use crate::proxy::Count;

/// libvirt's messages: their length, program, version, procedure, and their type, which is 0 for a call.
pub(crate) fn calls_that(count: fn(&[u8]) -> bool) -> Count {
    let mut waiting: Vec<u8> = Vec::new();
    Box::new(move |piece| {
        waiting.extend(piece);
        let mut found = 0;
        while let Some(length) = word(&waiting, 0).filter(|length| waiting.len() >= *length) {
            found += u64::from(word(&waiting, 16) == Some(0) && count(&waiting[..length]));
            waiting.drain(..length);
        }
        found
    })
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}
