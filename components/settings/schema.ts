/** What the operator may write, section by section. docs/settings.md is generated from this. */
import { z } from "zod";
import { callSections, dataSections, homeserverSections, identitySections, webSections } from "./schema/homeserver";
import { clusterSections, monitoringSections } from "./schema/cluster";
import { hostSections } from "./schema/hosts";
import { keySections } from "./schema/keys";
import { overrideSections } from "./schema/overrides";

export const settingsSchema = z.strictObject({
  ...identitySections,
  ...hostSections,
  ...clusterSections,
  ...homeserverSections,
  ...dataSections,
  ...keySections,
  ...callSections,
  ...webSections,
  ...monitoringSections,
  ...overrideSections,
});

/** Written settings after parsing, static defaults filled in. */
export type SettingsInput = z.output<typeof settingsSchema>;
