/** The public names whose addresses are the entrance's. Pure. */
import type { Settings } from "../settings/types";

/** The host of the server name, where clients and other servers look for the discovery documents. */
export const serverNameHost = ({ serverName }: Pick<Settings, "serverName">): string => serverName.replace(/:\d+$/, "");

/** The same, unless another web server has that name (`web.wellKnown.servedElsewhere`). */
export const servedServerName = (settings: Pick<Settings, "serverName" | "web">): string[] =>
  settings.web.wellKnown.servedElsewhere ? [] : [serverNameHost(settings)];

/** Every name that the ingress serves, the homeserver's first. TURN's is that of the call hosts. */
export const entranceNames = (settings: Settings): string[] => {
  const { hostnames, web, rtc } = settings;
  return [
    ...new Set([
      hostnames.homeserver,
      ...servedServerName(settings),
      ...(web.elementWeb.enabled ? [hostnames.web] : []),
      ...(web.admin.enabled ? [hostnames.admin] : []),
      ...(rtc.enabled ? [hostnames.rtc] : []),
    ]),
  ];
};
