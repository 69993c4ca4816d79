import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { masterProxyCfg } from "../../components/layers/redis/masterProxyCfg";
import { redisReadyScript, redisStartScript, redisStopScript } from "../../components/layers/redis/redisStart";
import { sentinelStartScript } from "../../components/layers/redis/sentinelStart";
import {
  checkTopology,
  minReplicas,
  sentinelAddresses,
  type RedisTopology,
} from "../../components/layers/redis/topology";

const topology = (instances: number): RedisTopology => ({
  component: "redis-synapse",
  namespace: "matrix",
  clusterDomain: "cluster.local",
  masterName: "synapse",
  instances,
  quorum: Math.floor(instances / 2) + 1,
});
const scripts = (n: number): string[] => [
  redisStartScript({ ...topology(n), maxmemoryMiB: 1536 }),
  redisStopScript(topology(n)),
  redisReadyScript(topology(n)),
  sentinelStartScript(topology(n)),
];
const bash = (script: string, env: Record<string, string> = {}): string =>
  execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8", env: { PATH: process.env.PATH, ...env } });

/** The function that takes lines of pods beyond the last out of sentinel.conf, alone. */
const functionOf = (script: string, name: string): string =>
  new RegExp(`^${name}\\(\\) \\{\\n[\\s\\S]*?^\\}`, "m").exec(script)![0];

