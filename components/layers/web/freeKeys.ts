/** Keys of public documents that the operator adds: those that follow from settings are refused. Pure. */
import type { CheckInput } from "../../core/layer";
import { isPlaceholder } from "../../schema/syntax/keys";
import { isPlainObject, pathText } from "../../schema/walk";
import { serverNameHost } from "../../domain/entranceNames";
import { isSecretName, leavesOf } from "../synapse/extra/values";
import { isDiscoverable } from "./documents";

/** A key, and the setting that decides it. Names of Element's keys contain dots. */
type Owned = readonly [path: readonly string[], setting: string];

const HOMESERVER = "hostnames.homeserver";

/** Of Element's config.json (element-web, docs/config.md). What the stack only suggests is not here. */
const ELEMENT: readonly Owned[] = [
  [["default_server_config"], HOMESERVER],
  [["default_server_name"], HOMESERVER],
  [["default_hs_url"], HOMESERVER],
  [["default_is_url"], HOMESERVER],
  [["brand"], "web.elementWeb.brand"],
  [["disable_guests"], "registration.allowGuests"],
  [["disable_3pid_login"], "emailSmtp"],
  [["permalink_prefix"], "hostnames.web"],
  [["enable_presence_by_hs_url"], "presence.enabled"],
  [["element_call", "use_exclusively"], "rtc.enabled"],
  [["features", "feature_group_calls"], "rtc.enabled"],
  [["jitsi", "preferred_domain"], "web.jitsiDomain"],
  [["setting_defaults", "UIFeature.registration"], "registration.enabled"],
  [["setting_defaults", "UIFeature.passwordReset"], "emailSmtp"],
  [["setting_defaults", "UIFeature.thirdPartyId"], "emailSmtp"],
];
const CLIENT: readonly Owned[] = [
  [["m.homeserver"], HOMESERVER],
  [["org.matrix.msc4143.rtc_foci"], "rtc.enabled"],
  [["im.vector.riot.jitsi", "preferredDomain"], "web.jitsiDomain"],
];
const SERVER: readonly Owned[] = [[["m.server"], HOMESERVER]];

/** A name of this stack cannot be another web server's. */
export function checkElsewhere({ settings, report }: CheckInput): void {
  const { web, hostnames } = settings;
  if (!web.wellKnown.servedElsewhere) return;
  const same = Object.entries(hostnames).find(([, name]) => name === serverNameHost(settings));
  if (same)
    report.add(
      {
        path: "web.wellKnown.servedElsewhere",
        given: `true, although ${same[1]} is hostnames.${same[0]} as well`,
        allowed: "true where another web server has the server name",
        remedy: "remove it: the ingress serves the documents at this name anyway",
      },
      ["serverName", "domain", `hostnames.${same[0]}`],
    );
}

interface Document {
  at: string[];
  /** For people. */
  name: string;
  value?: Record<string, unknown>;
  owned: readonly Owned[];
}

export function checkFreeKeys({ settings, report }: CheckInput): void {
  const { web, federation, rtc } = settings;
  const documents: Document[] = [
    { at: ["web", "elementWeb", "config"], name: "config.json", value: web.elementWeb.config, owned: ELEMENT },
    {
      at: ["web", "wellKnown", "client"],
      name: "/.well-known/matrix/client",
      value: web.wellKnown.client,
      owned: CLIENT,
    },
    {
      at: ["web", "wellKnown", "server"],
      name: "/.well-known/matrix/server",
      value: web.wellKnown.server,
      owned: SERVER,
    },
  ];
  for (const document of documents) checkDocument({ report }, document);
  if (web.wellKnown.server !== undefined && !isDiscoverable({ federation, rtc }))
    report.add(
      {
        path: "web.wellKnown.server",
        given: "keys of a document that is not served",
        allowed: "keys where other servers look: with federation.enabled or rtc.enabled",
        remedy: "remove it, or switch one of the two on",
      },
      ["federation.enabled", "rtc.enabled"],
    );
}

function checkDocument({ report }: Pick<CheckInput, "report">, { at, name, value, owned }: Document): void {
  for (const leaf of leavesOf(value ?? {}, [])) {
    if (leaf.path.length === 0 || (isPlainObject(leaf.value) && Object.keys(leaf.value).length === 0)) continue;
    const path = pathText([...at, ...leaf.path]);
    const owner = owned.find(([key]) => begins(leaf.path, key) || begins(key, leaf.path));
    if (owner)
      report.add(
        {
          path,
          given: `a key of ${name} that has a setting: ${owner[1]}`,
          allowed: "keys that have none",
          remedy: `set \`${owner[1]}\` instead (docs/settings.md), and remove this`,
        },
        [owner[1]],
      );
    if (isPlaceholder(leaf.value) || leaf.path.some(isSecretName))
      report.add({
        path,
        given: `a secret (not shown) in ${name}, which everybody can read`,
        allowed: "what may be public",
        remedy: "remove it, and replace the secret where it was issued if it was ever deployed",
      });
  }
}

const begins = (path: readonly string[], start: readonly string[]): boolean =>
  start.every((part, i) => path[i] === part);
