import { scriptFrom, verbatim, type ScriptValue } from "../../../core/scripts";
import { DISTRIBUTION_FACTS } from "../../../domain/distributions";
import type { HostSettings, Settings } from "../../../settings/types";
import { DATA_ROOT, METRICS_ROOT } from "../mounts";
import { watchesEtcd } from "../reserved";
import type { HostStep, StepOptions } from "./shell";

/** Where snapshots lie that this stack makes. */
export const ETCD_SNAPSHOTS = `${DATA_ROOT}/etcd-snapshots`;
/** Hours between two. */
const EVERY_HOURS = 6;
/** A week of them. */
const KEPT = (7 * 24) / EVERY_HOURS;

/** Saves etcd's data regularly, or watches the distribution do so. None for hosts without a control plane. */
export function etcdStep(
  settings: Settings,
  host: HostSettings,
  { root = "" }: StepOptions = {},
): HostStep | undefined {
  const { etcd, title } = DISTRIBUTION_FACTS[settings.cluster.distribution];
  if (!etcd || !watchesEtcd(settings, host)) return undefined;
  const own = etcd.by === "host step";
  const directory = `${root}${own ? ETCD_SNAPSHOTS : etcd.dir}`;
  const common: Record<string, ScriptValue> = { DIRECTORY: directory, METRICS: `${root}${METRICS_ROOT}` };
  const named = (path: string): string => root + path.replace("HOST", host.name);
  const script = own
    ? scriptFrom(__dirname, "etcdSave.sh", {
        ...common,
        KEPT,
        CALLS: verbatim(
          etcd.certificates.map((c) => `certificate ${named(c.ca)} ${named(c.certificate)} ${named(c.key)}`).join("\n"),
        ),
      })
    : scriptFrom(__dirname, "etcdWatch.sh", common);
  return {
    name: "etcd",
    why: own
      ? `a snapshot of etcd every ${EVERY_HOURS} hours, below ${ETCD_SNAPSHOTS}`
      : `tells the monitoring when ${title} last saved etcd`,
    script: scriptFrom(__dirname, "etcd.sh", {
      ROOT: root,
      DIRECTORY: directory,
      CALENDAR: own ? `00/${EVERY_HOURS}:00` : "hourly",
      HINT: verbatim(
        own
          ? "see journalctl -u matrix-ha-etcd"
          : `nothing is there yet: look again in 12 hours; ${title} saves it by itself (${etcd.settings})`,
      ),
      SCRIPT: verbatim(script),
    }),
  };
}
