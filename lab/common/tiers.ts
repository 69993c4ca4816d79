/** The stacks for which the rules are asserted: five sizes, and the options that change the objects. */
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { resolveSettings } from "../../components/settings";
import { EVERYTHING } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import { plan } from "../../components/plan";
import type { Plan } from "../../components/sizing/types";
import { subjectOf, type Subject } from "../../policy";

export interface Tier {
  name: string;
  config: Record<string, unknown>;
}

export const SIZES = [100, 1_000, 5_000, 10_000, 20_000];

const EXTERNAL_S3 = {
  kind: "s3",
  endpoint: "https://s3.example.net",
  region: "eu-1",
  bucket: "media",
  accessKey: "AKIAEXAMPLEEXAMPLE",
  secretKey: "external-secret-key-of-the-operator",
};

export function tier(
  ccu: number,
  options: { federation?: boolean; s3?: boolean; more?: Record<string, unknown> } = {},
): Tier {
  return {
    name: `${ccu} CCU, federation ${options.federation ? "on" : "off"}, ${options.s3 ? "external S3" : "MinIO"}`,
    config: {
      ...exampleConfig(ccu),
      federation: { enabled: options.federation ?? false },
      ...(options.s3 ? { objectStore: EXTERNAL_S3, backups: { target: { ...EXTERNAL_S3, bucket: "backups" } } } : {}),
      ...options.more,
    },
  };
}

/** Without the operators, which are half of the objects: for tests that operators do not affect. */
export const WITHOUT_OPERATORS = {
  cluster: {
    install: Object.fromEntries(
      [
        "cloudNativePg",
        "barmanPlugin",
        "metallb",
        "certManager",
        "metricsServer",
        "localPathProvisioner",
        "prometheusOperator",
      ].map((o) => [o, false]),
    ),
  },
};

/** Every size, with federation off and on and both object stores. */
export const TIERS: Tier[] = [
  ...SIZES.flatMap((ccu) => [tier(ccu), tier(ccu, { federation: true, s3: true })]),
  ...everything(),
];

/** One more, with what is off by default, where a layer has such a thing. */
function everything(): Tier[] {
  return Object.keys(EVERYTHING).length > 0
    ? [
        {
          ...tier(1_000, { more: EVERYTHING }),
          name: `1000 CCU, everything that layers have: ${Object.keys(EVERYTHING).join(", ")}`,
        },
      ]
    : [];
}

export interface Evaluated {
  evaluation: Evaluation;
  settings: Settings;
  plan: Plan;
  subject: Subject;
}
const done = new Map<string, Promise<Evaluated>>();

/** Evaluates once per distinct configuration. */
export function evaluated(config: Record<string, unknown>, stack = "test"): Promise<Evaluated> {
  const key = JSON.stringify([stack, config]);
  const known = done.get(key);
  if (known) return known;
  const fresh = (async () => {
    const { settings, errors } = resolveSettings(config, stack);
    if (!settings) throw new Error(JSON.stringify(errors, null, 1));
    const p = plan(settings);
    const evaluation = await evaluate({ stack, config });
    return { evaluation, settings, plan: p, subject: subjectOf(evaluation, settings, p) };
  })();
  done.set(key, fresh);
  return fresh;
}
