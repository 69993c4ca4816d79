export { Workload, type ServiceSpec, type WorkloadArgs } from "./Workload";
export { CONFIG_HASH, PART_OF, labels, selectorLabels } from "./metadata";
export { configHash, digest } from "./hash";
export { httpProbes, type Probes } from "./probes";
export {
  lostNodeTolerations,
  podTemplate,
  spread,
  type Apart,
  type ContainerSpec,
  type EnvValue,
  type MountSpec,
  type PodSpec,
  type VolumeSpec,
} from "./pod";
export { canonical, gibi, mebi, milliCpu, quantityValue } from "./quantities";
export { rolledOut } from "./rollout";
