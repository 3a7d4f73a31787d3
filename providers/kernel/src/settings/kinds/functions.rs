//! How many virtual functions a card has, and what of each is set through the card: the kernel makes them only where there are
//! none, and takes away those that somebody has without asking. Where a card has any its link is up: libvirt gives none of a
//! card that is down.
//!
//! The value is their number and, behind it, what is asked of each: `4 trust=on max_tx_mbit=100`. What is not the same of all
//! is a list, as their addresses are: `mac=52:54:00:00:00:01,52:54:00:00:00:02`.

use infra_api::target::KernelSetting;

use super::{Kind, plain};

pub(super) const KIND: Kind = Kind {
    is: |file| file.starts_with("/sys/bus/pci/devices/") && file.ends_with("/sriov_numvfs"),
    said: Some(("/sys/bus/pci/devices/*/sriov_numvfs", SAID)),
    records: ("/etc/udev/rules.d", "rules"),
    rule,
    set: |_| format!("{WORDS}{SET}"),
    put_back: |_| format!("{WORDS}{PUT_BACK}"),
    ..plain::KIND
};

/// Their number, what is asked for (`$2`; all that can be told, where nothing is), and ` down` where the link of one of the
/// card's interfaces is. Of a function ip(8) names what its card can do, and a VLAN and a rate only where there is one.
const SAID: &str = r#"words=$(cat "$1")
case " ${2:-driver=}" in *' driver='*)
word=0
drivers=$(while [ -e "${1%/*}/virtfn$word" ]; do
basename "$(readlink "${1%/*}/virtfn$word/driver" || echo none)"
word=$((word + 1))
done)
[ "$(echo "$drivers" | uniq | wc -l)" != 1 ] || drivers=$(echo "$drivers" | uniq)
[ -z "$drivers" ] || words="$words driver=$(echo "$drivers" | paste -s -d , -)" ;;
esac
for word in "${1%/*}"/net/*; do
if [ "${words%% *}" = 0 ] || [ ! -e "$word" ]; then break; fi
words="$words $(ip link show dev "${word##*/}" | awk -v asked="${2#* }" '
function put(name, value) {
  if (!(name in last)) all[name] = value
  else { if (value != last[name]) differs[name] = 1; all[name] = all[name] "," value }
  last[name] = value
}
function say(name) {
  if (name in all && (asked == "" || index(" " asked, " " name "=")))
    printf "%s=%s ", name, name in differs ? all[name] : last[name]
}
$1 == "vf" {
  vlan = rate = 0
  for (i = 2; i < NF; i++) {
    value = $(i + 1); sub(/,$/, "", value)
    if ($i == "link/ether" || $i == "MAC") put("mac", value)
    else if ($i == "vlan") vlan = value
    else if ($i == "max_tx_rate") rate = value + 0
    else if ($i == "checking") put("spoof_check", value)
    else if ($i == "trust") put("trust", value)
  }
  put("vlan", vlan); put("max_tx_mbit", rate)
}
END { say("mac"); say("max_tx_mbit"); say("spoof_check"); say("trust"); say("vlan") }')"
break
done
for word in "${1%/*}"/net/*/flags; do
if [ -e "$word" ] && [ $(($(cat "$word") & 1)) = 0 ]; then words="${words% down} down"; fi
done
echo $words
"#;

/// udev hears of a card once it is found, and of its driver once it has one: of the two whichever is later counts. Of its
/// interface it hears last: then the link comes up, and each function gets what is asked of it. The links of a card's functions
/// are not its own.
fn rule(setting: &KernelSetting) -> String {
    let KernelSetting { file, value, .. } = setting;
    let (folder, _) = file.rsplit_once('/').unwrap_or_default();
    let card = folder.rsplit('/').next().unwrap_or_default();
    let (number, asked) = value.split_once(' ').unwrap_or((value, ""));
    let link = |script: &str| {
        format!(
            "ACTION==\"add\", SUBSYSTEM==\"net\", KERNELS==\"{card}\", RUN+=\"/bin/sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script}'\""
        )
    };
    let mut lines = vec![
        format!(
            "ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"{card}\", ATTR{{sriov_numvfs}}=\"{number}\""
        ),
        link("ip link set dev $name up"),
    ];
    if !asked.is_empty() {
        lines.push(link(&format!("echo {number} > {file}")));
        let number = number.parse().unwrap_or(0);
        for function in 0..number {
            let words: Vec<String> = asked
                .split(' ')
                .filter_map(|word| of(word, function))
                .collect();
            if !words.is_empty() {
                // (a rate is taken only once there is a link)
                lines.push(link(&format!(
                    "for it in 1 2 3 4 5 6 7 8 9; do ip link set dev $name vf {function} {} && break; sleep 1; done",
                    words.join(" ")
                )));
            }
            let driver = asked
                .split(' ')
                .find_map(|word| word.strip_prefix("driver="));
            if let Some(driver) = driver {
                // (two of the sign are one to udev)
                lines.push(link(&format!(
                    "modprobe {driver}; it=$$(readlink -f {folder}/virtfn{function}); echo {driver} > $$it/driver_override; \
                     echo $${{it##*/}} > $$it/driver/unbind; echo $${{it##*/}} > /sys/bus/pci/drivers_probe"
                )));
            }
        }
    }
    lines.join("\n")
}

