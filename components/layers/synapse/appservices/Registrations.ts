/** The Secret with the registrations of appservices, and their tokens. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { digest, type ObjectMetadata } from "../../../core/workload";
import type { StackSecrets } from "../../../keys/secrets";
import type { AppserviceSettings, Settings } from "../../../settings/types";
import type { RegistrationSource } from "../pod";
import {
  isMadeHere,
  plainUrl,
  registrationFile,
  renderRegistration,
  tokenSpecs,
  urlOf,
  withoutTokens,
} from "./registration";

/** The registrations as pods read them. */
export interface Registrations {
  /** Undefined where all of them are in Secrets that exist. */
  secret?: k8s.core.v1.Secret;
  sources: RegistrationSource[];
  /** All of them with their tokens. */
  text: pulumi.Output<string>;
  /** The same without the tokens: it changes with what the check Job reads. */
  content: string;
  /** URLs of those in Secrets that exist, by id; null where one receives nothing. The check Job reads those. */
  urls: Record<string, string | null>;
}

interface Args {
  settings: Settings;
  secrets: StackSecrets;
  /** Metadata of an object, by its name. */
  meta(objectName: string): ObjectMetadata;
}

/** The tokens of an appservice whose registration is made here: given, or generated. */
export function tokensOf(
  a: AppserviceSettings,
  secrets: StackSecrets,
): { asToken: pulumi.Output<string>; hsToken: pulumi.Output<string> } {
  const specs = tokenSpecs(a);
  return {
    asToken: a.asToken === undefined ? secrets.of(specs.asToken) : pulumi.secret(a.asToken),
    hsToken: a.hsToken === undefined ? secrets.of(specs.hsToken) : pulumi.secret(a.hsToken),
  };
}

/** The text of a registration; undefined where it is in a Secret that exists. */
export function registrationOf(
  a: AppserviceSettings,
  { settings, secrets }: Pick<Args, "settings" | "secrets">,
): pulumi.Output<string> | undefined {
  if (a.registration !== undefined) return pulumi.secret(a.registration);
  if (!isMadeHere(a)) return undefined;
  const { asToken, hsToken } = tokensOf(a, secrets);
  return pulumi.secret(
    pulumi
      .all([asToken, hsToken])
      .apply(([as, hs]) => renderRegistration(a, settings.cluster.domain, { asToken: as, hsToken: hs })),
  );
}

/** Makes the Secret. Undefined where there are no appservices. */
export function registrations(name: string, args: Args, opts: pulumi.CustomResourceOptions): Registrations | undefined {
  const { appservices, cluster } = args.settings;
  if (appservices.length === 0) return undefined;
  const files: Record<string, pulumi.Output<string>> = {};
  for (const a of appservices) {
    const text = registrationOf(a, args);
    if (text) files[registrationFile(a)] = text;
  }
  const content = JSON.stringify(appservices.map((a) => withoutTokens(a, cluster.domain)));
  // Named by its content, as configuration is: what the check refuses reaches no process. Tokens are not part of it.
  const objectName = `synapse-appservices-${digest(content).slice(0, 10)}`;
  const made = Object.keys(files).length > 0;
  return {
    ...(made
      ? {
          secret: new k8s.core.v1.Secret(
            `${name}-appservices`,
            { metadata: args.meta(objectName), type: "Opaque", stringData: files },
            opts,
          ),
        }
      : {}),
    sources: [
      ...(made ? [{ secret: objectName }] : []),
      ...appservices.flatMap((a) =>
        a.registrationSecret
          ? [{ secret: a.registrationSecret.name, items: { [a.registrationSecret.key]: registrationFile(a) } }]
          : [],
      ),
    ],
    text: pulumi
      .all(Object.values(files))
      .apply((texts) => JSON.stringify([texts, appservices.map((a) => withoutTokens(a, cluster.domain))])),
    content,
    urls: Object.fromEntries(
      appservices.flatMap((a) => {
        const url = urlOf(a, cluster.domain);
        return a.registrationSecret ? [[a.id, url === undefined ? null : plainUrl(url)]] : [];
      }),
    ),
  };
}
