/** The machines that `npm run plan` chooses: how they are found, what they save, and the part of a stack file. */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { SettingsInvalid } from "../components/core/errors";
import { yamlText } from "../components/core/yaml";
import { hasMinio } from "../components/domain/mediaStore";
import { HOST_ROLES, type HostRole } from "../components/domain/roles";
import { hostDemands, plan, type Plan } from "../components/plan";
import { resolveSettings } from "../components/settings";
import type { HostSettings, Settings } from "../components/settings/types";
import {
  chooseHosts,
  costOf,
  holds,
  onHosts,
  runMachines,
  type Chosen,
  type HostSection,
  type Wish,
} from "../components/sizing/chooseHosts";
import { hostSizes, RUN_SIZES, type HostSize, type HostSizes } from "../components/sizing/hostSizes";
import { isBounded } from "../components/sizing/plan";
import { MOST_CCU } from "../components/settings/general/identity";
import { UsageError } from "./arguments";
import { exampleConfig } from "./exampleStack";
import { table, wrap, type Cell } from "./table";

/** Share by which users should be able to grow before there is a machine more. */
const GROWTH = 1.3;
/** As far as it is searched how many users the machines hold. */
const FAR = 2;
/** Answers of the search that are tried: the plan has the last word. */
const TRIED = 5;

/** What is wanted of the machines. */
export interface MachineOptions {
  /** So many, of one size. @default as many as are needed */
  machines?: number;
  prefer?: Wish["prefer"];
  /** @default the sizes of the machines that were run */
  sizes?: HostSizes;
  /** Names of three zones. @default none */
  zones?: string[];
}

/** Machines that were chosen, and what they are compared with. */
export interface ChosenMachines extends Chosen {
  wish: Wish;
  settings: Settings;
  plan: Plan;
  /** Most users that their cores and memory hold; absent where it is more than twice as many. */
  holdsUpTo?: number;
}