describe("redis scripts", () => {
  for (const n of [3, 5])
    it(`are valid bash with ${n} instances`, () => {
      for (const s of scripts(n)) {
        // It says "syntax error in conditional expression" and calls it success.
        const read = spawnSync("bash", ["-n"], { input: s, encoding: "utf8" });
        assert.deepEqual([read.status, read.stderr], [0, ""]);
      }
    });

  it("know the set by its complete name, without a search list, and its size", () => {
    for (const s of scripts(5)) {
      assert.match(s, /^headless=redis-synapse\.matrix\.svc\.cluster\.local$/m);
      assert.match(s, /^instances=5$/m);
    }
  });

  it("take the password only from the environment", () => {
    for (const s of scripts(3))
      assert.ok(!/-a |--pass|requirepass (?!\$REDISCLI_AUTH)/.test(s.replace(/'\/\^requirepass[^']*'/g, "")), s);
  });

  it("write to the append-only file every second and fence a master without a majority", () => {
    assert.match(redisStartScript({ ...topology(3), maxmemoryMiB: 1536 }), /^appendonly yes\nappendfsync everysec$/m);
    assert.match(redisStartScript({ ...topology(3), maxmemoryMiB: 1536 }), /^min-replicas-to-write 1$/m);
    assert.match(redisStartScript({ ...topology(5), maxmemoryMiB: 1536 }), /^min-replicas-to-write 2$/m);
    for (const n of [3, 5, 7]) assert.ok(2 * (minReplicas(n) + 1) > n, "two masters could both have enough replicas");
  });

  it("do not start as master while the other Sentinels say that this pod is the master", () => {
    const s = redisStartScript({ ...topology(3), maxmemoryMiB: 1 });
    const answers = functionOf(s, "find_master");
    const run = (sequence: string[]): string =>
      bash(
        `set -euo pipefail; me=redis-synapse-0.h; headless=h; own_record=/nonexistent/record; sleep() { :; }; t=$(mktemp); echo 0 > $t
ask_sentinels() { local a=(${sequence.map((x) => `"${x}"`).join(" ")}) i; i=$(cat $t); echo $((i + 1)) > $t; echo "\${a[$i]:-\${a[-1]}}"; }
${answers}
find_master; echo "$m $src $(cat $t)"; rm $t`,
      );
    assert.equal(
      run(["redis-synapse-0.h", "redis-synapse-0.h", "redis-synapse-2.h"]),
      "redis-synapse-2.h sentinels 3\n",
    );
    assert.equal(run(["redis-synapse-1.h"]), "redis-synapse-1.h sentinels 1\n");
    assert.equal(
      run(["redis-synapse-0.h"]),
      "redis-synapse-0.h sentinels 15\n",
      "it gives up after the wait, when no other can be master",
    );
    assert.match(run([""]), /^redis-synapse-0\.h bootstrap/);
  });

  it("never overwrite what a Sentinel knows, and forget pods that are gone", () => {
    const s = sentinelStartScript(topology(3));
    assert.match(s, /if \[ ! -s "\$conf" \]; then/);
    // What Sentinel writes of its own password (a user line, by the hash of the old one) goes with the line that it
    // came from.
    const drops = [.../sed ((?:-e '[^']*' (?:\\\n *)?)+)/.exec(s)![1]!.matchAll(/-e '([^']*)'/g)].flatMap(([, e]) => [
      "-e",
      e!,
    ]);
    const memory = [
      "requirepass old",
      "user default on sanitize-payload #0a1b ~* &* +@all",
      "sentinel auth-pass synapse old",
      "sentinel current-epoch 7",
    ].join("\n");
    assert.equal(
      spawnSync("sed", drops, { input: `${memory}\n`, encoding: "utf8" }).stdout,
      "sentinel current-epoch 7\n",
    );
    assert.match(s, /sentinel resolve-hostnames yes\nsentinel announce-hostnames yes/);
    assert.match(s, /sha1sum/);
    const conf = [
      "sentinel monitor synapse redis-synapse-1.x 6379 3",
      "sentinel known-replica synapse redis-synapse-0.x 6379",
      "sentinel known-sentinel synapse redis-synapse-4.x 26379 abc",
      "sentinel known-sentinel synapse redis-synapse-2.x 26379 def",
      "sentinel current-epoch 7",
    ].join("\n");
    const kept = bash(`instances=3\n${functionOf(s, "without_gone")}\nwithout_gone <<'X'\n${conf}\nX`)
      .trim()
      .split("\n");
    assert.deepEqual(
      kept,
      conf.split("\n").filter((l) => !l.includes("redis-synapse-4")),
    );
  });

  it("give a Sentinel the new quorum when the set grows from 3 to 5", () => {
    const sed = /^sed -e[\s\S]*?"\$conf"/m.exec(sentinelStartScript(topology(5)))![0];
    const out = bash(
      `conf=$(mktemp); cat > $conf <<'X'\nrequirepass "old"\nsentinel monitor synapse redis-synapse-1.x 6379 2\nsentinel current-epoch 7\nX\n${sed}; rm $conf`,
    );
    assert.equal(out, "sentinel monitor synapse redis-synapse-1.x 6379 3\nsentinel current-epoch 7\n");
  });

  it("hand over before a master stops, and accept no writes in between", () => {
    const s = redisStopScript(topology(3));
    assert.ok(
      s.indexOf("client pause") < s.indexOf("sentinel failover") &&
        s.indexOf("sentinel failover") < s.indexOf("replicaof"),
    );
  });
});

describe("the master proxy", () => {
  const check = (n: number): RegExp => new RegExp(/expect rstring (\S+)/.exec(masterProxyCfg(topology(n)))![1]);
  const info = (role: string, replicas: number, good: number): string =>
    `# Replication\r\nrole:${role}\r\nconnected_slaves:${replicas}\r\nmin_slaves_good_slaves:${good}\r\nslave0:ip=x`;

  it("does not believe role:master alone", () => {
    assert.match(info("master", 2, 2), check(3));
    assert.match(info("master", 1, 1), check(3));
    assert.doesNotMatch(info("master", 0, 0), check(3));
    assert.doesNotMatch(info("master", 1, 0), check(3));
    assert.doesNotMatch(info("slave", 1, 1), check(3));
    assert.doesNotMatch(info("master", 4, 1), check(5));
  });

  it("ends the sessions of a demoted master and authenticates from its environment", () => {
    assert.match(masterProxyCfg(topology(3)), /on-marked-down shutdown-sessions/);
    assert.match(masterProxyCfg(topology(3)), /AUTH %\[env\(REDIS_PASSWORD\)\]/);
  });

  it("knows the names of five instances from the start", () => {
    assert.equal(masterProxyCfg(topology(3)).match(/^ {2}server /gm)!.length, 5);
    assert.equal(masterProxyCfg(topology(7)).match(/^ {2}server /gm)!.length, 7);
  });
});

describe("the topology", () => {
  it("is accepted with three to nine instances, an odd number, and the majority as quorum", () => {
    for (const n of [3, 5, 7, 9]) checkTopology(topology(n));
  });
  it("is refused when it could not elect, or tolerates no more losses than one less", () => {
    for (const n of [1, 2, 4, 10, 11])
      assert.throws(() => checkTopology(topology(n)), {
        message: `redis.instances is ${n}: 3, 5, 7 or 9 are allowed, because a majority of the Sentinels must survive the loss of one, and an even number tolerates no more losses. Set overrides.redis.instances to 3 or 5.`,
      });
  });
  it("is refused with a quorum that a minority reaches, or that the loss of a minority prevents", () => {
    for (const [instances, quorum, majority, lost] of [
      [3, 1, 2, 1],
      [3, 3, 2, 1],
      [5, 2, 3, 2],
      [5, 4, 3, 2],
    ] as const)
      assert.throws(() => checkTopology({ ...topology(instances), quorum }), {
        message: `redis quorum is ${quorum} for ${instances} instances: only ${majority} (the majority) is allowed. A smaller quorum would start failovers that a minority cannot finish, a larger one would not survive the loss of ${lost}. Leave the quorum to the plan.`,
      });
  });
  it("names every Sentinel completely", () =>
    assert.deepEqual(
      sentinelAddresses(topology(3))[2],
      "redis-synapse-2.redis-synapse.matrix.svc.cluster.local:26379",
    ));
});
