/**
 * Requests of the operators and add-ons: their pods are made with these, and the plan counts them. Pure, and without
 * imports, so that planning loads nothing of the pods.
 */

/** What one container requests. */
export interface Request {
  /** Cores. */
  cpu: number;
  memoryMiB: number;
}

/** Requests of one container of each, and how many pods there are. They are small, whatever the number of users. */
export const OPERATOR_REQUESTS = {
  // 40 MiB resident with one cluster (measured); its cache grows with the Secrets and Pods of the cluster.
  cloudNativePg: { replicas: 2, cpu: 0.05, memoryMiB: 128 },
  barmanPlugin: { replicas: 1, cpu: 0.02, memoryMiB: 64 },
  metallbController: { replicas: 1, cpu: 0.02, memoryMiB: 64 },
  /** One pod on every host. */
  metallbSpeaker: { cpu: 0.02, memoryMiB: 64 },
  /** One pod on every host, with monitoring. */
  nodeExporter: { cpu: 0.05, memoryMiB: 48 },
  certManager: { replicas: 2, cpu: 0.02, memoryMiB: 64 },
  certManagerWebhook: { replicas: 2, cpu: 0.02, memoryMiB: 32 },
  certManagerCainjector: { replicas: 2, cpu: 0.02, memoryMiB: 96 },
  metricsServer: { replicas: 2, cpu: 0.02, memoryMiB: 64 },
  localPathProvisioner: { replicas: 1, cpu: 0.01, memoryMiB: 32 },
  prometheusOperator: { replicas: 1, cpu: 0.02, memoryMiB: 96 },
} as const satisfies Record<string, Request & { replicas?: number }>;

/** The request of one container, without the number of pods. */
export const requestOf = (key: keyof typeof OPERATOR_REQUESTS): Request => ({
  cpu: OPERATOR_REQUESTS[key].cpu,
  memoryMiB: OPERATOR_REQUESTS[key].memoryMiB,
});