/** A catalogue in JSON or YAML. @throws SettingsInvalid with every error at once */
export function readSizes(file: string): HostSizes {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--sizes ${file}: ${(error as Error).message}`);
  }
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    throw new UsageError(`--sizes ${file} is neither YAML nor JSON: ${(error as Error).message.split("\n")[0]}`);
  }
  return hostSizes(raw);
}

/**
 * Machines for a stack that is yet to be made.
 *
 * @param applied Adds what `--set` says to a configuration.
 * @throws UsageError where no size of the catalogue suffices
 * @throws SettingsInvalid with every error at once, where the settings are wrong
 */
export function chooseMachines(
  ccu: number,
  options: MachineOptions,
  applied: (config: Record<string, unknown>) => Record<string, unknown>,
): ChosenMachines {
  const config = exampleConfig(ccu);
  const base = resolved(applied(config));
  const wish: Wish = {
    ccu,
    sizes: options.sizes ?? RUN_SIZES,
    prefer: options.prefer ?? "fewest",
    roles: rolesFor(base),
    ...(options.machines !== undefined ? { machines: options.machines } : {}),
    ...(options.zones ? { zones: options.zones } : {}),
  };
  const demandsOn = (section: HostSection): ReturnType<typeof hostDemands> => hostDemands(onHosts(base, section));
  for (const chosen of chooseHosts(wish, demandsOn, TRIED)) {
    const settings = resolved(applied({ ...config, ...stackPart(chosen.section) }));
    const planned = plan(settings);
    const stops = planned.zones.some((zone) => zone.effects.some((effect) => effect.outcome === "stops"));
    if (isBounded(settings, planned) || (wish.zones && stops)) continue;
    return { ...chosen, wish, settings, plan: planned, ...upTo(settings) };
  }
  // With a wrong override no machines do: the plan says what is wrong.
  plan(base);
  throw new UsageError(noneSuffices(wish, demandsOn));
}

function resolved(config: Record<string, unknown>): Settings {
  const { settings, errors } = resolveSettings(config, "plan");
  if (!settings) throw new SettingsInvalid(errors);
  return settings;
}

/** Roles that these settings need hosts of. */
const rolesFor = (settings: Settings): HostRole[] =>
  HOST_ROLES.filter(
    (role) =>
      (role !== "storage" || hasMinio(settings)) && (role !== "call" || settings.turn.enabled || settings.rtc.enabled),
  );

function noneSuffices(wish: Wish, demandsOn: Parameters<typeof chooseHosts>[1]): string {
  const sizes = wish.sizes.sizes;
  const largest = sizes.reduce((a, b) => (b.cpu + b.memoryGiB > a.cpu + a.memoryGiB ? b : a));
  const what = `${sizeText(largest)}${largest.diskGB === undefined ? "" : `, ${n(largest.diskGB)} GB of drives`}`;
  const [other] = wish.machines === undefined ? [] : chooseHosts({ ...wish, machines: undefined }, demandsOn);
  const enough = other ? `--machines ${other.section.hosts.length}, or ` : "";
  return `${wish.machines === undefined ? "no number of machines" : `--machines ${wish.machines}: no size`} of the catalogue holds ${n(wish.ccu)} users with any one${wish.zones ? " of them, or any one zone," : ""} lost; the largest has ${what}. Give ${enough}a catalogue with larger sizes (--sizes FILE)`;
}

/** How far the users may grow on these machines. */
function upTo(settings: Settings): { holdsUpTo?: number } {
  const fits = (ccu: number): boolean => {
    const larger = { ...settings, ccu };
    const demands = hostDemands(larger);
    return demands !== undefined && holds(settings.hosts, demands);
  };
  let [low, high] = [settings.ccu, Math.min(MOST_CCU, settings.ccu * FAR)];
  if (fits(high)) return {};
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return { holdsUpTo: low };
}

// ------------------------------------------------------------------ what they save
const n = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
const sizeText = (size: { cpu: number; memoryGiB: number }): string => `${n(size.cpu)} vCPU, ${n(size.memoryGiB)} GiB`;

/** Sums over machines. */
export interface Totals {
  machines: number;
  cpu: number;
  memoryGiB: number;
  /** Absent where the catalogue has no prices, or no size as large. */
  price?: number;
}

/** Sums over the chosen machines. */
export const chosenTotals = ({ groups, wish }: Pick<ChosenMachines, "groups" | "wish">): Totals =>
  totals(groups.map(({ hosts, size }) => ({ ...size, count: hosts.length, price: priceOf(size, wish) })));

/** Sums over the machines of the deployment that was run; each would be the cheapest size that is as large. */
export function runTotals({ ccu, sizes, roles }: Wish): Totals {
  const machines = runMachines(ccu, roles);
  return totals(
    machines.map((m) => {
      const large = sizes.sizes.filter((s) => s.cpu >= m.cpu && s.memoryGiB >= m.memoryGiB);
      const cheapest = large.length === 0 ? undefined : large.reduce((a, b) => (costOf(b) < costOf(a) ? b : a));
      return { ...m, price: cheapest?.pricePerMonth };
    }),
  );
}

const priceOf = (size: HostSize, { sizes }: Wish): number | undefined =>
  sizes.currency === undefined ? undefined : size.pricePerMonth;

function totals(rows: Array<{ count: number; cpu: number; memoryGiB: number; price?: number }>): Totals {
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((all, row) => all + row.count * of(row), 0);
  const priced = rows.every((row) => row.price !== undefined);
  return {
    machines: sum(() => 1),
    cpu: sum((row) => row.cpu),
    memoryGiB: sum((row) => row.memoryGiB),
    ...(priced ? { price: sum((row) => row.price!) } : {}),
  };
}

/** The kinds of machines, their sums beside those of the deployment that was run, and what to know of them. */
export function machinesText(chosen: ChosenMachines, width: number): string {
  const { groups, wish } = chosen;
  const currency = wish.sizes.currency;
  const price = (value: number | undefined): Cell[] =>
    currency === undefined ? [] : [value === undefined ? "no size so large" : `${n(value)} ${currency}`];
  const kinds = table(
    ["size", "machines", "vCPU", "memory", "drives needed", ...(currency ? ["a month each"] : []), "roles"],
    groups.map(({ size, hosts, diskGB, roles }) => [
      size.name,
      hosts.length,
      size.cpu,
      `${n(size.memoryGiB)} GiB`,
      `${n(diskGB)} GB`,
      ...price(size.pricePerMonth),
      rolesText(roles, hosts),
    ]),
  );
  const [ours, run] = [chosenTotals(chosen), runTotals(wish)];
  const row = (name: string, t: Totals): Cell[] => [
    name,
    t.machines,
    t.cpu,
    `${n(t.memoryGiB)} GiB`,
    ...price(t.price),
  ];
  const saved: Totals = {
    machines: run.machines - ours.machines,
    cpu: run.cpu - ours.cpu,
    memoryGiB: run.memoryGiB - ours.memoryGiB,
    ...(run.price !== undefined && ours.price !== undefined ? { price: run.price - ours.price } : {}),
  };
  const sums = table(
    ["in all", "machines", "vCPU", "memory", ...(currency ? ["a month"] : [])],
    [row("chosen", ours), row("as deployments of this size had", run), row("saved", saved)],
  );
  const notes = machineNotes(chosen).map((note) => wrap(note, width, "  - ", "    "));
  return [kinds, "", sums, ...notes].join("\n");
}

/** Roles with the number of machines that carry each, where not all do. */
const rolesText = (roles: HostRole[], hosts: HostSettings[]): string =>
  roles
    .map((role) => {
      const count = hosts.filter((host) => host.roles.includes(role)).length;
      return count === hosts.length ? role : `${role} on ${count}`;
    })
    .join(", ");

/** What is thin about the machines, and what was not known. */
export function machineNotes({ wish, holdsUpTo, section, plan: p }: ChosenMachines): string[] {
  const notes: string[] = [];
  if (holdsUpTo === undefined) notes.push(`Cores and memory hold more than ${n(wish.ccu * FAR)} users.`);
  else if (holdsUpTo < wish.ccu * GROWTH)
    notes.push(
      `THIN: cores and memory hold ${n(holdsUpTo)} users, ${n(Math.floor((holdsUpTo / wish.ccu - 1) * 100))} % more than planned; the next growth needs machines. To buy for ${n((GROWTH - 1) * 100)} % more: --users ${Math.ceil(wish.ccu * GROWTH)}.`,
    );
  else notes.push(`Cores and memory hold up to ${n(holdsUpTo)} users.`);
  for (const machine of runMachines(wish.ccu, wish.roles)) {
    const { role } = machine;
    if (role !== "call" && role !== "storage") continue;
    const have = section.hosts.filter((host) => host.roles.includes(role)).length;
    if (have < machine.count)
      notes.push(
        `THIN: ${have} ${role} hosts, where deployments of this size had ${machine.count}: ${role === "call" ? "each carries more calls, and its loss breaks a larger share of them" : "each serves more media, and has larger drives"}.`,
      );
  }
  if (wish.sizes.currency === undefined)
    notes.push(
      wish.prefer === "cheapest"
        ? "The catalogue has no prices: cheapest is the least hardware, where a core counts as much as 4 GiB. Give the prices of your supplier with --sizes FILE."
        : "The catalogue has no prices. Give those of your supplier with --sizes FILE.",
    );
  if (p.minio) notes.push("Each database disk and each drive of MinIO is a whole, blank disk; the system has another.");
  return notes;
}

// ------------------------------------------------------------------ the stack file
/** What the machines decide of a stack's configuration. */
function stackPart({ hosts, objectStore, minioPools }: HostSection): Record<string, unknown> {
  return {
    hosts: hosts.map(({ ssh, ...host }) => ({ ...host, hostKey: ssh.hostKey })),
    ...(objectStore ? { objectStore } : {}),
    ...(minioPools ? { overrides: { minio: { pools: minioPools } } } : {}),
  };
}

/** Lines to paste below `config:` of a stack file; addresses, host keys and disks are invented. */
export function stackText({ settings, section }: Pick<ChosenMachines, "settings" | "section">): string {
  const { hosts, ...rest } = stackPart(section) as { hosts: Array<Record<string, unknown>> };
  const head = { ccu: settings.ccu, domain: settings.domain, ...rest };
  return [
    ...Object.entries(head).map(([key, value]) => `  matrix-ha:${key}: ${inline(value)}`),
    "  # Invented: address, hostKey and the ids of the disks. Write those of your machines.",
    "  matrix-ha:hosts:",
    ...hosts.flatMap(({ hostKey, disks, ...host }) => {
      const last =
        (disks as unknown[]).length > 0
          ? [`hostKey: ${inline(hostKey)},`, `disks: ${inline(disks)} }`]
          : [`hostKey: ${inline(hostKey)} }`];
      const first = Object.entries(host).map(([key, value]) => `${key}: ${inline(value)}`);
      return [`    - { ${first.join(", ")},`, ...last.map((line) => `        ${line}`)];
    }),
  ].join("\n");
}

/** A value on one line of YAML. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (value !== null && typeof value === "object")
    return `{ ${Object.entries(value)
      .map(([key, v]) => `${key}: ${inline(v)}`)
      .join(", ")} }`;
  return yamlText(value).trimEnd();
}
