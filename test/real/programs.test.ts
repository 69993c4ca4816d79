/**
 * Every other program of the stack starts with its generated configuration, uses it unchanged, and prints no warning.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as dgram from "node:dgram";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { PodTemplate, Subject } from "../../policy/types";
import { crdProblems } from "../helpers/crdSchemas";
import { CONFIGURATIONS, domain, subjectFor } from "../../lab/real/configurations";
import { count, note } from "../../lab/real/counts";
import { answers, Network, nextAddress } from "../../lab/real/network";
import { inImage, initDatabase, PG, query } from "../../lab/real/postgres";
import { PROMTOOL } from "../../lab/real/programs";

const imageName = (image: string): string => image.replace(/@.*$/, "").split("/").pop()!.split(":")[0]!;
const using = (s: Subject, image: string): PodTemplate[] =>
  s.templates.filter((t) => t.longRunning && t.spec.containers.some((c: any) => imageName(c.image) === image));

/** Texts that several configurations share are read once. */
const seen = new Set<string>();
const isNew = (kind: string, value: unknown): boolean => {
  const key = `${kind} ${crypto.createHash("sha256").update(JSON.stringify(value)).digest("hex")}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
};
const dataOf = (s: Subject, kind: string, namespace: string, name: string | undefined): unknown => {
  const i = s.objects.find((o) => o.kind === kind && o.namespace === namespace && o.name === name)?.inputs;
  return i && [i.data, i.stringData];
};
const configurationOf = (t: PodTemplate, s: Subject): unknown => [
  t.spec.containers.map((c: any) => [c.command, c.args, c.env]),
  (t.spec.volumes ?? []).map((v: any) => [
    v,
    dataOf(s, "ConfigMap", t.owner.namespace, v.configMap?.name),
    dataOf(s, "Secret", t.owner.namespace, v.secret?.secretName),
  ]),
];
const connects = (ip: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const s = net.connect(port, ip, () => {
      s.destroy();
      resolve(true);
    });
    s.on("error", () => resolve(false));
  });

describe("HAProxy", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());
  for (const c of CONFIGURATIONS) {
    it(`${c.name}: accepts its configurations without a warning`, async () => {
      const s = await subjectFor(c);
      for (const t of using(s, "haproxy")) {
        if (!isNew("haproxy", configurationOf(t, s))) {
          count("configurations equal to one already read");
          continue;
        }
        const pod = net.pod(t, s.objects, `${t.owner.name}-x${seen.size}`, domain(s));
        const container = pod.containers.find((x) => x.argv[0] === "haproxy")!;
        const check = await net.run(pod, container, [
          "haproxy",
          "-c",
          "-dW",
          ...container.argv.slice(1).filter((a) => a !== "-db"),
        ]);
        assert.equal(check.status, 0, check.output);
        assert.doesNotMatch(check.output, /WARNING|ALERT|NOTICE.*deprecated/i);
        count("HAProxy configurations checked with -c -dW");
        const running = net.startContainer(pod, container);
        await running.until(async () => (await answers(`http://${pod.ip}:8404/healthz`)) === 200, 60);
        assert.doesNotMatch(running.output, /\[(WARNING|ALERT)\].*(unknown|deprecated|ignored)/i);
        await running.stop("SIGUSR1");
        count("HAProxy processes started");
      }
    });
  }
});

