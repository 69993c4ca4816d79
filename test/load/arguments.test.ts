/** What `npm run load` is told, and how its processes are named and counted. */
import assert from "node:assert/strict";
import { readArguments } from "../../lab/load/arguments";
import { partOf } from "../../lab/load/realTarget";
import { cgroupRoot, usageSeconds } from "../../lab/load/usage";

const read = (...argv: string[]): ReturnType<typeof readArguments> => readArguments(argv, ["send", "wake"]);

describe("load: arguments", () => {
  it("have defaults, and are read", () => {
    assert.deepEqual(read(), {
      users: 40,
      rate: undefined,
      seconds: 60,
      seed: 1,
      json: undefined,
      measure: false,
      only: undefined,
      step: 10,
      repeats: 2,
      slower: 1,
      againstOne: false,
      rates: [0.5, 1, 2, 4, 8],
      built: false,
      compare: undefined,
      calibrate: false,
    });
    const { users, rate, seconds, seed } = read("--users", "100", "--rate", "2.5", "--seconds", "30", "--seed", "9");
    assert.deepEqual([users, rate, seconds, seed], [100, 2.5, 30, 9]);
    assert.deepEqual(read("--measure", "--only", "send,wake", "--repeats", "1").only, ["send", "wake"]);
    assert.deepEqual(read("--against-one", "--rates", "1,3.5", "--users", "20").rates, [1, 3.5]);
  });

  it("are refused with what is allowed", () => {
    assert.throws(() => read("--users", "1"), /--users 1: give a whole number from 2 to 2000/);
    assert.throws(() => read("--users", "2.5"), /whole number/);
    assert.throws(() => read("--rate", "fast"), /--rate fast: give a number from 0 to 1000/);
    assert.throws(() => read("--seconds", ""), /--seconds : give a number/);
    assert.throws(() => read("--only", "send"), /--only is not for a run without --measure/);
    assert.throws(() => read("--measure", "--users", "10"), /--users is not for a run with --measure/);
    assert.throws(() => read("--measure", "--only", "sned"), /--only sned: the experiments are send, wake/);
    assert.throws(() => read("--rates", "1,2"), /--rates is not for a run without --against-one/);
    assert.throws(() => read("--against-one", "--rates", "2,1"), /--rates 2,1: give them in rising order/);
    assert.throws(() => read("--against-one", "--rate", "2"), /--rate is not for a run with --against-one/);
    assert.throws(() => read("--against-one", "--measure"), /two runs/);
    assert.throws(() => read("--compare", "f", "--measure"), /--compare stands alone/);
    assert.throws(() => read("--calibrate", "--users", "5"), /--calibrate stands alone/);
    assert.throws(() => read("--user", "10"), /did you mean --users/);
  });
});

describe("load: parts of the homeserver", () => {
  it("are told by the names of their processes, of StatefulSets and of Deployments", () => {
    assert.equal(partOf("synapse-main-0/synapse"), "main");
    assert.equal(partOf("synapse-event-persister-1/synapse"), "event-persister");
    assert.equal(partOf("synapse-initial-sync-7d9f8b6c5-1000x/synapse"), "initial-sync");
    assert.equal(partOf("haproxy-x/haproxy"), "router");
    assert.equal(partOf("postgres"), "postgres");
    assert.equal(partOf("pgbouncer"), "pgbouncer");
  });

  it("are counted by cgroup v2, wherever it is mounted", () => {
    assert.equal(
      cgroupRoot("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"),
      "/sys/fs/cgroup/unified",
    );
    assert.equal(cgroupRoot("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"), "/sys/fs/cgroup");
    assert.throws(() => cgroupRoot("tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"), /cgroup v2 is not mounted/);
    assert.equal(usageSeconds("usage_usec 1500000\nuser_usec 1\n"), 1.5);
    assert.throws(() => usageSeconds("user_usec 1\n"), /no usage_usec/);
  });
});
