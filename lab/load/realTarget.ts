/**
 * The target that is made for the run: every class of Synapse processes, PostgreSQL behind PgBouncer, Redis, MinIO and
 * the router, as rendered, each part in a control group of its own. On addresses that only this process sees.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { NAMESPACES, PORTS, SERVICES, serviceFqdn, synapseService } from "../../components/core/names";
import { RATE_LIMITS } from "../../components/layers/synapse/settings/rateLimits";
import type { Subject } from "../../policy/types";
import { CACHE_DIR } from "../common/folders";
import { tier } from "../common/tiers";
import { subjectFor } from "../real/configurations";
import { Homeserver } from "../real/homeserver";
import { answers, nextAddress, Network, type Running, type TestPod } from "../real/network";
import { oneProcess } from "./oneProcess";
import { databaseAlone, databaseCounts, databaseWithPooler, type DatabaseCounts } from "./realDatabase";
import { Groups } from "./usage";

/** What the load asks of the place where it runs. */
export interface Target {
  /** Of the router, for clients. */
  host: string;
  port: number;
  /** CPU seconds so far of each part: a class of Synapse's processes, `postgres`, `pgbouncer`, `redis`, ... */
  cpu(): Map<string, number>;
  /** How many processes each part has. */
  processes(): Map<string, number>;
  database(): Promise<DatabaseCounts>;
  homeserver: Homeserver;
  stop(): Promise<void>;
}

/** The stack's size that is started: the smallest, since each process costs memory and a start. */
const USERS = 100;
/** The load comes from one address, and its users send more than people would. */
const UNLIMITED = Object.fromEntries(RATE_LIMITS.map((limit) => [limit, { perSecond: 10_000, burst: 100_000 }]));

/** `synapse-event-persister-0/synapse` is of `event-persister`; `haproxy-x/haproxy` is `router`. */
export function partOf(name: string): string {
  const pod = name.split("/")[0]!;
  if (pod.startsWith("haproxy-")) return "router";
  const synapse = /^synapse-(.*?)(-[0-9a-f]{9})?-[0-9a-z]+$/.exec(pod)?.[1];
  return synapse ?? pod;
}

async function startMinio(net: Network, subject: Subject, media: TestPod): Promise<void> {
  const ip = nextAddress(),
    domain = subject.settings.cluster.domain,
    dir = path.join(net.dir, "minio");
  const { env } = media.containers.find((c) => c.name === "synapse")!;
  const bucket = subject.objects
    .flatMap((o) => Object.values<string>({ ...o.inputs.data, ...o.inputs.stringData }))
    .map((text) => /^ +bucket: "?([^"\n]+)"?$/m.exec(text)?.[1])
    .find((name) => name !== undefined)!;
  fs.mkdirSync(path.join(dir, bucket), { recursive: true });
  const secrets = `MINIO_ROOT_USER='${env.AWS_ACCESS_KEY_ID}' MINIO_ROOT_PASSWORD='${env.AWS_SECRET_ACCESS_KEY}'`;
  const running = net.spawn(
    net.namespace(ip),
    `cd ${dir}; exec env -i HOME=${dir} ${secrets} ${CACHE_DIR}/bin/minio server --quiet --address :${PORTS.s3} ${dir}`,
    "minio",
  );
  net.dns.a.set(serviceFqdn(SERVICES.minioApi, NAMESPACES.minio, domain), [ip]);
  await running.until(async () => (await answers(`http://${ip}:${PORTS.s3}/minio/health/live`)) === 200, 60);
}

/** The names that the router looks for: those of the headless Services, with a record for each pod. */
function announce(net: Network, homeserver: Homeserver): void {
  const { domain } = homeserver.subject.settings.cluster;
  const byService = new Map<string, string[]>();
  for (const [name, { pod }] of homeserver.processes) {
    const service = serviceFqdn(synapseService(partOf(name)), NAMESPACES.matrix, domain);
    byService.set(service, [...(byService.get(service) ?? []), pod.ip]);
  }
  for (const [service, addresses] of byService) {
    addresses.forEach((a, i) => net.dns.a.set(`${i}.${service}`, [a]));
    net.dns.srv.set(
      `_http._tcp.${service}`,
      addresses.map((_, i) => ({ target: `${i}.${service}`, port: PORTS.synapseHttp })),
    );
  }
}

