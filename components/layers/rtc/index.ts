export { DRAIN_SECONDS, Rtc, type RtcArgs } from "./Rtc";
export { rtcEdges } from "./edges";
export { rtcFoci, rtcRoutes, type RtcRoute } from "./foci";
export { REDIS_MASTER_NAME, sentinelAddresses } from "./livekitYaml";
