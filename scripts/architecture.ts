/**
 * Draws docs/architecture.svg: the small stack's parts, their numbers in the plan, and their connections with ports,
 * from the same table as the network policies. `--check` only says whether it is up to date.
 *
 * The places of the boxes are defined here; everything else is read. A part or a connection without a place is an
 * error, so the picture is always complete.
 */
import { resolve } from "node:path";
import { planFor } from "../cli/plan";
import type { Edge, Peer } from "../components/core/edges";
import type { Settings } from "../components/settings/types";
import type { Plan } from "../components/sizing";
import { edges } from "../components/topology";
import { arrow, box, chip, document, type Box, type Point } from "./svg";
import { writeOrCheck } from "./writeOrCheck";

export const FILE = resolve(__dirname, "../docs/architecture.svg");
const STACK = "small";

interface Part extends Box {
  /** Pods in this box, as namespace/component or namespace/label. */
  members: RegExp;
}

const n = (count: number | undefined): string => `${count ?? 0} ×`;

/** Every box: its place and its text. */
export function parts(settings: Settings, plan: Plan): Record<string, Part> {
  const { minio, turn, rtc, redis, postgres } = plan;
  const column =
    (x: number, w: number) =>
    (y: number, h: number): { x: number; y: number; w: number; h: number } => ({ x, y, w, h });
  const [left, middle, right, calls] = [column(30, 240), column(290, 240), column(550, 240), column(860, 270)];
  return {
    world: {
      x: 30,
      y: 20,
      w: 1100,
      h: 42,
      tone: "world",
      title: "Clients and other homeservers",
      lines: [],
      members: /^world$/,
    },
    ingress: {
      x: 30,
      y: 132,
      w: 760,
      h: 66,
      tone: "front",
      title: `${n(plan.ingress.replicas)} ingress controller`,
      lines: ["TLS and host names; its public address is announced by MetalLB"],
      members: /^nginx-ingress\/ingress$|\/ingress-controller$/,
    },
    web: {
      x: 30,
      y: 268,
      w: 175,
      h: 66,
      tone: "front",
      title: "Web",
      lines: ["Element, .well-known"],
      members: /\/(element-web|well-known)$/,
    },
    admin: {
      x: 220,
      y: 268,
      w: 145,
      h: 66,
      tone: "front",
      title: "Admin UI",
      lines: ["allowed networks"],
      members: /\/synapse-admin$/,
    },
    router: {
      x: 450,
      y: 268,
      w: 170,
      h: 66,
      tone: "front",
      title: `${n(plan.router.replicas)} router`,
      lines: ["HAProxy: path to class"],
      members: /\/haproxy$/,
    },
    jwt: {
      x: 640,
      y: 268,
      w: 150,
      h: 66,
      tone: "calls",
      title: `${n(rtc?.jwt.replicas)} call tokens`,
      lines: ["lk-jwt-service"],
      members: /\/lk-jwt-service$/,
    },
    livekit: {
      ...calls(132, 66),
      w: 130,
      tone: "calls",
      title: `${n(rtc?.nodes)} SFU`,
      lines: ["LiveKit"],
      members: /\/livekit$/,
    },
    coturn: {
      x: 1000,
      y: 132,
      w: 130,
      h: 66,
      tone: "calls",
      title: `${n(turn?.nodes)} TURN`,
      lines: ["coturn"],
      members: /\/coturn$/,
    },
    redisCalls: {
      ...calls(268, 84),
      tone: "calls",
      title: `${n(redis.instances)} Redis + Sentinel (calls)`,
      lines: [`and ${n(redis.proxy.replicas)} master proxy`],
      members: /^livekit\/redis-livekit/,
    },
    synapse: {
      x: 30,
      y: 404,
      w: 760,
      h: 226,
      tone: "synapse",
      title: "Synapse",
      lines: [],
      members: /^matrix\/synapse-(?!postgres|admin)/,
    },
    redisMaster: {
      ...left(700, 66),
      tone: "data",
      title: `${n(redis.proxy.replicas)} Redis master proxy`,
      lines: ["HAProxy"],
      members: /^matrix\/redis-synapse-master$/,
    },
    pooler: {
      ...middle(700, 66),
      tone: "data",
      title: `${n(postgres.pooler.replicas)} PgBouncer`,
      lines: [`${postgres.connectionsAtMax} connections at the most`],
      members: /^matrix\/(synapse-postgres-pooler-rw|pooler)$/,
    },
    minio: {
      ...right(700, 84),
      tone: "data",
      title: `${n(minio?.nodes)} MinIO`,
      lines: minio ? [`${minio.drivesPerNode} drives each, parity ${minio.parity} of ${minio.erasureSetDrives}`] : [],
      members: /^minio\//,
    },
    redis: {
      ...left(836, 84),
      tone: "data",
      title: `${n(redis.instances)} Redis + Sentinel`,
      lines: [`quorum ${redis.quorum}`],
      members: /^matrix\/redis-synapse$/,
    },
    postgres: {
      ...middle(836, 84),
      tone: "data",
      title: `${n(postgres.instances)} PostgreSQL`,
      lines: ["one standby confirms each write"],
      members: /^matrix\/(synapse-postgres|postgres)$/,
    },
    monitoring: { ...calls(404, 226), tone: "aside", title: "Monitoring", lines: [], members: /^monitoring\// },
    operators: {
      ...calls(700, 220),
      tone: "aside",
      title: "Operators",
      lines: [],
      members: /^(cnpg-system|cert-manager|metallb-system|local-path-storage)\/|\/acme-solver$/,
    },
    api: { x: 0, y: 0, w: 0, h: 0, tone: "aside", title: "", lines: [], members: /^apiServer$/ },
    applications: {
      x: 0,
      y: 0,
      w: 0,
      h: 0,
      tone: "aside",
      title: "",
      lines: [],
      members: /other stacks' applications$/,
    },
  };
}

/** Routes of the arrows, by ends; the label is beside the first segment unless it has its own place. */
const ARROWS: Record<string, { points: Point[]; label?: Point; anchor?: "start" | "middle" | "end" }> = {
  "world>ingress": {
    points: [
      [410, 62],
      [410, 132],
    ],
  },
  "world>livekit": {
    points: [
      [880, 62],
      [880, 132],
    ],
  },
  "world>coturn": {
    points: [
      [1020, 62],
      [1020, 132],
    ],
  },
  "ingress>web": {
    points: [
      [120, 198],
      [120, 268],
    ],
  },
  "ingress>admin": {
    points: [
      [292, 198],
      [292, 268],
    ],
  },
  "ingress>router": {
    points: [
      [535, 198],
      [535, 268],
    ],
  },
  "ingress>jwt": {
    points: [
      [715, 198],
      [715, 268],
    ],
  },
  "ingress>livekit": {
    points: [
      [790, 165],
      [860, 165],
    ],
    label: [825, 158],
    anchor: "middle",
  },
  "livekit>redisCalls": {
    points: [
      [925, 198],
      [925, 268],
    ],
  },
  "admin>router": {
    points: [
      [365, 301],
      [450, 301],
    ],
    label: [406, 294],
    anchor: "middle",
  },
  "router>synapse": {
    points: [
      [535, 334],
      [535, 404],
    ],
  },
  "synapse>redisMaster": {
    points: [
      [150, 630],
      [150, 700],
    ],
  },
  "synapse>pooler": {
    points: [
      [410, 630],
      [410, 700],
    ],
  },
  "synapse>minio": {
    points: [
      [670, 630],
      [670, 700],
    ],
  },
  "redisMaster>redis": {
    points: [
      [150, 766],
      [150, 836],
    ],
  },
  "pooler>postgres": {
    points: [
      [410, 766],
      [410, 836],
    ],
  },
  "postgres>minio": {
    points: [
      [530, 880],
      [670, 880],
      [670, 784],
    ],
    label: [600, 873],
    anchor: "middle",
  },
  "operators>postgres": {
    points: [
      [860, 905],
      [530, 905],
    ],
    label: [838, 898],
    anchor: "end",
  },
};

export interface Connection {
  from: string;
  to: string;
  ports: string[];
}

const peerName = (p: Peer): string => {
  if ("namespace" in p) return `${p.namespace}/${"component" in p ? p.component : p.label}`;
  if ("apiServer" in p) return "apiServer";
  return "nodes" in p ? "nodes" : "world";
};

/** The connections between boxes with their ports: the table of edges, with pods grouped into boxes. */
export function connections(list: Edge[], all: Record<string, Part>): Connection[] {
  const boxOf = (p: Peer, other: Peer): string | undefined => {
    const name = peerName(p);
    // Pods on the nodes' network: the SFU where it talks to its Redis or is talked to by the ingress, else kubelet's
    // probes.
    if (name === "nodes") return /ingress-controller$|redis-livekit$/.test(peerName(other)) ? "livekit" : undefined;
    const found = Object.keys(all).filter((id) => all[id]!.members.test(name));
    if (found.length !== 1)
      throw new Error(
        `${name} belongs to ${found.length === 0 ? "no box" : `the boxes ${found.join(" and ")}`}: give it one in scripts/architecture.ts`,
      );
    return found[0]!;
  };
  const found = new Map<string, Set<string>>();
  for (const e of list) {
    const from = boxOf(e.from, e.to),
      to = boxOf(e.to, e.from);
    if (!from || !to) continue;
    const ports = found.get(`${from}>${to}`) ?? new Set<string>();
    e.ports.forEach((p) =>
      ports.add(`${p.protocol === "UDP" ? "UDP " : ""}${p.port}${p.endPort ? `–${p.endPort}` : ""}`),
    );
    found.set(`${from}>${to}`, ports);
  }
  return [...found].map(([key, ports]) => {
    const [from, to] = key.split(">") as [string, string];
    const isUdp = (p: string): number => (p.startsWith("UDP") ? 1 : 0);
    return {
      from,
      to,
      ports: [...ports].sort(
        (a, b) => isUdp(a) - isUdp(b) || parseInt(a.replace(/\D+/, ""), 10) - parseInt(b.replace(/\D+/, ""), 10),
      ),
    };
  });
}

/**
 * Connections that a box's text names instead of an arrow: among its own pods, to the world, metrics, the API server.
 */
const isSaid = (c: Connection): boolean =>
  c.from === c.to ||
  c.to === "world" ||
  c.from === "monitoring" ||
  [c.from, c.to].includes("api") ||
  c.from === "applications" ||
  `${c.from}>${c.to}` === "ingress>operators";

export function picture(theme?: "dark"): string {
  const { settings, plan } = planFor({ stack: STACK, cwd: resolve(__dirname, "..") });
  const all = parts(settings, plan);
  const talk = connections(edges({ settings, plan }), all);
  const portsOf = (from: string, to: string): string[] => talk.find((c) => c.from === from && c.to === to)?.ports ?? [];

  for (const [id, part] of Object.entries(all)) {
    if (["monitoring", "operators", "synapse", "world"].includes(id)) continue;
    const among = portsOf(id, id),
      out = portsOf(id, "world");
    if (among.length) part.lines.push(`among themselves ${among.join(", ")}`);
    if (out.length && id !== "coturn") part.lines.push(`out ${out.join(", ")}`);
  }
  const scraped = [
    ...new Set(
      talk.filter((c) => c.from === "monitoring" && !["monitoring", "api"].includes(c.to)).flatMap((c) => c.ports),
    ),
  ]
    .map(Number)
    .sort((a, b) => a - b);
  const pools = plan.synapse.pools;
  all.monitoring!.lines = [
    `${n(plan.monitoring?.prometheus.replicas)} Prometheus, ${plan.monitoring ? Math.max(3, plan.monitoring.alertmanager.replicas) : 0} × Alertmanager`,
    "exporters, alert rules, dashboards",
    "",
    "metrics of every box, at its port",
    ...rows(scraped.map(String), 5),
    "",
    `API server ${portsOf("monitoring", "api").join(", ")}`,
  ];
  all.operators!.lines = [
    "CloudNativePG, barman-cloud plugin",
    "cert-manager, MetalLB",
    "local volumes, metrics-server",
    "",
    `API server ${portsOf("operators", "api").join(", ")}`,
    `its checks of objects ${portsOf("api", "operators").join(", ")}`,
    `to the ACME authority ${portsOf("operators", "world").join(", ")}`,
    `challenges, from ingress ${portsOf("ingress", "operators").join(", ")}`,
  ];

  const drawn = talk
    .filter((c) => !isSaid(c))
    .map((c) => {
      const way = ARROWS[`${c.from}>${c.to}`];
      if (!way)
        throw new Error(
          `${c.from} talks to ${c.to} on ${c.ports.join(", ")}, and no arrow is drawn: add one to ARROWS in scripts/architecture.ts`,
        );
      return arrow(way.points, c.ports, way.label, way.anchor);
    });
  const synapse = all.synapse!;
  const chips = pools.map((p, i) =>
    chip({
      x: synapse.x + 14 + (i % 5) * 147,
      y: synapse.y + 40 + Math.floor(i / 5) * 46,
      w: 143,
      name: p.class,
      detail: p.maxReplicas > p.replicas ? `${p.replicas} to ${p.maxReplicas}` : String(p.replicas),
    }),
  );
  const hosts = plan.nodes.map((h, i) =>
    chip({
      x: 30 + i * 222,
      y: 984,
      w: 212,
      name: `${h.count} × ${h.role}`,
      detail: `${h.cpu} vCPU, ${h.memoryGiB} GiB`,
    }),
  );
  const body = [
    ...Object.values(all)
      .filter((p) => p.w > 0)
      .map(box),
    ...drawn,
    ...chips,
    `<text class="line" x="${synapse.x + 14}" y="${synapse.y + 196}">among themselves ${portsOf("synapse", "synapse").join(", ")}; push gateways ${portsOf("synapse", "world").join(", ")}; database, Redis and object store as drawn</text>`,
    `<text class="line" x="${synapse.x + 14}" y="${synapse.y + 214}">writers of one stream are one process each; readers grow and shrink with the load</text>`,
    `<text class="title" x="30" y="968">${plan.nodes.reduce((s, h) => s + h.count, 0)} hosts, prepared over SSH</text>`,
    ...hosts,
  ];
  const title = `matrix-ha: the parts for ${plan.ccu.toLocaleString("en-US")} concurrent users and their connections`;
  return document({ width: 1160, height: 1046, title, body, theme });
}

function rows(items: string[], perRow: number): string[] {
  return Array.from({ length: Math.ceil(items.length / perRow) }, (_, i) =>
    items.slice(i * perRow, (i + 1) * perRow).join(", "),
  );
}

if (require.main === module)
  writeOrCheck("architecture.ts", "Draws docs/architecture.svg from the plan and the table of who calls whom.", () => [
    { file: "docs/architecture.svg", text: picture() },
  ]);
