/** The registration files that Synapse reads, and where each appservice is reached. Pure. */
import { parse } from "yaml";
import { serviceFqdn } from "../../../core/names";
import type { SecretSpec } from "../../../core/secrets";
import { yamlText } from "../../../core/yaml";
import { isPlaceholder } from "../../../schema/syntax/keys";
import { isPlainObject } from "../../../schema/walk";
import type { Settings } from "../../../settings/types";
import { MOUNTS } from "../paths";
import type { AppserviceSettings } from "./settings";

/** The two tokens of a registration. */
export interface Tokens {
  asToken: string;
  hsToken: string;
}

/** URL at which Synapse reaches it; undefined where it receives nothing. */
export function urlOf({ url, pods }: AppserviceSettings, clusterDomain: string): string | undefined {
  if (!pods) return url;
  return `http://${serviceFqdn(pods.service, pods.namespace, clusterDomain)}:${pods.servicePort ?? pods.port}`;
}

/** A URL as Synapse takes it: a slash at its end is nothing. */
export const plainUrl = (url: string): string => url.replace(/\/+$/, "");

/** The fields of a registration file, read as Synapse does; undefined where the text is no section of YAML. */
export function readRegistration(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = parse(text, { version: "1.1" });
    return isPlainObject(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

/** Whether its registration is made from fields, and not given as a whole. */
export const isMadeHere = (a: AppserviceSettings): boolean =>
  a.registration === undefined && a.registrationSecret === undefined;

/** Declarations of the tokens that are generated for it. Their labels never change: they are of its id. */
export const tokenSpecs = (a: AppserviceSettings): { asToken: SecretSpec; hsToken: SecretSpec } => ({
  asToken: { label: `appservice-${a.id}-as`, length: 64 },
  hsToken: { label: `appservice-${a.id}-hs`, length: 64 },
});

/** Declarations of all tokens that are generated. */
export const generatedTokens = ({ appservices }: Settings): SecretSpec[] =>
  appservices.filter(isMadeHere).flatMap((a) => {
    const { asToken, hsToken } = tokenSpecs(a);
    return [...(a.asToken === undefined ? [asToken] : []), ...(a.hsToken === undefined ? [hsToken] : [])];
  });

/**
 * The registration file. Its keys are those that Synapse 1.163 reads (synapse/config/appservice.py), except
 * io.element.msc4512.proxy_*: the router has no route to an appservice.
 */
export function renderRegistration(a: AppserviceSettings, clusterDomain: string, tokens: Tokens): string {
  return yamlText({
    id: a.id,
    // Null, not absent: Synapse refuses a file without it.
    url: urlOf(a, clusterDomain) ?? null,
    as_token: tokens.asToken,
    hs_token: tokens.hsToken,
    sender_localpart: a.senderLocalpart ?? a.id,
    namespaces: { users: a.namespaces.users, aliases: a.namespaces.aliases, rooms: a.namespaces.rooms },
    rate_limited: a.rateLimited,
    ...(a.protocols.length > 0 ? { protocols: a.protocols } : {}),
    ...(a.receiveEphemeral ? { receive_ephemeral: true } : {}),
    ...(a.receiveEphemeralUnstable ? { "de.sorunome.msc2409.push_ephemeral": true } : {}),
    ...(a.encryption ? { "org.matrix.msc3202": true } : {}),
    ...(a.deviceManagement ? { "io.element.msc4190": true } : {}),
    ...(a.scopes.length > 0 ? { "io.element.msc4502.scopes": a.scopes } : {}),
    ...(a.allowedNetworks ? { ip_range_whitelist: a.allowedNetworks } : {}),
  });
}

/** Stands for a token where a text must not hold it. */
const WITHOUT: Tokens = { asToken: "(token)", hsToken: "(token)" };

/** What a registration says, without its tokens: for names that change with it. */
export function withoutTokens(a: AppserviceSettings, clusterDomain: string): string {
  if (a.registrationSecret) return `${a.registrationSecret.name}/${a.registrationSecret.key}`;
  if (a.registration === undefined) return renderRegistration(a, clusterDomain, WITHOUT);
  return isPlaceholder(a.registration) ? "(a secret)" : hidden(a.registration);
}

/** A registration in any form of YAML, its tokens replaced. The checks have refused what cannot be read. */
const hidden = (registration: string): string =>
  yamlText({ ...readRegistration(registration), as_token: WITHOUT.asToken, hs_token: WITHOUT.hsToken });

/** Name of its file among the registrations. */
export const registrationFile = (a: AppserviceSettings): string => `${a.id}.yaml`;

/** The options of homeserver.yaml about appservices; none where there are none. */
export function appserviceOptions({ appservices }: Settings): Record<string, unknown> {
  if (appservices.length === 0) return {};
  return { app_service_config_files: appservices.map((a) => `${MOUNTS.appservices}/${registrationFile(a)}`) };
}

/** Features of Synapse that a registration alone does not turn on. */
export const appserviceFeatures = ({ appservices }: Settings): Record<string, boolean> => ({
  ...(appservices.some((a) => a.encryption)
    ? { msc2409_to_device_messages_enabled: true, msc3202_transaction_extensions: true }
    : {}),
  // Without it Synapse does not serve what the scope permits (synapse/rest/client/room_membership.py).
  ...(appservices.some((a) => a.scopes.length > 0) ? { msc4502_enabled: true } : {}),
});
