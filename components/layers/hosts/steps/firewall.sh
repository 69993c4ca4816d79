# shellcheck shell=bash
. ./preamble.sh

. ./sshPorts.sh

mkdir -p @ROOT@/etc/matrix-ha
ports=$({ echo @SSH_PORT@; ssh_ports; } | sort -un | paste -sd, | sed 's/,/, /g')
sed "s/SSH_PORTS_OF_THIS_HOST/$ports/" >@RULES@.check <<'FILE'
# @TABLE@
FILE
# The kernel reads the whole of it before anything is replaced.
nft -c -f @RULES@.check || fail "the kernel does not accept the rules in @RULES@.check; nothing was changed"
before=$changed
put @RULES@ <@RULES@.check
rm -f @RULES@.check
put @UNIT@ <<'FILE'
[Unit]
Description=matrix-ha: which ports of this host are open
DefaultDependencies=no
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
# Debian's nftables.service flushes every table when it starts: ours comes after it, and again with it.
After=nftables.service systemd-modules-load.service
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'exec nft -f @ROOT@/etc/matrix-ha/firewall.nft'
ExecStart=-/bin/bash @ROOT@/etc/matrix-ha/ssh-ports.sh
ExecStop=/bin/sh -c 'nft delete table inet matrix_ha || true'

[Install]
WantedBy=multi-user.target
FILE
put @ROOT@/etc/matrix-ha/ssh-ports.sh <<'FILE'
# @SCRIPT@
FILE
put @FOLLOW@.service <<'FILE'
[Unit]
Description=matrix-ha: open the ports of the SSH server

[Service]
Type=oneshot
ExecStart=/bin/bash @ROOT@/etc/matrix-ha/ssh-ports.sh
FILE
put @FOLLOW@.path <<'FILE'
[Unit]
Description=matrix-ha: the SSH server's configuration

[Path]
PathChanged=/etc/ssh/sshd_config
PathChanged=/etc/ssh/sshd_config.d
PathChanged=/etc/systemd/system/ssh.socket.d
PathChanged=/etc/systemd/system/sshd.socket.d

[Install]
WantedBy=multi-user.target
FILE
if [ "$changed" != "$before" ] || ! nft list table inet matrix_ha >/dev/null 2>&1; then
  nft -f @RULES@
  change "rules are in force"
fi
if [ "$changed" != "$before" ]; then systemctl daemon-reload; fi
if ! systemctl is-enabled --quiet matrix-ha-firewall.service 2>/dev/null; then systemctl enable matrix-ha-firewall.service >/dev/null 2>&1; change "enabled at boot"; fi
if ! systemctl is-active --quiet matrix-ha-firewall.service; then systemctl start matrix-ha-firewall.service; change "started matrix-ha-firewall.service"; fi
if ! systemctl is-enabled --quiet matrix-ha-ssh-ports.path 2>/dev/null || ! systemctl is-active --quiet matrix-ha-ssh-ports.path; then
  systemctl enable --now matrix-ha-ssh-ports.path >/dev/null 2>&1
  change "watches the SSH server's configuration"
fi
for other in ufw firewalld; do
  if systemctl is-active --quiet "$other" 2>/dev/null; then note "$other is active too: a packet must pass both"; fi
done

echo "firewall: ${changed:-nothing changed}"
