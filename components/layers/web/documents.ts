/** The discovery documents of a stack. Pure. */
import type { Settings } from "../../settings/types";
import { serverNameHost } from "../../domain/entranceNames";
import { rtcFoci } from "../rtc/foci";
import { wellKnownDocuments, type RtcFocus } from "./wellKnown";

/** Whether other programs than clients are told where the homeserver is. */
export const isDiscoverable = ({ federation, rtc }: Pick<Settings, "federation" | "rtc">): boolean =>
  federation.enabled || rtc.enabled;

/** Documents under /.well-known/matrix by the last part of their path. @param foci @default those of the rtc layer */
export const documentsOf = (settings: Settings, foci: RtcFocus[] = rtcFoci(settings)): Record<string, object> =>
  wellKnownDocuments({
    homeserverHost: settings.hostnames.homeserver,
    discoverable: isDiscoverable(settings),
    rtcFoci: foci,
    support: settings.web.supportContact,
    jitsiDomain: settings.web.jitsiDomain,
    more: settings.web.wellKnown,
  });

/** What the other web server has to answer, by URL. Empty where this stack serves the documents itself. */
export const servedElsewhere = (settings: Settings): Record<string, object> =>
  settings.web.wellKnown.servedElsewhere
    ? Object.fromEntries(
        Object.entries(documentsOf(settings)).map(([name, document]) => [
          `https://${serverNameHost(settings)}/.well-known/matrix/${name}`,
          document,
        ]),
      )
    : {};

/** The same for people. */
export const elsewhereNotes = (settings: Settings): string[] => {
  const documents = Object.entries(servedElsewhere(settings));
  if (documents.length === 0) return [];
  return [
    `The web server of ${serverNameHost(settings)} must answer the following URLs with status 200, \`Content-Type: application/json\` and \`Access-Control-Allow-Origin: *\`, under a certificate that clients and other servers trust: ${documents
      .map(([url, document]) => `${url} with ${JSON.stringify(document)}`)
      .join(
        "; ",
      )}. Or let it redirect them (302) to https://${settings.hostnames.homeserver}, which answers the same paths.`,
  ];
};
