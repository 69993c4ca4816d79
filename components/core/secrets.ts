/** How a layer declares a secret that the stack generates. Pure. */
import type { ImportableSecret } from "../domain/importableSecrets";
import type { Settings } from "../settings/types";

/** A secret that the stack generates, or takes from `importSecrets`. */
export interface SecretSpec {
  /** Part of the resource's name. It never changes: another label is another secret. */
  label: string;
  /** Number of letters and digits. @default 40 */
  length?: number;
  /**
   * Its loss means the loss of data or of the server's identity: it is protected from deletion, and
   * `npm run keys -- save` saves it. @default false
   */
  fatal?: boolean;
  /** Its name in `importSecrets`. @default an existing deployment's secret cannot be taken over */
  importable?: ImportableSecret;
  /** Turns the generated text into the value. @default the text itself */
  from?: (text: string) => string;
  /** Whether the stack has it with these settings. @default always */
  when?: (settings: Settings) => boolean;
  /** Former type of the resource in Pulumi, which becomes an alias. @default none */
  formerType?: string;
}
