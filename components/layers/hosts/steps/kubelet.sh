# shellcheck shell=bash
. ./preamble.sh

# On standard error, which is shown; what a step prints otherwise is not.
warn() { printf 'matrix-ha: WARNING: %s\n' "$*" >&2; }

services=() known=() configured=() busy=()
variable="@VARIABLE@" unit_file="@UNIT_FILE@" restart="@RESTART@"
shopt -s nullglob
# @CALLS@

exists() { systemctl cat "$1" >/dev/null 2>&1; }
service=""
for s in "${services[@]}"; do if exists "$s"; then service=$s; break; fi; done
if [ -z "$service" ]; then
  seen=""
  for k in "${known[@]}"; do if exists "${k% *}"; then seen="$seen ${k#* }"; fi; done
  fail "cluster.distribution is @DISTRIBUTION@, but this host has no service ${services[*]}${seen:+; what it has belongs to:$seen}. Set cluster.distribution to what installed the cluster, or to other."
fi
if [ -n "$variable" ] && ! systemctl cat "$service" | grep -qF "\$$variable"; then
  fail "cluster.distribution is @DISTRIBUTION@, but the unit $service is not from @TITLE@: it does not use $variable. Set cluster.distribution to what installed the cluster (kubespray, other)."
fi

file=@DROP_INS@/90-matrix-ha.conf
others=""
for f in "${configured[@]}"; do
  if [ "$f" != "$file" ] && [ -f "$f" ] && grep -qE '(system|kube)-?[Rr]eserved' "$f"; then others="$others $f"; fi
done
if [ -n "$others" ]; then
  # Two places for one number would be a riddle; the alert NodeReservesTooLittle tells when theirs is too small.
  if [ -e "$file" ]; then rm -f "$file"; change "removed $file"; fi
  note "the kubelet has reservations of its own in$others: left as they are"
else
  put "$file" <<'FILE'
# @CONFIG@
FILE
  if [ -n "$unit_file" ]; then
    put "@UNIT_FILE@" <<'FILE'
# @UNIT@
FILE
  fi
fi

since() { date -d "$(systemctl show -p ActiveEnterTimestamp --value "$service")" +%s 2>/dev/null || echo 0; }
healthy() { # the kubelet's own address for its health
  for _ in $(seq 30); do
    if systemctl is-active --quiet "$service" && (exec 3<>/dev/tcp/127.0.0.1/10248 && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && grep -q '^ok' <&3) 2>/dev/null; then return 0; fi
    sleep 2
  done
  return 1
}
if [ -e "$file" ] && [ "$(stat -c %Y "$file")" -gt "$(since)" ]; then
  if [ ${#busy[@]} -gt 0 ] || [ "$restart" = no ]; then
    warn "$service reserves what $file says only when it starts next: drain this host, then systemctl restart $service; one host after the other"
  else
    systemctl daemon-reload
    systemctl restart "$service" || true
    if healthy; then
      change "restarted $service"
    else
      rm -f "$file"
      if [ -n "$unit_file" ]; then rm -f "$unit_file"; fi
      systemctl daemon-reload
      systemctl restart "$service" || true
      fail "$service did not become healthy with $file, which was removed again: see journalctl -u $service"
    fi
  fi
fi

echo "kubelet: ${changed:-nothing changed}"
