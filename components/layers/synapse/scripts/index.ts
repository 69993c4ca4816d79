/** Programs that run beside Synapse, in the Python that its image has anyway. Pure. */
export { WAIT_PY } from "./waitDatabase";
export { LOST_EVENTS_PY } from "./lostEvents";
export { FRESH_SESSIONS_PY } from "./freshSessions";
export { TRIM_PY } from "./trimMedia";
export { CHECK_PY } from "./check";
