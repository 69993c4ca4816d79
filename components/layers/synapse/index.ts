export { SynapseServer, type SynapseServerArgs } from "./SynapseServer";
export { synapseEdges } from "./edges";
export {
  ADMIN_PREFIX,
  NEVER_SERVED,
  classify,
  resolveRoutes,
  resourcesOf,
  roomKey,
  userKey,
  type Classified,
  type HashKey,
  type Resource,
  type Route,
  type Surface,
} from "./routingTable";
export { ROUTES } from "./routes";
export { renderRoutingDocs } from "./routingDocs";
