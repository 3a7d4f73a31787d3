//! The profile of tuned that is active, with its variables behind it (`cpu-partitioning isolated_cores=2-3`), as tuned itself says
//! that the host is: it keeps it over a start.

use infra_api::target::KernelSetting;

use super::{Kind, plain};

pub(super) const KIND: Kind = Kind {
    is: |file| file == KernelSetting::TUNED,
    said: Some((KernelSetting::TUNED, SAID)),
    rule: |_| "# (tuned keeps it itself)".to_owned(),
    must: "command -v tuned-adm > /dev/null || { echo 'tuned is not installed' >&2; exit 6; }\n",
    set: |_| format!("{OWN}{SET}"),
    put_back: |_| format!("{OWN}{PUT_BACK}"),
    ..plain::KIND
};

/// Variables are those of a profile of ours that is based on another. Words behind that say what is not as it should be: that
/// tuned does not run, is not started with the host, or finds something of its profile changed.
const SAID: &str = "words=$(cat \"$1\" 2> /dev/null || true)\n\
    for word in /etc/tuned/profiles /etc/tuned; do\n\
    word=$word/$words/tuned.conf\n\
    if grep -qsxF '# Written by infra.' \"$word\"; then\n\
    set -f\n\
    words=$(echo $(sed -n 's/^include=//p' \"$word\"; sed '1,/^\\[variables\\]/d' \"$word\"))\n\
    break\n\
    fi\n\
    done\n\
    if ! systemctl -q is-active tuned.service; then words=\"$words inactive\"\n\
    elif ! tuned-adm verify -i > /dev/null 2>&1; then words=\"$words altered\"; fi\n\
    systemctl -q is-enabled tuned.service > /dev/null 2>&1 || words=\"$words disabled\"\n\
    echo \"${words# }\"\n";

const OWN: &str = "own=${record##*/infra.}; own=infra-${own%.etc:tuned:active_profile.conf}\n\
    folder=/etc/tuned/profiles; [ -d \"$folder\" ] || folder=/etc/tuned\n";

/// It begins with this profile where it does not run: without one it would first find out which it recommends, and set that.
const SET: &str = "profile=${value%% *}\n\
    if [ \"$profile\" != \"$value\" ]; then\n\
    mkdir -p \"$folder/$own\"\n\
    set -f\n\
    { printf '# Written by infra.\\n[main]\\nsummary=%s with variables\\ninclude=%s\\n[variables]\\n' \"$profile\" \"$profile\"\n\
    printf '%s\\n' ${value#* }; } > \"$folder/$own/tuned.conf.new\"\n\
    set +f\n\
    mv -fT \"$folder/$own/tuned.conf.new\" \"$folder/$own/tuned.conf\"\n\
    profile=$own\n\
    fi\n\
    systemctl -q enable tuned.service\n\
    if ! systemctl -q is-active tuned.service; then\n\
    printf '%s\\n' \"$profile\" > \"$knob\"\n\
    echo manual > \"${knob%/*}/profile_mode\"\n\
    systemctl -q start tuned.service || { echo 'tuned does not start: `journalctl -u tuned` there tells why' >&2; exit 6; }\n\
    fi\n\
    tuned-adm profile \"$profile\" > /dev/null\n\
    [ \"$profile\" = \"$own\" ] || rm -rf \"${folder:?}/$own\"\n";

const PUT_BACK: &str = "found=${found% altered}; found=$(echo \"$found\" | sed 's/ altered / /')\n\
    profile=$found\n\
    case $profile in *disabled) profile=${profile%disabled}; profile=${profile% } ;; esac\n\
    case $profile in\n\
    *inactive)\n\
    profile=${profile%inactive}; profile=${profile% }\n\
    tuned-adm off > /dev/null || true\n\
    systemctl -q stop tuned.service\n\
    printf '%s\\n' \"$profile\" > \"$knob\" ;;\n\
    ?*) tuned-adm profile $profile > /dev/null ;;\n\
    *) tuned-adm off > /dev/null ;;\n\
    esac\n\
    case $found in *disabled) systemctl -q disable tuned.service ;; esac\n\
    rm -rf \"${folder:?}/$own\"\n";
