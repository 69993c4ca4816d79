/** Backups: asked for elsewhere above 500 users, counted in the plan, packed by size. */
import assert from "node:assert/strict";
import { objectStoreSpec } from "../../components/layers/postgres/backups";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { basesPerDay, monthsUntilFull } from "../../components/sizing/backups";
import { readStackConfig } from "../../components/settings/stackFile";
import { tier } from "../../lab/common/tiers";
import { S3 } from "../helpers/example";

const resolved = (ccu: number, backups: object): ReturnType<typeof resolveSettings> =>
  resolveSettings({ ...tier(ccu).config, backups }, "t");
const planned = (ccu: number, backups: object = { acceptNoOffsite: true }): ReturnType<typeof plan> =>
  plan(resolved(ccu, backups).settings!);

describe("backups", () => {
  it("above 500 users they go elsewhere, or their loss with the site is accepted", () => {
    const { errors } = resolved(501, {});
    assert.deepEqual(
      errors.map((e) => e.path),
      ["backups.target"],
    );
    assert.match(errors[0].remedy, /S3 at another site.*backups\.acceptNoOffsite: true/);
    for (const [ccu, backups] of [
      [500, {}],
      [501, { acceptNoOffsite: true }],
      [501, { target: { ...S3, bucket: "backups" } }],
      [501, { enabled: false }],
    ] as const)
      assert.deepEqual(resolved(ccu, backups).errors, [], JSON.stringify(backups));
  });

  it("a note stays while they are on the same hosts", () => {
    assert.match(planned(1000).notes.join("\n"), /same hosts.*accepted: backups\.acceptNoOffsite/);
    assert.doesNotMatch(planned(1000, { target: { ...S3, bucket: "backups" } }).notes.join("\n"), /same hosts/);
  });

  it("the example stacks say how they decided", () => {
    for (const stack of ["small", "large"])
      assert.equal((readStackConfig(stack).backups as any).acceptNoOffsite, true, stack);
  });

  it("the store fills sooner with backups in it, later with fewer of them", () => {
    const daily = planned(1000);
    const weekly = planned(1000, { acceptNoOffsite: true, schedule: "0 0 2 * * 0" });
    const apart = planned(1000, { target: { ...S3, bucket: "backups" } });
    const months = (p: typeof daily): number => monthsUntilFull(p.minio!, p.backups) ?? 25;
    assert.ok(months(daily) < months(weekly), `${months(daily)} < ${months(weekly)}`);
    assert.ok(months(weekly) <= months(apart), `${months(weekly)} <= ${months(apart)}`);
    assert.match(daily.notes.join("\n"), new RegExp(`backups beside them.*about ${months(daily)} months`));
    assert.ok(weekly.backups!.storeGiB < daily.backups!.storeGiB / 3);
  });

  it("a restore and what it copies are in the plan, and grow with the size", () => {
    const [small, large] = [planned(1000), planned(20_000)];
    assert.ok(large.backups!.restoreSeconds > small.backups!.restoreSeconds);
    assert.ok(large.backups!.databaseGiB <= large.postgres.storageGiB);
    const row = small.failures.find((f) => /every instance/.test(f.failure))!;
    assert.equal(row.seconds, small.backups!.restoreSeconds);
    assert.match(row.source, /^estimate, not measured at size: \d+ GiB at 100 MiB\/s/);
  });

  it("base backups a day are read from the schedule", () => {
    for (const [schedule, times] of [
      ["0 0 2 * * *", 1],
      ["0 0 */6 * * *", 4],
      ["0 0 2,14 * * *", 2],
      ["0 0 2 * * 0", 1 / 7],
      ["0 0 2 * * 1-5", 5 / 7],
      ["0 0 2 1 * *", 12 / 365],
      // Words stand for midnight: of each day, of Sunday, of the first of the month, of the year.
      ["@hourly", 24],
      ["@daily", 1],
      ["@midnight", 1],
      ["@weekly", 1 / 7],
      ["@monthly", 12 / 365],
      ["@yearly", 1 / 365],
      ["@annually", 1 / 365],
    ] as const)
      assert.ok(Math.abs(basesPerDay(schedule) - times) < 1e-9, schedule);
  });

  it("the plugin packs with lz4 and zstd, by more processes the larger it is; the operator's own image with gzip", () => {
    const target = {
      endpoint: "https://s3",
      region: "r",
      bucket: "b",
      secretName: "s",
      accessKeyKey: "a",
      secretKeyKey: "k",
    };
    const of = (ccu: number, plugin = true): any => {
      const settings = resolved(ccu, { acceptNoOffsite: true }).settings!;
      settings.cluster.install.barmanPlugin = plugin;
      return (objectStoreSpec({ settings, plan: plan(settings), target }) as any).configuration;
    };
    const [small, large] = [of(100), of(20_000)];
    assert.equal(small.wal.compression, "zstd");
    assert.equal(small.data.compression, "lz4");
    assert.ok(large.wal.maxParallel > small.wal.maxParallel && large.data.jobs > small.data.jobs);
    assert.equal(of(1000, false).wal.compression, "gzip");
    assert.equal(of(1000, false).data.compression, "gzip");
  });
});
