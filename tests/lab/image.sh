# shellcheck shell=bash disable=SC2154 # `lab` and `recipe` set what stands here in small letters
# Sourced by `lab`: how the image of a lab's hosts is made. It holds no host's name or key.
#
# base-DIGEST/ holds the tree, from which QEMU is run too, the same as a disk, the kernel, an initramfs and `seconds`,
# which says how long it took and is written last.
# DIGEST is that of what it is made from: this file, `recipe` and `init`.

mirror() { # Debian's sources as apt knows them here, for the suite of the image
  if [ -n "${INFRA_APT_MIRROR:-}" ]; then echo "deb $INFRA_APT_MIRROR $suite main"; return; fi
  local own; own=$(. /etc/os-release && echo "${VERSION_CODENAME:?this is not a Debian release}")
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$own" -v s="$suite" '$3 == "main" && ($2 == own || $2 == own "-updates" || $2 == own "-security") {
      sub("^" own, s, $2); if (!seen[$0]++) print "deb", $1, $2, $3 }'
}

bootstrap() { # TREE WORK
  local exclude=() it
  for it in "${without[@]}"; do exclude+=("--dpkgopt=path-exclude=$it"); done
  local work=$2
  mirror > "$work/debian.list"
  [ -s "$work/debian.list" ] || die "apt knows no source of Debian here: INFRA_APT_MIRROR=URL names one"
  # How this machine reaches its mirror goes for the image too.
  apt-config dump Acquire | grep -E '^Acquire::(Check-|Retries|https?::Proxy)' > "$work/apt" || true
  # In a namespace of its own, so that a killed one leaves nothing mounted.
  unshare --mount --propagation private mmdebstrap --mode=root --quiet --variant=minbase --aptopt="$work/apt" \
    --include="$(IFS=,; echo "${packages[*]}")" "${exclude[@]}" "$suite" "$1" "$work/debian.list" > "$dir/build.log" 2>&1 9>&- ||
    { tail -n 20 "$dir/build.log" >&2; die "mmdebstrap failed (above, and $dir/build.log)"; }
}

initrd() { # TREE WORK: prints the initramfs that finds the disk
  local tree=$1 work=$2/initrd version it to
  version=$(basename "$tree"/usr/lib/modules/*)
  mkdir -p "$work"/{bin,dev,proc,disk,host,modules}
  mknod -m 600 "$work/dev/console" c 5 1
  cp "$tree/usr/bin/busybox" "$work/bin/"; install -m 755 "$here/init" "$work/init"
  for it in "${drivers[@]}"; do
    modprobe -d "$tree" -S "$version" --show-depends "$it" || die "the kernel $version has no module $it"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r it; do
    to=$(basename "$it"); to=${to%%.ko*}.ko
    case $it in *.xz) xz -dc "$it" ;; *.zst) zstd -dc "$it" ;; *) cat "$it" ;; esac > "$work/modules/$to"
    echo "$to" >> "$work/modules/order"
  done
  pack "$work"
}
pack() { (cd "$1" && find . -print0 | cpio --quiet --null -o -H newc); } # DIR

build() {
  [ -f "$base/seconds" ] && return
  local it t0=$SECONDS work=$base.work
  "$here/packages" --check > /dev/null || die "not installed: $("$here/packages" --check | tr '\n' ' ')(run $here/packages)"
  say "building the image $(basename "$base") from Debian $suite's packages"
  trap 'sweep; die "interrupted; nothing left"' INT TERM HUP
  sweep
  mkdir -p "$work"
  bootstrap "$work/tree" "$work"
  configure "$work/tree" >> "$dir/build.log" 2>&1 || { tail -n 20 "$dir/build.log" >&2; die "the image cannot be configured (above)"; }
  mkdir -p "$work/tree/lab"
  cp "$work/tree"/boot/vmlinuz-* "$work/vmlinuz"
  initrd "$work/tree" "$work" > "$work/initrd.img"
  truncate -s 16G "$work/disk.raw"
  mkfs.ext4 -q -O '^has_journal' -d "$work/tree" "$work/disk.raw" >> "$dir/build.log" 2>&1 || die "mkfs.ext4 failed; see $dir/build.log"
  rm -rf "$work"/{initrd,debian.list,apt}
  echo "$((SECONDS - t0))" > "$work/seconds"
  rm -rf "$base"; mv "$work" "$base"
  trap - INT TERM HUP
  # Images of other recipes, unless a host runs on them
  for it in "$dir"/base-*/; do
    it=${it%/}
    [ "$it" = "$base" ] || grep -q -x -s "$(basename "$it")" "$hosts"/*/base || rm -rf "$it"
  done
  say "built in $(cat "$base/seconds") s: $(du -sh "$base" | cut -f1)"
}

# Whatever a killed build left.
sweep() {
  local it
  for it in "$dir"/base-*.work; do
    if [ -d "$it" ]; then unmount_below "$it"; rm -rf --one-file-system "$it"; fi
  done
}