async function startRouter(net: Network, subject: Subject): Promise<string> {
  const template = subject.templates.find((t) => t.owner.kind === "Deployment" && t.owner.name === "haproxy")!;
  const pod = net.pod(template, subject.objects, "haproxy-x", subject.settings.cluster.domain);
  for (const c of pod.init) {
    const { status, output } = await net.run(pod, c);
    if (status !== 0) throw new Error(output);
  }
  const running: Running = net.startContainer(pod, pod.containers[0]!);
  await running.until(async () => {
    const text = await (await fetch(`http://${pod.ip}:${PORTS.routerHealth}/metrics`)).text();
    return subject.plan.synapse.pools.every(({ class: cls }) =>
      [...text.matchAll(/^haproxy_backend_active_servers\{proxy="([^"]+)"\} (\d+)/gm)]
        .filter((m) => m[1] === cls || m[1]!.startsWith(`${cls}-by-`))
        .every((m) => Number(m[2]) >= 1),
    );
  }, 120);
  return pod.ip;
}

const subjectOfLoad = (): Promise<Subject> =>
  subjectFor({
    name: "load",
    config: tier(USERS, { more: { rateLimits: UNLIMITED, presence: { enabled: true } } }).config,
  });

interface Grouped {
  net: Network;
  groups: Groups;
  counts: Map<string, number>;
  /** Ends all of it. */
  stop(): Promise<void>;
}

/** A network whose processes are each in the group of their part; and how many there are of each. */
async function groupedNetwork(): Promise<Grouped> {
  const net = await new Network().start(),
    groups = new Groups();
  const counts = new Map<string, number>();
  net.started = ({ name, child }) => {
    const part = partOf(name);
    groups.add(part, child.pid!);
    counts.set(part, (counts.get(part) ?? 0) + 1);
  };
  const stop = async (): Promise<void> => {
    await net.close();
    await groups.remove();
  };
  return { net, groups, counts, stop };
}

/**
 * The same Synapse as one process, with the same PostgreSQL: clients speak to it, and it to the database, without
 * anything between them.
 */
export async function startOneProcess(say: (text: string) => void): Promise<Target> {
  const subject = oneProcess(await subjectOfLoad());
  const { net, groups, counts, stop } = await groupedNetwork();
  const homeserver = new Homeserver(net, subject, { redis: false, database: databaseAlone });
  try {
    say("starting PostgreSQL and one process of Synapse");
    await homeserver.start();
    return {
      host: homeserver.processes.get("synapse-main-0")!.pod.ip,
      port: PORTS.synapseHttp,
      cpu: () => groups.read(),
      processes: () => counts,
      database: () => Promise.reject(new Error("without a pooler nothing counts the transactions")),
      homeserver,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param say Told what happens, which takes a minute or two. */
export async function startReal(say: (text: string) => void): Promise<Target> {
  const subject = await subjectOfLoad();
  const { net, groups, counts, stop } = await groupedNetwork();
  let pooler = "";
  const homeserver = new Homeserver(net, subject, {
    autoscaled: 1,
    database: async (network, s) => {
      const started = await databaseWithPooler(network, s);
      pooler = started.ip;
      return started;
    },
  });
  try {
    say("starting PostgreSQL, PgBouncer, Redis and the processes of Synapse");
    await homeserver.start();
    say("starting MinIO and the router");
    await startMinio(net, subject, homeserver.processes.get("synapse-media-0")!.pod);
    announce(net, homeserver);
    const host = await startRouter(net, subject);
    return {
      host,
      port: PORTS.routerHttp,
      cpu: () => groups.read(),
      processes: () => counts,
      database: () => databaseCounts(net, homeserver.database, pooler),
      homeserver,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
