# shellcheck shell=bash
. ./preamble.sh

mkdir -p @ROOT@/etc/matrix-ha
cat >@RULES@.check <<'FILE'
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
ExecStop=/bin/sh -c 'nft delete table inet matrix_ha || true'

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
for other in ufw firewalld; do
  if systemctl is-active --quiet "$other" 2>/dev/null; then note "$other is active too: a packet must pass both"; fi
done

echo "firewall: ${changed:-nothing changed}"
