export { HaproxyRouter, type HaproxyRouterArgs } from "./HaproxyRouter";
export { backendName, renderHaproxyCfg, type HaproxyInput } from "./haproxyCfg";
export { ROUTER_COMPONENT, routerEdges, routerPeer } from "./edges";
