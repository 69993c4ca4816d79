/** An image of Synapse with the Python packages of modules. Pure. */
import { digest } from "../../../core/workload/digest";
import type { Settings } from "../../../settings/types";

/** The packages of all modules, each once, in the order of their names. */
export const packagesOf = (settings: Pick<Settings, "synapse">): string[] =>
  [...new Set(settings.synapse.modules.flatMap((m) => m.packages))].sort();

/** The end of the tag of the image that has these packages: another list is another image. */
export const imageSuffix = (packages: readonly string[]): string =>
  `-modules-${digest(packages.join("\n")).slice(0, 10)}`;
