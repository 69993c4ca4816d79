/** What would otherwise happen in silence: alerts that reach nobody, certificates that end, monitoring that stops. */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { alertmanagerConfig } from "../../components/layers/monitoring/prometheusSpec";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import type { Settings } from "../../components/settings/types";
import { rich, withAuthority, type Config } from "../helpers/richStack";

const WEBHOOK = "https://alerts.example.org/hook";
const HEARTBEAT = "https://beats.example.net/ping/1";
async function settingsOf(monitoring: Config): Promise<Settings> {
  const { settings, errors } = resolveSettings({ ...(await rich()), monitoring }, "t");
  assert.deepEqual(errors, []);
  return settings!;
}

describe("silence", () => {
  it("the plan says that alerts reach nobody, and that nobody learns of monitoring's own end", async () => {
    const notes = async (monitoring: Config): Promise<string> =>
      plan(await settingsOf(monitoring))
        .notes.filter((n) => /[Nn]obody|no alert/.test(n))
        .join("\n");
    assert.match(await notes({}), /Alerts reach nobody.*alertWebhook\n?.*Nobody is told when.*heartbeatUrl/s);
    assert.match(await notes({ alertWebhook: WEBHOOK }), /^Nobody is told when/);
    assert.equal(await notes({ alertWebhook: WEBHOOK, heartbeatUrl: HEARTBEAT }), "");
    assert.match(await notes({ enabled: false }), /^Monitoring is off/);
    assert.equal(await notes({ prometheus: "existing" }), "");
  });

  it("the heartbeat is sent every minute, with or without a webhook, and nothing else goes there", async () => {
    for (const alertWebhook of [undefined, WEBHOOK]) {
      const config: any = alertmanagerConfig(
        await settingsOf({ heartbeatUrl: HEARTBEAT, ...(alertWebhook ? { alertWebhook } : {}) }),
      );
      const [beat] = config.route.routes;
      assert.deepEqual(beat, {
        matchers: ['alertname = "Watchdog"'],
        receiver: "heartbeat",
        group_wait: "0s",
        group_interval: "1m",
        repeat_interval: "50s",
      });
      assert.deepEqual(
        config.receivers.find((r: any) => r.name === "heartbeat").webhook_configs.map((w: any) => w.url),
        [HEARTBEAT],
      );
      assert.equal(config.route.receiver, alertWebhook ? "webhook" : "nobody");
      assert.equal(config.route.routes.filter((r: any) => r.receiver === "heartbeat").length, 1);
    }
  });

  describe("certificates that nobody renews by itself", function () {
    this.timeout(180_000);
    const recorded = async (config: Config): Promise<Record<string, string>> => {
      const { resources } = await evaluate({ stack: "t", config: { ...config, monitoring: {} } });
      const rule = resources.find((r) => r.inputs?.metadata?.name === "matrix-ha-certificate-ends");
      const alerts = JSON.stringify(resources.filter((r) => r.inputs?.kind === "PrometheusRule").map((r) => r.inputs));
      assert.equal(alerts.includes('"alert":"CertificateEnding"'), rule !== undefined);
      const rules = rule?.inputs.spec.groups[0].rules ?? [];
      for (const r of rules) assert.ok(alerts.includes(`"expr":"${r.record} - time() < 21 * 86400"`));
      return Object.fromEntries(rules.map((r: any) => [r.labels.certificate, r.expr]));
    };
    const at = (date: string): string => `vector(${Date.parse(date) / 1000})`;

    it("own-ca: those of the names and of the authority, when the engine knows them", async () => {
      const end = at("2100-01-01T00:00:00Z");
      assert.deepEqual(await recorded(await rich()), { "public names": end, "own authority": end });
    });
    it("own-ca with an imported authority: the authority's own", async () =>
      assert.deepEqual(await recorded(await withAuthority(await rich())), {
        "public names": at("2100-01-01T00:00:00Z"),
        "own authority": at("2120-01-01T00:00:00Z"),
      }));
    it("given, and trustedAuthorities", async () => {
      const given = await rich({ tls: "given" });
      assert.deepEqual(await recorded({ ...given, trustedAuthorities: given.tls.certificate }), {
        "tls.certificate": at("2120-01-01T00:00:00Z"),
        trustedAuthorities: at("2120-01-01T00:00:00Z"),
      });
    });
    it("ACME: none, cert-manager reports its own", async () =>
      assert.deepEqual(await recorded(await rich({ tls: "acme" })), {}));
  });
});
