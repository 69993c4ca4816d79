/** MinIO: pools, erasure sets and parity, and every layout that is refused. */
import assert from "node:assert/strict";
import type { SettingsError } from "../../../components/core/errors";
import type { HostSettings, Settings } from "../../../components/settings/types";
import {
  defaultParity,
  layoutFor,
  planMinio,
  poolNodesOf,
  possibleParities,
  setDrivesOfNode,
  survivesNode,
  survivesZone,
  writeQuorum,
} from "../../../components/sizing/minio";
import { bare, disks, host } from "./bare";

/** So many storage hosts with two drives of 1,000 GiB each, in these zones in turn (`-`: in none). */
const stores = (n: number, zones = "-", sizes = [1_000, 1_000]): HostSettings[] =>
  Array.from({ length: n }, (_, i) => {
    const zone = zones[i % zones.length];
    return host(`s-${i + 1}`, ["storage"], {
      disks: disks("object-store", ...sizes),
      ...(zone === "-" ? {} : { zone }),
    });
  });

interface Case {
  hosts: HostSettings[];
  minio?: Settings["overrides"]["minio"];
  survives?: "host" | "zone";
  ccu?: number;
  change?: (s: Settings) => void;
}
const planned = ({ hosts, minio = {}, survives = "host", ccu = 1_000, change }: Case): ReturnType<typeof planMinio> =>
  planMinio(
    bare(ccu, (s) => {
      s.hosts = [host("app-1", ["application"]), ...hosts];
      s.objectStore = { kind: "minio", survives };
      s.overrides.minio = minio;
      change?.(s);
    }),
  );

