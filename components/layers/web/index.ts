export { Web, type WebArgs } from "./Web";
export { webEdges } from "./edges";
export { wellKnownDocuments, type RtcFocus } from "./wellKnown";
