/** What several layers need to know of calls. Pure. */
import type { Settings } from "../settings/types";

/** Whether lk-jwt-service runs beside the SFU; tokens come from elsewhere otherwise. */
export const jwtServiceEnabled = (settings: Settings): boolean => settings.rtc.jwtService ?? true;
