/** What the stacks of several data centres must agree on, which no stack can see alone. Pure. */
import { imageRef } from "../../components/core/images";
import type { DataCentre } from "../../components/domain/dataCentre";
import { IMAGES } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";

/** A data centre's stack. */
export interface CentreStack {
  /** Name of the stack. */
  stack: string;
  settings: Settings & { dataCentre: DataCentre };
  plan: Plan;
}

/** Settings that describe a place, not the server: they may differ. */
const OF_THE_PLACE = new Set<keyof Settings>([
  "instance",
  "hosts",
  "addressPools",
  "cluster",
  "storage",
  "networkPolicies",
  "ingress",
  "firewall",
  "prepareHosts",
  "hostAliases",
  "httpProxy",
  "trustedAuthorities",
  "backups",
  "database",
  "objectStore",
  "monitoring",
  "overrides",
  "importSecrets",
  "savedKeys",
  "deletionProtection",
  "dataCentre",
  "images",
  "stopSynapse",
  "acceptOneCallHost",
]);

/** Parameters of PostgreSQL that a standby must not have smaller: it would refuse to follow (hot standby). */
const NOT_BELOW = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
] as const;

/** Every reason why these data centres would not be one server; empty where there is none. */
export function differences(stacks: readonly CentreStack[]): string[] {
  const [first, ...rest] = stacks;
  if (!first) return [];
  return [
    ...names(stacks),
    ...roles(stacks),
    ...rest.flatMap((other) => [...centres(first, other), ...server(first, other), ...images(first, other)]),
    ...sizes(stacks),
  ];
}

function names(stacks: readonly CentreStack[]): string[] {
  return stacks.flatMap(({ stack, settings: { dataCentre } }, i) => {
    const twin = stacks.slice(0, i).find((other) => other.settings.dataCentre.self === dataCentre.self);
    return twin
      ? [`${stack} and ${twin.stack} are both ${dataCentre.self}: give each stack its own dataCentre.self`]
      : [];
  });
}

/** Two that each take themselves for the primary are the failure that all of this exists to exclude. */
function roles(stacks: readonly CentreStack[]): string[] {
  const primaries = stacks.filter(({ settings: { dataCentre: c } }) => c.self === c.primary);
  if (primaries.length > 1)
    return [
      `two primaries: ${primaries.map((p) => `${p.settings.dataCentre.self} (stack ${p.stack})`).join(" and ")}. Set dataCentre.primary to the one that serves, in all stacks, and deploy the others before anything else`,
    ];
  const said = new Set(stacks.map((s) => s.settings.dataCentre.primary));
  return said.size > 1
    ? [
        `the stacks name different primaries: ${stacks.map((s) => `${s.stack} names ${s.settings.dataCentre.primary}`).join(", ")}. It is one line, the same in all of them, unless a move is under way`,
      ]
    : [];
}

/** The peers without the keys, of which each data centre may have its own. */
const comparable = ({ peers, foundedBy }: DataCentre): Record<string, string> => ({
  foundedBy,
  ...Object.fromEntries(
    peers.map(({ name, generation, archive, stream }) => {
      const { accessKey: _access, secretKey: _secret, privateAuthority: _authority, ...place } = archive;
      return [`peers ${name}`, JSON.stringify({ generation, place, stream })];
    }),
  ),
});

function centres(a: CentreStack, b: CentreStack): string[] {
  const [mine, theirs] = [comparable(a.settings.dataCentre), comparable(b.settings.dataCentre)];
  return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])]
    .filter((key) => mine[key] !== theirs[key])
    .map(
      (key) =>
        `dataCentre.${key} differs: ${a.stack} has ${mine[key] ?? "none"}, ${b.stack} has ${theirs[key] ?? "none"}. Make it the same in all stacks`,
    );
}

/** Everything that a user would notice on the day of a move. */
function server(a: CentreStack, b: CentreStack): string[] {
  const keys = new Set([...Object.keys(a.settings), ...Object.keys(b.settings)] as Array<keyof Settings>);
  const issuer = (tls: Settings["tls"]): string => tls.mode;
  return [...keys]
    .filter((key) => !OF_THE_PLACE.has(key))
    .filter((key) =>
      key === "tls"
        ? issuer(a.settings.tls) !== issuer(b.settings.tls)
        : JSON.stringify(a.settings[key]) !== JSON.stringify(b.settings[key]),
    )
    .map((key) => `${key} differs between ${a.stack} and ${b.stack}. Make it the same: both are one server`);
}

const tagOf = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

/** Mirrors may differ, versions may not: a standby of an older PostgreSQL or Synapse could not take over. */
function images(a: CentreStack, b: CentreStack): string[] {
  return Object.values(IMAGES)
    .map((image) => [image.key, tagOf(imageRef(a.settings, image)), tagOf(imageRef(b.settings, image))] as const)
    .filter(([, mine, theirs]) => mine !== theirs)
    .map(
      ([key, mine, theirs]) =>
        `image ${key} differs: ${a.stack} runs ${mine}, ${b.stack} ${theirs}. Deploy one version`,
    );
}

/** A standby that is smaller than its primary follows, and fails on the day when it has to serve. */
function sizes(stacks: readonly CentreStack[]): string[] {
  const primary = stacks.find(({ settings: { dataCentre: c } }) => c.self === c.primary);
  if (!primary) return [];
  return stacks
    .filter((s) => s !== primary)
    .flatMap((standby) =>
      numbers(primary.plan).flatMap(([what, wanted], i) => {
        const has = numbers(standby.plan)[i]?.[0] === what ? numbers(standby.plan)[i]![1] : undefined;
        return has === undefined || has < wanted
          ? [
              `${standby.stack} is smaller than its primary ${primary.stack}: ${what} is ${has ?? "absent"}, and ${wanted} there. Give it the same overrides and hosts`,
            ]
          : [];
      }),
    );
}

const numbers = ({ postgres, synapse }: Plan): Array<[what: string, value: number]> => [
  ["PostgreSQL's instances", postgres.instances],
  ["PostgreSQL's volume, GiB", postgres.storageGiB],
  ["PostgreSQL's memory, MiB", postgres.memoryMiB],
  ["PostgreSQL's WAL volume, GiB", postgres.walStorageGiB],
  ...NOT_BELOW.filter((name) => postgres.parameters[name] !== undefined).map((name): [string, number] => [
    name,
    Number(postgres.parameters[name]),
  ]),
  ...synapse.pools.map((pool): [string, number] => [`processes of class ${pool.class}`, pool.replicas]),
];
