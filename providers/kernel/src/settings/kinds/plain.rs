//! Any file below `/sys`: systemd-tmpfiles writes it at each start.

use infra_api::target::KernelSetting;

use super::Kind;

pub(super) const KIND: Kind = Kind {
    is: |_| true,
    said: None,
    records: ("/etc/tmpfiles.d", "conf"),
    star: |_| "",
    shared: false,
    rule,
    must: "[ -e \"$knob\" ] || { echo \"this kernel has no $knob\" >&2; exit 3; }\n",
    set: |_| WRITE.to_owned(),
    put_back: |_| WRITE_BACK.to_owned(),
    after: "",
};

pub(super) fn rule(setting: &KernelSetting) -> String {
    let (file, value) = (specifiers(&setting.file), specifiers(&setting.value));
    format!("w- {file} - - - - {value}")
}

/// What `%` means to systemd-tmpfiles is not meant.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

pub(super) const WRITE: &str = "printf '%s\\n' \"$value\" > \"$knob\"\n";

/// Whether it is taken is seen by what it says then.
pub(super) const WRITE_BACK: &str = "if [ -e \"$knob\" ] && [ \"$(said \"$knob\")\" != \"$found\" ]; then\n\
    { printf '%s\\n' \"$found\" > \"$knob\"; } 2> /dev/null || true\n\
    fi\n";
