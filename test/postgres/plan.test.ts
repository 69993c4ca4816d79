/** What the plan says of the database: its room, its services, the cost of failures, what stays true of backups. */
import assert from "node:assert/strict";
import {
  postgresDemands,
  postgresFailures,
  postgresNotes,
  postgresServices,
  postgresZoneLoss,
  survivesLoss,
} from "../../components/layers/postgres/plan";
import { databaseGuard } from "../../components/layers/postgres/holds";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { planned } from "./planned";

type Change = (s: Settings, p: Plan) => void;

describe("the database in the plan", () => {
  it("asks for a database host for each instance, and for room for the poolers anywhere", () => {
    const { settings, plan } = planned((_, p) => {
      p.postgres.instances = 5;
    });
    assert.deepEqual(postgresDemands(settings, { ...plan, pools: [] }), [
      {
        name: "postgres",
        role: "database",
        replicas: 5,
        maxReplicas: 5,
        cpu: 6,
        memoryMiB: 24_576,
        tied: true,
        setting: "overrides.postgres",
      },
      { name: "postgres-pooler", role: "application", replicas: 3, maxReplicas: 3, cpu: 0.25, memoryMiB: 256 },
    ]);
  });

  it("is two services", () => {
    assert.deepEqual(postgresServices(planned()), [
      {
        service: "PostgreSQL",
        instances: 3,
        cpu: 6,
        memoryMiB: 24_576,
        what: "shared_buffers 8192MB, 1,651 GiB data and 1,139 GiB WAL each",
      },
      {
        service: "PgBouncer",
        instances: 3,
        cpu: 0.25,
        memoryMiB: 256,
        what: "session mode, 1,314 clients each",
      },
    ]);
  });
});

describe("the plan's notes about backups", () => {
  const notes = (change: Change): string[] => postgresNotes(planned(change));
  const offSite: Change = (_, p) => {
    p.backups!.onSite = false;
  };
  const onSite = (accepted: string): string =>
    `Backups are in the MinIO of the same hosts: the loss of the site takes the database and its backups together${accepted}. backups.target names an S3 elsewhere.`;
  const shared = (because: string): string =>
    `The WAL shares the file system of the data, because ${because}: WAL that cannot be archived fills both. Bound it yourself, 1139 GiB on each database host.`;

  it("say that there are none", () => {
    assert.deepEqual(
      notes((_, p) => {
        p.backups = undefined;
      }),
      ["Backups are off (backups.enabled): a database that is lost does not come back."],
    );
  });

  it("say that the site takes them along, and from 501 users that this was accepted", () => {
    const users =
      (ccu: number): Change =>
      (s) => {
        s.ccu = ccu;
      };
    assert.deepEqual(notes(users(500)), [onSite("")]);
    assert.deepEqual(notes(users(501)), [onSite(" (accepted: backups.acceptNoOffsite)")]);
    assert.deepEqual(notes(offSite), []);
  });

  it("say that the WAL has no file system of its own, and why", () => {
    assert.deepEqual(
      notes((s, p) => {
        offSite(s, p);
        s.prepareHosts = false;
      }),
      [shared("prepareHosts is false")],
    );
    assert.deepEqual(
      notes((s, p) => {
        offSite(s, p);
        s.cluster.install.localPathProvisioner = false;
      }),
      [shared("the provisioner of local volumes or its folder is not this stack's")],
    );
    assert.deepEqual(
      notes((s) => {
        s.prepareHosts = false;
      }),
      [onSite(" (accepted: backups.acceptNoOffsite)"), shared("prepareHosts is false")],
    );
  });

  it("do not speak of a file system where volumes have a size of their own", () => {
    for (const prepareHosts of [true, false])
      assert.deepEqual(
        notes((s, p) => {
          offSite(s, p);
          s.prepareHosts = prepareHosts;
          s.storage.database = { create: true, name: "fast", provisioner: "csi.example.com", parameters: {} };
        }),
        [],
      );
  });
});

describe("what the database's failures cost", () => {
  const LOSSES = [
    {
      failure: "PostgreSQL primary: pod",
      effect: "sends fail or wait, reads from caches go on; no acknowledged write is lost",
      seconds: 32,
      source: "measured: 21 to 32 s until writes (failover within the primary's lease)",
    },
    {
      failure: "PostgreSQL primary: node",
      effect: "as its pod; the instance returns with its node",
      seconds: 60,
      source: "target; the pod's failover measured, the loss of a node adds its detection",
    },
    { failure: "PostgreSQL primary: node drained", effect: "switchover", seconds: 11, source: "measured: 10.7 s" },
    {
      failure: "PostgreSQL pooler: pod",
      effect: "its sessions break and reconnect through another",
      seconds: 8,
      source: "measured: 6 to 8 s",
    },
  ];
  const restore = (effect: string): object => ({
    failure: "PostgreSQL: every instance, or its data",
    effect,
    seconds: 3966,
    source: "estimate, not measured at size: 368 GiB at 100 MiB/s, then the WAL since the last base backup at 30 MiB/s",
  });

  it("is a failover, or a restore from the archive, which the site may take along", () => {
    assert.deepEqual(postgresFailures(planned()), [
      ...LOSSES,
      restore(
        "restored from the archive by hand; nothing is served meanwhile, and nothing is left where the site is lost",
      ),
    ]);
    const elsewhere = planned((_, p) => {
      p.backups!.onSite = false;
    });
    assert.deepEqual(postgresFailures(elsewhere), [
      ...LOSSES,
      restore("restored from the archive by hand; nothing is served meanwhile"),
    ]);
  });

  it("names no restore without backups", () => {
    assert.deepEqual(
      postgresFailures(
        planned((_, p) => {
          p.backups = undefined;
        }),
      ),
      LOSSES,
    );
  });

  it("is no write as long as a standby that has every write is left, and enough others to confirm the next", () => {
    const survives = (instances: number, syncStandbys: number, lost: number): boolean =>
      survivesLoss({ instances, syncStandbys } as Plan["postgres"], lost);
    for (const [instances, confirm, most] of [
      [3, 1, 1],
      [4, 1, 1], // of two that are lost, one may be the only standby that has a write
      [4, 2, 1],
      [5, 2, 2],
      [6, 2, 2],
      [7, 3, 3],
      [9, 4, 4],
    ] as const)
      for (let lost = 1; lost < instances; lost++)
        assert.equal(survives(instances, confirm, lost), lost <= most, `${lost} of ${instances}, ${confirm} confirm`);
  });
});

