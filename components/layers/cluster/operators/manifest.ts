/**
 * The objects of the operators' manifests, typed as far as this stack reads them. All other fields pass through
 * unchanged.
 */
import type { apps, core } from "@pulumi/kubernetes/types/input";

type Texts = Record<string, string>;

/** Any object. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Texts; annotations?: Texts };
  /** For kinds that have one; `isController`, `isService` and `isDefinition` narrow its type. */
  spec?: unknown;
  /** For a ConfigMap. */
  data?: Texts;
  /** For a RoleBinding or ClusterRoleBinding. */
  subjects?: Array<{ namespace?: string }>;
  /** For a RoleBinding or ClusterRoleBinding. */
  roleRef?: { apiGroup: string; kind: string; name: string };
}

export interface ContainerManifest extends Omit<core.v1.Container, "ports" | "livenessProbe"> {
  name: string;
  args?: string[];
  env?: Array<core.v1.EnvVar & { name: string }>;
  ports?: Array<{ name?: string; containerPort: number; protocol?: string }>;
  volumeMounts?: core.v1.VolumeMount[];
  livenessProbe?: { httpGet?: { host?: string } };
}

export interface VolumeManifest extends Omit<core.v1.Volume, "configMap" | "emptyDir"> {
  configMap?: Omit<core.v1.ConfigMapVolumeSource, "name"> & { name: string };
  emptyDir?: { sizeLimit?: string };
}

export interface PodManifest extends Omit<core.v1.PodSpec, "containers" | "volumes"> {
  serviceAccountName?: string;
  containers: ContainerManifest[];
  volumes?: VolumeManifest[];
}

/** A workload: an object that makes pods. */
export interface ControllerManifest extends Manifest {
  kind: "Deployment" | "DaemonSet";
  spec: Omit<apps.v1.DeploymentSpec, "replicas" | "strategy" | "template"> & {
    replicas?: number;
    strategy?: { type?: string; rollingUpdate?: { maxSurge: number; maxUnavailable: number } };
    template: { metadata: { labels: Texts; annotations?: Texts }; spec: PodManifest };
  };
}

export interface ServiceManifest extends Manifest {
  kind: "Service";
  spec: Omit<core.v1.ServiceSpec, "selector" | "ports"> & {
    selector?: Texts;
    ports: Array<{
      name?: string;
      port: number;
      targetPort?: number | string;
      protocol?: string;
      appProtocol?: string;
    }>;
  };
}

export interface DefinitionManifest extends Manifest {
  kind: "CustomResourceDefinition";
  spec: {
    group: string;
    names: { kind: string };
    versions: Array<{ name: string; schema: { openAPIV3Schema: object } }>;
  };
}

export const isController = (o: Manifest): o is ControllerManifest => o.kind === "Deployment" || o.kind === "DaemonSet";
export const isService = (o: Manifest): o is ServiceManifest => o.kind === "Service";
/** Whether an object defines a custom resource. */
export const isDefinition = (o: Manifest): o is DefinitionManifest => o.kind === "CustomResourceDefinition";
/** The name of an object in operators.ts: `Kind name`. */
export const title = (o: Manifest): string => `${o.kind} ${o.metadata.name}`;