describe("MinIO's layout", () => {
  it("of four hosts is one pool with one set, of which half is parity", () => {
    assert.deepEqual(planned({ hosts: stores(4) }), {
      minio: {
        nodes: 4,
        drivesPerNode: 2,
        erasureSetDrives: 8,
        parity: 4,
        survives: "host",
        pools: [4],
        driveGiB: 1_000,
        usableGiB: 4_000,
        // 2 TB in GiB, rounded up.
        growthGiBPerYear: 1_863,
        cpu: 4,
        memoryMiB: 8_192,
      },
      errors: [],
      notes: [],
    });
  });

  it("that survives a zone has pools of six, of which two thirds are usable", () => {
    assert.deepEqual(planned({ hosts: stores(12, "abc"), survives: "zone", ccu: 20_000 }), {
      minio: {
        nodes: 12,
        drivesPerNode: 2,
        erasureSetDrives: 12,
        parity: 4,
        survives: "zone",
        pools: [6, 6],
        driveGiB: 1_000,
        usableGiB: 16_000,
        growthGiBPerYear: 37_253,
        cpu: 8,
        memoryMiB: 16_384,
      },
      errors: [],
      notes: [],
    });
  });

  it("is absent where media are elsewhere, and stays while they are being moved away", () => {
    const s3 = (more: object): Case => ({
      hosts: stores(4),
      change: (s) => {
        s.objectStore = { kind: "s3", endpoint: "https://s3.example.net", bucket: "b", ...more } as never;
      },
    });
    assert.deepEqual(planned(s3({})), { errors: [], notes: [] });
    const moved = planned(s3({ moveFrom: { store: "minio" } })).minio!;
    assert.deepEqual([moved.pools, moved.survives, moved.driveGiB], [[4], "host", 1_000]);
  });

  it("takes what overrides give", () => {
    const given = planned({ hosts: stores(4), minio: { parity: 2, driveGiB: 900, cpu: 0.3, memoryMiB: 333 } }).minio!;
    assert.deepEqual(
      [given.parity, given.driveGiB, given.usableGiB, given.cpu, given.memoryMiB],
      // 8 drives of 900 GiB, three quarters of them for data.
      [2, 900, 5_400, 0.3, 333],
    );
    const three = planned({ hosts: stores(5), minio: { nodes: 3, drivesPerNode: 1 } }).minio!;
    assert.deepEqual([three.pools, three.drivesPerNode, three.parity, three.usableGiB], [[3], 1, 1, 2_000]);
    const zonal = planned({ hosts: stores(6, "abc"), survives: "zone", minio: { parity: 5, pools: [3, 3] } });
    assert.deepEqual(
      zonal.errors.map((e) => e.given),
      ["parity 5 with 3 nodes x 2 drives (erasure set of 6)"],
    );
    assert.deepEqual(
      planned({ hosts: stores(6, "abc"), survives: "zone", minio: { parity: 6 } }).minio?.parity,
      6,
      "half of the set",
    );
  });

  it("uses the smallest drive in use, of the largest that each host has", () => {
    const driveGiB = (c: Case): number => planned(c).minio!.driveGiB;
    const uneven = [...stores(3), ...stores(1, "-", [500, 2_000, 800])];
    assert.equal(driveGiB({ hosts: uneven, minio: { drivesPerNode: 2 } }), 800);
    assert.equal(driveGiB({ hosts: uneven, minio: { drivesPerNode: 1 } }), 1_000);
    // Other disks of the host are not MinIO's.
    const mixed = stores(4).map((h) => ({ ...h, disks: [...h.disks, ...disks("database", 10)] }));
    assert.equal(driveGiB({ hosts: mixed }), 1_000);
    const objectStore = (s: Settings): void => {
      s.objectStore = { kind: "minio", survives: "host", driveGiB: 700 };
    };
    assert.equal(driveGiB({ hosts: stores(4), change: objectStore }), 700);
    assert.equal(driveGiB({ hosts: stores(4), change: objectStore, minio: { driveGiB: 600 } }), 600);
  });

  it("without disks in the settings has two drives on each host, which share the anchor's 2 TB", () => {
    const { minio, errors, notes } = planned({ hosts: stores(4, "-", []) });
    assert.deepEqual(errors, []);
    // 1,862 GiB, halved.
    assert.deepEqual([minio!.drivesPerNode, minio!.driveGiB], [2, 931]);
    assert.deepEqual(notes, [
      "No object-store disks are listed on the storage hosts: the 2 drives of a MinIO pod may lie on one disk and be lost together.",
    ]);
    const one = planned({ hosts: stores(4, "-", []), minio: { drivesPerNode: 1, driveGiB: 5 } });
    assert.deepEqual([one.minio!.driveGiB, one.errors, one.notes], [5, [], []]);
    assert.equal(planned({ hosts: stores(4, "-", []), minio: { drivesPerNode: 3 } }).errors.length, 0);
  });

  it("allows a host without drives only where overrides say how many are used, of how many nodes", () => {
    const bareHost = host("x", ["storage"]);
    // Its drives are not known: those of the others are.
    const { minio, errors } = planned({ hosts: [...stores(3), bareHost], minio: { drivesPerNode: 2 } });
    assert.deepEqual([minio!.nodes, minio!.driveGiB, errors], [4, 1_000, []]);
    const some = planned({ hosts: [...stores(4), bareHost], minio: { nodes: 4 } });
    assert.deepEqual([some.minio!.drivesPerNode, some.errors], [2, []]);
  });
});

describe("MinIO's notes", () => {
  const notes = (c: Case): string[] => planned(c).notes;

  it("say which hosts carry no pod, and how the pools grow", () => {
    assert.deepEqual(notes({ hosts: stores(9) }), [
      "1 of 9 storage hosts carry no MinIO pod: the pools have 4 + 4 nodes. A pool never grows; 4 further storage hosts make the next one.",
    ]);
    assert.deepEqual(notes({ hosts: stores(9), minio: { pools: [4] } }), [
      "5 of 9 storage hosts carry no MinIO pod: the pools have 4 nodes. A pool never grows; append one to overrides.minio.pools.",
    ]);
    assert.deepEqual(notes({ hosts: stores(8, "abc"), survives: "zone" }), [
      "2 of 8 storage hosts carry no MinIO pod: the pools have 6 nodes. A pool never grows; the next one takes two further hosts in each zone.",
    ]);
  });

  it("warn of a first pool below four, until it is written down", () => {
    assert.deepEqual(notes({ hosts: stores(3) }), [
      "Object store: 3 storage hosts make one pool of 3, which never changes. Before you add a storage host, set overrides.minio.pools: [3]; otherwise the stack asks for another first pool, and a check before MinIO's start stops the rollout.",
    ]);
    assert.deepEqual(notes({ hosts: stores(3), minio: { pools: [3] } }), []);
    assert.deepEqual(notes({ hosts: stores(6, "abc"), survives: "zone", minio: { pools: [3, 3] } }), []);
  });
});

