/** Rules over everything that a stack registers. Pure: objects in, violations out. */
import type { RegisteredResource } from "../cli/evaluate";
import type { Settings } from "../components/settings/types";
import type { Plan } from "../components/sizing/types";
import type { Edge } from "../components/core/edges";

export interface KubernetesObject {
  urn: string;
  layer: string;
  kind: string;
  apiVersion: string;
  namespace: string;
  name: string;
  inputs: any;
}

/** A pod template with the object that creates its pods. */
export interface PodTemplate {
  owner: KubernetesObject;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: any;
  longRunning: boolean;
}

/** Pods that an operator creates for a custom resource, as Services, monitors and edges can select them. */
export interface OperatorPods {
  owner: KubernetesObject;
  labels: Record<string, string>;
  ports: Record<string, number>;
  replicas: number;
}

export interface Subject {
  resources: RegisteredResource[];
  objects: KubernetesObject[];
  templates: PodTemplate[];
  operatorPods: OperatorPods[];
  settings: Settings;
  plan: Plan;
  edges: Edge[];
}

export interface Violation {
  rule: string;
  object: string;
  what: string;
}

export interface Rule {
  /** Number in the list of rules; `demands` states the demand in a phrase. */
  id: string;
  demands: string;
  check(subject: Subject): Array<{ object: KubernetesObject | PodTemplate; what: string }>;
}

export type { RuleException as Exception } from "../components/core/exceptions";
