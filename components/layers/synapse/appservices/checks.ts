/** Checks over all appservices together. What is wrong in a given registration is reported at it. Pure. */
import type { CheckInput } from "../../../core/layer";
import { isPlaceholder } from "../../../schema/syntax/keys";
import { isUrl } from "../../../schema/syntax/text";
import { isPlainObject } from "../../../schema/walk";
import type { AppserviceSettings } from "../../../settings/types";
import { checkNamespaces, type NamespaceEntry } from "./namespaces";
import { isMadeHere, plainUrl, readRegistration, urlOf } from "./registration";

/** An appservice with what its registration says, wherever that comes from. */
export interface Registered {
  /** Path of its settings, and of its registration where that is given as a whole. */
  path: string;
  registration?: string;
  id: string;
  sender?: string;
  asToken?: string;
  users: NamespaceEntry[];
  aliases: NamespaceEntry[];
  rooms: NamespaceEntry[];
}

export function checkAppservices(given: CheckInput): void {
  const all = given.settings.appservices.map((a, i) => registered(a, `appservices[${i}]`, given));
  checkUnique(all, given);
  checkNamespaces(all, given);
}

/** Checks an appservice by itself. */
function registered(a: AppserviceSettings, path: string, given: CheckInput): Registered {
  checkReach(a, path, given);
  checkForm(a, path, given);
  const text = a.registration === undefined || isPlaceholder(a.registration) ? undefined : a.registration;
  if (text !== undefined) return registeredBy(a, text, path, given);
  const made = isMadeHere(a);
  return {
    path,
    id: a.id,
    ...(made && a.senderLocalpart !== undefined ? { sender: a.senderLocalpart } : {}),
    ...(made && a.asToken !== undefined && !isPlaceholder(a.asToken) ? { asToken: a.asToken } : {}),
    users: made ? entries(a.namespaces.users, `${path}.namespaces.users`) : [],
    aliases: made ? entries(a.namespaces.aliases, `${path}.namespaces.aliases`) : [],
    rooms: made ? entries(a.namespaces.rooms, `${path}.namespaces.rooms`) : [],
  };
}

const entries = (list: Array<{ regex: string; exclusive: boolean }>, path: string): NamespaceEntry[] =>
  list.map((entry, i) => ({ ...entry, path: `${path}[${i}].regex` }));

/** One place to reach it at, or none. */
function checkReach(a: AppserviceSettings, path: string, { report }: CheckInput): void {
  if (a.url !== undefined && a.pods !== undefined)
    report.add({
      path: `${path}.pods`,
      given: "pods, beside a url",
      allowed: "one of the two: where Synapse reaches it",
      remedy: `remove ${path}.url for pods in this cluster, or ${path}.pods`,
    });
  const reached = a.url !== undefined || a.pods !== undefined;
  if (a.receives && !reached)
    report.add(
      {
        path,
        given: "neither url nor pods",
        allowed: "one of them; none only where it receives nothing",
        remedy: `add ${path}.url, or ${path}.pods; or set ${path}.receives: false where it only uses the API`,
      },
      [`${path}.url`, `${path}.pods`],
    );
  if (!a.receives && reached)
    report.add({
      path: `${path}.receives`,
      given: `false, with ${a.url === undefined ? "pods" : "a url"}`,
      allowed: "false only where Synapse does not reach it",
      remedy: `remove ${path}.${a.url === undefined ? "pods" : "url"}, or ${path}.receives`,
    });
  if (a.pods !== undefined && Object.keys(a.pods.labels).length === 0)
    report.add({
      path: `${path}.pods.labels`,
      given: "an empty section",
      allowed: "at least one label: without any, every pod of the namespace would be let in",
      remedy: "give the labels of the pods: kubectl get pods --show-labels",
    });
  if (a.url !== undefined && isUrl(a.url, ["http:", "https:"]) && isLoopback(new URL(a.url).hostname))
    report.add({
      path: `${path}.url`,
      given: `"${a.url}"`,
      allowed: "a URL that Synapse's pods reach: there, this one is the pod itself",
      remedy: `give the address of the machine that it runs on, or ${path}.pods where it runs in this cluster`,
    });
}

const isLoopback = (host: string): boolean => host === "localhost" || /^127\./.test(host) || host === "[::1]";

/** Fields that a given registration has itself. */
const OF_REGISTRATION = ["senderLocalpart", "asToken", "hsToken", "allowedNetworks"] as const;

/** Fields or a registration, and what belongs together. */
function checkForm(a: AppserviceSettings, path: string, { report }: CheckInput): void {
  if (a.registration !== undefined && a.registrationSecret !== undefined)
    report.add({
      path: `${path}.registrationSecret`,
      given: "a Secret, beside a registration",
      allowed: "one of the two",
      remedy: `remove ${path}.registration, or ${path}.registrationSecret`,
    });
  if (isMadeHere(a)) {
    if (a.senderLocalpart === undefined)
      report.add({
        path: `${path}.senderLocalpart`,
        given: "nothing",
        allowed: "a name: each appservice has a user of its own",
        remedy: `add ${path}.senderLocalpart: ${a.id.toLowerCase()}; or give the registration as a whole`,
      });
    if (a.encryption && !a.receiveEphemeral && !a.receiveEphemeralUnstable)
      report.add(
        {
          path: `${path}.encryption`,
          given: "true, without receiveEphemeral",
          allowed: "true with receiveEphemeral: keys come with what is ephemeral",
          remedy: `set ${path}.receiveEphemeral: true`,
        },
        [`${path}.receiveEphemeral`],
      );
    return;
  }
  const whole = a.registration === undefined ? "registrationSecret" : "registration";
  const twice = [
    ...OF_REGISTRATION.filter((key) => a[key] !== undefined),
    ...(["users", "aliases", "rooms"] as const)
      .filter((key) => a.namespaces[key].length > 0)
      .map((key) => `namespaces.${key}`),
    ...(["protocols", "scopes"] as const).filter((key) => a[key].length > 0),
    ...(["receiveEphemeral", "receiveEphemeralUnstable", "deviceManagement"] as const).filter((key) => a[key]),
    ...(a.rateLimited ? [] : ["rateLimited"]),
  ];
  for (const key of twice)
    report.add({
      path: `${path}.${key}`,
      given: `a value, beside ${whole}`,
      allowed: `nothing: ${whole} is the whole registration`,
      remedy: `remove ${path}.${key}, or ${path}.${whole}`,
    });
}