describe("MinIO's layout is refused", () => {
  const ZONELESS = "or leave objectStore.survives out: media then survive the loss of a host, not of a zone";
  const CASES: Array<[what: string, c: Case, error: SettingsError]> = [
    [
      "with more nodes than hosts",
      { hosts: stores(4), minio: { nodes: 8 } },
      {
        path: "overrides.minio.nodes",
        given: "8",
        allowed: "at most 4, the hosts with the role storage: each carries one MinIO pod",
        remedy: "add 4 storage hosts, or lower it",
      },
    ],
    [
      "where a host lists no disk, and others do",
      { hosts: [...stores(3), host("x", ["storage"])] },
      {
        path: "hosts[4].disks",
        given: 'no disk with use "object-store" on x',
        allowed: "equally many on every storage host",
        remedy: "list its object-store disks, or take the role storage from it",
      },
    ],
    [
      "where a host lists fewer disks than the others",
      { hosts: [...stores(2), host("x", ["storage"], { disks: disks("object-store", 9) }), ...stores(1)] },
      {
        path: "hosts[3].disks",
        given: '1 with use "object-store" on x, others have 2',
        allowed: "equally many on every storage host: every pod has the same drives, for good",
        remedy: "list as many on each, or set overrides.minio.drivesPerNode to the number that is used",
      },
    ],
    [
      "with more drives than a host has; one that lists none may have any number",
      { hosts: [...stores(3), host("x", ["storage"])], minio: { drivesPerNode: 3 } },
      {
        path: "overrides.minio.drivesPerNode",
        given: "3",
        allowed: "at most 2, the object-store disks of the host that has the fewest",
        remedy: "list more disks, or lower it",
      },
    ],
    [
      "with pools of more nodes than there are hosts",
      { hosts: stores(4), minio: { pools: [4, 4] } },
      {
        path: "overrides.minio.pools",
        given: "pools of 4 + 4 nodes: 8",
        allowed: "at most 4 in all: the hosts with the role storage",
        remedy: "add 4 storage hosts, or leave out the newest pool if it was never deployed",
      },
    ],
    [
      "with pools of a node more than overrides allow",
      { hosts: stores(5), minio: { pools: [4], nodes: 3 } },
      {
        path: "overrides.minio.pools",
        given: "pools of 4 nodes: 4",
        allowed: "at most 3 in all: overrides.minio.nodes",
        remedy: "add 1 storage host, or leave out the newest pool if it was never deployed",
      },
    ],
    [
      "with a later pool whose drives make no whole sets",
      { hosts: stores(7), minio: { pools: [4, 3] } },
      {
        path: "overrides.minio.pools",
        given: "a pool of 3 nodes x 2 drives after a first one of 4",
        allowed: "pools whose drives divide into the first pool's erasure sets of 8",
        remedy: "give each later pool a multiple of 4 nodes",
      },
    ],
    [
      "the same where a node's drives do not divide a set: eight nodes are the fewest with whole sets of eight",
      { hosts: stores(12, "-", [9, 9, 9]), minio: { pools: [8, 4] } },
      {
        path: "overrides.minio.pools",
        given: "a pool of 4 nodes x 3 drives after a first one of 8",
        allowed: "pools whose drives divide into the first pool's erasure sets of 8",
        remedy: "give each later pool a multiple of 8 nodes",
      },
    ],
    [
      "with more parity than half of the set",
      { hosts: stores(4), minio: { parity: 5 } },
      {
        path: "overrides.minio.parity",
        given: "parity 5 with 4 nodes x 2 drives (erasure set of 8)",
        allowed: "parity 2 or 3 or 4: at least the 2 drives that leave with a node, at most half of the set",
        remedy: "set parity to 2, or leave it out",
      },
    ],
    [
      "with less parity than leaves with a node",
      { hosts: stores(4), minio: { parity: 1 } },
      {
        path: "overrides.minio.parity",
        given: "parity 1 with 4 nodes x 2 drives (erasure set of 8)",
        allowed: "parity 2 or 3 or 4: at least the 2 drives that leave with a node, at most half of the set",
        remedy: "set parity to 2, or leave it out",
      },
    ],
    [
      "where no set takes equally many drives of each node",
      { hosts: stores(17, "-", [9]), minio: { pools: [17] } },
      {
        path: "overrides.minio.drivesPerNode",
        given: "17 nodes x 1 drive",
        allowed: "drives that divide into equal erasure sets of 2 to 16 with equally many of each node",
        remedy: "change the number of drives per node, or of nodes (overrides.minio.nodes)",
      },
    ],
    [
      "where a node holds half of the set",
      { hosts: stores(2) },
      {
        path: "overrides.minio.drivesPerNode",
        given: "parity 2 with 2 nodes x 2 drives (erasure set of 4)",
        allowed:
          "no parity: a node holds 2 drives, half of the set is 2, and writes need their quorum without that node",
        remedy: "use more storage hosts, or fewer drives on each",
      },
    ],
    [
      "with larger drives than there are",
      { hosts: stores(4), minio: { driveGiB: 1_001 } },
      {
        path: "overrides.minio.driveGiB",
        given: "1001 GiB",
        allowed: "at most 1000 GiB, the smallest object-store disk in use",
        remedy: "set 1000, or leave it out",
      },
    ],
    [
      "the same where the store's own setting says so",
      {
        hosts: stores(4),
        change: (s) => {
          s.objectStore = { kind: "minio", survives: "host", driveGiB: 1_001 };
        },
      },
      {
        path: "objectStore.driveGiB",
        given: "1001 GiB",
        allowed: "at most 1000 GiB, the smallest object-store disk in use",
        remedy: "set 1000, or leave it out",
      },
    ],
    [
      "as one that survives a zone, with hosts in two",
      { hosts: stores(6, "ab"), survives: "zone" },
      {
        path: "objectStore.survives",
        given: "zone, with 6 storage hosts (3 in zone a, 3 in zone b)",
        allowed: "storage hosts in exactly 3 zones",
        remedy: `give each storage host one of 3 zones (racks that fail together are one), ${ZONELESS}`,
      },
    ],
    [
      "as one that survives a zone, with a host in none",
      { hosts: stores(7, "abcabc-"), survives: "zone" },
      {
        path: "objectStore.survives",
        given: "zone, with 7 storage hosts (2 in zone a, 2 in zone b, 2 in zone c, 1 without a zone)",
        allowed: "storage hosts in exactly 3 zones",
        remedy: `give each storage host one of 3 zones (racks that fail together are one), ${ZONELESS}`,
      },
    ],
    [
      "as one that survives a zone, with one host in a zone",
      { hosts: stores(5, "abc"), survives: "zone" },
      {
        path: "objectStore.survives",
        given: "zone, with 5 storage hosts (2 in zone a, 2 in zone b, 1 in zone c)",
        allowed: "two storage hosts in each of 3 zones for every pool",
        remedy: `add storage hosts until each zone has two, ${ZONELESS}`,
      },
    ],
    [
      "as one that survives a zone, with fewer nodes than a pool",
      { hosts: stores(6, "abc"), survives: "zone", minio: { nodes: 5 } },
      {
        path: "objectStore.survives",
        given: "zone, with 6 storage hosts (2 in zone a, 2 in zone b, 2 in zone c)",
        allowed: "two storage hosts in each of 3 zones for every pool, and overrides.minio.nodes at least 6 (it is 5)",
        remedy: `add storage hosts until each zone has two, ${ZONELESS}`,
      },
    ],
    [
      "as one that survives a zone, with pools of four",
      { hosts: stores(12, "abc"), survives: "zone", minio: { pools: [6, 4] } },
      {
        path: "overrides.minio.pools",
        given: "a pool of 4 nodes, with objectStore.survives: zone",
        allowed: "pools of 3 or 6 nodes: as many in each of 3 zones",
        remedy: "use pools of 6; for pools that exist already, leave objectStore.survives out",
      },
    ],
    [
      "as one that survives a zone, where a zone lacks a host for its third of the pools",
      { hosts: stores(8, "abc"), survives: "zone", minio: { pools: [3, 3, 3] } },
      {
        path: "objectStore.survives",
        given: "zone, with 8 storage hosts (3 in zone a, 3 in zone b, 2 in zone c)",
        allowed: "3 storage hosts in each zone, a third of the nodes of overrides.minio.pools (3 + 3 + 3)",
        remedy: "add 1 storage host in zone c, or take the newest pool out before it holds data",
      },
    ],
    [
      "the same where two are missing",
      { hosts: stores(6, "abc"), survives: "zone", minio: { pools: [6, 6] } },
      {
        path: "objectStore.survives",
        given: "zone, with 6 storage hosts (2 in zone a, 2 in zone b, 2 in zone c)",
        allowed: "4 storage hosts in each zone, a third of the nodes of overrides.minio.pools (6 + 6)",
        remedy: "add 2 storage hosts in zone a, or take the newest pool out before it holds data",
      },
    ],
    [
      "as one that survives a zone, with a later pool of another size",
      { hosts: stores(9, "abc"), survives: "zone", minio: { pools: [6, 3] } },
      {
        path: "overrides.minio.pools",
        given: "a pool of 3 nodes x 2 drives after a first one of 6",
        allowed: "pools whose drives divide into the first pool's erasure sets of 12, with equally many of each node",
        remedy: "give each later pool 6 nodes, like the first",
      },
    ],
    [
      "as one that survives a zone, with less parity than leaves with it",
      { hosts: stores(6, "abc"), survives: "zone", minio: { parity: 3 } },
      {
        path: "overrides.minio.parity",
        given: "parity 3 with 6 nodes x 2 drives (erasure set of 12)",
        allowed:
          "4 to 6: at least the 4 drives of a set that leave with a zone (objectStore.survives), at most half of the set",
        remedy: "set parity to 4, or leave it out",
      },
    ],
    [
      "as one that survives a zone, with more parity than half of the set",
      { hosts: stores(6, "abc", [9]), survives: "zone", minio: { parity: 4 } },
      {
        path: "overrides.minio.parity",
        given: "parity 4 with 6 nodes x 1 drive (erasure set of 6)",
        // Half of the set needs a drive more to write: only two of six may be lost then, too.
        allowed:
          "2 to 3: at least the 2 drives of a set that leave with a zone (objectStore.survives), at most half of the set",
        remedy: "set parity to 2, or leave it out",
      },
    ],
  ];
  for (const [what, c, error] of CASES) it(what, () => assert.deepEqual(planned(c).errors, [error]));

  it("without a layout; errors that leave one still show it", () => {
    assert.equal(planned({ hosts: stores(4), minio: { parity: 5 } }).minio, undefined);
    assert.equal(planned({ hosts: stores(7), minio: { pools: [4, 3] } }).minio, undefined);
    assert.equal(planned({ hosts: stores(4), minio: { driveGiB: 1_001 } }).minio!.driveGiB, 1_001);
  });

  it("with all that is wrong at once", () => {
    const paths = (c: Case): string[] => planned(c).errors.map((e) => e.path);
    assert.deepEqual(paths({ hosts: stores(4), minio: { nodes: 8, drivesPerNode: 3, driveGiB: 1_001 } }), [
      "overrides.minio.nodes",
      "overrides.minio.drivesPerNode",
      "overrides.minio.driveGiB",
    ]);
    assert.deepEqual(paths({ hosts: [...stores(3), host("x", ["storage"])], minio: {} }), ["hosts[4].disks"]);
    assert.deepEqual(paths({ hosts: stores(4), minio: { pools: [4, 3], parity: 5 } }), [
      "overrides.minio.pools",
      "overrides.minio.parity",
    ]);
    assert.deepEqual(paths({ hosts: stores(4), minio: { pools: [4, 3] } }), [
      "overrides.minio.pools",
      "overrides.minio.pools",
    ]);
  });

  it("accepted right beside: what each limit allows", () => {
    const accepted: Case[] = [
      { hosts: stores(4), minio: { nodes: 4 } },
      { hosts: stores(4), minio: { drivesPerNode: 2 } },
      { hosts: stores(8), minio: { pools: [4, 4] } },
      { hosts: stores(8), minio: { pools: [3, 3] } },
      { hosts: stores(4), minio: { parity: 2 } },
      { hosts: stores(4), minio: { parity: 3 } },
      { hosts: stores(4), minio: { parity: 4 } },
      { hosts: stores(4), minio: { driveGiB: 1_000 } },
      { hosts: stores(16, "-", [9, 9, 9]), minio: { pools: [8, 8] } },
      { hosts: stores(6, "abc"), survives: "zone", minio: { nodes: 6 } },
      { hosts: stores(6, "abc"), survives: "zone", minio: { parity: 4 } },
      { hosts: stores(9, "abc"), survives: "zone", minio: { pools: [3, 3, 3] } },
      { hosts: stores(3, "abc"), survives: "zone", minio: { pools: [3] } },
    ];
    for (const c of accepted) {
      const { errors, minio } = planned(c);
      assert.deepEqual(errors, [], JSON.stringify(c.minio));
      assert.ok(minio);
    }
  });
});

