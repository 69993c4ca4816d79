/** Devices of users, with matrix-js-sdk and its own cryptography, and the processes' counters of served requests. */
import loglevel from "loglevel";
import * as sdk from "matrix-js-sdk";
import type { GeneratedSecretStorageKey } from "matrix-js-sdk/lib/crypto-api";
import { request, type Access } from "../../../lab/local/access";
import { k, NS, pods } from "../../../lab/scenarios/cluster";
import { run, until } from "./common";

// The SDK talks a lot, and its cryptography straight to the console; what matters here is asserted.
for (const level of ["debug", "info", "warn"] as const) console[level] = () => undefined;
const quiet = (): void => {
  for (const name of ["matrix", ...Object.keys(loglevel.getLoggers())]) loglevel.getLogger(name).setLevel("silent");
};
quiet();
export const silent: any = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  getChild() {
    return silent;
  },
};

export interface Account {
  name: string;
  password: string;
  /** Of the secret storage, once there is one. */ recovery?: GeneratedSecretStorageKey;
}

export interface Device {
  client: sdk.MatrixClient;
  crypto: NonNullable<ReturnType<sdk.MatrixClient["getCrypto"]>>;
  account: Account;
  token: string;
}

/** Logs in with the password and starts: keys uploaded, first sync done. */
export async function device(a: Access, account: Account, label: string): Promise<Device> {
  const baseUrl = `https://${a.hostnames.homeserver}`;
  const login = await logIn(a, account, account.password, label);
  const client = sdk.createClient({
    baseUrl,
    accessToken: login.access_token,
    userId: login.user_id,
    deviceId: login.device_id,
    logger: silent,
    cryptoCallbacks: { getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0]!, account.recovery!.privateKey] },
  });
  // Each client has loggers of its own.
  quiet();
  await client.initRustCrypto({ useIndexedDB: false });
  await client.startClient({ initialSyncLimit: 20 });
  await until(`first sync of ${label}`, () => client.isInitialSyncComplete());
  return { client, crypto: client.getCrypto()!, account, token: login.access_token };
}

export const logIn = (a: Access, account: Account, password: string, label: string): Promise<sdk.LoginResponse> =>
  sdk.createClient({ baseUrl: `https://${a.hostnames.homeserver}`, logger: silent }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: account.name },
    password,
    device_id: `${label}-${run}`,
    initial_device_display_name: label,
  });

/** Asks for the password when the server does, as a client's dialog would. */
export const withPassword =
  (account: Account) =>
  async (send: (auth: any) => Promise<any>): Promise<any> => {
    try {
      return await send(null);
    } catch (error: any) {
      if (error.httpStatus !== 401 || !error.data?.flows) throw error;
      return send({
        type: "m.login.password",
        session: error.data.session,
        identifier: { type: "m.id.user", user: account.name },
        password: account.password,
      });
    }
  };

export async function status(a: Access, token: string, target: string): Promise<{ status: number; errcode?: string }> {
  const answer = await request(a, a.hostnames.homeserver!, target, { headers: { Authorization: `Bearer ${token}` } });
  const errcode = answer.status === 200 ? undefined : JSON.parse(answer.body.toString() || "{}").errcode;
  return { status: answer.status, errcode };
}

/** The event with this text, readable, in the live timeline of that device. */
export const readable = (d: Device, roomId: string, body: string): sdk.MatrixEvent | undefined =>
  d.client
    .getRoom(roomId)
    ?.getLiveTimeline()
    .getEvents()
    .find((e) => e.getType() === "m.room.message" && e.getContent().body === body);

/** From inside the pod: the network policies let only Prometheus reach this port, not the API server's proxy. */
const READ_METRICS =
  'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:9000/_synapse/metrics").read().decode())';

/** By worker class. */
export type Served = Record<string, number>;

/**
 * What each class has served, by its processes' own metrics: requests answered, or for a class that answers none the
 * counter in `work`.
 */
export async function served(work: Record<string, RegExp> = {}): Promise<Served> {
  const processes = await pods(NS, "app.kubernetes.io/name=synapse");
  // All at once: one after the other took half a second each.
  const said = await Promise.all(
    processes.map((p) => k("-n", NS, "exec", p.metadata.name, "-c", "synapse", "--", "python", "-c", READ_METRICS)),
  );
  const found: Served = {};
  for (const [i, p] of processes.entries()) {
    const cls = p.metadata.labels["app.kubernetes.io/component"].replace(/^synapse-/, "");
    const lines = said[i]!.split("\n");
    const sum = (wanted: RegExp, but?: RegExp): number =>
      lines.reduce(
        (n: number, l: string) => (wanted.test(l) && !but?.test(l) ? n + Number(l.slice(l.lastIndexOf(" "))) : n),
        0,
      );
    found[cls] =
      (found[cls] ?? 0) +
      (work[cls]
        ? sum(work[cls])
        : sum(/^synapse_http_server_response_count_total\{/, /servlet="(HealthResource|MetricsResource)"/));
  }
  return found;
}
export const since = (earlier: Served, now: Served): Served =>
  Object.fromEntries(Object.entries(now).map(([cls, n]) => [cls, n - (earlier[cls] ?? 0)]));
