/** What is right resolves, with the defaults that the documentation states; nothing makes resolveSettings throw. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { evaluate } from "../../cli/evaluate";
import { resolveSettings, SECRET_PLACEHOLDER, SettingsInvalid } from "../../components/settings";
import { explained, MessageOnly } from "../../components/core/messageOnly";
import { settingsFromConfig } from "../../components/settings/fromConfig";
import { settingsSchema } from "../../components/settings/schema";
import { readStackConfig, stackNames } from "../../components/settings/stackFile";
import { shapeOf } from "../../components/schema/walk";
import { plan } from "../../components/plan";
import type { Settings } from "../../components/settings/types";
import { HOSTS, minimal, S3 } from "../helpers/example";
import { EVERYTHING } from "../../components/layers/registry";
import { peers } from "../helpers/dataCentres";
import { settingsOf } from "../helpers/settings";

const ROOT = resolve(__dirname, "../..");

describe("settings", () => {
  it("a minimal stack is ccu, domain, hosts, one address pool and tls; the rest has a default for production", () => {
    const s = settingsOf(minimal());
    assert.equal(s.instance, "t");
    assert.equal(s.serverName, "example.com");
    assert.deepEqual(s.hostnames, {
      homeserver: "matrix.example.com",
      web: "chat.example.com",
      admin: "admin.example.com",
      rtc: "rtc.example.com",
      turn: "turn.example.com",
    });
    assert.equal(s.federation.enabled, false);
    assert.equal(s.registration.enabled, false);
    assert.deepEqual(s.objectStore, { kind: "minio", survives: "host" });
    assert.ok(
      s.backups.enabled &&
        s.networkPolicies.enabled &&
        s.deletionProtection &&
        s.monitoring.enabled &&
        s.cluster.install.prometheusOperator,
    );
    assert.ok(s.turn.maxPort < s.rtc.udpPortMin);
    assert.deepEqual(s.hosts[0].ssh, { user: "root", port: 22, hostKey: HOSTS[0].hostKey });
    assert.deepEqual(s.cluster.ipFamilies, ["IPv4"]);
    // Above 500 users the backups have to be decided too.
    const { backups, ...five } = minimal();
    assert.deepEqual(Object.keys(five).sort(), ["addressPools", "ccu", "domain", "hosts", "tls"]);
    assert.deepEqual(backups, { acceptNoOffsite: true });
    settingsOf({ ...five, ccu: 500 });
  });

  it("each of the five is needed", () => {
    for (const key of Object.keys(minimal()).filter((k) => k !== "backups")) {
      const raw = minimal();
      delete raw[key];
      assert.ok(
        resolveSettings(raw, "t").errors.some((e) => e.path === key && e.given === "nothing"),
        key,
      );
    }
  });

  it("presence is on up to 5,000 users and off above, unless set", () => {
    assert.equal(settingsOf({ ...minimal(), ccu: 5000 }).presence.enabled, true);
    assert.equal(settingsOf({ ...minimal(), ccu: 5001 }).presence.enabled, false);
    assert.equal(settingsOf({ ...minimal(), ccu: 20000, presence: { enabled: true } }).presence.enabled, true);
  });

  it("hosts take what they do not state from hostDefaults and ssh", () => {
    const hosts = HOSTS.map(({ cpu: _c, memoryGiB: _m, roles, ...rest }: any) =>
      roles.length === 1 ? { ...rest, role: roles[0] } : { ...rest, roles },
    );
    hosts[1] = { ...hosts[1], cpu: 4, ssh: { user: "admin", hostKey: hosts[1].hostKey } };
    const bastion = {
      host: "10.0.0.1",
      hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    const s = settingsOf({
      ...minimal(),
      hosts,
      hostDefaults: { cpu: 8, memoryGiB: 32, zone: "r1" },
      ssh: { user: "debian", port: 2222, privateKey: SECRET_PLACEHOLDER, bastion },
    });
    assert.deepEqual(
      [s.hosts[0].cpu, s.hosts[0].memoryGiB, s.hosts[0].zone, s.hosts[0].ssh.user, s.hosts[0].ssh.port],
      [8, 32, "r1", "debian", 2222],
    );
    assert.deepEqual(
      [s.hosts[1].cpu, s.hosts[1].ssh.user, s.hosts[1].ssh.privateKey],
      [4, "admin", SECRET_PLACEHOLDER],
    );
    assert.deepEqual(s.hosts[1].ssh.bastion, { ...bastion, port: 22, user: "root" });
    assert.deepEqual(s.hosts[3].roles, ["storage"]);
  });

  it("numbers, switches and structures may come as text, as Pulumi delivers them", () => {
    const structured = { ...minimal(), rtc: { enabled: "false" }, turn: { minPort: "50000" } };
    const asText = Object.fromEntries(
      Object.entries(structured).map(([k, v]) => [k, typeof v === "string" ? v : JSON.stringify(v)]),
    );
    const s = settingsOf(asText);
    assert.deepEqual([s.ccu, s.rtc.enabled, s.turn.minPort], [1000, false, 50000]);
    assert.deepEqual(settingsOf({ ...minimal(), tls: "own-ca" }).tls, { mode: "own-ca" });
  });

  it("a key without a value counts as not written", () => {
    assert.deepEqual(settingsOf({ ...minimal(), rtc: null, sso: null }), settingsOf(minimal()));
  });

  it("two results share nothing", () => {
    const first = settingsOf(minimal());
    first.cluster.podCidrs.push("10.9.0.0/16");
    first.backups.target = { ...S3, kind: "s3", region: "x" };
    assert.deepEqual(settingsOf(minimal()).cluster.podCidrs, ["10.244.0.0/16"]);
    assert.deepEqual(settingsOf(minimal()).backups.target, { kind: "object-store" });
  });

  it("without call hosts and MinIO, neither call nor storage hosts are needed", () => {
    const s = settingsOf({
      ...minimal(),
      hosts: HOSTS.slice(0, 3),
      turn: { enabled: false },
      rtc: { enabled: false },
      objectStore: S3,
    });
    assert.equal(s.objectStore.kind, "s3");
  });

  it("several roles may be short at once", () => {
    const { errors } = resolveSettings({ ...minimal(), hosts: HOSTS.slice(0, 2) }, "t");
    assert.deepEqual(
      errors.map((e) => `${e.path}: ${e.given}`),
      ["application", "database", "storage", "call"].map(
        (role) => `hosts: ${["storage", "call"].includes(role) ? 0 : 2} hosts with the role ${role}`,
      ),
    );
  });
});

describe("settings: any input", () => {
  it("never throws, and answers with settings or errors, whatever JSON comes", () => {
    const keys = [...Object.keys(shapeOf(settingsSchema)), "__proto__", "constructor", "x"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (raw) => {
        const { settings, errors } = resolveSettings(raw as Record<string, unknown>, "t");
        assert.ok((settings === undefined) === errors.length > 0);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (raw) => {
        assert.ok(resolveSettings(raw as any, "t").errors.length > 0);
      }),
      { numRuns: 100 },
    );
  });

  /** Right settings with one value anywhere replaced by anything. */
  it("one value spoilt: errors point at what exists, or at what is missing in it", () => {
    const base: any = { ...minimal(), ...OPTIONAL };
    const paths = leavesOf(base);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const raw = structuredClone(base);
        let parent = raw;
        for (const key of path.slice(0, -1)) parent = parent[key];
        parent[path[path.length - 1]] = value;
        for (const error of resolveSettings(raw, "t").errors) {
          const top = error.path.split(/[.[]/)[0];
          assert.ok(Object.hasOwn(shapeOf(settingsSchema), top), error.path);
          assert.ok(error.given !== "" && error.allowed !== "" && error.remedy !== "", error.path);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("an error of form names a path that was written, or a missing one below such a path", () => {
    fc.assert(
      fc.property(fc.constantFrom(...leavesOf(minimal())), fc.jsonValue(), (path, value) => {
        const raw: any = minimal();
        let parent = raw;
        for (const key of path.slice(0, -1)) parent = parent[key];
        parent[path[path.length - 1]] = value;
        const own = path.reduce<string>((t, k) => (typeof k === "number" ? `${t}[${k}]` : t ? `${t}.${k}` : k), "");
        const { errors } = resolveSettings(raw, "t");
        for (const { path: at } of errors) {
          // Ports and instances have defaults: an error about one that was not written says so at its own path.
          const around = [...at.matchAll(/[.[]/g)].map((m) => at.slice(0, m.index));
          assert.ok(
            exists(raw, at) || around.some((a) => exists(raw, a)) || at in shapeOf(settingsSchema) || own === "hosts",
            `${at} for ${own}`,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("any selection of valid sections resolves, twice the same", () => {
    // A data centre needs some of the others; it says where its backups are.
    const { dataCentre: _, ...alone }: Record<string, unknown> = {
      ...OPTIONAL,
      backups: { ...OPTIONAL.backups, target: { ...S3, bucket: "backups" } },
    };
    fc.assert(
      fc.property(fc.subarray(Object.keys(alone)), (chosen) => {
        const raw = { ...minimal(), ...Object.fromEntries(chosen.map((key) => [key, alone[key]])) };
        assert.deepEqual(settingsOf(raw), settingsOf(raw));
      }),
      { numRuns: 200 },
    );
  });

  it("every section that may be written reaches the layers", () => {
    const merged = ["hostDefaults", "ssh"]; // into each host
    const reached = Object.keys(settingsOf({ ...minimal(), ...OPTIONAL }));
    assert.deepEqual(
      Object.keys(shapeOf(settingsSchema))
        .filter((key) => !reached.includes(key))
        .sort(),
      merged,
    );
  });

  it("every section is among those tried", () => {
    assert.deepEqual(
      [...new Set([...Object.keys(OPTIONAL), ...Object.keys(minimal())])].sort(),
      Object.keys(shapeOf(settingsSchema)).sort(),
    );
  });
});

describe("settings: stack files", () => {
  for (const stack of ["small", "large"]) {
    it(`${stack} resolves, and its plan is feasible`, () => {
      const settings = settingsOf(readStackConfig(stack));
      const planned = plan(settings);
      assert.equal(planned.ccu, { small: 1000, large: 20000 }[stack]);
      assert.equal(
        settings.hosts.length,
        planned.nodes.reduce((sum, node) => sum + node.count, 0),
        "as many machines as the plan wants",
      );
    });
  }

  it("every stack file disables default providers and sets everything that Pulumi.yaml requires", () => {
    const project = parseYaml(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
    assert.deepEqual(project.runtime, { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } });
    for (const [key, declared] of Object.entries<any>(project.config)) {
      assert.ok(
        ["string", "boolean", "integer", "array"].includes(declared.type),
        `${key}: the engine knows no type ${declared.type}`,
      );
      assert.ok(Object.hasOwn(shapeOf(settingsSchema), key), `${key} is not a setting`);
      assert.ok(declared.description, key);
    }
    const needed = Object.entries<any>(project.config)
      .filter(([, d]) => d.default === undefined)
      .map(([key]) => key);
    for (const stack of stackNames()) {
      const file = parseYaml(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8"));
      assert.deepEqual(file.config["pulumi:disable-default-providers"], ["kubernetes"], stack);
      for (const key of needed) assert.ok(file.config[`matrix-ha:${key}`] !== undefined, `${stack}: ${key}`);
    }
  });

  it("encrypted values become a placeholder that passes where a secret belongs", () => {
    const dir = mkdtempSync(join(tmpdir(), "settings-"));
    try {
      writeFileSync(
        join(dir, "Pulumi.x.yaml"),
        JSON.stringify({
          encryptionsalt: "v1:x",
          config: {
            "other:key": 1,
            ...Object.fromEntries(Object.entries(minimal()).map(([k, v]) => [`matrix-ha:${k}`, v])),
            "matrix-ha:ssh": { privateKey: { secure: "v1:abc" } },
            "matrix-ha:importSecrets": { signingKey: { secure: "v1:abc" } },
            "matrix-ha:tls": { mode: "given", certificate: { secure: "v1:abc" }, privateKey: { secure: "v1:abc" } },
            "matrix-ha:cluster": { kubeconfig: { secure: "v1:abc" } },
            "matrix-ha:objectStore": { ...S3, secretKey: { secure: "v1:abc" }, accessKey: { secure: "v1:abc" } },
          },
        }),
      );
      const raw = readStackConfig("x", dir);
      assert.equal("key" in raw, false);
      assert.equal(settingsOf(raw).importSecrets.signingKey, SECRET_PLACEHOLDER);
      assert.throws(() => readStackConfig("y", dir), /no stack "y".*Stacks here: x/s);
      assert.throws(() => readStackConfig("../x", dir), /no stack/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("settings: from Pulumi's configuration", () => {
  const read = async (config: Record<string, unknown>, run: () => Settings = settingsFromConfig): Promise<any> => {
    let result: unknown;
    await evaluate({
      stack: "prod",
      config,
      program: async () => {
        try {
          result = run();
        } catch (error) {
          result = error;
        }
        return {};
      },
    });
    return result;
  };

  it("reads every key and takes the stack's name as the instance", async () => {
    const settings = await read({ ...minimal(), ccu: "5000" });
    assert.deepEqual([settings.instance, settings.ccu, settings.hosts.length], ["prod", 5000, HOSTS.length]);
  });

  it("fails with all errors as one readable text, without stack trace in the engine", async () => {
    const wrong = { ...minimal(), ccu: "x", domian: "y" };
    const found = await read(wrong);
    assert.ok(found instanceof SettingsInvalid);
    assert.equal(found.errors.length, 2);
    const error = await read(wrong, () => explained(settingsFromConfig));
    assert.ok(error instanceof MessageOnly);
    assert.equal((error as any).__pulumiRunError, true, "the engine prints the message of a RunError alone");
    assert.match(
      error.message,
      /2 settings are wrong; nothing was changed\.[\s\S]*ccu[\s\S]*domian[\s\S]*did you mean `domain`/,
    );
  });
});

/** One valid value of every section that may be left out. */
const OPTIONAL = {
  synapse: { extra: { enable_search: false } },
  acceptOneCallHost: true,
  trustedAuthorities: "[encrypted by pulumi]",
  serverName: "example.org",
  hostnames: { web: "web.example.com" },
  hostDefaults: { cpu: 8 },
  activity: { messagesPerUserHour: 20 },
  coreSpeed: 1.5,
  ssh: { user: "debian" },
  prepareHosts: true,
  cluster: {
    domain: "k8s.example",
    podCidrs: ["10.200.0.0/16", "fd00:1::/56"],
    serviceCidrs: ["10.201.0.0/16", "fd00:2::/112"],
    install: { metallb: false },
  },
  storage: { database: { create: false, name: "nvme" } },
  federation: { enabled: true, domainAllowList: ["matrix.org"] },
  registration: { enabled: true, requireToken: true },
  presence: { enabled: false },
  passwords: { pepper: "pepper", minimumLength: 12, requireDigit: true },
  userDirectory: { searchAllUsers: true },
  rooms: {
    publicationRules: [{ action: "allow", user: "@*:example.com" }],
    aliasRules: [{ action: "deny", alias: "#staff-*" }, { action: "allow" }],
    encryption: "private",
  },
  rateLimits: { messages: { burst: 500 }, federation: { concurrent: 5 } },
  database: { importFrom: { host: "old.example.org", password: "s", majorVersion: 16 } },
  hostAliases: [{ address: "10.0.0.7", names: ["sso.example.com"] }],
  httpProxy: { url: "http://proxy.example.net:3128" },
  terms: { version: "v1", page: "<p>Be kind.</p>" },
  outgoing: { allowedNetworks: ["10.77.0.0/16"], blockedNetworks: ["8.8.8.0/24"] },
  sso: {
    passwordLogin: true,
    oidc: [
      {
        id: "keycloak",
        name: "Keycloak",
        issuer: "https://id.example.com/realms/x",
        clientId: "matrix",
        clientSecret: "s",
      },
    ],
  },
  media: { maxUploadMiB: 500, remoteRetentionDays: 0 },
  retention: { maxLifetimeDays: 365 },
  emailSmtp: { host: "smtp.example.com", from: "Matrix <matrix@example.com>", user: "u", password: "p" },
  objectStore: S3,
  backups: { schedule: "0 0 3 * * SUN" },
  tls: { mode: "own-ca" },
  dataCentre: { self: "dc1", foundedBy: "dc1", primary: "dc1", peers: peers() },
  importSecrets: { signingKey: `ed25519 a_abcd ${"A".repeat(43)}`, databasePassword: "long-enough" },
  stopSynapse: true,
  deletionProtection: false,
  savedKeys: "disposable",
  oldSigningKeys: [{ id: "ed25519:a_old", key: "A".repeat(43), expiredAt: "2026-11-20T14:30:00Z" }],
  turn: { minPort: 40000, maxPort: 44999 },
  rtc: { udpPortMin: 56000, udpPortMax: 59000 },
  firewall: { trustedCidrs: ["10.9.0.0/16"] },
  ingress: { trustedProxies: ["10.9.0.5/32"], proxyProtocol: true },
  web: { admin: { allowCidrs: ["0.0.0.0/0"], allowPublic: true }, elementWeb: { brand: "Example" } },
  monitoring: {
    prometheus: "existing",
    existing: { namespace: "observability", labels: { "app.kubernetes.io/name": "prometheus" } },
    selectorLabels: { release: "kube-prometheus" },
  },
  networkPolicies: { apiServerCidrs: ["10.1.0.50/32"] },
  images: {
    mirror: "registry.example.com:5000/mirror",
    overrides: { synapse: `registry.example.com/synapse:1@sha256:${"a".repeat(64)}` },
  },
  overrides: {
    pools: { synchrotron: { replicas: 3, maxReplicas: 9 } },
    postgres: { parameters: { work_mem: "64MB", autovacuum_max_workers: 5 } },
    redis: { instances: 3 },
  },
  // What layers have that is off by default.
  ...EVERYTHING,
};

type Path = Array<string | number>;
function leavesOf(value: any, path: Path = []): Path[] {
  if (value === null || typeof value !== "object") return [path];
  const below = Object.entries(value).flatMap(([key, child]) =>
    leavesOf(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length > 0 ? [path, ...below] : below;
}

function exists(raw: any, path: string): boolean {
  let value = raw;
  for (const key of path
    .split(/[.[\]]+/)
    .filter((part) => part !== "")
    .map((part) => part.replace(/^"|"$/g, ""))) {
    if (value === null || typeof value !== "object" || !(key in value)) return false;
    value = value[key];
  }
  return true;
}
