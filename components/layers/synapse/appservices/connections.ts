/** What other stacks learn of appservices, tokens included. */
import * as pulumi from "@pulumi/pulumi";
import { NAMESPACES, PORTS, SERVICES, serviceFqdn } from "../../../core/names";
import type { StackSecrets } from "../../../keys/secrets";
import type { AppserviceConnection } from "../../../outputs";
import type { AppserviceSettings, Settings } from "../../../settings/types";
import { isMadeHere, urlOf } from "./registration";
import { registrationOf, tokensOf } from "./Registrations";

/** The stack's output `appservices`, a secret as a whole. Undefined where there are none. */
export function appserviceConnections(
  settings: Settings,
  secrets: StackSecrets,
): pulumi.Output<Record<string, AppserviceConnection>> | undefined {
  if (settings.appservices.length === 0) return undefined;
  const byId = settings.appservices.map((a) => [a.id, connection(a, settings, secrets)] as const);
  return pulumi.secret(pulumi.output(Object.fromEntries(byId)) as pulumi.Output<Record<string, AppserviceConnection>>);
}

function connection(a: AppserviceSettings, settings: Settings, secrets: StackSecrets): pulumi.Inputs {
  const { domain } = settings.cluster;
  const url = urlOf(a, domain);
  const registration = registrationOf(a, { settings, secrets });
  return {
    homeserver: `http://${serviceFqdn(SERVICES.router, NAMESPACES.matrix, domain)}:${PORTS.routerHttp}`,
    serverName: settings.serverName,
    ...(url === undefined ? {} : { url }),
    ...(a.pods
      ? { pods: { namespace: a.pods.namespace, labels: a.pods.labels, port: a.pods.port, service: a.pods.service } }
      : {}),
    ...(a.senderLocalpart === undefined ? {} : { sender: `@${a.senderLocalpart}:${settings.serverName}` }),
    ...(registration ? { registration } : {}),
    ...(isMadeHere(a) ? tokensOf(a, secrets) : {}),
  };
}