/** What a registration that was given as a text says. @param text YAML; no error shows any of it but its id and URL */
function registeredBy(a: AppserviceSettings, text: string, path: string, given: CheckInput): Registered {
  const at = `${path}.registration`;
  const { report, settings } = given;
  const wrong: Wrong = (what, allowed, remedy) =>
    report.addAnother({ path: at, given: `a registration (not shown) ${what}`, allowed, remedy });
  const none: Registered = { path, registration: at, id: a.id, users: [], aliases: [], rooms: [] };
  const read = readRegistration(text);
  if (!read) {
    wrong(
      "that is no YAML with keys and values",
      "the text of a registration file",
      `pulumi config set --secret --path 'matrix-ha:${at}' < registration.yaml`,
    );
    return none;
  }
  for (const key of ["id", "as_token", "hs_token", "sender_localpart"])
    if (typeof read[key] !== "string")
      wrong(`without a text ${key}`, "a registration with it: Synapse starts with no other", `add ${key} to the file`);
  if (!isPlainObject(read.namespaces))
    wrong("without namespaces", "a section, which may be empty", "add `namespaces: {}` to the file");
  if (typeof read.id === "string" && read.id !== a.id)
    wrong(`with the id ${JSON.stringify(read.id)}`, `the id of its settings, "${a.id}"`, `set ${path}.id: ${read.id}`);
  const url = urlOf(a, settings.cluster.domain) ?? null;
  const plain = (v: unknown): unknown => (typeof v === "string" ? plainUrl(v) : v);
  if (!("url" in read) || plain(read.url) !== plain(url))
    wrong(
      `with the url ${JSON.stringify(read.url) ?? "(none)"}`,
      `the one of its settings, ${JSON.stringify(url)}: network policies are made for that`,
      url === null
        ? "write `url: null` in the file, or give url or pods in the settings"
        : `write \`url: ${url}\` in the file`,
    );
  for (const key of Object.keys(read).filter((k) => k.startsWith("io.element.msc4512.")))
    wrong(`with ${key}`, "a registration without it: the router has no route to an appservice", "remove it");
  return { ...none, ...saidIn(read, at, wrong) };
}

type Wrong = (what: string, allowed: string, remedy: string) => void;

/** Its user, token and namespaces. */
function saidIn(read: Record<string, unknown>, at: string, wrong: Wrong): Partial<Registered> {
  const namespaces = isPlainObject(read.namespaces) ? read.namespaces : {};
  const list = (key: string): NamespaceEntry[] =>
    (Array.isArray(namespaces[key]) ? namespaces[key] : []).flatMap((entry: unknown) => {
      if (isPlainObject(entry) && typeof entry.regex === "string" && typeof entry.exclusive === "boolean")
        return [{ regex: entry.regex, exclusive: entry.exclusive, path: at }];
      wrong(`with an entry in namespaces.${key} that is not {regex, exclusive}`, "a text and true or false", "mend it");
      return [];
    });
  return {
    ...(typeof read.sender_localpart === "string" ? { sender: read.sender_localpart } : {}),
    ...(typeof read.as_token === "string" ? { asToken: read.as_token } : {}),
    users: list("users"),
    aliases: list("aliases"),
    rooms: list("rooms"),
  };
}

/** Synapse refuses two of one id or token, and finds only the first of one user. */
function checkUnique(all: Registered[], { report }: CheckInput): void {
  const first = (i: number, of: (r: Registered) => string | undefined): Registered | undefined =>
    of(all[i]!) === undefined ? undefined : all.slice(0, i).find((other) => of(other) === of(all[i]!));
  all.forEach((r, i) => {
    const sameId = first(i, ({ id }) => id);
    if (sameId)
      report.add({
        path: `${r.path}.id`,
        given: `"${r.id}", as ${sameId.path}.id is`,
        allowed: "an id of its own for each appservice",
        remedy: "rename the newer one: what Synapse has still to send is kept under the id",
      });
    const sameUser = first(i, ({ sender }) => sender);
    if (sameUser)
      report.add({
        path: r.registration ?? `${r.path}.senderLocalpart`,
        given: `"${r.sender}", as that of ${sameUser.path}`,
        allowed: "a user of its own for each appservice",
        remedy: "choose another name for the newer one",
      });
    const sameToken = first(i, ({ asToken }) => asToken);
    if (sameToken)
      report.add({
        path: r.registration ?? `${r.path}.asToken`,
        given: `a secret (not shown), the same as that of ${sameToken.path}`,
        allowed: "a token of its own for each appservice: Synapse tells them apart by it",
        remedy: `leave ${r.path}.asToken out, or generate another registration`,
      });
  });
}
