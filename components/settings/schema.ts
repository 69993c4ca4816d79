/** The settings that the operator may write, section by section. docs/settings.md is generated from this. */
import { z } from "zod";
import { IMAGE_KEYS, LAYERS, type LayerOverrides, type LayerSettings } from "../layers/registry";
import { section } from "../schema/fields";
import { dataCentreSettings } from "./general/dataCentre";
import { activitySettings } from "./general/activity";
import { identitySettings } from "./general/identity";
import { imageSettings } from "./general/images";
import { keySettings } from "./general/keys";

const layerSettings = Object.assign({}, ...LAYERS.map((layer) => layer.settings)) as LayerSettings;
const layerOverrides = Object.assign({}, ...LAYERS.map((layer) => layer.overrides)) as LayerOverrides;

/** All sections; unknown ones are errors. */
export const settingsSchema = z.strictObject({
  ...identitySettings,
  ...activitySettings,
  ...layerSettings,
  ...imageSettings(IMAGE_KEYS),
  ...keySettings,
  ...dataCentreSettings,
  overrides: section(layerOverrides, {
    doc: "Sizes that replace the plan's. The plan checks the result as a whole.",
  }).prefault({}),
});

/** Settings after parsing, with static defaults. */
export type SettingsInput = z.output<typeof settingsSchema>;
