# shellcheck shell=bash
# Sourced by the scripts beside it: where live tests keep their daemons, one at a time, and a daemon's
# life by process id: `spawn` starts one detached, `alive` asks after it, `end` stops it and waits.
#
# A process is remembered as "pid starttime", so that a reused pid is never taken for ours, and a
# zombie counts as gone (on machines whose first process does not reap promptly it lingers).
set -euo pipefail

name=$(basename "$0")
# shellcheck disable=SC2034 # read by the scripts
live=${INFRA_LIVE_DIR:-/var/tmp/infra-live}

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }
# The head comment of the script is its manual.
manual() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"; }
need_root() { [ "$(id -u)" = 0 ] || die "needs root (sudo $0 $*)"; }

# lock DIR: at most one of us changes DIR at a time; a second waits, at most two minutes. Released with
# the process, so a killed one leaves nothing behind. `spawn` does not pass the lock on.
lock() {
  mkdir -p "$1"
  exec 9> "$1/lock"
  flock -w 120 9 || die "another $name holds $1/lock since two minutes (fuser $1/lock names it)"
}

started() { # PID: its start time, nothing when it is gone or a zombie
  local stat; stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 0
  local fields; read -ra fields <<< "${stat##*) }"
  [ "${fields[0]}" = Z ] || echo "${fields[19]}"
}

alive() { # FILE: is the process remembered there still that process?
  local pid at
  read -r pid at 2> /dev/null < "$1" || return 1
  [ -n "$at" ] && [ "$(started "$pid")" = "$at" ]
}

spawn() { # FILE LOG COMMAND...: detached from our terminal, signals and lock; remembered in FILE
  local file=$1 log=$2; shift 2
  setsid "$@" > "$log" 2>&1 < /dev/null 9>&- &
  echo "$! $(started $!)" > "$file"
}

wait_gone() { # FILE TENTHS
  local i
  for ((i = 0; i < $2; i++)); do alive "$1" || return 0; sleep 0.1; done
  ! alive "$1"
}

end() { # FILE SECONDS: TERM, SECONDS of patience, KILL
  local pid
  if alive "$1"; then
    read -r pid _ < "$1"
    kill -TERM "$pid" 2> /dev/null || true
    if ! wait_gone "$1" $(($2 * 10)); then
      say "process $pid did not end in $2 s: killing it"
      kill -KILL "$pid" 2> /dev/null || true
      wait_gone "$1" 50 || die "process $pid cannot be killed"
    fi
  fi
  rm -f "$1"
}

# runs PROGRAM: prints the process ids of those on this machine's network, ours or not; fails when there is none.
# (By its program: our scripts go by the same names. One in a container has a network of its own.)
runs() {
  local pid found=1
  for pid in $(pgrep -x "$1"); do
    if [[ $(readlink "/proc/$pid/exe") == */"$1"* && $(readlink "/proc/$pid/ns/net") == "$(readlink /proc/self/ns/net)" ]]; then echo "$pid"; found=0; fi
  done
  return $found
}

# unmount_below DIR: whatever a killed daemon left mounted there, deepest first
unmount_below() {
  local point
  awk -v d="$1/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r point; do
    umount -l "$point" 2> /dev/null || true
  done
}
