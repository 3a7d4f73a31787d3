//! Which of systemd's services start only once Docker's has: it makes bridges when it starts, and libvirt starts no machine whose
//! bridge is not there. Every project that needs it says so in a drop-in of its own, and systemd knows all of them.

use infra_api::target::KernelSetting;

use super::Kind;

pub(super) const KIND: Kind = Kind {
    is: |file| file == KernelSetting::DOCKER_FIRST,
    said: Some((KernelSetting::DOCKER_FIRST, SAID)),
    records: ("/etc/systemd/system/*.d", "conf"),
    star: |_| "docker.service",
    shared: true,
    rule: |setting| format!("[Unit]\nBefore={}", setting.value),
    must: "",
    // systemd reads it where it is kept.
    set: |setting| {
        let value = &setting.value;
        format!(
            "{{ head; printf '[Unit]\\nBefore={value}\\n'; }} | put\n\
             systemctl daemon-reload\n"
        )
    },
    put_back: |_| PUT_BACK.to_owned(),
    after: "rmdir \"${record%/*}\" 2> /dev/null || true\n",
};

/// Of all that starts later only libvirt's is meant.
const SAID: &str = "words=$(systemctl show -p Before --value docker.service | tr ' ' '\\n' \
    | sed -n '/^libvirtd.service$/p; /^virtqemud.service$/p' | sort -u)\n\
    echo $words\n";

/// Another project's may still say so.
const PUT_BACK: &str = "rm -f \"$record\"\nsystemctl daemon-reload\nfound=$(said \"$knob\")\n";
