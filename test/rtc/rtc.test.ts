import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { parse } from "yaml";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { Rtc, rtcFoci, rtcRoutes, sentinelAddresses } from "../../components/layers/rtc";
import { rtcEdges } from "../../components/layers/rtc/edges";
import { livekitStart } from "../../components/layers/rtc/livekitStart";
import { livekitYaml } from "../../components/layers/rtc/livekitYaml";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import { LIVEKIT_API_KEY, LIVEKIT_API_SECRET, REDIS_LIVEKIT_PASSWORD } from "../../components/layers/rtc/secrets";
import { TURN_SHARED_SECRET } from "../../components/domain/calls";

const plan = fixturePlan();
const SECRETS = { apiKey: "APIkey", apiSecret: "the-secret", redisPassword: "redis-pw", turnSecret: "turn-secret" };
const yaml = (s: Settings): any => parse(livekitYaml({ settings: s, plan }, SECRETS));

describe("rtc: livekit.yaml", () => {
  it("finds Redis through every Sentinel by complete names, with the password for both", () => {
    assert.deepEqual(yaml(fixtureSettings()).redis, {
      sentinel_master_name: "redis-livekit",
      sentinel_addresses: [0, 1, 2].map((i) => `redis-livekit-${i}.redis-livekit.livekit.svc.cluster.local:26379`),
      sentinel_password: "redis-pw",
      password: "redis-pw",
    });
    assert.equal(
      sentinelAddresses(fixtureSettings(), { ...plan, redis: { ...plan.redis, instances: 5, quorum: 3 } }).length,
      5,
    );
  });

  it("takes its ports from the settings, apart from TURN's", () => {
    const { rtc, port, prometheus } = yaml(fixtureSettings());
    assert.deepEqual(
      [port, prometheus.port, rtc.tcp_port, rtc.port_range_start, rtc.port_range_end],
      [7880, 6789, 7881, 55001, 60000],
    );
    assert.ok(
      rtc.port_range_start > fixtureSettings().turn.maxPort || rtc.port_range_end < fixtureSettings().turn.minPort,
    );
    assert.equal(rtc.use_external_ip, false);
  });

  it("leaves rooms to the token service and offers our own relays, or none", () => {
    const on = yaml(fixtureSettings());
    assert.equal(on.room.auto_create, false);
    assert.equal(on.turn.enabled, false);
    assert.deepEqual(on.rtc.turn_servers[1], {
      host: "turn.example.org",
      port: 3478,
      protocol: "tcp",
      secret: "turn-secret",
    });
    const s = fixtureSettings();
    s.turn.enabled = false;
    const off = livekitYaml({ settings: s, plan }, SECRETS);
    assert.doesNotMatch(off, /turn_servers|turn-secret/);
  });

  it("gets the node's public address at its start", () => {
    const s = fixtureSettings();
    s.hosts.find((h) => h.name === "call-b")!.publicAddress = "198.51.100.7";
    const root = fs.mkdtempSync("/tmp/matrix-ha-rtc-");
    for (const d of ["etc/matrix-ha/livekit", "run/livekit"]) fs.mkdirSync(`${root}/${d}`, { recursive: true });
    fs.writeFileSync(`${root}/etc/matrix-ha/livekit/livekit.yaml`, livekitYaml({ settings: s, plan }, SECRETS));
    const nodeIp = (hostIp: string): string => {
      const r = spawnSync("sh", ["-c", livekitStart(s).replace(/\/(etc\/matrix-ha|run\/livekit)/g, `${root}/$1`)], {
        encoding: "utf8",
        env: { HOST_IP: hostIp, PATH: "/usr/bin:/bin" },
      });
      assert.equal(r.status, 0, r.stderr);
      return parse(fs.readFileSync(`${root}/run/livekit/livekit.yaml`, "utf8")).rtc.node_ip;
    };
    assert.equal(nodeIp("10.1.0.40"), "10.1.0.40");
    assert.equal(nodeIp("10.1.0.41"), "198.51.100.7");
    assert.equal(fs.statSync(`${root}/run/livekit/livekit.yaml`).mode & 0o777, 0o600);
    fs.rmSync(root, { recursive: true });
  });
});

