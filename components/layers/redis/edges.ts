/** Connections of Redis' pods, and of other stacks' applications, which no other layer declares. Pure. */
import { tcp, type Edge, type Peer } from "../../core/edges";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { REDIS_CLIENT_LABEL } from "./connection";

const both = tcp(PORTS.redis, PORTS.sentinel);

/** Connections within one set of Redis and its proxy. @param component As in RedisSentinelArgs. */
export function redisSetEdges(component: string, namespace: string): Edge[] {
  const servers: Peer = { component, namespace };
  const proxy: Peer = { component: `${component}-master`, namespace };
  return [
    { from: servers, to: servers, ports: both, why: "replication, and Sentinels watching Redis and each other" },
    { from: proxy, to: servers, ports: tcp(PORTS.redis), why: "the master's clients, and checks of who is the master" },
  ];
}

export function redisEdges(): Edge[] {
  const { matrix } = NAMESPACES;
  const master: Peer = { component: SERVICES.redisSynapseMaster, namespace: matrix };
  return [
    ...redisSetEdges(SERVICES.redisSynapse, matrix),
    {
      from: { labels: { [REDIS_CLIENT_LABEL]: "true" }, namespace: matrix, label: "other stacks' applications" },
      to: master,
      ports: tcp(PORTS.redis),
      why: "applications of other stacks, on database 2",
    },
  ];
}
