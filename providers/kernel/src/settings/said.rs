//! What a file of the kernel's settings says, in a shell's words: read in one way by whoever asks.

/// What a file says, as [`KernelSetting::said`] has it; of a pool without the pages that go once they are free, of a card's
/// functions with whether its link is down, of a unit's CPUs those it may really have. Its words are not taken for names of files.
pub(crate) const SAID: &str = "said() {\n\
    case $1 in\n\
    */sriov_numvfs)\n\
    words=$(cat \"$1\")\n\
    for word in \"${1%/*}\"/net/*/flags; do\n\
    if [ -e \"$word\" ] && [ $(($(cat \"$word\") & 1)) = 0 ]; then words=\"${words% down} down\"; fi\n\
    done\n\
    echo \"$words\"; return ;;\n\
    /sys/fs/cgroup/*/cpuset.cpus)\n\
    words=/sys/fs/cgroup/cpuset.cpus.effective\n\
    if [ -e \"$1.effective\" ]; then words=$1.effective; fi\n\
    cat \"$words\"; return ;;\n\
    /sys/devices/system/node/*/nr_hugepages)\n\
    echo $(($(cat \"$1\") - $(cat \"${1%/*}/surplus_hugepages\"))); return ;;\n\
    esac\n\
    set -f\n\
    words=\n\
    for word in $(cat \"$1\"); do\n\
    case $word in '['*']') word=${word#?}; echo \"${word%?}\"; return ;; esac\n\
    words=\"$words $word\"\n\
    done\n\
    echo \"${words# }\"\n\
    }\n";
