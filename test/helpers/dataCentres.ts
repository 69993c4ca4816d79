/** Stacks of three data centres of one server, as their operators would write them. */
import { exampleConfig } from "../../cli/exampleStack";
import { IMPORTABLE_SECRETS } from "../../components/domain/importableSecrets";
import { SECRET_PLACEHOLDER } from "../../components/settings";

type Config = Record<string, any>;

export const NAMES = ["dc1", "dc2", "dc3"] as const;
export type Name = (typeof NAMES)[number];

/** Where each one is: its part of the hosts' network, its pool, and the address of its PostgreSQL in that pool. */
const PLACES: Record<Name, { second: number; pool: string; stream: string; from: string }> = {
  dc1: { second: 20, pool: "203.0.113.10-203.0.113.20", stream: "203.0.113.20", from: "203.0.113.0/27" },
  dc2: { second: 30, pool: "203.0.113.40-203.0.113.50", stream: "203.0.113.50", from: "203.0.113.32/27" },
  dc3: { second: 40, pool: "203.0.113.70-203.0.113.80", stream: "203.0.113.80", from: "203.0.113.64/27" },
};

/** The same list in each stack. All archives are at a fourth place. */
export const peers = (): Config[] =>
  NAMES.map((name) => ({
    name,
    archive: {
      endpoint: "https://s3.example.net",
      region: "eu-1",
      bucket: `archive-${name}`,
      accessKey: SECRET_PLACEHOLDER,
      secretKey: SECRET_PLACEHOLDER,
    },
    stream: { host: PLACES[name].stream, from: [PLACES[name].from] },
  }));

/** What `npm run dr -- escrow` copies, before it is decrypted. */
const SHARED = Object.fromEntries(IMPORTABLE_SECRETS.map((name) => [name, SECRET_PLACEHOLDER]));

/** A promotion token of CloudNativePG, with invented numbers. */
export const TOKEN = Buffer.from(
  JSON.stringify({
    latestCheckpointTimelineID: "1",
    redoWalFile: "00000001000000000000000A",
    databaseSystemIdentifier: "7450000000000000000",
    latestCheckpointREDOLocation: "0/A000028",
    timeOfLatestCheckpoint: "Mon Nov 30 12:00:00 2026",
    operatorVersion: "1.30.0",
  }),
).toString("base64");

/**
 * The stack of a data centre.
 *
 * @param primary The one that serves. @default dc1, which founded
 * @param more Of the section `dataCentre`.
 */
export function centreConfig(self: Name, { primary = "dc1" as Name, ccu = 1000, more = {} as Config } = {}): Config {
  const { second, pool } = PLACES[self];
  const config = exampleConfig(ccu) as Config;
  return {
    ...config,
    hosts: config.hosts.map((host: Config) => ({ ...host, address: host.address.replace(/^10\.\d+/, `10.${second}`) })),
    addressPools: [{ name: "public", addresses: [pool] }],
    backups: {},
    objectStore: {
      kind: "s3",
      endpoint: "https://s3.example.net",
      bucket: "media",
      accessKey: SECRET_PLACEHOLDER,
      secretKey: SECRET_PLACEHOLDER,
    },
    ...(self === "dc1" ? {} : { importSecrets: { ...SHARED } }),
    dataCentre: { self, foundedBy: "dc1", primary, peers: peers(), ...more },
  };
}
