import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { HostSettings, Settings } from "../../components/settings/types";
import type { HostRole } from "../../components/domain/roles";
import { SettingsInvalid } from "../../components/core/errors";
import { plan } from "../../components/plan";
import type { Plan } from "../../components/sizing";
import { applyRemedy } from "../../components/sizing/fitErrors";
import { anyCcu, anyOptions, FOURS, invalid, sized, withOptions } from "./helpers";
import { exampleConfig } from "../../cli/exampleStack";
import { resolveSettings } from "../../components/settings";

type Pod = { cpu: number; memoryMiB: number };

/** What the plan puts on application hosts at the autoscalers' maximum; counted here again, operators left out. */
function applicationPods(p: Plan): Pod[] {
  const times = (n: number, x: Pod): Pod[] => Array.from({ length: n }, () => x);
  return [
    ...p.synapse.pools.flatMap((x) => times(x.maxReplicas, x)),
    ...times(p.postgres.pooler.replicas, p.postgres.pooler),
    ...times(p.router.replicas, p.router),
    ...times(p.ingress.replicas, p.ingress),
    ...times(p.redis.instances * (p.rtc ? 2 : 1), p.redis),
    ...times(p.redis.proxy.replicas * (p.rtc ? 2 : 1), p.redis.proxy),
    ...Object.values(p.web).flatMap((x) => times(x.replicas, x)),
    ...(p.monitoring
      ? [
          ...times(p.monitoring.prometheus.replicas, p.monitoring.prometheus),
          ...times(p.monitoring.alertmanager.replicas, p.monitoring.alertmanager),
        ]
      : []),
  ];
}

/** First host with room, in the given order: a simpler scheduler than the one in the plan. */
function allPlaced(pods: Pod[], hosts: HostSettings[]): boolean {
  const room = hosts.map((h) => ({ cpu: h.cpu * 0.95 - 0.5, memoryMiB: (h.memoryGiB * 0.95 - 1) * 1024 }));
  return [...pods]
    .sort((a, b) => b.memoryMiB - a.memoryMiB)
    .every((pod) => {
      const at = room.find((r) => r.cpu >= pod.cpu && r.memoryMiB >= pod.memoryMiB);
      if (at) {
        at.cpu -= pod.cpu;
        at.memoryMiB -= pod.memoryMiB;
      }
      return at !== undefined;
    });
}

const local = (change: (s: Settings) => void = () => undefined): Settings =>
  sized(100, (s) => {
    s.objectStore = { ...FOURS };
    s.hosts = [1, 2, 3].map((i) => ({
      name: `node${i}`,
      address: `10.77.0.1${i}`,
      roles: ["application", "database", "storage", "call"] as HostRole[],
      cpu: 8,
      memoryGiB: 8,
      disks: [],
      ssh: { user: "root", port: 22 },
    }));
    const classes = [
      "main",
      "synchrotron",
      "initial-sync",
      "generic",
      "event-persister",
      "media",
      "ephemeral",
      "account",
      "receipts",
      "device-lists",
      "pusher",
      "background",
      "user-directory",
    ];
    s.overrides.pools = Object.fromEntries(classes.map((c) => [c, { cpu: 0.02, memoryMiB: 160 }]));
    s.overrides.postgres = { cpu: 0.1, memoryMiB: 512, storageGiB: 2, walStorageGiB: 1, parameters: {} };
    s.overrides.redis = { cpu: 0.02, memoryMiB: 64 };
    s.overrides.minio = { drivesPerNode: 1, driveGiB: 2, cpu: 0.05, memoryMiB: 256 };
    for (const part of ["router", "ingress", "turn", "rtc", "web", "monitoring"] as const)
      s.overrides[part] = { cpu: 0.02, memoryMiB: part === "monitoring" ? 256 : 64 };
    change(s);
  });

