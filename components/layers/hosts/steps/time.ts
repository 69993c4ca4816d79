import type { HostSettings } from "../../../settings/types";
import { script, type HostStep } from "./shell";

/** Makes sure that a time daemon runs. */
export function timeStep(_host: HostSettings): HostStep {
  return {
    name: "time",
    why: "TURN credentials, certificates and leases compare clocks",
    script: script(
      "time",
      `
running=""
for unit in chronyd chrony systemd-timesyncd ntpsec ntpd openntpd; do
  if systemctl is-active --quiet "$unit" 2>/dev/null; then running=$unit; break; fi
done
if [ -z "$running" ] && in_container; then
  note "a container has its machine's clock: time is kept there"
else
  if [ -z "$running" ]; then
    for unit in chronyd chrony systemd-timesyncd; do
      if systemctl enable --now "$unit" >/dev/null 2>&1 && systemctl is-active --quiet "$unit"; then running=$unit; change "started $unit"; break; fi
    done
  fi
  [ -n "$running" ] || fail "no time daemon runs and none could be started: install chrony, see systemctl status chronyd"
  # A daemon just started needs a moment to reach its servers.
  synchronized() { [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ]; }
  for _ in 1 2 3 4 5; do synchronized && break; sleep 1; done
  # No reason to stop: the daemon goes on trying, and the alert NodeClockWrong tells when it does not succeed.
  synchronized || note "WARNING: $running runs, but the clock is not synchronized yet: see that its servers answer (UDP 123)"
fi`,
    ),
  };
}
