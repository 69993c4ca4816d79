# shellcheck shell=bash
# The ports of this host's SSH server, one a line: those of its configuration, also before it is restarted with it, and
# those at which it listens. The port in the settings may be one of a router that forwards it.
ssh_ports() {
  {
    sshd -T 2>/dev/null | awk '$1 == "port" {print $2}' || true
    for socket in ssh.socket sshd.socket; do
      if systemctl is-active --quiet "$socket" 2>/dev/null; then
        systemctl show -p Listen --value "$socket" | sed -nE 's/.*:([0-9]+) \(Stream\).*/\1/p'
      fi
    done
    if command -v ss >/dev/null 2>&1; then ss -Hltnp 2>/dev/null | awk '/"sshd"/ {n = split($4, at, ":"); print at[n]}' || true; fi
  } | grep -xE '[0-9]{1,5}' | sort -un || true
}
