//! What is done: one script for each step. The record is there before the setting is changed, so that what was found is
//! never lost; and the same script run again ends what was cut off.

use infra_api::Mark;
use infra_api::target::KernelSetting;
use infra_door::quoted;

use super::record::{path, text};

/// Nothing of it is done before all of it has come: a shell does what it has read of a script that is cut off.
fn as_one(script: &str) -> String {
    format!("main() {{\nset -eu\nLC_ALL=C; export LC_ALL\n{script}}}\nmain\n")
}

/// What a file says, as [`KernelSetting::said`] has it. Its words are not taken for names of files.
const SAID: &str = "said() {\n\
    set -f; words=\n\
    for word in $(cat \"$1\"); do\n\
    case $word in '['*']') word=${word#?}; echo \"${word%?}\"; return ;; esac\n\
    words=\"$words $word\"\n\
    done\n\
    echo \"${words# }\"\n\
    }\n";

/// Makes it say that.
pub(super) fn set(mark: &Mark, setting: &KernelSetting) -> String {
    let KernelSetting { file, value } = setting;
    let (record, knob, value) = (
        quoted(&path(&mark.project, file)),
        quoted(file),
        quoted(value),
    );
    let (head, rule) = text(mark, setting);
    let how = match file.ends_with("/nr_hugepages") {
        true => POOL,
        false => PLAIN,
    };
    as_one(&format!(
        "{SAID}\
         record={record} knob={knob} value={value}\n\
         [ -e \"$knob\" ] || {{ echo \"this kernel has no $knob\" >&2; exit 3; }}\n\
         if [ -f \"$record\" ]; then found=$(sed -n 's/^# found=//p' \"$record\"); else found=$(said \"$knob\"); fi\n\
         mkdir -p \"$(dirname \"$record\")\"\n\
         {{ cat << 'END'\n{head}END\n\
         printf '# found=%s\\n' \"$found\"; cat << 'END'\n{rule}END\n\
         }} > \"$record.new\"\n\
         sync \"$record.new\"; mv -fT \"$record.new\" \"$record\"\n\
         {how}\
         [ \"$(said \"$knob\")\" = \"$value\" ] || {{ echo \"$knob says $(said \"$knob\") after $value was written\" >&2; exit 3; }}\n"
    ))
}

/// Puts back what was found, and forgets it.
pub(super) fn unset(mark: &Mark, file: &str) -> String {
    let (record, knob) = (quoted(&path(&mark.project, file)), quoted(file));
    as_one(&format!(
        "record={record} knob={knob}\n\
         [ -f \"$record\" ] || exit 0\n\
         if [ -e \"$knob\" ]; then sed -n 's/^# found=//p' \"$record\" > \"$knob\"; fi\n\
         rm -f \"$record\"\n"
    ))
}

const PLAIN: &str = "printf '%s\\n' \"$value\" > \"$knob\"\n";

/// The kernel takes fewer than it is told to without a word. What files hold of memory goes first, then it is made whole.
const POOL: &str = "pool=${knob%/*}\n\
    used=$(($(cat \"$pool/nr_hugepages\") - $(cat \"$pool/free_hugepages\")))\n\
    [ \"$value\" -ge \"$used\" ] || { echo \"$used pages of it are in use, and only $value are wanted\" >&2; exit 3; }\n\
    printf '%s\\n' \"$value\" > \"$knob\"\n\
    if [ \"$(cat \"$knob\")\" -lt \"$value\" ]; then\n\
    echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory || true\n\
    printf '%s\\n' \"$value\" > \"$knob\"\n\
    fi\n\
    got=$(cat \"$knob\")\n\
    [ \"$got\" -ge \"$value\" ] || { echo \"only $got of $value pages could be had: the node's memory is in use or in pieces\" >&2; exit 4; }\n";
