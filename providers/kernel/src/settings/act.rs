//! What is done: one script for each step. What was found is written down before anything is changed, so that it is never
//! lost; what is to hold after a start of the host is written down once the kernel has taken it. The same script run again
//! ends what was cut off.

use infra_api::Mark;
use infra_api::target::KernelSetting;
use infra_door::{as_one, quoted};

use super::record::{head, path, rule};
use super::said::SAID;
use super::{functions, unit_cpus};

/// What it says where the kernel did not take back what was found.
pub(super) const KEPT: &str = "kept";

/// As a whole, with what every step needs.
fn step(script: &str) -> String {
    as_one(&format!(
        "umask 022\nLC_ALL=C; export LC_ALL\n{SAID}{script}"
    ))
}

/// Makes it say that.
pub(super) fn set(mark: &Mark, setting: &KernelSetting) -> String {
    let KernelSetting { file, value, .. } = setting;
    let (record, knob, value) = (
        quoted(&path(&mark.project, file)),
        quoted(file),
        quoted(value),
    );
    let (head, rule) = (head(mark, file), rule(setting));
    let unit = KernelSetting::unit_of_cpus(file);
    let how = match file {
        file if KernelSetting::is_pool(file) => POOL.to_owned(),
        file if KernelSetting::is_functions(file) => functions::set(),
        _ => unit.map_or_else(|| PLAIN.to_owned(), unit_cpus::set),
    };
    // (of a unit there is none while it has those of all)
    let there = match unit {
        Some(_) => "",
        None => THERE,
    };
    step(&format!(
        "record={record} knob={knob} value={value}\n\
         {there}\
         mkdir -p \"${{record%/*}}\"\n\
         head() {{ cat << 'END'\n{head}END\n\
         printf '# found=%s\\n' \"$found\"\n\
         }}\n\
         put() {{ cat > \"$record.new\"; sync \"$record.new\"; mv -fT \"$record.new\" \"$record\"; }}\n\
         if [ -f \"$record\" ]; then found=$(sed -n 's/^# found=//p' \"$record\")\n\
         else found=$(said \"$knob\"); head | put; fi\n\
         {how}\
         [ \"$(said \"$knob\")\" = \"$value\" ] || {{ echo \"$knob says $(said \"$knob\") after $value was written\" >&2; exit 3; }}\n\
         {{ head; cat << 'END'\n{rule}END\n\
         }} | put\n"
    ))
}

/// Puts back what was found, and forgets it. There are values that the kernel takes and never gives back.
pub(super) fn unset(mark: &Mark, file: &str) -> String {
    let (record, knob) = (quoted(&path(&mark.project, file)), quoted(file));
    let unit = KernelSetting::unit_of_cpus(file);
    // (the folder of the unit's drop-ins may have been made for this one)
    let end = match unit {
        Some(_) => "rmdir \"${record%/*}\" 2> /dev/null || true\n",
        None => "",
    };
    let how = match unit {
        Some(unit) => unit_cpus::put_back(unit),
        None if KernelSetting::is_functions(file) => functions::put_back(),
        None => String::new(),
    };
    step(&format!(
        "record={record} knob={knob}\n\
         [ -f \"$record\" ] || exit 0\n\
         found=$(sed -n 's/^# found=//p' \"$record\")\n\
         {how}\
         if [ -e \"$knob\" ] && [ \"$(said \"$knob\")\" != \"$found\" ]; then\n\
         {{ printf '%s\\n' \"$found\" > \"$knob\"; }} 2> /dev/null || true\n\
         [ ! -e \"$knob\" ] || [ \"$(said \"$knob\")\" = \"$found\" ] || echo {KEPT}\n\
         fi\n\
         rm -f \"$record\"\n\
         {end}"
    ))
}

const THERE: &str = "[ -e \"$knob\" ] || { echo \"this kernel has no $knob\" >&2; exit 3; }\n";

const PLAIN: &str = "printf '%s\\n' \"$value\" > \"$knob\"\n";

/// The kernel takes fewer than it is told to without a word. What files hold of memory goes first, then it is made whole.
/// Pages in use that are more than is wanted stay their users', and go when these let go of them.
const POOL: &str = "printf '%s\\n' \"$value\" > \"$knob\"\n\
    if [ \"$(cat \"$knob\")\" -lt \"$value\" ]; then\n\
    echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory || true\n\
    printf '%s\\n' \"$value\" > \"$knob\"\n\
    fi\n\
    got=$(cat \"$knob\")\n\
    [ \"$got\" -ge \"$value\" ] || { echo \"only $got of $value pages could be had: the node's memory is in use or in pieces\" >&2; exit 4; }\n";

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
