//! What a file of the kernel's settings says, in a shell's words: read in one way by whoever asks.

/// What a file says, as [`KernelSetting::said`] has it; of a pool without the pages that go once they are free. Its words are
/// not taken for names of files.
pub(crate) const SAID: &str = "said() {\n\
    set -f\n\
    case $1 in /sys/devices/system/node/*/nr_hugepages)\n\
    echo $(($(cat \"$1\") - $(cat \"${1%/*}/surplus_hugepages\"))); return ;; esac\n\
    words=\n\
    for word in $(cat \"$1\"); do\n\
    case $word in '['*']') word=${word#?}; echo \"${word%?}\"; return ;; esac\n\
    words=\"$words $word\"\n\
    done\n\
    echo \"${words# }\"\n\
    }\n";
