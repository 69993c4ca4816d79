#!/bin/bash
# layer.sh NAME RECIPE-FOLDER 'commands': runs the commands in a chroot on an overlay over the base layer. What they
# changed is then in $CACHE/layers/NAME/upper. Inside: /mnt is kept between the layers of one recipe, /recipe is its folder.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
n=$1 recipe=$2 commands=$3
B=$("$LAB/images/base.sh"); W=$CACHE/layers; D=$W/$n
# A crash may have left the overlay mounted: never delete through a mount.
gone() { local m; while read -r m; do umount "$m" 2>/dev/null || umount -l "$m"; done < <(awk -v r="$D/root" '$2 == r || index($2, r "/") == 1 {print $2}' /proc/mounts | sort -r); }
gone; rm -rf "$D/upper" "$D/work" "$D/root"; mkdir -p "$D"/{upper,work,root,mnt} "$B/lists/partial"
mount -t overlay "layer-$n" -o "lowerdir=$B/root,upperdir=$D/upper,workdir=$D/work" "$D/root"
R=$D/root; trap gone EXIT
mount -t proc proc "$R/proc"
mount --rbind --make-rslave /dev "$R/dev"
mount --bind "$B/lists" "$R/var/lib/apt/lists" # downloaded once for all layers, and not part of any image
mount --bind "$D/mnt" "$R/mnt"
mkdir -p "$R/recipe"; mount --bind "$recipe" "$R/recipe"; mount -o remount,bind,ro "$R/recipe"
# Files of this machine that the commands need and the image must not hold.
T=$D/host; mkdir -p "$T"
cp -L /etc/resolv.conf "$T/resolv.conf" 2>/dev/null || : > "$T/resolv.conf"
echo "deb $(debian_mirror) forky main" > "$T/sources.list"
cp /etc/ssl/certs/ca-certificates.crt "$D/mnt/ca.crt"
apt_settings > "$T/apt.conf"
printf 'path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\npath-exclude=/usr/share/info/*\nforce-unsafe-io\n' > "$T/dpkg"
printf '#!/bin/sh\nexit 101\n' > "$T/policy"; chmod +x "$T/policy" # no service is started in a chroot
for f in resolv.conf:/etc/resolv.conf sources.list:/etc/apt/sources.list apt.conf:/etc/apt/apt.conf.d/90lab dpkg:/etc/dpkg/dpkg.cfg.d/slim policy:/usr/sbin/policy-rc.d; do
  [ -e "$R${f#*:}" ] || touch "$R${f#*:}"; mount --bind "$T/${f%%:*}" "$R${f#*:}"
done
# An older list names packages that the mirror no longer has. (A stamp of our own: apt gives its lists the mirror's dates.)
[ -n "$(find "$B/lists.stamp" -mmin -360 2> /dev/null)" ] || { chroot "$R" apt-get update -qq; touch "$B/lists.stamp"; }
# The CA variables: pip and curl of the host may be told to trust a file that, inside, is Debian's own.
chroot "$R" env -u SSL_CERT_DIR -u PIP_FIND_LINKS SSL_CERT_FILE=/mnt/ca.crt REQUESTS_CA_BUNDLE=/mnt/ca.crt CURL_CA_BUNDLE=/mnt/ca.crt PIP_CERT=/mnt/ca.crt \
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_DEFAULT_TIMEOUT=180 PIP_ROOT_USER_ACTION=ignore \
  bash -euxc "inst() { apt-get install -y -qq --no-install-recommends \"\$@\"; }; $commands"
gone; trap - EXIT
# Traces of the building: the mount points made above, caches, logs.
U=$D/upper
rm -rf "${U:?}/var/cache/apt" "$U/var/lib/apt/lists" "$U/var/log/apt" "$U/var/log/dpkg.log" "$U/var/log/alternatives.log" "$U/usr/sbin/policy-rc.d" "$U/etc/dpkg/dpkg.cfg.d" "$U/etc/resolv.conf" \
  "$U/etc/apt" "$U/root/.cache" "${U:?}/recipe" "${U:?}/mnt" "${U:?}/dev" "${U:?}/proc"
[ ! -d "$U/tmp" ] || find "$U/tmp" -mindepth 1 -delete
rm -rf "$D/work" "$D/root" "$D/host"
