/** How a layer declares a secret that the stack generates. Pure. */
import type { ImportableSecret } from "../domain/importableSecrets";
import type { Settings } from "../settings/types";

export interface SecretSpec {
  /** Part of the resource's name, so it never changes: a new label is a new secret. */
  label: string;
  /** Characters. @default 40 */
  length?: number;
  /** Without it data or the server's identity are lost: protected, and part of what `npm run keys -- save` keeps. */
  fatal?: boolean;
  /** Name under `importSecrets`, where an existing deployment's can be taken over. */
  importable?: ImportableSecret;
  /** Makes the value of the generated text. @default the text itself */
  from?: (text: string) => string;
  /** Whether it is made. @default always */
  when?: (settings: Settings) => boolean;
  /** Type that the resource had before. */
  formerType?: string;
}
