# shellcheck shell=bash
# Opens the ports of the SSH server when its configuration changes, before it is restarted. It only ever adds: nobody
# is locked out by a change of the port. `pulumi up` removes those that are no longer in use.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
. ./sshPorts.sh
for port in $(ssh_ports); do nft add element inet matrix_ha ssh "{ $port }"; done
