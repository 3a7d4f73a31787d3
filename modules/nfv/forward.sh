#!/bin/sh
# forward MODE MEMORY HOW...: DPDK's testpmd, forwarding between pairs of ports with MEMORY MiB for packets. HOW is
#
#   interfaces     between this system's network interfaces eth0, eth1 …, by packet sockets: no huge pages, no devices
#   pci ADDRESS…   between these functions, which vfio-pci has
#   uio            between all Ethernet functions that are not virtio, which are given to uio_pci_generic first
#
# MODE is testpmd's: io (packets pass as they are), mac, macswap. What went through is told every REPORT seconds (5). With
# STANDBY the ports are up and nothing is forwarded: nobody polls them, and it is told at once and then once a minute.
set -eu
mode=$1 memory=$2 how=$3
shift 3
memory="-m $memory"
ports=""
case $how in
  interfaces)
    memory="--no-huge $memory" ports=--no-pci
    for it in /sys/class/net/eth*; do ports="$ports --vdev=net_af_packet${it#/sys/class/net/eth},iface=${it##*/}"; done ;;
  pci)
    for it; do ports="$ports -a $it"; done ;;
  uio)
    if ! grep -q ' hugetlbfs ' /proc/mounts; then mkdir -p /dev/hugepages; mount -t hugetlbfs none /dev/hugepages; fi
    for it in /sys/bus/pci/devices/*; do
      case $(cat "$it/class")/$(cat "$it/vendor") in 0x0200*/0x1af4) continue ;; 0x0200*) ;; *) continue ;; esac
      [ ! -e "$it/driver" ] || echo "${it##*/}" > "$it/driver/unbind"
      echo uio_pci_generic > "$it/driver_override"
      echo "${it##*/}" > /sys/bus/pci/drivers_probe
      ports="$ports -a ${it##*/}"
    done ;;
  *) echo "forward: how? $how" >&2; exit 2 ;;
esac
# testpmd wants a thread for itself and one that forwards; on a single CPU they share it
cpu=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
case $cpu in *[-,]*) lcores="" ;; *) lcores="--lcores=0@$cpu,1@$cpu" ;; esac
set -- "--forward-mode=$mode" --total-num-mbufs=8192
if [ -z "${STANDBY:-}" ]; then
  # shellcheck disable=SC2086 # words
  exec dpdk-testpmd $lcores $memory $ports -- --auto-start "--stats-period=${REPORT:-5}" "$@"
fi
# Without a prompt it forwards whatever it is told: it is asked at its prompt, by a pipe that nobody closes.
pipe=$(mktemp -u)
mkfifo -m 600 "$pipe"
exec 3<> "$pipe"
rm "$pipe"
while echo show port stats all; do sleep "${REPORT:-60}"; done >&3 &
# shellcheck disable=SC2086 # words
exec dpdk-testpmd $lcores $memory $ports -- -i "$@" <&3
