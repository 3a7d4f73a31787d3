//! What is done: one script for each step. What was found is written down before anything is changed, so that it is never
//! lost; what is to hold after a start of the host is written down once the kernel has taken it. The same script run again
//! ends what was cut off.

use infra_api::Mark;
use infra_api::target::KernelSetting;
use infra_door::{as_one, quoted};

use super::kinds::{self, said};
use super::record::{head, path, rule};

/// What it says where the kernel did not take back what was found.
pub(super) const KEPT: &str = "kept";

/// As a whole, with what every step needs.
fn step(script: &str) -> String {
    as_one(&format!(
        "umask 022\nLC_ALL=C; export LC_ALL\n{}{script}",
        said()
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
    let kind = kinds::of(file);
    let (must, set) = (kind.must, (kind.set)(setting));
    step(&format!(
        "record={record} knob={knob} value={value}\n\
         {must}\
         mkdir -p \"${{record%/*}}\"\n\
         head() {{ cat << 'END'\n{head}END\n\
         printf '# found=%s\\n' \"$found\"\n\
         }}\n\
         put() {{ cat > \"$record.new\"; sync \"$record.new\"; mv -fT \"$record.new\" \"$record\"; }}\n\
         if [ -f \"$record\" ]; then found=$(sed -n 's/^# found=//p' \"$record\")\n\
         else found=$(said \"$knob\"); head | put; fi\n\
         {set}\
         [ \"$(said \"$knob\" \"$value\")\" = \"$value\" ] || {{ echo \"$knob says $(said \"$knob\" \"$value\") after $value was written\" >&2; exit 3; }}\n\
         {{ head; cat << 'END'\n{rule}END\n\
         }} | put\n"
    ))
}

/// Puts back what was found, and forgets it. There are values that the kernel takes and never gives back.
pub(super) fn unset(mark: &Mark, file: &str) -> String {
    let (record, knob) = (quoted(&path(&mark.project, file)), quoted(file));
    let kind = kinds::of(file);
    let (put_back, after) = ((kind.put_back)(file), kind.after);
    step(&format!(
        "record={record} knob={knob}\n\
         [ -f \"$record\" ] || exit 0\n\
         found=$(sed -n 's/^# found=//p' \"$record\")\n\
         {put_back}\
         [ ! -e \"$knob\" ] || [ \"$(said \"$knob\")\" = \"$found\" ] || echo {KEPT}\n\
         rm -f \"$record\"\n\
         {after}"
    ))
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