describe("MinIO's quorums", () => {
  it("need the data drives for a write, and one more where parity is half", () => {
    assert.deepEqual(
      [
        [8, 4],
        [8, 3],
        [12, 4],
        [2, 1],
      ].map(([erasureSetDrives, parity]) => writeQuorum({ erasureSetDrives, parity })),
      [5, 5, 8, 2],
    );
  });

  it("are kept without a node whose drives the parity covers", () => {
    const layout = (erasureSetDrives: number, drivesPerNode: number, parity: number): boolean =>
      survivesNode({ nodes: 4, drivesPerNode, erasureSetDrives, parity });
    // Writes need 5 of 8.
    assert.deepEqual([layout(8, 3, 4), layout(8, 4, 4)], [true, false]);
    assert.equal(setDrivesOfNode({ drivesPerNode: 8, erasureSetDrives: 4 }), 4, "no more than the set has");
    assert.equal(setDrivesOfNode({ drivesPerNode: 2, erasureSetDrives: 8 }), 2);
  });

  it("are kept without a zone where parity is a third of the set", () => {
    const zone = (erasureSetDrives: number, parity: number): boolean => survivesZone({ erasureSetDrives, parity });
    assert.deepEqual([zone(12, 3), zone(12, 4), zone(12, 6)], [false, true, true]);
    // Half of three is none; without a zone two of three are left.
    assert.deepEqual([zone(3, 0), zone(3, 1)], [false, true]);
  });

  it("have MinIO's own parity, but never less than what leaves with a node, nor more than half", () => {
    const parity = [2, 3, 4, 5, 6, 7, 8, 16].map((drives) => defaultParity(drives, 1));
    assert.deepEqual(parity, [1, 1, 2, 2, 3, 3, 4, 4]);
    assert.deepEqual([defaultParity(12, 5), defaultParity(12, 6), defaultParity(12, 7)], [5, 6, 6]);
  });

  it("leave these parities to choose from", () => {
    const layout = layoutFor(4, 2)!;
    assert.deepEqual(layout, { nodes: 4, drivesPerNode: 2, erasureSetDrives: 8, parity: 4 });
    assert.deepEqual(possibleParities(layout), [2, 3, 4]);
    assert.deepEqual(layoutFor(4, 2, 3), { ...layout, parity: 3 });
    assert.equal(layoutFor(17, 1), undefined);
    assert.deepEqual(possibleParities({ nodes: 2, drivesPerNode: 2, erasureSetDrives: 4, parity: 2 }), []);
  });

  it("are those of pools of four, or of six in three zones", () => {
    const nodes = (survives: "host" | "zone"): number =>
      poolNodesOf(bare(100, (s) => (s.objectStore = { kind: "minio", survives })));
    assert.deepEqual([nodes("host"), nodes("zone")], [4, 6]);
  });
});
