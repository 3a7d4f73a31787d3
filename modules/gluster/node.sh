#!/bin/sh
# gluster-node VOLUME REPLICAS ME FIRST OTHER...: a Gluster node on the address ME. Its state and its brick lie in
# /srv/gluster. The node FIRST waits for the others, makes one pool of them and, where there is none, the volume VOLUME of
# all their bricks in sets of REPLICAS, and starts it. Every node says when the volume is up.
set -eu
volume=$1 replicas=$2 me=$3
shift 3
mkdir -p /srv/gluster/glusterd /srv/gluster/brick

each() { # WHAT...: tried until it is so
  until "$@" > /dev/null 2>&1; do sleep 1; done
}
joined() { [ "$(gluster pool list | grep -c Connected)" -ge "$1" ]; }
pool() { # ADDRESS...
  bricks=""
  each gluster pool list
  for it; do
    [ "$it" = "$me" ] || each gluster peer probe "$it"
    bricks="$bricks $it:/srv/gluster/brick/$volume"
  done
  each joined $#
  if ! gluster volume info "$volume" > /dev/null 2>&1; then
    # shellcheck disable=SC2086 # bricks are words
    if [ "$replicas" -gt 1 ]; then gluster --mode=script volume create "$volume" replica "$replicas" $bricks
    else gluster --mode=script volume create "$volume" $bricks; fi
  fi
  gluster volume start "$volume" 2> /dev/null || true
}
{
  if [ "$me" = "$1" ]; then pool "$@"; fi
  each gluster volume status "$volume"
  echo "gluster-node: the volume $volume is up"
} &
exec glusterd --no-daemon --log-file=- --log-level=WARNING
