/** haproxy.cfg of the proxy that always reaches the master. Pure. */
import { PORTS } from "../../core/names";
import { instanceFqdn, KNOWN_INSTANCES, minReplicas, type RedisTopology } from "./topology";

/**
 * A server is up when it reports `role:master` AND enough replicas (`min_slaves_good_slaves` counts those that have
 * acknowledged recently). `role:master` alone is not reliable: a former master that came back, or one that was cut off,
 * reports it too, and the proxy used it for 10 s (measured). The replicas follow only the elected master. A master
 * without replicas refuses writes anyway (min-replicas-to-write), so excluding it loses nothing.
 */
export function masterProxyCfg(t: RedisTopology): string {
  const servers = Array.from(
    { length: Math.max(t.instances, KNOWN_INSTANCES) },
    (_, i) => `  server ${t.component}-${i} ${instanceFqdn(t, i)}:${PORTS.redis}`,
  );
  return `global
  maxconn 8000
  log stdout format raw local0 info
  # A proxy that goes away takes its long connections with it; clients reconnect through the other one.
  hard-stop-after 5s
resolvers dns
  parse-resolv-conf
  accepted_payload_size 8192
  hold valid 3s
  # The last known address stays while a pod is being replaced: the check decides, not the name service.
  hold nx 600s
  hold timeout 600s
  hold other 600s
defaults
  mode tcp
  log global
  timeout connect 2s
  timeout check 1s
  # Subscriptions are silent for long; TCP keep-alives find dead peers.
  timeout client 1h
  timeout server 1h
  timeout client-fin 5s
  timeout server-fin 5s
  option clitcpka
  option srvtcpka
frontend health
  mode http
  no log
  timeout http-request 5s
  bind :${PORTS.routerHealth}
  http-request return status 200 content-type text/plain string ok if { path /healthz }
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404
frontend redis
  bind :${PORTS.redis}
  default_backend redis_master
backend redis_master
  option tcp-check
  tcp-check connect
  tcp-check send-lf "AUTH %[env(REDIS_PASSWORD)]\\r\\n"
  tcp-check expect string +OK
  tcp-check send "INFO replication\\r\\n"
  tcp-check expect rstring role:master[^:]+:[0-9]+[^:]+_good_slaves:[${minReplicas(t.instances)}-9]
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
  default-server check inter 1s fastinter 500ms downinter 1s fall 2 rise 1 on-marked-down shutdown-sessions resolvers dns resolve-prefer ipv4 init-addr none
${servers.join("\n")}
`;
}
