import type { HostSettings, Settings } from "../../../settings/types";
import { disksStep } from "./disks";
import { etcdStep } from "./etcd";
import { firewallStep } from "./firewall";
import { kubeletStep } from "./kubelet";
import { modulesStep } from "./modules";
import { packagesStep } from "./packages";
import { swapStep } from "./swap";
import { sysctlsStep } from "./sysctls";
import { timeStep } from "./time";
import { walStep } from "./wal";
import type { HostStep } from "./shell";

/** All steps for a host, in order: each may rely on those before it. */
export function hostSteps(settings: Settings, host: HostSettings): HostStep[] {
  return [
    packagesStep(host),
    modulesStep(host),
    sysctlsStep(settings, host),
    swapStep(host),
    timeStep(host),
    disksStep(host),
    walStep(settings, host),
    firewallStep(settings, host),
    kubeletStep(settings, host),
    etcdStep(settings, host),
  ].filter((step) => step !== undefined);
}

export type { HostStep } from "./shell";
