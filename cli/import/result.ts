/** From the old server's files to everything that is written. */
import { parse } from "yaml";
import { isPlainObject } from "../../components/schema/walk";
import type { SettingsError } from "../../components/settings";
import { Refused } from "../arguments";
import { registrationId } from "./appserviceRules";
import { readChart } from "./chart";
import { CHARTS } from "./charts";
import { complete } from "./complete";
import type { Draft } from "./draft";
import type { Finding, Path } from "./finding";
import { map, merged, type Fragment, type Mapped } from "./map";
import { settle } from "./settle";

export interface Input {
  stack: string;
  /** In the order in which Synapse reads them. */
  fragments: readonly Fragment[];
  workers: readonly Fragment[];
  /** Values of a Helm chart. */
  values?: Record<string, unknown>;
  /** Registrations that are given by themselves, by their names. */
  registrations: readonly string[];
  file(path: string): string | undefined;
  /** Findings that are none of Synapse's configuration. */
  findings: readonly Finding[];
  /** Settings of --ccu and --hosts. */
  given: Record<string, unknown>;
}

export interface Result {
  findings: Finding[];
  draft: Draft;
  notes: string[];
  /** What the settings lack. */
  open: readonly SettingsError[];
}

function chartOf(values: Record<string, unknown>) {
  const chart = CHARTS.find(({ is }) => is(values));
  if (!chart)
    throw new Refused(
      `The values are of no chart that is known here (${CHARTS.map(({ name }) => name).join(", ")}). Give what the chart makes of them, homeserver.yaml, with --homeserver.`,
    );
  return readChart(chart, values, (text) => parse(text, { version: "1.1", merge: true }));
}

/** Registrations of --registration that the configuration does not name. */
function further(fragments: readonly Fragment[], { registrations, file }: Input): Fragment[] {
  const named = merged(fragments).app_service_config_files;
  const list = Array.isArray(named) ? named.map(String) : [];
  const base = (file: string): string => file.split("/").at(-1)!;
  const ids = new Set(list.map((named) => registrationId(file(named))));
  const more = registrations.filter((given) => !ids.has(registrationId(file(given)) ?? given));
  if (more.length === 0) return [];
  const label = (at: Path): string =>
    Number(at[1]) < list.length
      ? `app_service_config_files[${String(at[1])}]`
      : `--registration ${base(more[Number(at[1]) - list.length]!)}`;
  return [{ config: { app_service_config_files: [...list, ...more] }, label }];
}

/** @throws Refused where nothing of it is a configuration of Synapse */
export function importFrom(input: Input): Result {
  const chart = input.values ? chartOf(input.values) : undefined;
  const before = [...(chart?.fragments ?? []), ...input.fragments];
  const more = further(before, input);
  // The list of registrations is in one place: where some are added, that is the place.
  const fragments = [...before.map((f) => (more.length > 0 ? without(f, "app_service_config_files") : f)), ...more];
  const whole = merged(fragments);
  if (typeof whole.server_name !== "string" || whole.server_name === "")
    throw new Refused(
      "There is no server_name: this is not the configuration of a Synapse. Give its homeserver.yaml (with --homeserver), or the values of its chart (with --values).",
    );
  const mapped: Mapped = map(fragments, input.workers, input.file);
  mapped.findings.unshift(...input.findings, ...(chart?.findings ?? []));
  for (const [path, value] of chart?.settings ?? []) mapped.draft.set(path, value);
  const get = (option: string): unknown => {
    const at = option.split(".");
    return at.reduce<unknown>((value, key) => (isPlainObject(value) ? value[key] : undefined), whole);
  };
  const notes = complete(mapped, { get, file: input.file }, chart ? "chart" : "file");
  for (const [key, value] of Object.entries(input.given)) mapped.draft.set([key], value);
  const open = settle(mapped, input.stack);
  return { ...mapped, notes, open };
}

const without = ({ config, label }: Fragment, key: string): Fragment => {
  const { [key]: _, ...rest } = config;
  return { config: rest, label };
};
