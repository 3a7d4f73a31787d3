//! Its memory never leaves the host's.

use super::Claim;
use crate::verify::words::size;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "locked memory",
    holds: "`VmLck` of a machine with locked memory is at least its memory that is not in huge pages: those never leave the host's anyway, and are not counted.",
    source: "proc(5): `/proc/PID/status`",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let (Some(wanted), Some(main)) = (case.wanted.locked_bytes, case.main()) else {
        return Vec::new();
    };
    let (found, verdict) = match main.locked_bytes {
        Some(bytes) => (size(bytes), Verdict::of(bytes >= wanted)),
        None => ("the kernel does not tell".to_owned(), Verdict::Unknown),
    };
    let expected = format!("at least {}", size(wanted));
    vec![case.check("locked memory", expected, found, verdict)]
}
