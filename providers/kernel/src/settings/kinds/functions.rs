//! How many virtual functions a card has: the kernel makes them only where there are none, and takes away those that somebody
//! has without asking. Where a card has any its link is up: libvirt gives none of a card that is down.

use infra_api::target::KernelSetting;

use super::{Kind, plain};

pub(super) const KIND: Kind = Kind {
    is: |file| file.starts_with("/sys/bus/pci/devices/") && file.ends_with("/sriov_numvfs"),
    said: Some(("/sys/bus/pci/devices/*/sriov_numvfs", SAID)),
    records: ("/etc/udev/rules.d", "rules"),
    rule,
    set: |_| format!("{WORDS}functions \"$value\"; links up\n"),
    put_back: |_| format!("{WORDS}{PUT_BACK}"),
    ..plain::KIND
};

/// Their number, with ` down` behind it where the link of one of the card's interfaces is.
const SAID: &str = "words=$(cat \"$1\")\n\
    for word in \"${1%/*}\"/net/*/flags; do\n\
    if [ -e \"$word\" ] && [ $(($(cat \"$word\") & 1)) = 0 ]; then words=\"${words% down} down\"; fi\n\
    done\n\
    echo \"$words\"\n";

/// udev hears of a card once it is found, and of its driver once it has one: of the two whichever is later counts. The links of
/// a card's functions are not its own.
fn rule(setting: &KernelSetting) -> String {
    let KernelSetting { file, value, .. } = setting;
    let card = file.rsplit('/').nth(1).unwrap_or_default();
    format!(
        "ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"{card}\", ATTR{{sriov_numvfs}}=\"{value}\"\n\
         ACTION==\"add\", SUBSYSTEM==\"net\", KERNELS==\"{card}\", RUN+=\"/bin/sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; ip link set dev $name up'\""
    )
}

const PUT_BACK: &str = "if [ -e \"$knob\" ]; then\n\
    functions \"${found% down}\"\n\
    case $found in *' down') links down ;; esac\n\
    fi\n";

/// Somebody has a function where it is bound for a machine, where its interface is in another network namespace, and where
/// the host itself has an address or a bridge on it.
const WORDS: &str = "functions() {\n\
    [ \"$(cat \"$knob\")\" != \"$1\" ] || return 0\n\
    had=\n\
    for it in \"${knob%/*}\"/virtfn*; do\n\
    [ -e \"$it/driver\" ] || continue\n\
    who=$(readlink \"$it/driver\"); who=${who##*/}\n\
    case $who in\n\
    *vfio* | *uio* | pci-stub) ;;\n\
    *)\n\
    case $(cat \"$it/class\") in 0x02*) ;; *) continue ;; esac\n\
    who=$(ls \"$it/net\" 2> /dev/null | head -n 1)\n\
    if [ -n \"$who\" ] && [ ! -e \"$it/net/$who/master\" ] && [ -z \"$(ip -o address show dev \"$who\" scope global)\" ]; then continue; fi\n\
    ;;\n\
    esac\n\
    it=$(readlink \"$it\"); had=\"$had ${it##*/} (${who:-in another network namespace})\"\n\
    done\n\
    if [ -n \"$had\" ]; then echo \"somebody has of its functions:$had\" >&2; exit 5; fi\n\
    echo 0 > \"$knob\"\n\
    [ \"$1\" = 0 ] || echo \"$1\" > \"$knob\"\n\
    }\n\
    links() {\n\
    for it in \"${knob%/*}\"/net/*; do\n\
    if [ -e \"$it/flags\" ]; then ip link set dev \"${it##*/}\" \"$1\"; fi\n\
    done\n\
    }\n";
