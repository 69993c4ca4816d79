#!/bin/bash
# prerequisites.sh: is this machine fit for the lab? Lists everything that is missing, not only the first thing, and
# installs the Debian packages that are missing.
set -euo pipefail
. "$(dirname "$0")/env.sh"
bad=()
[ "$(id -u)" = 0 ] || die "the lab must run as root: it makes namespaces, mounts and control groups"
grep -q '^ID=debian' /etc/os-release || bad+=("Debian is needed (12 or newer): the nodes and the images are made with its tools; this is $(. /etc/os-release; echo "$PRETTY_NAME")")
[ "$(uname -m)" = x86_64 ] || bad+=("x86_64 is needed, this is $(uname -m)")

# command:package
need=(mmdebstrap:mmdebstrap ip:iproute2 ssh:openssh-client ssh-keygen:openssh-client openssl:openssl curl:curl python3:python3 unshare:util-linux nsenter:util-linux flock:util-linux losetup:mount awk:gawk tar:tar gpgv:gpgv)
mapfile -t pk < <(missing_packages "${need[@]}")
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || pk+=(debian-archive-keyring)
[ -e /etc/ssl/certs/ca-certificates.crt ] || pk+=(ca-certificates)
install_packages "${pk[@]}" || bad+=("could not install: ${pk[*]}")
PATH=$PATH:/usr/local/go/bin
if ! command -v go > /dev/null; then
  bad+=("Go 1.26.4 or newer (in PATH or /usr/local/go/bin): Kubernetes and most programs are built from their Go modules")
elif [ "$(printf '1.26.4\n%s\n' "$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//')" | sort -V | head -1)" != 1.26.4 ]; then
  bad+=("Go 1.26.4 or newer; this is $(GOTOOLCHAIN=local go env GOVERSION)")
fi
[ -n "$(debian_mirror)" ] || bad+=("no Debian mirror in apt's sources (looked in /etc/apt/sources.list and sources.list.d)")

mkdir -p "$RUN" "$CACHE"; chmod 700 "$RUN"
# Only a folder with this mark is deleted whole by down.sh; one that held something else before keeps it.
[ -n "$(ls -A "$RUN")" ] || echo "run state of the matrix-ha lab; lab/cluster/down.sh deletes this folder" > "$RUN/.matrix-ha-lab"
mem=$(awk '/MemAvailable/{print int($2/1024)}' /proc/meminfo)
[ -e "$RUN/pki" ] || [ "$mem" -ge 6000 ] || bad+=("6 GB of free memory for the cluster and the whole stack; $mem MB are free")
# Building from nothing fills Go's own caches with 13 GB more.
want=15000; [ -e "$BIN/kubeconform" ] || want=30000
[ -e "$RUN/pki" ] || for d in "$CACHE" "$RUN"; do
  free=$(df -Pm "$d" | awk 'NR==2{print $4}'); [ "$free" -ge $want ] || bad+=("$((want / 1000)) GB free in $d; $free MB are free")
done
# Overlay mounts need an upper directory with extended attributes and d_type: not on overlayfs itself, NFS, FAT, ...
for d in "$CACHE" "$RUN"; do
  t=$(mktemp -d "$d/.probe.XXXX"); mkdir "$t"/{l,u,w,m}
  if mount -t overlay probe -o "lowerdir=$t/l,upperdir=$t/u,workdir=$t/w" "$t/m" 2>/dev/null && touch "$t/m/x"; then umount "$t/m"
  else bad+=("$d is on $(stat -fc %T "$d"), which cannot hold overlayfs upper directories: set $([ "$d" = "$CACHE" ] && echo MATRIX_HA_CACHE || echo MATRIX_HA_RUN) to a folder on ext4, xfs or btrfs"); mountpoint -q "$t/m" && umount "$t/m" || true; fi
  rm -rf "$t"
done
[ -e /dev/loop-control ] || bad+=("loop devices (/dev/loop-control): the nodes' blank disks are files behind loop devices")
for f in overlay xfs; do grep -qw "$f" /proc/filesystems || modprobe "$f" 2>/dev/null || bad+=("the kernel has no $f"); done
[ -d /proc/sys/net/bridge ] || modprobe br_netfilter 2>/dev/null || bad+=("the kernel has no br_netfilter: traffic between pods would bypass kube-proxy")
! cgroup_v2 || grep -q memory /sys/fs/cgroup/cgroup.controllers || bad+=("control group version 2 without the memory controller")
if ip -br link show lab0 > /dev/null 2>&1; then
  # Names and addresses are fixed, so one machine holds one cluster.
  [ -e "$RUN/sysctl.old" ] || bad+=("another cluster of the lab is running on this machine (lab0 exists) and its state is not in $RUN: MATRIX_HA_RUN=<its folder> lab/cluster/down.sh")
elif ip route show match "$NET.0/24" | grep -qv '^default'; then bad+=("the network $NET.0/24 is in use on this machine: $(ip route show match "$NET.0/24" | grep -v '^default' | head -1)"); fi

if [ ${#bad[@]} -gt 0 ]; then printf 'missing: %s\n' "${bad[@]}" >&2; exit 1; fi
say "prerequisites: fine (memory $mem MB free, $(nproc) cores, control groups $(cgroup_v2 && echo v2 || echo v1), mirror of apt's sources)"
