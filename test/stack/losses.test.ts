/** A deployment that would lose what the deployed stack holds is refused before anything is registered. */
import assert from "node:assert/strict";
import { compare } from "../../cli/diff";
import { evaluate } from "../../cli/evaluate";
import { heldBy, losses } from "../../components/holds";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { applySets } from "../../components/settings/stackFile";
import { tier, WITHOUT_OPERATORS } from "../../lab/common/tiers";

const S3 =
  "{kind: s3, endpoint: https://s3.example.net, bucket: media, accessKey: AKIAEXAMPLE, secretKey: s3-secret-key";
const AWAY = "https://s3.example.net/media";
const config = (sets: string[] = []): Record<string, unknown> =>
  applySets(tier(1000, { more: WITHOUT_OPERATORS }).config, sets);

function input(sets: string[]): Parameters<typeof heldBy>[0] {
  const { settings, errors } = resolveSettings(config(sets), "test");
  assert.deepEqual(errors, []);
  return { settings: settings!, plan: plan(settings!) };
}
/** As the state returns them: plain data. */
const deployed = (sets: string[]): Record<string, unknown> =>
  JSON.parse(JSON.stringify({ holds: heldBy(input(sets)) })) as Record<string, unknown>;
const lost = (before: string[], after: string[]): Array<[path: string, remedy: string]> =>
  losses(deployed(before), input(after)).map((e) => [e.path, e.remedy]);

const MOVING = `objectStore=${S3}, moveFrom: {store: minio, survives: zone}}`,
  COPIED = `objectStore=${S3}, moveFrom: {store: minio, survives: zone, copied: true}}`,
  MOVED = `objectStore=${S3}}`;

describe("a deployment is refused that", () => {
  it("takes MinIO away while it holds the media; the message has the setting that keeps both", () => {
    const [[path, remedy]] = lost([], [MOVED]) as [[string, string]];
    assert.equal(path, "objectStore");
    assert.match(remedy, /moveFrom: \{store: "minio", survives: zone\}/);
    assert.deepEqual(lost([], [MOVING]), []);
  });
  it("ends a move before everything is copied, and none that comes after that", () => {
    assert.match(lost([MOVING], [MOVED])[0]![1], /copied: true.*pulumi up/);
    assert.deepEqual(lost([MOVING], [COPIED]), []);
    assert.deepEqual(lost([COPIED], [MOVED]), []);
  });
  it("goes back to MinIO without the media that came meanwhile", () => {
    assert.match(lost([MOVING], [])[0]![1], new RegExp(`store: "${AWAY}"`));
    assert.deepEqual(lost([MOVING], [`objectStore={kind: minio, survives: zone, moveFrom: {store: "${AWAY}"}}`]), []);
  });
  it("looks for the media in another bucket", () =>
    assert.equal(
      lost([MOVED], [`objectStore=${S3.replace("bucket: media", "bucket: other")}}`])[0]![0],
      "objectStore",
    ));
  it("gives the server another name, also by another domain", () => {
    assert.match(lost([], ["domain=example.net"])[0]![1], /serverName: example\.org/);
    assert.deepEqual(lost([], ["domain=example.net", "serverName=example.org"]), []);
  });
  it("makes the database's volumes smaller", () => {
    assert.deepEqual(
      lost(["overrides.postgres.storageGiB=300"], ["overrides.postgres.storageGiB=200"]).map(([path]) => path),
      ["overrides.postgres.storageGiB"],
    );
    assert.deepEqual(lost(["overrides.postgres.storageGiB=300"], ["overrides.postgres.storageGiB=301"]), []);
  });
  it("gives MinIO other pools or drives than those it has formatted", () => {
    const held = (minio: object): Record<string, unknown> => ({ holds: { objectstore: { store: "minio", minio } } });
    const now = input([]),
      { pools, drivesPerNode, driveGiB } = now.plan.minio!;
    const paths = (minio: object): string[] => losses(held(minio), now).map((e) => e.path);
    assert.deepEqual(paths({ pools, drivesPerNode, driveGiB }), []);
    assert.deepEqual(paths({ pools: [3, ...pools], drivesPerNode, driveGiB }), ["overrides.minio.pools"]);
    assert.deepEqual(paths({ pools: [...pools, 4], drivesPerNode, driveGiB }), ["overrides.minio.pools"]);
    assert.deepEqual(paths({ pools, drivesPerNode: drivesPerNode + 1, driveGiB }), ["overrides.minio.drivesPerNode"]);
  });
  it("was made of a stack whose outputs are from before, as far as those say", () => {
    const before = {
      serverName: "example.org",
      services: { s3Endpoint: "http://minio-api.minio.svc.cluster.local:9000" },
    };
    assert.deepEqual(losses(before, input([])), []);
    assert.deepEqual(
      losses(before, input([MOVED])).map((e) => e.path),
      ["objectStore"],
    );
    assert.deepEqual(losses({}, input([MOVED])), [], "and nothing of a stack that does not exist");
  });
});

describe("the program", function () {
  this.timeout(300_000);

  it("asks the engine for the last deployment, and refuses before it registers anything", async () => {
    const before = JSON.parse(JSON.stringify(deployed([]))) as Record<string, unknown>;
    let registered = 0;
    const made = evaluate({
      stack: "test",
      config: config([MOVED]),
      deployed: before,
      generator: () => {
        registered++;
        return {};
      },
    });
    await assert.rejects(
      made,
      /objectStore\s+given: +https:\/\/s3\.example\.net\/media, where the media are in the stack's own MinIO[\s\S]*moveFrom/,
    );
    // The stack itself is registered by the engine's own code.
    assert.ok(registered <= 1, String(registered));
  });

  it("keeps MinIO as it was while the media move; Synapse has the new store", async () => {
    const [before, after] = [
      await evaluate({ stack: "test", config: config() }),
      await evaluate({ stack: "test", config: config([MOVING]), deployed: deployed([]) }),
    ];
    const changes = compare(before, after);
    // Its policy changes: nothing but the copy connects to it any more.
    const touched = changes.filter((c) => c.action === "delete" || / minio\//.test(c.title));
    assert.deepEqual(
      touched.map((c) => `${c.action} ${c.title}`),
      ["update NetworkPolicy minio/allow-minio"],
    );
    const secret = after.resources.find((r) => r.inputs?.metadata?.name === "synapse-media-s3")!;
    assert.equal(secret.inputs.stringData.endpoint, "https://s3.example.net");
    const set = (e: typeof before) =>
      e.resources.find((r) => r.type.endsWith(":StatefulSet") && r.inputs.metadata.name === "minio")!;
    assert.equal(set(before).protect, true);
    assert.equal(set(after).protect, true);
    assert.deepEqual(set(after).ignored, ["spec.volumeClaimTemplates"]);
  });

  it("frees MinIO for its removal once everything is copied", async () => {
    const { resources } = await evaluate({ stack: "test", config: config([COPIED]), deployed: deployed([MOVING]) });
    const set = resources.find((r) => r.type.endsWith(":StatefulSet") && r.inputs.metadata.name === "minio")!;
    assert.equal(set.protect, false);
  });
});
