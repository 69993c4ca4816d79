# shellcheck shell=bash
. ./preamble.sh

if [ -e @UNIT@ ]; then
  systemctl disable --now matrix-ha-ssh-ports.path matrix-ha-firewall.service >/dev/null 2>&1 || true
  rm -f @UNIT@ @RULES@ @FOLLOW@.path @FOLLOW@.service
  systemctl daemon-reload
  change "removed the firewall"
fi
if have nft && nft list table inet matrix_ha >/dev/null 2>&1; then nft delete table inet matrix_ha; change "removed the table"; fi

echo "firewall: ${changed:-nothing changed}"