/// What ip(8) is told for a word of the value, of this function; of a driver it knows nothing.
fn of(word: &str, function: usize) -> Option<String> {
    let (name, values) = word.split_once('=').filter(|(name, _)| *name != "driver")?;
    let mut values = values.split(',');
    let first = values.next()?;
    let value = match function {
        0 => first,
        _ => values.nth(function - 1).unwrap_or(first),
    };
    let name = match name {
        "max_tx_mbit" => "max_tx_rate",
        "spoof_check" => "spoofchk",
        name => name,
    };
    Some(format!("{name} {value}"))
}

/// Where fewer words are asked for than were, the functions are made anew: then they are as the card's driver makes them.
const SET: &str = r#"was=$(sed -n 's/^# value=//p' "$record")
anew=
for it in $was; do
case $it in *=*) case $value in *" ${it%%=*}="*) ;; *) anew=1 ;; esac ;; esac
done
functions "${value%% *}"
links up
each "$value"
"#;

const PUT_BACK: &str = r#"was=$(sed -n 's/^# value=//p' "$record")
if [ -e "$knob" ]; then
found=${found% down}
anew=
[ "$(said "$knob")" = "$found" ] || [ "$was" = "${was%% *}" ] || anew=1
functions "${found%% *}"
each "$found"
case $(sed -n 's/^# found=//p' "$record") in *' down') links down ;; esac
fi
"#;

/// Somebody has a function where it is bound for a machine, where its interface is in another network namespace, and where
/// the host itself has an address or a bridge on it. What a function has already it is not given again: there are drivers that
/// take it from whoever works with it for a moment then.
const WORDS: &str = r#"functions() {
[ "$(cat "$knob")" != "$1" ] || [ -n "$anew" ] || return 0
had=
for it in "${knob%/*}"/virtfn*; do
[ -e "$it/driver" ] || continue
who=$(readlink "$it/driver"); who=${who##*/}
case $who in
*vfio* | *uio* | pci-stub)
case " $was" in *" driver=$who"*) opened "$it" || continue ;; esac
;;
*)
case $(cat "$it/class") in 0x02*) ;; *) continue ;; esac
who=$(ls "$it/net" 2> /dev/null | head -n 1)
if [ -n "$who" ] && [ ! -e "$it/net/$who/master" ] && [ -z "$(ip -o address show dev "$who" scope global)" ]; then continue; fi
;;
esac
it=$(readlink "$it"); had="$had ${it##*/} (${who:-in another network namespace})"
done
if [ -n "$had" ]; then echo "somebody has of its functions:$had" >&2; exit 5; fi
echo 0 > "$knob"
[ "$1" = 0 ] || echo "$1" > "$knob"
}
links() {
for it in "${knob%/*}"/net/*; do
if [ -e "$it/flags" ]; then ip link set dev "${it##*/}" "$1"; fi
done
}
each() {
now=$(said "$knob")
function=0
while [ -e "${knob%/*}/virtfn$function" ]; do
how=
for word in $1; do
name=${word%%=*}
[ "$name" != "$word" ] || continue
is=
for it in $now; do
case $it in "$name="*) is=$(pick "${it#*=}") ;; esac
done
word=$(pick "${word#*=}")
[ "$is" != "$word" ] || continue
case $name in
driver) bind "$(readlink -f "${knob%/*}/virtfn$function")" "$word" ;;
max_tx_mbit) how="$how max_tx_rate $word" ;;
spoof_check) how="$how spoofchk $word" ;;
*) how="$how $name $word" ;;
esac
done
for it in "${knob%/*}"/net/*; do
tries=10
until [ -z "$how" ] || ip link set dev "${it##*/}" vf "$function" $how; do
tries=$((tries - 1))
[ "$tries" -gt 0 ] || exit 7
sleep 1
done
done
function=$((function + 1))
done
}
pick() {
case $1 in *,*) echo "$1" | cut -d , -f $((function + 1)) ;; *) echo "$1" ;; esac
}
bind() {
it=$(readlink "$1/driver" || true); it=${it##*/}
if opened "$1"; then echo "a machine or a program has ${1##*/}" >&2; exit 5; fi
[ "$2" = none ] || modprobe "$2" 2> /dev/null || true
case $2 in *vfio*) echo "$2" ;; *) echo ;; esac > "$1/driver_override"
[ -z "$it" ] || echo "${1##*/}" > "$1/driver/unbind"
[ "$2" = none ] || echo "${1##*/}" > /sys/bus/pci/drivers_probe
}
opened() {
group=$(readlink "$1/iommu_group") || return 1
find /proc/[0-9]*/fd -lname "/dev/vfio/${group##*/}" 2> /dev/null | grep -q .
}
"#;