describe("rtc: what others are told", () => {
  it("announces the service only where it runs", () => {
    const s = fixtureSettings();
    assert.deepEqual(rtcFoci(s), [{ type: "livekit", livekit_service_url: "https://rtc.example.org" }]);
    assert.deepEqual(rtcFoci({ ...s, rtc: { ...s.rtc, jwtService: false } }), []);
    assert.deepEqual(rtcFoci({ ...s, rtc: { ...s.rtc, enabled: false } }), []);
  });

  it("splits the host's paths between the two programs without rewriting", () => {
    assert.deepEqual(
      rtcRoutes(fixtureSettings()).map((r) => [r.path, r.service]),
      [
        ["/sfu/get", "lk-jwt-service"],
        ["/get_token", "lk-jwt-service"],
        ["/rtc", "livekit"],
        ["/twirp", "livekit"],
      ],
    );
    assert.deepEqual(
      rtcEdges({ settings: { ...fixtureSettings(), rtc: { ...fixtureSettings().rtc, enabled: false } }, plan }),
      [],
    );
  });
});

describe("rtc: component", () => {
  let values: string[] = [];
  const rtc = (change: (s: Settings) => void = () => undefined): Promise<Evaluation> =>
    evaluate({
      stack: "t",
      config: {},
      program: async () => {
        const ctx = fixtureContext((s) => change(s));
        const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
        values = await Promise.all(
          [
            secrets.of(LIVEKIT_API_KEY),
            secrets.of(LIVEKIT_API_SECRET),
            secrets.of(REDIS_LIVEKIT_PASSWORD),
            secrets.of(TURN_SHARED_SECRET),
          ].map(
            (o) =>
              new Promise<string>((resolve) => {
                o.apply((v) => {
                  resolve(v);
                  return v;
                });
              }),
          ),
        );
        new Rtc("rtc", { ctx, secrets, ca: { configMap: "public-ca", key: "ca.crt" } }, { provider: ctx.provider });
        return {};
      },
    });
  const kind = (e: Evaluation, type: string): any => e.resources.find((r) => r.type.endsWith(`:${type}`));

  it("keeps every secret in Secrets, marked as such", async () => {
    const e = await rtc();
    for (const value of values) {
      const holders = e.resources.filter(
        (r) => !r.type.startsWith("random:") && JSON.stringify(r.inputs).includes(value),
      );
      assert.ok(holders.length >= 1);
      for (const h of holders) {
        assert.match(h.type, /:Secret$/, h.name);
        assert.ok(
          h.secretPaths.some((p) => p.startsWith("stringData")),
          h.name,
        );
      }
    }
  });

  it("runs the SFU on every livekit=true node and lets calls end before it goes", async () => {
    const e = await rtc();
    const set = kind(e, "DaemonSet").inputs;
    const pod = set.spec.template.spec;
    assert.equal(pod.hostNetwork, true);
    assert.equal(pod.nodeSelector.livekit, "true");
    assert.equal(pod.terminationGracePeriodSeconds, 3600);
    assert.ok(Number(set.metadata.annotations["pulumi.com/timeoutSeconds"]) > 2 * 3600);
    assert.equal(pod.containers[0].livenessProbe.tcpSocket.port, "http");
    assert.equal(pod.containers[0].readinessProbe.httpGet.path, "/");
  });

  it("gives lk-jwt-service its keys as files and this homeserver's users the right to make rooms", async () => {
    const jwt = kind(await rtc(), "Deployment").inputs;
    assert.equal(jwt.spec.replicas, 2);
    const [c] = jwt.spec.template.spec.containers;
    assert.deepEqual(Object.fromEntries(c.env.map((v: any) => [v.name, v.value])), {
      LIVEKIT_URL: "wss://rtc.example.org",
      LIVEKIT_KEY_FROM_FILE: "/etc/matrix-ha/keys/key",
      LIVEKIT_SECRET_FROM_FILE: "/etc/matrix-ha/keys/secret",
      LIVEKIT_FULL_ACCESS_HOMESERVERS: "example.org",
      LIVEKIT_JWT_BIND: ":8080",
      SSL_CERT_FILE: "/etc/matrix-ha/ca/ca.crt",
    });
    const off = await rtc((s) => {
      s.rtc.jwtService = false;
    });
    assert.equal(kind(off, "Deployment"), undefined);
    assert.equal(
      off.resources.some((r) => r.name === "rtc-keys"),
      false,
    );
  });
});
