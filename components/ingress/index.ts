export { PublicIngress, type IngressTls, type PublicIngressArgs } from "./PublicIngress";
export { publicHosts, type PublicHost, type PublicPath } from "./hosts";
export { controllerAnnotations, ingressNotes } from "./annotations";
export { ingressEdges } from "./edges";
