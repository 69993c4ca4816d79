export { Turn, type TurnArgs } from "./Turn";
export { advertised, callHosts, publicAddressLookup, uriHost } from "../../domain/callHosts";
export { turnEdges } from "./edges";
export { turnUris } from "../../domain/turnUris";
