export { PublicIngress, type IngressTls, type PublicIngressArgs } from "./PublicIngress";
export { publicHosts, type PublicHost, type PublicPath } from "./hosts";
export { controllerAnnotations } from "./annotations";
export { ingressEdges } from "./edges";
export { dnsRecords, ingressAddresses, type DnsRecord } from "./dns";
