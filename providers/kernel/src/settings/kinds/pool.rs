//! A pool of huge pages of a node. The kernel takes fewer than it is told to without a word.

use super::{Kind, plain};

pub(super) const KIND: Kind = Kind {
    is: |file| file.starts_with("/sys/devices/system/node/") && file.ends_with("/nr_hugepages"),
    said: Some(("/sys/devices/system/node/*/nr_hugepages", SAID)),
    set: |_| format!("{}{GROW}", plain::WRITE),
    ..plain::KIND
};

/// Without the pages that go once they are free.
const SAID: &str = "echo $(($(cat \"$1\") - $(cat \"${1%/*}/surplus_hugepages\")))\n";

/// What files hold of memory goes first, then it is made whole. Pages in use that are more than is wanted stay their users',
/// and go when these let go of them.
const GROW: &str = "if [ \"$(cat \"$knob\")\" -lt \"$value\" ]; then\n\
    echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory || true\n\
    printf '%s\\n' \"$value\" > \"$knob\"\n\
    fi\n\
    got=$(cat \"$knob\")\n\
    [ \"$got\" -ge \"$value\" ] || { echo \"only $got of $value pages could be had: the node's memory is in use or in pieces\" >&2; exit 4; }\n";
