export { Hosts, type HostsArgs } from "./Hosts";
export { remoteCommand, renderHostScripts } from "./command";
export { DATA_ROOT, diskMounts, usePath, type DiskMount } from "./mounts";
export { hasWalDisk, walApart, walClass, WAL_PATH } from "./walVolume";
export { nodeLabels, nodeTaints } from "./nodeRoles";
export { hostSteps, type HostStep } from "./steps";
export { callPorts } from "./steps/sysctls";
export { openPorts, trustedSources } from "./steps/firewall";
