export { PublicIngress, type IngressTls, type PublicIngressArgs } from "./PublicIngress";
export { publicHosts, type PublicHost, type PublicPath } from "./hosts";
export { controllerAnnotations } from "./annotations";
export { ingressEdges } from "./edges";
export { ingressAddresses, ingressRecords } from "./dns";
