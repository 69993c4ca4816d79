/** Cross-field checks. Each file looks at one concern; all of them always run. */
import { checkCalls } from "./calls";
import { checkData } from "./data";
import { checkHomeserver } from "./homeserver";
import { checkHosts } from "./hosts";
import { checkKeys } from "./keys";
import { checkNetwork } from "./network";
import { checkOverrides } from "./overrides";
import { checkTls } from "./tls";
import type { SettingsInput } from "../schema";
import type { Report } from "../report";
import type { Settings } from "../types";

export interface CheckInput {
  /** As written, parsed. */
  input: SettingsInput;
  /** Complete. */
  settings: Settings;
  report: Report;
  now: Date;
}

export function check(given: CheckInput): void {
  for (const one of CHECKS) one(given);
}

const CHECKS: Array<(given: CheckInput) => void> = [
  checkHosts,
  checkNetwork,
  checkTls,
  checkHomeserver,
  checkKeys,
  checkData,
  checkCalls,
  checkOverrides,
];