describe("the loss of a zone", () => {
  /** Hosts of both roles in these zones, one each. */
  const inZones =
    (database: string[], application: string[], more: Partial<Plan["postgres"]> = {}): Change =>
    (s, p) => {
      const [like] = s.hosts;
      s.hosts = [
        ...database.map((zone, i) => ({ ...like!, name: `db-${i}`, zone, roles: ["database" as const] })),
        ...application.map((zone, i) => ({ ...like!, name: `app-${i}`, zone, roles: ["application" as const] })),
      ];
      Object.assign(p.postgres, { instances: database.length }, more);
    };
  const loss = (zone: string, change: Change): unknown[] =>
    postgresZoneLoss(planned(change), { name: zone, lost: [], left: [] });

  const poolers = {
    part: "PostgreSQL pooler",
    outcome: "recovers",
    effect: "its sessions there break and reconnect through another",
    seconds: 8,
    source: "measured: 6 to 8 s with one pod",
  };

  it("costs a failover where each of three zones has one instance of three", () => {
    assert.deepEqual(loss("b", inZones(["a", "b", "c"], ["a", "b", "c"])), [
      {
        part: "PostgreSQL",
        outcome: "recovers",
        effect: "at worst a failover; no acknowledged write is lost",
        seconds: 60,
        source: "target; the pod's failover measured. 1 of 3 instances are there, 1 of 2 standbys confirm a write",
      },
      poolers,
    ]);
  });

  it("stops all writes where two of three instances are there, and may take acknowledged ones with it", () => {
    assert.deepEqual(loss("a", inZones(["a", "a", "b"], ["b"])), [
      {
        part: "PostgreSQL",
        outcome: "stops",
        effect:
          "nothing can be sent; acknowledged writes may exist there only, so a restore elsewhere may lack the last ones",
        seconds: 0,
        source: "2 of 3 instances are there, 1 of 2 standbys confirm a write",
        remedy: "Put the database hosts into three zones, so that none has half of the instances",
      },
    ]);
  });

  it("stops all writes but loses none where no more instances are there than confirm a write", () => {
    assert.deepEqual(loss("a", inZones(["a", "a", "b", "b"], ["b"], { syncStandbys: 2 })), [
      {
        part: "PostgreSQL",
        outcome: "stops",
        effect: "nothing can be sent; no acknowledged write is lost",
        seconds: 0,
        source: "2 of 4 instances are there, 2 of 3 standbys confirm a write",
        remedy: "Put the database hosts into three zones, so that none has half of the instances",
      },
    ]);
  });

  it("costs nothing of what is not there", () => {
    assert.deepEqual(loss("c", inZones(["a", "b", "b"], ["a", "b"])), []);
  });

  it("takes the way to the database where all poolers are there", () => {
    assert.deepEqual(loss("c", inZones(["a", "b", "b"], ["c"])), [
      {
        part: "PostgreSQL pooler",
        outcome: "stops",
        effect: "Synapse reaches no database",
        seconds: 0,
        source: "all 3 may be in the zone",
        remedy: "Put application hosts into several zones",
      },
    ]);
  });
});

describe("volumes of a deployed database", () => {
  const lost = (held: object): object[] => databaseGuard.lost(held, planned());

  it("are remembered by their sizes", () => {
    assert.deepEqual(databaseGuard.now(planned()), { storageGiB: 1651, walStorageGiB: 1139 });
  });

  it("may stay or grow", () => {
    assert.deepEqual(lost({ storageGiB: 1651, walStorageGiB: 1139 }), []);
    assert.deepEqual(lost({ storageGiB: 1650, walStorageGiB: 10 }), []);
  });

  it("are not known of a stack that was deployed before they were remembered", () => {
    assert.deepEqual(lost({}), []);
  });

  it("never shrink, and the error names the size that they have", () => {
    assert.deepEqual(lost({ storageGiB: 1652, walStorageGiB: 1140 }), [
      {
        path: "overrides.postgres.storageGiB",
        given: "1651 GiB, where the deployed volumes have 1652 GiB",
        allowed: "at least 1652: volumes of a database never shrink",
        remedy: "set overrides.postgres.storageGiB: 1652",
      },
      {
        path: "overrides.postgres.walStorageGiB",
        given: "1139 GiB, where the deployed volumes have 1140 GiB",
        allowed: "at least 1140: volumes of a database never shrink",
        remedy: "set overrides.postgres.walStorageGiB: 1140",
      },
    ]);
  });
});
