/** Stacks that differ in every way that the settings allow: each option of each group below, in changing company. */
import { exampleConfig } from "../../cli/exampleStack";
import { exampleHostKey } from "../../components/settings";
import { certificate, EMAIL, OIDC, S3 } from "./example";

type Config = Record<string, any>;
type Change = (c: Config) => void;
const same: Change = () => undefined;
const set =
  (more: Config): Change =>
  (c) => {
    merge(c, more);
  };

function merge(to: Config, more: Config): void {
  for (const [k, v] of Object.entries(more)) {
    if (v !== null && typeof v === "object" && !Array.isArray(v) && !("kind" in v) && !("mode" in v))
      merge((to[k] ??= {}), v);
    else to[k] = v;
  }
}

const OPERATORS = [
  "cloudNativePg",
  "barmanPlugin",
  "metallb",
  "certManager",
  "ingressController",
  "metricsServer",
  "localPathProvisioner",
  "prometheusOperator",
];
const installed = (which: (o: string) => boolean): Change =>
  set({ cluster: { install: Object.fromEntries(OPERATORS.map((o) => [o, which(o)])) } });
const another =
  (role: string, name: string): Change =>
  (c) => {
    const like = c.hosts.find((h: any) => h.roles.includes(role));
    c.hosts.splice(1, 0, {
      ...structuredClone(like),
      name,
      address: `10.9.9.${name.length}`,
      ssh: { ...like.ssh, hostKey: exampleHostKey(name) },
    });
  };
const pools = (more: Config): Change => set({ overrides: { pools: more } });

async function groups(): Promise<Change[][]> {
  const given = await certificate(
    ["example.org", "*.example.org", "example.net", "*.example.net"],
    "2020-01-01",
    "2120-01-01",
  );
  return [
    [set({ ccu: 1000 }), set({ ccu: 100 }), set({ ccu: 5000 })],
    [
      installed(() => false),
      installed((o) => o !== "certManager" && o !== "barmanPlugin"),
      installed(() => false),
      installed(() => true),
    ],
    [
      same,
      set({ federation: { enabled: true } }),
      set({ federation: { enabled: true, domainAllowList: ["example.com"] } }),
    ],
    [
      same,
      set({ objectStore: S3, backups: { target: { ...S3, bucket: "backups" } } }),
      set({ backups: { target: { ...S3, bucket: "backups" } } }),
      set({ objectStore: { kind: "minio", driveGiB: 200 } }),
    ],
    [
      same,
      set({ backups: { archiveName: "synapse-postgres-2", restore: { from: "synapse-postgres" } } }),
      set({ backups: { archiveName: "third", restore: { from: "second", targetTime: "2026-11-20T14:30:00Z" } } }),
      set({ backups: { enabled: false } }),
    ],
    [same, set({ tls: { mode: "acme", email: "admin@example.org" } }), set({ tls: { mode: "given", ...given } })],
    [
      same,
      set({ turn: { enabled: false } }),
      set({ rtc: { enabled: false } }),
      set({ turn: { enabled: false }, rtc: { enabled: false } }),
      set({ rtc: { jwtService: false }, turn: { minPort: 50_000 } }),
    ],
    [
      same,
      set({ monitoring: { prometheus: "existing" } }),
      set({ monitoring: { enabled: false } }),
      set({ monitoring: { grafana: false } }),
      set({ monitoring: { alertWebhook: "https://alerts.example.org/hook" } }),
      set({ monitoring: { grafanaDashboards: false } }),
    ],
    [
      same,
      set({ web: { elementWeb: { enabled: false } } }),
      set({ web: { admin: { enabled: false } } }),
      set({
        web: {
          jitsiDomain: "jitsi.example.com",
          supportContact: { email: "help@example.org" },
          admin: { allowCidrs: ["10.9.0.0/16"] },
        },
      }),
    ],
    [
      same,
      (c) => {
        c.hosts.reverse();
      },
      another("application", "fresh"),
      another("storage", "roomy"),
      another("call", "loud"),
      (c) => {
        another("application", "fresh")(c);
        c.hosts.splice(
          c.hosts.findIndex((h: any) => h.name !== "fresh" && h.roles.includes("application")),
          1,
        );
      },
    ],
    [same, set({ overrides: { redis: { instances: 5 } } }), set({ overrides: { redis: { memoryMiB: 3000 } } })],
    [
      same,
      pools({ synchrotron: { replicas: 5, maxReplicas: 5 } }),
      pools({ "event-persister": { replicas: 4 }, pusher: { replicas: 2 } }),
      pools({ media: { replicas: 3 }, generic: { replicas: 2, maxReplicas: 2 } }),
      pools({ receipts: { replicas: 1 }, "device-lists": { replicas: 2 } }),
    ],
    [
      same,
      set({ overrides: { router: { replicas: 3 }, ingress: { replicas: 3 }, web: { replicas: 3 } } }),
      set({ overrides: { postgres: { poolerInstances: 4, instances: 5, parameters: { work_mem: "8MB" } } } }),
      set({ overrides: { monitoring: { replicas: 3 } } }),
    ],
    [
      same,
      set({
        storage: {
          database: { name: "fast", create: false },
          objectStore: { name: "fast", create: false },
          general: { name: "fast", create: false },
        },
      }),
      set({ storage: { general: { name: "network", provisioner: "csi.example.com", parameters: { type: "ssd" } } } }),
    ],
    [
      same,
      set({
        addressPools: [
          { name: "web", addresses: ["203.0.113.30/32"], use: ["ingress"] },
          { name: "public", addresses: ["203.0.113.10-203.0.113.20"] },
        ],
      }),
      set({
        addressPools: [
          { name: "public", addresses: ["203.0.113.10/32"] },
          { name: "web", addresses: ["203.0.113.30/32"], use: ["ingress"] },
        ],
      }),
    ],
    [same, set({ networkPolicies: { enabled: false } }), set({ networkPolicies: { apiServerCidrs: ["10.8.0.0/24"] } })],
    [
      same,
      set({ stopSynapse: true }),
      set({
        emailSmtp: { ...EMAIL },
        sso: {
          oidc: [{ ...OIDC }],
        },
      }),
      set({
        retention: { maxLifetimeDays: 365 },
        media: { urlPreviews: true, localRetentionDays: 400 },
        presence: { enabled: false },
      }),
    ],
    [same, set({ images: { mirror: "registry.example.org/mirror", pullSecret: "registry" } })],
    [same, set({ prepareHosts: true }), set({ deletionProtection: false })],
    [
      same,
      set({ serverName: "chat.example.com" }),
      set({ domain: "example.net" }),
      set({ hostnames: { homeserver: "example.org" } }),
    ],
  ];
}

/** As many as it takes for each option twice, and for two options of one group never in the same company. */
export const COUNT = 12;

/** Deterministic: urns.txt is made of them. */
export async function variations(): Promise<Config[]> {
  const all = await groups();
  return Array.from({ length: COUNT }, (_, i) => {
    // Hosts with room for every option, mostly not prepared: their steps are half of what is registered, and no object
    // of the cluster.
    const config: Config = { ...structuredClone(exampleConfig(20_000)), prepareHosts: false };
    for (const [at, options] of all.entries())
      options[(i + Math.floor(i / options.length) * at) % options.length]!(config);
    return config;
  });
}