describe("PostgreSQL and PgBouncer", () => {
  let net: Network, template: string;
  before(async () => {
    net = await new Network().start();
    template = initDatabase(net, path.join(net.dir, "initdb"));
  });
  after(() => net.close());

  const psql = (host: string, port: number, database: string, sql: string): Promise<string> =>
    query(net, { host, port, name: database }, sql);

  for (const c of CONFIGURATIONS) {
    it(`${c.name}: PostgreSQL starts with its parameters and has them; PgBouncer likewise, and reaches it`, async function () {
      const s = await subjectFor(c);
      const cluster = s.objects.find((o) => o.kind === "Cluster" && o.apiVersion.startsWith("postgresql.cnpg.io"))!;
      const pooler = s.objects.find((o) => o.kind === "Pooler")!;
      const wanted: Record<string, string> = { ...cluster.inputs.spec.postgresql.parameters },
        pgbouncer: Record<string, string> = pooler.inputs.spec.pgbouncer.parameters;
      if (!isNew("postgres", [wanted, pgbouncer])) {
        count("configurations equal to one already read");
        return;
      }
      // PostgreSQL reserves its buffers and touches them as it uses them: what the kernel refuses to reserve is scaled,
      // the rest is as generated.
      const bytes = (v: string): number =>
        Number(/^\d+/.exec(v)![0]) *
        ({ kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }[/[a-zA-Z]+$/.exec(v)?.[0] ?? "kB"] ?? 1);
      const most = Math.floor((os.totalmem() * 0.7) / 1024 ** 3);
      if (wanted.shared_buffers && bytes(wanted.shared_buffers) > most * 1024 ** 3) {
        note(
          `PostgreSQL of ${s.settings.ccu.toLocaleString("en")} users: shared_buffers ${wanted.shared_buffers} is more than this machine can reserve; it was started with ${most}GB. Every other parameter as generated.`,
        );
        wanted.shared_buffers = `${most}GB`;
      }
      const dir = path.join(net.dir, `pg${seen.size}`);
      fs.mkdirSync(path.join(dir, "data"), { recursive: true });
      execFileSync("cp", ["-a", template, path.join(dir, "data/data")]);
      fs.writeFileSync(
        path.join(dir, "data/data/postgresql.auto.conf"),
        Object.entries(wanted)
          .map(([k, v]) => `${k} = '${v}'`)
          .join("\n"),
      );
      fs.chmodSync(dir, 0o755);
      const ip = nextAddress(),
        ns = net.namespace(ip);
      // As the operator does when it sees parameters of this extension.
      const preload = Object.keys(wanted).some((k) => k.startsWith("pg_stat_statements."))
        ? ["-c", "shared_preload_libraries=pg_stat_statements"]
        : [];
      const server = net.spawn(
        ns,
        inImage(
          "postgresql",
          dir,
          [`${PG}/postgres`, "-D", "/mnt/data", "-c", "logging_collector=off", ...preload],
          26,
        ),
        "postgres",
      );
      await server.until(() => /ready to accept connections/.test(server.output), 60);
      const rows = (
        await psql(
          ip,
          5432,
          "postgres",
          "select name, source, pending_restart, case when unit is null then setting else current_setting(name) end from pg_settings",
        )
      )
        .split("\n")
        .map((l) => l.split("|"));
      const bad = await psql(ip, 5432, "postgres", "select name, error from pg_file_settings where error is not null");
      assert.equal(bad, "", "settings that PostgreSQL refuses");
      for (const name of Object.keys(wanted)) {
        const row = rows.find((r) => r[0] === name.toLowerCase());
        assert.ok(row, `PostgreSQL does not know ${name}`);
        assert.equal(row[1], "configuration file", `${name} is not taken from the configuration`);
        assert.equal(row[2], "f", name);
      }
      assert.doesNotMatch(server.output, /WARNING|unrecognized|deprecated|FATAL|PANIC/);
      count("PostgreSQL servers started");
      count("PostgreSQL parameters in effect", Object.keys(wanted).length);

      const bdir = path.join(net.dir, `pgb${seen.size}`);
      fs.mkdirSync(path.join(bdir, "data"), { recursive: true });
      fs.chmodSync(bdir, 0o755);
      const own = {
        listen_addr: "*",
        listen_port: "5432",
        unix_socket_dir: "",
        auth_type: "any",
        admin_users: "postgres",
        stats_users: "postgres",
        pool_mode: pooler.inputs.spec.pgbouncer.poolMode,
      };
      fs.writeFileSync(
        path.join(bdir, "data/pgbouncer.ini"),
        `[databases]\n* = host=${ip} port=5432 user=postgres\n[pgbouncer]\n${Object.entries({ ...own, ...pgbouncer })
          .map(([k, v]) => `${k} = ${v}`)
          .join("\n")}\n`,
      );
      const bip = nextAddress(),
        bns = net.namespace(bip);
      const bouncer = net.spawn(
        bns,
        inImage("pgbouncer", bdir, ["/usr/sbin/pgbouncer", "/mnt/pgbouncer.ini"], 998),
        "pgbouncer",
      );
      await bouncer.until(async () => (await psql(bip, 5432, "postgres", "select 1")) === "1", 60);
      const config = new Map(
        (await psql(bip, 5432, "pgbouncer", "show config")).split("\n").map((l) => l.split("|") as [string, string]),
      );
      for (const [k, v] of Object.entries(pgbouncer))
        assert.equal(config.get(k), v, `PgBouncer has ${k}=${config.get(k)}, generated is ${v}`);
      assert.equal(config.get("pool_mode"), pooler.inputs.spec.pgbouncer.poolMode);
      assert.doesNotMatch(bouncer.output, /WARNING|ERROR|unrecognized|unknown parameter/i);
      count("PgBouncer processes started");
      count("PgBouncer parameters in effect", Object.keys(pgbouncer).length);
      await bouncer.stop();
      await server.stop("SIGINT");
      fs.rmSync(dir, { recursive: true, force: true });
    });
  }
});

