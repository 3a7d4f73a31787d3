# shellcheck shell=bash disable=SC2034 # the proofs read them
# Goes before every proof of `check` and runs on a lab host: what several of them need.
export LC_ALL=C
nodes=/sys/devices/system/node
last=$(sed 's/.*[-,]//' $nodes/online)
cpus=$(cat "$nodes/node$last/cpulist")
first=${cpus%%[-,]*} end=${cpus##*[-,]}
pf=$(dirname "$(ls /sys/bus/pci/devices/*/sriov_totalvfs)")
logs=/var/log/libvirt/qemu

pages() { # NODE [COUNT]: its huge pages of 2 MiB, or makes them COUNT
  local it=$nodes/node$1/hugepages/hugepages-2048kB/nr_hugepages
  if [ $# = 2 ]; then echo "$2" > "$it"; else cat "$it"; fi
}
functions() { # COUNT: as many VFs
  echo 0 > "$pf/sriov_numvfs"
  [ "$1" = 0 ] || echo "$1" > "$pf/sriov_numvfs"
  udevadm settle
}
pci() { # DEVICE: its address, as libvirt has it
  local address; address=$(basename "$(readlink -f "$1")")
  echo "<address type='pci' domain='0x${address%%:*}' bus='0x$(cut -d: -f2 <<< "$address")' slot='0x$(cut -d: -f3 <<< "$address" | cut -d. -f1)' function='0x${address##*.}'/>"
}
ticks() { sed -n 's/.*tick \([0-9]*\).*/\1/p' | tail -n 1; }
said() { # DOMAIN WORDS: waits until its guest has said them
  local i
  for ((i = 0; i < 240; i++)); do grep -q -s "$2" "$logs/$1.console" && return 0; sleep 0.5; done
  cat "$logs/$1.console" >&2; return 1
}
guest() { # a guest in memory, of the host's own kernel and busybox: says what it has, and counts
  local work; work=$(mktemp -d)
  mkdir -p "$work"/{bin,dev,proc,sys}
  cp /usr/bin/busybox "$work/bin/"
  mknod "$work/dev/console" c 5 1
  cat > "$work/init" << 'INIT'
#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc proc /proc; $bb mount -t sysfs sys /sys
echo "lab-check: $($bb grep -c ^processor /proc/cpuinfo) CPUs"
for it in /sys/bus/pci/devices/*; do v=$($bb cat $it/vendor); d=$($bb cat $it/device); echo "${v#0x}:${d#0x}"; done
n=0
while :; do n=$((n + 1)); echo "tick $n"; $bb sleep 1; done
INIT
  chmod 755 "$work/init"
  (cd "$work" && find . | cpio --quiet -o -H newc) > /var/lib/libvirt/images/lab-check.initrd
  cp /boot/vmlinuz-* /var/lib/libvirt/images/lab-check.vmlinuz
  rm -rf "$work"
}
domain() { # NAME [DEVICES]: its definition, on the last node, which has two CPUs at least
  rm -f "$logs/$1.console"
  cat << END
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>256</memory>
  <memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>
  <vcpu placement='static'>2</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu='0' cpuset='$first'/><vcpupin vcpu='1' cpuset='$((first + 1))'/>
    <emulatorpin cpuset='$end'/><iothreadpin iothread='1' cpuset='$end'/>
  </cputune>
  <numatune><memory mode='strict' nodeset='$last'/></numatune>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/libvirt/images/lab-check.vmlinuz</kernel>
    <initrd>/var/lib/libvirt/images/lab-check.initrd</initrd>
    <cmdline>console=ttyS0 quiet tsc=reliable</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <serial type='file'><source path='$logs/$1.console'/></serial>
    <memballoon model='none'/>
    ${2:-}
  </devices>
</domain>
END
}
