/**
 * No setting is validated and then rendered nowhere: changing any of them changes what is rendered, or it is on a list
 * with the reason, and what it changes there is shown.
 */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { exampleConfig } from "../../cli/exampleStack";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { plan } from "../../components/plan";
import { valueAt } from "../../components/schema/walk";
import { resolveSettings } from "../../components/settings";
import { piecesOf, seenInGroups, type Change } from "../helpers/groupTesting";
import { EVERYTHING_ON, rich, situationOf, withAuthority, type Config } from "../helpers/richStack";
import { centreConfig, TOKEN } from "../helpers/dataCentres";
import { leaves, others, places, withValue, type Leaf } from "../helpers/everySetting";

/** What is wrong with a configuration; undefined when a stack can be made of it. */
function refusal(config: Config): string | undefined {
  const { settings, errors } = resolveSettings(config, "test");
  if (!settings) return errors.map((e) => `${e.path}: ${e.given}`).join("; ");
  try {
    plan(settings);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const resourcesOf = async (config: Config): Promise<RegisteredResource[]> =>
  (await evaluate({ stack: "test", config })).resources;
/** Everything that the engine would get, in an order of its own: that of registration is not always the same. */
const textOf = async (config: Config): Promise<string> =>
  (await resourcesOf(config))
    .map((r) => JSON.stringify(r))
    .sort()
    .join("\n");

const digests = new Map<string, Promise<string>>();
/** Its digest: hundreds of whole stacks would fill the memory. */
function rendered(config: Config): Promise<string> {
  const key = JSON.stringify(config);
  const known =
    digests.get(key) ?? textOf(config).then((text) => crypto.createHash("sha256").update(text).digest("base64"));
  digests.set(key, known);
  return known;
}

/** Values of settings for which no other one can be derived from their type. */
const VALUES: Record<string, unknown[]> = {
  "sso.oidc[].scopes": [["openid", "groups"]],
  "ldap.uris": [["ldap://192.0.2.86"]],
  "synapse.extra": [{ enable_search: true }],
  "synapse.modules[].config": [{ another: true }],
  "activity.messagesPerUserHour": [700],
  "retention.roomMaxDays": [380],
  "httpProxy.password": ["another-password"],
  "tls(acme).dns01.credentials": [{ "api-token": "another-token" }],
  "ingress.addresses": [["203.0.113.15"]],
  "overrides.postgres.parameters": [{ work_mem: "7MB" }],
  "dataCentre.primary": ["dc2"],
  "dataCentre.promotionToken": [TOKEN],
  "cluster.ipFamilies": [["IPv6", "IPv4"], ["IPv4"]],
  "appservices[].registration": [
    `id: irc
url: http://irc.bridges.svc.cluster.local:9898
as_token: a-token-of-a-bridge
hs_token: another-token-of-it
sender_localpart: ircbot
namespaces: {}
`,
  ],
};

/** A host's size, with one that is too small for what the stack needs, and one that is not. */
function hostSize(field: "cpu" | "memoryGiB", given: "hosts" | "hostDefaults"): Decision {
  const of =
    (value: number) =>
    (c: Config): Config => ({
      ...c,
      hosts: c.hosts.map((h: Config) => ({ ...h, [field]: given === "hosts" ? value : undefined })),
      hostDefaults: { ...c.hostDefaults, ...(given === "hostDefaults" ? { [field]: value } : {}) },
    });
  return { why: "the plan counts it: what does not fit is refused", refused: of(1), accepted: of(512) };
}

interface Decision {
  why: string;
  refused: (config: Config) => Config;
  accepted: (config: Config) => Config;
}
const OLD_DATABASE = { host: "old.example.org", password: "[encrypted by pulumi]" };
/** Without all call hosts but the first. */
const oneCallHost = (c: Config): Config => {
  const [first] = c.hosts.filter((h: Config) => h.role === "call" || h.roles?.includes("call"));
  return {
    ...c,
    hosts: c.hosts.filter((h: Config) => h === first || !(h.role === "call" || h.roles?.includes("call"))),
  };
};
const withPackages = (c: Config, synapse: string): Config => ({
  ...c,
  synapse: { modules: [{ module: "a.B", packages: ["ldap3==2.9.1"] }] },
  images: { overrides: { synapse } },
});
/** A large stack of which a class may have so many processes and no more: the activity decides whether they suffice. */
const withProcesses = (cls: string, most: number, activity: Config): Config => ({
  ...exampleConfig(20_000),
  overrides: { pools: { [cls]: { replicas: most, ...(cls === "media" ? {} : { maxReplicas: most }) } } },
  activity,
});
const RECKONED = "the plan reckons the load from it: what the processes cannot carry is refused";
const narrow = { udpPortMin: 55_100, udpPortMax: 55_250 };
const open = { allowCidrs: ["0.0.0.0/0"] };
/** Settings that only decide whether others are accepted, each with a stack that is refused without it. */
const DECIDES: Record<string, Decision> = {
  "hosts[].cpu": hostSize("cpu", "hosts"),
  "hosts[].memoryGiB": hostSize("memoryGiB", "hosts"),
  "hostDefaults.cpu": hostSize("cpu", "hostDefaults"),
  "hostDefaults.memoryGiB": hostSize("memoryGiB", "hostDefaults"),
  "registration.allowOpen": {
    why: "confirms that registration is meant to be open, which it is by the other two being off",
    refused: (c) => ({ ...c, registration: { enabled: true } }),
    accepted: (c) => ({ ...c, registration: { enabled: true, allowOpen: true } }),
  },
  "appservices[].receives": {
    why: "confirms that Synapse reaches it nowhere",
    refused: (c) => ({ ...c, appservices: [{ id: "puppets", senderLocalpart: "puppets" }] }),
    accepted: (c) => ({ ...c, appservices: [{ id: "puppets", senderLocalpart: "puppets", receives: false }] }),
  },
  "dataCentre.acceptMediaLoss": {
    why: "confirms that media may be lost with the data centre",
    refused: () => ({ ...centreConfig("dc1"), objectStore: { kind: "minio" } }),
    accepted: () => ({ ...centreConfig("dc1", { more: { acceptMediaLoss: true } }), objectStore: { kind: "minio" } }),
  },
  "activity.peakFactor": {
    why: RECKONED,
    refused: () => withProcesses("synchrotron", 17, {}),
    accepted: () => withProcesses("synchrotron", 17, { peakFactor: 1.2 }),
  },
  "activity.recipientsOnline": {
    why: RECKONED,
    refused: () => withProcesses("synchrotron", 17, {}),
    accepted: () => withProcesses("synchrotron", 17, { recipientsOnline: 3 }),
  },
  "activity.onlineShare": {
    why: RECKONED,
    refused: () => withProcesses("synchrotron", 17, {}),
    accepted: () => withProcesses("synchrotron", 17, { onlineShare: 0.5 }),
  },
  "activity.loginsPerUserHour": {
    why: RECKONED,
    refused: () => ({ ...exampleConfig(20_000), activity: { loginsPerUserHour: 1 } }),
    accepted: () => exampleConfig(20_000),
  },
  "activity.roomsPerUser": {
    why: RECKONED,
    refused: () => withProcesses("initial-sync", 5, { roomsPerUser: 2_000 }),
    accepted: () => withProcesses("initial-sync", 5, {}),
  },
  "activity.dayShare": {
    why: RECKONED,
    refused: () => withProcesses("media", 4, { dayShare: 0.1 }),
    accepted: () => withProcesses("media", 4, {}),
  },
  "activity.callShare": {
    why: "the ranges of ports must hold so many calls",
    refused: (c) => ({ ...c, rtc: narrow, activity: { callShare: 1 } }),
    accepted: (c) => ({ ...c, rtc: narrow }),
  },
  coreSpeed: {
    why: RECKONED,
    refused: () => exampleConfig(30_000),
    accepted: () => ({ ...exampleConfig(30_000), coreSpeed: 2 }),
  },
  "backups.acceptNoOffsite": {
    why: "confirms that the loss of the site is accepted",
    refused: () => ({ ...exampleConfig(1_000), backups: {} }),
    accepted: () => exampleConfig(1_000),
  },
  "database.importFrom.majorVersion": {
    why: "says which PostgreSQL is read: pg_dump reads no newer one",
    refused: (c) => ({ ...c, database: { importFrom: { ...OLD_DATABASE, majorVersion: 19 } } }),
    accepted: (c) => ({ ...c, database: { importFrom: { ...OLD_DATABASE, majorVersion: 18 } } }),
  },
  acceptOneCallHost: {
    why: "confirms that calls may depend on one host",
    refused: oneCallHost,
    accepted: (c) => ({ ...oneCallHost(c), acceptOneCallHost: true }),
  },
  "synapse.modules[].packages": {
    why: "names what the image of images.overrides has to hold: with another image the stack is refused",
    refused: (c) => withPackages(c, "registry.example.com/synapse:1"),
    // The end is the digest of the list.
    accepted: (c) => withPackages(c, "registry.example.com/synapse:1-modules-436d76f605"),
  },
  "web.admin.allowPublic": {
    why: "confirms that allowCidrs is meant to contain the Internet",
    refused: (c) => ({ ...c, web: { admin: open } }),
    accepted: (c) => ({ ...c, web: { admin: { ...open, allowPublic: true } } }),
  },
};

/** Settings of which only the next deployment, or the engine's own options, know; each with the test that shows it. */
const ELSEWHERE: Record<string, { why: string; test: string; title: string }> = {
  "objectStore(minio).moveFrom.store": {
    why: "says which former store the next deployment may leave",
    test: "test/stack/losses.test.ts",
    title: "ends a move before everything is copied",
  },
  "dataCentre.self": {
    why: "another one needs the secrets of the founder",
    test: "test/dataCentre/topology.test.ts",
    title: "knows every data centre, itself included, each with the folder of its own generation",
  },
  "dataCentre.foundedBy": {
    why: "another one makes this a copy, which needs the founder's secrets",
    test: "test/dataCentre/topology.test.ts",
    title: "is made empty where it was founded, and is a copy of the primary's elsewhere",
  },
  "dataCentre.confirmLost": {
    why: "lets the next deployment promote without a token",
    test: "test/dataCentre/losses.test.ts",
    title: "promotes without a word about the former primary",
  },
  "objectStore(minio).moveFrom.survives": {
    why: "of a MinIO that is left; here MinIO is the new store",
    test: "test/sizing/zones.test.ts",
    title: "keeps the layout of a MinIO that is being left",
  },
  "objectStore(minio).moveFrom.copied": {
    why: "lets the next deployment end the move",
    test: "test/stack/losses.test.ts",
    title: "ends a move before everything is copied",
  },
  "objectStore(s3).moveFrom.survives": {
    why: "of a MinIO with hosts in three zones",
    test: "test/sizing/zones.test.ts",
    title: "keeps the layout of a MinIO that is being left",
  },
  "objectStore(s3).moveFrom.copied": {
    why: "lifts the protection of MinIO, which is an option of the engine",
    test: "test/stack/losses.test.ts",
    title: "frees MinIO for its removal once everything is copied",
  },
};

/** Whether the leaf is the word that chooses an option of its section. */
const chooses = (leaf: Leaf): boolean => others(leaf.schema, undefined).length === 0;

/** The companies in which a setting is changed: the second where nothing is seen in the first. */
const companies = new Map<Leaf, Promise<[Config, Config]>>();
function companiesOf(leaf: Leaf): Promise<[Config, Config]> {
  const make = async (): Promise<[Config, Config]> => {
    const base = situationOf(leaf.name)(await rich(leaf.options));
    const first = /^importSecrets\.ca/.test(leaf.name) ? await withAuthority(base) : base;
    return [first, EVERYTHING_ON(first)];
  };
  const known = companies.get(leaf) ?? make();
  companies.set(leaf, known);
  return known;
}

/** The values to try at a place of a setting, in a company. */
const valuesAt = (leaf: Leaf, company: Config, at: ReturnType<typeof places>[number]): unknown[] =>
  VALUES[leaf.name] ?? others(leaf.schema, valueAt(company, at));

/** The first change of the setting that is accepted, and is not its default written out. */
function changeOf(leaf: Leaf, company: Config): Change<Config> | undefined {
  const settled = (config: Config): string => JSON.stringify(resolveSettings(config, "test").settings);
  for (const at of differentPlaces(company, leaf))
    for (const value of valuesAt(leaf, company, at)) {
      const changed = withValue(company, at, value);
      if (!refusal(changed) && settled(changed) !== settled(company))
        return { name: leaf.name, apply: (config) => withValue(config, at, value) };
    }
  return undefined;
}

function* piecesOfAll(resources: RegisteredResource[]): Generator<string> {
  for (const r of resources) yield* piecesOf(r, r.urn);
}

const groups = new Map<string, Promise<Set<string>>>();
/** The settings with an effect of their own in this company, of all that are looked for there first. */
async function seenWithOthers(company: Config): Promise<Set<string>> {
  const key = JSON.stringify(company);
  const find = async (): Promise<Set<string>> => {
    const changes: Array<Change<Config>> = [];
    for (const leaf of ORDINARY) {
      if (JSON.stringify((await companiesOf(leaf))[0]) !== key) continue;
      const change = changeOf(leaf, company);
      if (change) changes.push(change);
    }
    // One alone is no group.
    if (changes.length < 2) return new Set();
    return seenInGroups({
      base: company,
      changes,
      accepted: (config) => refusal(config) === undefined,
      pieces: async (config) => piecesOfAll(await resourcesOf(config)),
    });
  };
  const known = groups.get(key) ?? find();
  groups.set(key, known);
  return known;
}

/** Why no change of the setting is seen; undefined when one is. */
async function unseen(leaf: Leaf): Promise<string | undefined> {
  const both = await companiesOf(leaf);
  if ((await seenWithOthers(both[0])).has(leaf.name)) return undefined;
  // Alone, with other values and in other places.
  const tried: string[] = [];
  for (const company of both) {
    assert.equal(refusal(company), undefined);
    for (const at of differentPlaces(company, leaf)) {
      let seen = 0;
      for (const value of valuesAt(leaf, company, at)) {
        const changed = withValue(company, at, value);
        const refused = refusal(changed);
        if (!refused && (await rendered(company)) !== (await rendered(changed))) return undefined;
        tried.push(`${at.join(".")} = ${JSON.stringify(value).slice(0, 60)}: ${refused ?? "changes nothing"}`);
        // The first may be the default, written out.
        if (!refused && ++seen === 2) break;
      }
    }
  }
  return tried.join("\n") || "there is no other value to try";
}

/** The places of a setting; of hosts, one of each role. */
function differentPlaces(config: Config, leaf: Leaf): ReturnType<typeof places> {
  const all = places(config, leaf.path);
  if (leaf.path[0] !== "hosts") return all.slice(0, 1);
  const role = (at: (typeof all)[number]): string => String(config.hosts[at[1]!].roles);
  return [...all.slice(-1), ...all.filter((at, i) => all.findIndex((other) => role(other) === role(at)) === i)];
}

/** By class: the numbers of its pods, their resources, and the file that only they read. */
async function ownObjects(config: Config): Promise<(cls: string) => string> {
  const all = await resourcesOf(config);
  return (cls) => {
    const mine = all.filter((r) => r.inputs?.metadata?.labels?.["app.kubernetes.io/component"] === `synapse-${cls}`);
    assert.ok(mine.length > 0, cls);
    return JSON.stringify(
      mine.map(({ inputs }) => [
        inputs.data,
        inputs.spec?.replicas,
        inputs.spec?.minReplicas,
        inputs.spec?.maxReplicas,
        inputs.spec?.template?.spec.containers[0].resources,
      ]),
    );
  };
}

const CLASSES = "overrides.pools.";
const IMAGE = "images.overrides.";
const LEAVES = leaves();
/** Those that are shown by a change of them. */
const ORDINARY = LEAVES.filter(
  (leaf) =>
    !leaf.name.startsWith(CLASSES) &&
    !leaf.name.startsWith(IMAGE) &&
    !DECIDES[leaf.name] &&
    !ELSEWHERE[leaf.name] &&
    !chooses(leaf),
);

describe("every setting", function () {
  this.timeout(300_000);

  for (const leaf of LEAVES.filter(({ name }) => !name.startsWith(CLASSES) && !name.startsWith(IMAGE))) {
    const decides = DECIDES[leaf.name];
    if (decides)
      it(`${leaf.name}: ${decides.why}`, async () => {
        const base = await rich(leaf.options);
        assert.notEqual(refusal(decides.refused(base)), undefined);
        assert.equal(refusal(decides.accepted(base)), undefined);
      });
    else if (ELSEWHERE[leaf.name])
      it(`${leaf.name}: ${ELSEWHERE[leaf.name]!.why}`, () => {
        const { test, title } = ELSEWHERE[leaf.name]!;
        assert.ok(fs.readFileSync(path.resolve(__dirname, "../..", test), "utf8").includes(title), test);
      });
    else if (chooses(leaf))
      it(`${leaf.name} is an option of its own`, async () => {
        const [section] = Object.keys(leaf.options).slice(-1);
        const rest = LEAVES.filter((l) => chooses(l) && Object.hasOwn(l.options, section!) && l !== leaf);
        const mine = await rendered(await rich(leaf.options));
        assert.ok(rest.length > 0);
        for (const { options } of rest) assert.notEqual(await rendered(await rich(options)), mine);
      });
    else it(`${leaf.name} changes what is rendered`, async () => assert.equal(await unseen(leaf), undefined));
  }

  it("each of images.overrides replaces an image that runs", async () => {
    const keys = LEAVES.filter(({ name }) => name.startsWith(IMAGE)).map(({ path }) => path.at(-1)!);
    const mine = (key: string): string => `registry.example.net/${key.toLowerCase()}:9`;
    const overrides = Object.fromEntries(keys.map((key) => [key, mine(key)]));
    const found = await Promise.all(
      (["own-ca", "acme"] as const).map(async (tls) =>
        textOf({ ...EVERYTHING_ON(await rich({ tls })), images: { overrides } }),
      ),
    );
    assert.deepEqual(
      keys.filter((key) => !found.some((text) => text.includes(mine(key)))),
      [],
    );
  });

  for (const field of new Set(LEAVES.filter(({ name }) => name.startsWith(CLASSES)).map(({ path }) => path.at(-1)!)))
    it(`overrides.pools.<class>.${field} changes each class's own objects`, async () => {
      // On faster cores: with one process fewer, the usual ones would not carry the load.
      const base = { ...(await rich({}, 20_000)), coreSpeed: 2 };
      const { settings } = resolveSettings(base, "test");
      const { pools } = plan(settings!).synapse;
      const other = (pool: (typeof pools)[number]): number => {
        if (field === "cpu") return pool.cpu + 0.01;
        if (field === "memoryMiB") return pool.memoryMiB + 1;
        if (field === "cpMax") return pool.cpMax - 1;
        return field === "replicas" ? pool.replicas - 1 : pool.maxReplicas + 1;
      };
      // A class of which Synapse allows one process has neither number; one without an autoscaler has no largest.
      const changeable = pools.filter(
        (pool) =>
          (field !== "replicas" || pool.replicas > 2) && (field !== "maxReplicas" || pool.maxReplicas > pool.replicas),
      );
      assert.ok(
        changeable.length >= (field === "replicas" || field === "maxReplicas" ? 3 : 12),
        `${changeable.length}`,
      );
      const changed = {
        ...base,
        overrides: { pools: Object.fromEntries(changeable.map((pool) => [pool.class, { [field]: other(pool) }])) },
      };
      assert.equal(refusal(changed), undefined);
      const [before, after] = [await ownObjects(base), await ownObjects(changed)];
      assert.deepEqual(
        changeable.map((pool) => pool.class).filter((cls) => before(cls) === after(cls)),
        [],
      );
    });

  it("the lists above name settings that exist", () => {
    const names = LEAVES.map((l) => l.name);
    assert.deepEqual(
      [...Object.keys(DECIDES), ...Object.keys(VALUES), ...Object.keys(ELSEWHERE)].filter(
        (name) => !names.includes(name),
      ),
      [],
    );
  });
});
