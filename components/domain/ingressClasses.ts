/** Ingress controllers that the stack knows, by the name of their class. Pure. */

/** Classes whose controllers the stack configures. */
export const INGRESS_CLASSES = ["nginx", "contour", "haproxy", "traefik", "cilium"] as const;
export type IngressClass = (typeof INGRESS_CLASSES)[number];

/** Whether the stack configures this class's controller; otherwise the operator must. */
export const isKnownIngressClass = (name: string): name is IngressClass =>
  (INGRESS_CLASSES as readonly string[]).includes(name);

/** A note for the plan where the controller is unknown; else none. */
export function ingressClassNotes(ingressClass: string): string[] {
  if (isKnownIngressClass(ingressClass)) return [];
  return [
    `cluster.ingressClass "${ingressClass}" is not one of ${INGRESS_CLASSES.join(", ")}: make sure that its controller lets media.maxUploadMiB through without keeping it on disk first, waits 300 s for an answer, passes WebSockets on the rtc host and appends to X-Forwarded-For.`,
  ];
}
