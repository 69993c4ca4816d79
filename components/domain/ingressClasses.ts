/** Ingress controllers that the stack knows, by the name of their class. Pure. */

export const INGRESS_CLASSES = ["nginx", "contour", "haproxy", "traefik", "cilium"] as const;
export type IngressClass = (typeof INGRESS_CLASSES)[number];

export const isKnownIngressClass = (name: string): name is IngressClass =>
  (INGRESS_CLASSES as readonly string[]).includes(name);

/** A sentence for the plan when nothing is known of the controller; else nothing. */
export function ingressClassNotes(ingressClass: string): string[] {
  if (isKnownIngressClass(ingressClass)) return [];
  return [
    `cluster.ingressClass "${ingressClass}" is not one of ${INGRESS_CLASSES.join(", ")}: see that its controller lets media.maxUploadMiB through, waits 300 s for an answer, passes WebSockets on the rtc host and appends to X-Forwarded-For.`,
  ];
}