describe("nginx", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());
  for (const c of CONFIGURATIONS) {
    it(`${c.name}: accepts the sites' configurations and serves them`, async () => {
      const s = await subjectFor(c);
      for (const t of ["nginx-unprivileged", "element-web", "ketesa"].flatMap((i) => using(s, i))) {
        if (!isNew("nginx", configurationOf(t, s))) {
          count("configurations equal to one already read");
          continue;
        }
        // The admin UI's proxy resolves the router's name when it starts.
        net.dns.a.set(`haproxy.matrix.svc.${domain(s)}`, ["10.90.0.1"]);
        const pod = net.pod(t, s.objects, `${t.owner.name}-n${seen.size}`, domain(s));
        const container = pod.containers[0]!;
        const test = await net.run(pod, container, [
          ...container.argv.slice(0, 1),
          "-t",
          "-e",
          "/dev/stderr",
          "-c",
          "/conf/nginx.conf",
        ]);
        assert.equal(test.status, 0, test.output);
        assert.doesNotMatch(test.output, /\[(warn|emerg|alert|error)\]/);
        const running = net.startContainer(pod, container);
        await running.until(async () => (await answers(`http://${pod.ip}:8080/healthz`)) === 200, 60);
        assert.doesNotMatch(running.output, /\[(warn|emerg|alert|error)\]/);
        for (const o of s.objects.filter(
          (x) => x.kind === "ConfigMap" && t.spec.volumes?.some((v: any) => v.configMap?.name === x.name),
        )) {
          for (const [file, text] of Object.entries<string>(o.inputs.data))
            if (file.endsWith(".json")) JSON.parse(text);
        }
        await running.stop();
        count("nginx processes started");
      }
    });
  }
});

describe("coturn", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());
  for (const c of CONFIGURATIONS) {
    it(`${c.name}: starts, answers STUN, and knows each of its options`, async () => {
      const s = await subjectFor(c);
      for (const t of using(s, "coturn")) {
        if (!isNew("coturn", configurationOf(t, s))) {
          count("configurations equal to one already read");
          continue;
        }
        const pod = net.pod(t, s.objects, `${t.owner.name}-t${seen.size}`, domain(s));
        const running = net.startContainer(pod, pod.containers[0]!);
        await running.until(() => connects(pod.ip, 3478), 60);
        const stun = Buffer.concat([Buffer.from("000100002112a442", "hex"), crypto.randomBytes(12)]);
        // As STUN clients do (RFC 8489, 6.2.1), the request is sent again until there is an answer.
        const u = dgram.createSocket("udp4");
        let reply: Buffer | undefined;
        u.on("message", (m) => {
          reply ??= m;
        });
        await running.until(() => {
          if (!reply) u.send(stun, 3478, pod.ip);
          return reply !== undefined;
        }, 60);
        u.close();
        assert.equal(reply!.readUInt16BE(0), 0x0101);
        if (c.config.tls && (c.config.tls as any).mode !== "acme")
          await running.until(() => connects(pod.ip, s.settings.turn.tlsPort), 60);
        assert.doesNotMatch(
          running.output,
          /bad config|unknown (option|argument)|unrecognized|deprecated|cannot (start|load|find)|ERROR/i,
        );
        await running.stop();
        count("coturn processes started");
      }
    });
  }
});

describe("Prometheus' rules and operators' objects", () => {
  for (const c of CONFIGURATIONS) {
    it(`${c.name}: promtool accepts every rule; every custom resource fits its operator's own schema`, async () => {
      const s = await subjectFor(c);
      let unknown = 0;
      for (const o of s.objects) {
        const problems = crdProblems(o.inputs);
        if (problems === undefined) {
          if (/\./.test(o.apiVersion) && !/k8s\.io|^(apps|batch|policy|autoscaling)/.test(o.apiVersion)) {
            unknown += 1;
            note(`No vendored schema for ${o.apiVersion} ${o.kind}.`);
          }
          continue;
        }
        assert.deepEqual(problems, [], `${o.kind} ${o.name}`);
        count("custom resources that fit their schema");
      }
      for (const o of s.objects.filter((x) => x.kind === "PrometheusRule")) {
        if (!isNew("rules", o.inputs.spec)) {
          count("configurations equal to one already read");
          continue;
        }
        const file = path.join(os.tmpdir(), `rules-${process.pid}.json`);
        fs.writeFileSync(file, JSON.stringify({ groups: o.inputs.spec.groups }));
        const r = spawnSync(PROMTOOL, ["check", "rules", file], { encoding: "utf8" });
        assert.equal(r.status, 0, r.stdout + r.stderr);
        count("alert rules accepted by promtool", o.inputs.spec.groups.flatMap((g: any) => g.rules).length);
        fs.rmSync(file);
      }
      assert.equal(unknown, 0);
    });
  }
});
