# shellcheck shell=bash
. ./preamble.sh

missing=()
need() { have "$1" || case " ${missing[*]:-} " in *" $2 "*) ;; *) missing+=("$2") ;; esac; }
find_missing() {
  missing=()
  # @NEEDED@
  if ! in_container && ! have chronyd && [ ! -x /lib/systemd/systemd-timesyncd ] && [ ! -x /usr/lib/systemd/systemd-timesyncd ]; then missing+=(chrony); fi
}
find_missing
if [ "${#missing[@]}" -gt 0 ]; then
  wanted="${missing[*]}"
  if have apt-get; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null || note "apt-get update failed; trying with the lists that are there"
    apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}" >/dev/null || true
  elif have dnf; then
    dnf -q -y install "${missing[@]}" >/dev/null || true
  fi
  find_missing
  [ "${#missing[@]}" -eq 0 ] || fail "these packages are missing and could not be installed: ${missing[*]}. Install them by hand, or give the host a package source, and run again."
  change "installed $wanted"
fi

echo "packages: ${changed:-nothing changed}"
