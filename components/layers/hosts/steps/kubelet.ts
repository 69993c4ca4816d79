import { scriptFrom, verbatim } from "../../../core/scripts";
import { NAMESPACES } from "../../../core/names";
import { DISTRIBUTION_FACTS, DISTRIBUTIONS } from "../../../domain/distributions";
import type { HostSettings, Settings } from "../../../settings/types";
import { systemReserved } from "../reserved";
import type { HostStep, StepOptions } from "./shell";

/** Namespaces of pods that a restarted kubelet might no longer admit. */
const BUSY = [NAMESPACES.matrix, NAMESPACES.minio, NAMESPACES.livekit, NAMESPACES.coturn];

/** Every service in which a kubelet may run, with the distribution that it tells. */
const KNOWN = DISTRIBUTIONS.flatMap((name) =>
  (DISTRIBUTION_FACTS[name].kubelet?.services ?? []).map((service) => `${service} ${name}`),
);

/** The kubelet reserves for the system what the plan assumes. None where its configuration belongs to another tool. */
export function kubeletStep(
  settings: Settings,
  host: HostSettings,
  { root = "" }: StepOptions = {},
): HostStep | undefined {
  const { distribution } = settings.cluster;
  const { kubelet, title } = DISTRIBUTION_FACTS[distribution];
  if (!kubelet) return undefined;
  const { milliCpu, memoryMiB } = systemReserved(settings, host);
  const config = [
    "apiVersion: kubelet.config.k8s.io/v1beta1",
    "kind: KubeletConfiguration",
    "systemReserved:",
    `  cpu: "${milliCpu}m"`,
    `  memory: "${memoryMiB}Mi"`,
  ];
  const unit = kubelet.unit
    ? `[Service]\nEnvironment="${kubelet.unit.variable}=${kubelet.unit.value}"`
    : "# its service reads the directory by itself";
  return {
    name: "kubelet",
    why: "the kubelet keeps for the system what the plan does not give to pods",
    script: scriptFrom(__dirname, "kubelet.sh", {
      DISTRIBUTION: distribution,
      TITLE: title,
      DROP_INS: `${root}${kubelet.dropIns}`,
      UNIT_FILE: kubelet.unit ? `${root}/etc/systemd/system/${kubelet.unit.name}.d/90-matrix-ha.conf` : "",
      VARIABLE: kubelet.unit?.variable ?? "",
      RESTART: kubelet.withControlPlane && host.roles.includes("control-plane") ? "no" : "yes",
      CONFIG: verbatim(config.join("\n")),
      UNIT: verbatim(unit),
      CALLS: verbatim(
        [
          `services=(${kubelet.services.join(" ")})`,
          `known=(${KNOWN.map((k) => `"${k}"`).join(" ")})`,
          `configured=(${kubelet.configuredIn.map((f) => root + f).join(" ")})`,
          `busy=(${BUSY.map((n) => `${root}/var/log/pods/${n}_*`).join(" ")})`,
        ].join("\n"),
      ),
    }),
  };
}
