export { Turn, type TurnArgs } from "./Turn";
export { advertised, callHosts, publicAddressLookup, uriHost } from "./callHosts";
export { turnEdges } from "./edges";
export { turnUris } from "./uris";
