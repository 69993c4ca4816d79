export { Workload, type ServiceSpec, type WorkloadArgs } from "./Workload";
export { hardenedContainer, hardenedPod, SECCOMP } from "./hardening";
export { CONFIG_HASH, PART_OF, labels, selectorLabels, type ObjectMetadata } from "./metadata";
export { digest } from "./digest";
export { configHash } from "./hash";
export { httpProbes, renderProbes, STARTUP, tcpProbes, type Probes } from "./probes";
export {
  budgetSpec,
  EVERY_NODE,
  neverTwoOnANode,
  onNodes,
  overZones,
  spread,
  type Apart,
  type StrictGroup,
} from "./placement";
export {
  diskOf,
  OPERATORS_VOLUMES,
  podTemplate,
  pullSecrets,
  renderResources,
  type ContainerSpec,
  type EnvValue,
  type MountSpec,
  type PodSpec,
  type VolumeSpec,
} from "./pod";
export { canonical, gibi, mebi, milliCpu, quantityValue } from "./quantities";
export { rolledOut } from "./rollout";