describe("sizing: hosts", () => {
  it("on the recommended machines everything fits at the autoscalers' maximum with any one host lost", () => {
    fc.assert(
      fc.property(anyCcu(40_000), anyOptions, (ccu, o) => {
        const s = sized(ccu, withOptions(o));
        const p = plan(s);
        const app = s.hosts.filter((h) => h.roles.includes("application"));
        app.forEach((lost) =>
          assert.ok(
            allPlaced(
              applicationPods(p),
              app.filter((h) => h !== lost),
            ),
            `${ccu}: not without ${lost.name}`,
          ),
        );
        const autoscaled = p.synapse.pools.filter((x) => x.kind === "Deployment");
        autoscaled.forEach((x) => assert.ok(x.maxReplicas > x.replicas, `${x.class} has no room to scale at ${ccu}`));
        for (const [role, per] of [
          ["database", p.postgres],
          ["storage", p.minio],
          [
            "call",
            {
              cpu: (p.turn?.cpu ?? 0) + (p.rtc?.cpu ?? 0),
              memoryMiB: (p.turn?.memoryMiB ?? 0) + (p.rtc?.memoryMiB ?? 0),
            },
          ],
        ] as const) {
          for (const h of s.hosts.filter((x) => x.roles.includes(role)))
            if (per)
              assert.ok(
                per.cpu <= h.cpu * 0.95 - 0.5 && per.memoryMiB <= (h.memoryGiB * 0.95 - 1) * 1024,
                `${role} at ${ccu}`,
              );
        }
        for (const f of p.fit)
          assert.ok(
            f.requestedCpu <= f.availableCpu + 0.01 && f.requestedMemoryGiB <= f.availableMemoryGiB + 0.01,
            JSON.stringify(f),
          );
      }),
      { numRuns: 60 },
    );
  });

  it("three hosts that carry every role hold a small deployment, and the plan says what is lost with one", () => {
    const p = plan(local());
    assert.deepEqual([p.minio!.nodes, p.minio!.drivesPerNode, p.minio!.parity], [3, 1, 1]);
    assert.ok(p.notes.some((n) => n.startsWith("3 of 3 hosts carry several roles")));
    assert.equal(p.postgres.parameters.shared_buffers, "128MB");
    assert.match(p.failures.find((f) => f.failure === "Host lost: database")!.effect, /application, storage, call/);
  });

  it("an autoscaler never promises what the hosts cannot hold", () => {
    const s = sized(1000, (x) => {
      x.hosts = x.hosts.filter((h) => h.name !== "app-1");
      x.hosts
        .filter((h) => h.roles.includes("application"))
        .forEach((h) => {
          h.cpu = 10;
          h.memoryGiB = 32;
        });
    });
    const p = plan(s);
    const app = s.hosts.filter((h) => h.roles.includes("application"));
    const full = plan(sized(1000));
    assert.ok(
      p.synapse.pools.some((x, i) => x.maxReplicas < full.synapse.pools[i].maxReplicas),
      "nothing was lowered: the case proves nothing",
    );
    assert.ok(p.notes.some((n) => n.includes("stops at")));
    app.forEach((lost) =>
      assert.ok(
        allPlaced(
          applicationPods(p),
          app.filter((h) => h !== lost),
        ),
      ),
    );
  });

  it("a maximum that is given and does not fit is an error, not a smaller maximum", () => {
    const e = invalid(
      sized(1000, (s) => {
        s.overrides.pools.synchrotron = { maxReplicas: 90 };
      }),
    );
    assert.match(e.message, /synapse-synchrotron/);
    assert.match(e.message, /add \d+ application hosts?/);
  });

  it("names the role, what is missing and the smallest addition", () => {
    const e = invalid(
      sized(5000, (s) => {
        s.hosts = s.hosts.filter((h) => !/^app-[1-4]$/.test(h.name));
      }),
    );
    assert.equal(e.errors.length, 1);
    const [error] = e.errors;
    assert.equal(error.path, "hosts");
    assert.equal(error.given, "4 application hosts (16 CPU / 64 GiB)");
    assert.match(
      error.allowed,
      /with any one host lost: without app-\d, \d+ pods .* of the role application lack [\d.]+ cores/,
    );
    assert.match(error.remedy, /^add 1 application host of \d+ CPU \/ \d+ GiB, /);
  });

  it("with the machines that the errors ask for, the plan is feasible; with two machines less, it is not", () => {
    let refused = 0;
    fc.assert(
      fc.property(
        anyCcu(),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 5 }),
        fc.constantFrom(1, 0.5, 0.25),
        (ccu, apps, dbs, scale) => {
          const s = sized(ccu);
          const keep = (role: HostRole, n: number): HostSettings[] =>
            s.hosts
              .filter((h) => h.roles.includes(role))
              .slice(0, n)
              .map((h) => ({ ...h, cpu: Math.ceil(h.cpu * scale), memoryGiB: Math.ceil(h.memoryGiB * scale) }));
          s.hosts = [
            ...keep("application", apps),
            ...keep("database", dbs),
            ...s.hosts.filter((h) => !h.roles.some((r) => r === "application" || r === "database")),
          ];
          let error: SettingsInvalid;
          try {
            plan(s);
            return;
          } catch (e) {
            assert.ok(e instanceof SettingsInvalid, String(e));
            error = e;
          }
          refused++;
          assert.ok(
            error.remedies.length > 0 && error.errors.every((e) => e.path === "hosts" && e.remedy.length > 0),
            error.message,
          );
          const enough = error.remedies.reduce(applyRemedy, s.hosts);
          assert.doesNotThrow(() => plan({ ...s, hosts: enough }), `${error.message}\nand then`);
          const last = error.remedies[error.remedies.length - 1];
          // Of hosts of several sizes it may ask one too many: their order decides where the last pod finds room.
          if (last.kind === "add" && last.count > 1) {
            const fewer = [...error.remedies.slice(0, -1), { ...last, count: last.count - 2 }].reduce(
              applyRemedy,
              s.hosts,
            );
            assert.throws(() => plan({ ...s, hosts: fewer }), SettingsInvalid);
          }
        },
      ),
      { numRuns: 60 },
    );
    assert.ok(refused > 10, "hardly any case was refused: the property proves nothing");
  });

  it("control-plane hosts alone are an error for each other role", () => {
    const { hosts, ...config } = exampleConfig(1000) as { hosts: Array<{ roles: string[] }> };
    const { errors } = resolveSettings(
      { ...config, hosts: hosts.filter((h) => h.roles.includes("control-plane")) },
      "test",
    );
    for (const role of ["database", "application", "storage", "call"])
      assert.equal(errors.filter((x) => x.remedy.includes(`${role} host`)).length, 1, role);
  });
});
