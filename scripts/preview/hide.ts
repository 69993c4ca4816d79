/** Removes secrets from evaluations and from the engine's messages before these leave the process. Pure. */
import * as crypto from "node:crypto";
import type { Evaluation, RegisteredResource } from "../../cli/evaluate";
import { HIDDEN, redacted } from "../../cli/redact";

/**
 * A copy in which each hidden value is a digest under a key that exists only for one comparison: this shows that a
 * secret changed, but not its value, not even to an attempt with likely values.
 */
export function withDigests(evaluation: Evaluation, key: string): Evaluation {
  const digest = (value: unknown): string =>
    `${HIDDEN} ${crypto.createHmac("sha256", key).update(JSON.stringify(value)).digest("hex").slice(0, 16)}`;
  const marked = (shown: any, real: any): any => {
    if (shown === HIDDEN) return digest(real);
    if (Array.isArray(shown)) return shown.map((v, i) => marked(v, real[i]));
    if (shown !== null && typeof shown === "object")
      return Object.fromEntries(Object.entries(shown).map(([k, v]) => [k, marked(v, real[k])]));
    return shown;
  };
  const resources = evaluation.resources.map((r): RegisteredResource => ({
    ...r,
    inputs: marked(redacted(r), r.inputs),
  }));
  // The outputs of a dump are not used, and some are secret.
  return { resources, outputs: {} };
}

const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g;
const SECRET_NAME = /TOKEN|PASSPHRASE|PASSWORD|SECRET|PRIVATE|ACCESS_KEY/;
/** Shorter values are words such as `true`; a real secret is longer. */
const SHORTEST = 8;

/**
 * A message without keys and without the environment's secrets: an engine's error may quote either.
 */
export function withoutSecrets(text: string, env: NodeJS.ProcessEnv): string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && value && value.length >= SHORTEST ? [value] : [],
  );
  // The longest first: one may contain another.
  const hidden = values.sort((a, b) => b.length - a.length).reduce((t, value) => t.split(value).join(HIDDEN), text);
  return hidden.replace(PEM, HIDDEN);
}

/** Without the engine's colour directives and a terminal's. */
export const withoutColours = (text: string): string =>
  text.replace(/<\{%[^%]*%\}>/g, "").replace(/\x1b\[[0-9;]*m/g, "");
