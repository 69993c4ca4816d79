/**
 * The alert rules in Prometheus' own judgement: valid, and each fires when it should, after its time, and not short of
 * it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { exampleConfig } from "../../cli/exampleStack";
import { alertRules } from "../../components/layers/monitoring";
import { resolveSettings } from "../../components/settings";
import type { AlertRule } from "../../components/core/monitoring";
import { prometheusGroup } from "../../components/layers/monitoring/runbook";
import { dashboardQueries } from "../../components/layers/monitoring/watched";
import { LAYERS } from "../../components/layers/registry";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import { alertCases, type AlertCase, type Series } from "../../lab/real/alertCases";
import { count } from "../../lab/real/counts";
import { PROMTOOL } from "../../lab/real/programs";

const settings = fixtureSettings();
settings.federation.enabled = true;
settings.appservices = resolveSettings(
  { ...exampleConfig(1000), appservices: [{ id: "irc", url: "https://irc.example.net", senderLocalpart: "irc" }] },
  "test",
).settings!.appservices;
const plan = fixturePlan();
const groups = alertRules({ settings, plan, layers: LAYERS });
const rules: AlertRule[] = groups.flatMap((g) => g.rules);
const cases = alertCases(plan);

const seconds = (duration: string): number =>
  Number(/^\d+/.exec(duration)![0]) * { s: 1, m: 60, h: 3600 }[duration.slice(-1) as "s" | "m" | "h"]!;
/** Steps of the series: short enough that a rule's time is several of them. */
const stepOf = (rule: AlertRule): number => (seconds(rule.for) > 600 ? 60 : 15);

/** Prometheus' notation of a value that lasts `steps`. */
function values(value: string | number, step: number, steps: number): string {
  const text = String(value);
  if (/\dx\d/.test(text)) return text;
  const rate = /^rate (\S+)$/.exec(text),
    line = /^(\S+) by (\S+)$/.exec(text);
  const first = rate ? 0 : Number(line ? line[1] : text),
    by = Number(rate?.[1] ?? line?.[2] ?? 0) * step;
  return `${first}${by < 0 ? "-" : "+"}${Math.abs(by)}x${steps}`;
}

describe("alert rules in Prometheus", function () {
  this.timeout(120_000);
  let dir: string;
  before(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"));
    fs.writeFileSync(path.join(dir, "rules.json"), JSON.stringify({ groups: groups.map(prometheusGroup) }));
  });
  after(() => {
    fs.rmSync(dir, { recursive: true });
  });
  const promtool = (...args: string[]): void => {
    const run = spawnSync(PROMTOOL, args, { encoding: "utf8" });
    if (run.error) throw run.error;
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
  };
  const write = (name: string, content: object): string => {
    const file = path.join(dir, name);
    fs.writeFileSync(file, JSON.stringify(content));
    return file;
  };

  it("are valid, and so is every query of the dashboards", () => {
    promtool(
      "check",
      "rules",
      path.join(dir, "rules.json"),
      write("queries.json", {
        groups: [{ name: "q", rules: dashboardQueries(LAYERS).map((expr, i) => ({ record: `q:${i}`, expr })) }],
      }),
    );
    count("dashboard queries parsed", dashboardQueries(LAYERS).length);
  });

  it("have a case each, and there is no case without a rule", () => {
    assert.deepEqual(Object.keys(cases).sort(), rules.map((r) => r.alert).sort());
    for (const [name, c] of Object.entries(cases))
      assert.ok(
        c.fires.length > 0 && (c.silent.length > 0 || c.always),
        `${name}: nothing to fire, or nothing to be silent`,
      );
  });

  /** Whether the alert fires, at each of the times; every time is looked at in one evaluation of the series. */
  const test = (rule: AlertRule, c: AlertCase, s: Series, expected: Array<[step: number, firing: boolean]>): object => {
    const step = stepOf(rule),
      last = Math.max(...expected.map(([n]) => n)) + 2;
    return {
      interval: `${step}s`,
      input_series: Object.entries(s).map(([series, v]) => ({ series, values: values(v, step, last) })),
      promql_expr_test: expected.map(([n, firing]) => ({
        expr: `count(ALERTS{alertname="${rule.alert}", alertstate="firing"}) > bool 0 or vector(0)`,
        eval_time: `${n * step}s`,
        exp_samples: [{ labels: "{}", value: firing ? 1 : 0 }],
      })),
    };
  };
  for (const rule of rules) {
    const c = cases[rule.alert];
    if (!c) continue;
    it(`${rule.alert}: fires${rule.for === "0m" ? "" : ` after ${rule.for}, not before`}${c.silent.length ? "; silent just short of it" : ""}`, () => {
      const step = stepOf(rule),
        lasts = seconds(rule.for) / step,
        since = c.counter === true ? 1 : Math.ceil((c.counter ?? 0) / step),
        at = c.atStep ?? since + lasts;
      const early: Array<[number, boolean]> = lasts > 0 && c.atStep === undefined ? [[at - 1, false]] : [];
      write("one.json", {
        groups: [
          {
            name: "one",
            rules: (prometheusGroup({ name: "x", title: "x", rules: [rule] }) as { rules: object[] }).rules,
          },
        ],
      });
      promtool(
        "test",
        "rules",
        write("case.json", {
          rule_files: ["one.json"],
          evaluation_interval: `${step}s`,
          tests: [
            ...c.fires.map((s) => test(rule, c, s, [...early, [at, true]])),
            ...c.silent.map((s) =>
              test(rule, c, s, [
                [at, false],
                [at + lasts, false],
              ]),
            ),
          ],
        }),
      );
      count("alert rules tested: firing after their time and silent short of it");
      count("cases of alert rules", c.fires.length + c.silent.length);
    });
  }
});
