//! How the number of a card's virtual functions is changed: the kernel makes functions only where there are none, and takes
//! away those that somebody has without asking. Where a card has any its link is up: libvirt gives none of a card that is down.

/// For a shell that has `knob`, and `value` that it is to say.
pub(super) fn set() -> String {
    format!("{WORDS}functions \"$value\"; links up\n")
}

/// For a shell that has `knob`, and what was `found` there.
pub(super) fn put_back() -> String {
    format!(
        "{WORDS}if [ -e \"$knob\" ]; then\n\
         functions \"${{found% down}}\"\n\
         case $found in *' down') links down ;; esac\n\
         fi\n"
    )
}

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
