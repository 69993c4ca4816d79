/** Who talks to Redis; metrics are monitoring's edges. Pure. */
import { tcp, type Edge, type EdgeInput, type Peer } from "../../core/edges";
import { NAMESPACES, PORTS, SERVICES, synapseService } from "../../core/names";
import { REDIS_CLIENT_LABEL } from "./connection";

const both = tcp(PORTS.redis, PORTS.sentinel);

function setEdges(component: string, namespace: string): Edge[] {
  const servers: Peer = { component, namespace };
  const proxy: Peer = { component: `${component}-master`, namespace };
  return [
    { from: servers, to: servers, ports: both, why: "replication, and Sentinels watching Redis and each other" },
    { from: proxy, to: servers, ports: tcp(PORTS.redis), why: "the master's clients, and checks of who is the master" },
  ];
}

export function redisEdges({ settings, plan }: EdgeInput): Edge[] {
  const { matrix, livekit } = NAMESPACES;
  const master: Peer = { component: SERVICES.redisSynapseMaster, namespace: matrix };
  const edges: Edge[] = [
    ...setEdges(SERVICES.redisSynapse, matrix),
    ...plan.synapse.pools.map((pool): Edge => ({
      from: { component: synapseService(pool.class), namespace: matrix },
      to: master,
      ports: tcp(PORTS.redis),
      why: "replication between Synapse's processes, locks, caches",
    })),
    {
      from: { labels: { [REDIS_CLIENT_LABEL]: "true" }, namespace: matrix, label: "other stacks' applications" },
      to: master,
      ports: tcp(PORTS.redis),
      why: "applications of other stacks, on database 2",
    },
  ];
  if (settings.rtc.enabled) {
    const sfuSet: Peer = { component: SERVICES.redisLivekit, namespace: livekit };
    edges.push(...setEdges(SERVICES.redisLivekit, livekit));
    // The SFU is on the nodes' network, so its connections come from the nodes.
    edges.push({
      from: { nodes: true },
      to: sfuSet,
      ports: both,
      why: "SFUs ask the Sentinels for the master and keep their rooms there",
    });
  }
  return edges;
}

/** redis_exporter's own default. */
export const EXPORTER_PORT = 9121;
