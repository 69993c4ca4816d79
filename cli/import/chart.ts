/** Values of the Helm charts for Synapse, as the configuration that the chart makes of them. Pure. */
import { leavesOf } from "../../components/layers/synapse/extra/values";
import { isPlainObject, pathText, valueAt } from "../../components/schema/walk";
import { pathOf, type Finding, type List, type Path } from "./finding";
import type { Fragment } from "./map";

/** A chart's values that the rules of Synapse's options know, and what becomes of the others. */
export interface Chart {
  name: string;
  /** Whether values are of this chart. */
  is(values: Record<string, unknown>): boolean;
  /** By path in the values, the option that it becomes. `""`: each key is an option. */
  options: ReadonlyArray<[value: string, option: string, convert?: (value: unknown) => unknown]>;
  /** By path in the values, what becomes of everything below it. The first that fits. */
  others: ReadonlyArray<[value: RegExp, list: Exclude<List, "taken">, why: string]>;
  /** Parts that the chart runs unless the values switch them off, and that need a decision then. */
  byDefault?: ReadonlyArray<[value: string, why: string]>;
  /** Paths whose whole text is Synapse's YAML. */
  texts?: RegExp;
  /** Values of which a Secret of Kubernetes has the real one: which setting it is. */
  inSecrets?: ReadonlyArray<[value: RegExp, setting: string]>;
  /** Settings of this stack that the values give directly. */
  settings?: ReadonlyArray<[value: string, setting: string, convert?: (value: unknown) => unknown]>;
}

export interface ChartRead {
  fragments: Fragment[];
  findings: Finding[];
  settings: Array<[path: Path, value: unknown]>;
}

const assign = (root: Record<string, unknown>, path: Path, value: unknown): void => {
  const [key, ...rest] = path.map(String);
  if (rest.length === 0) root[key!] = value;
  else assign((root[key!] ??= {}) as Record<string, unknown>, rest, value);
};

/** What is below one of the paths. @example below("extraConfig", ["extraConfig", "email"]) is ["email"] */
function below(value: string, path: Path): Path | undefined {
  const keys = pathOf(value);
  return keys.every((key, i) => path[i] === key) ? path.slice(keys.length) : undefined;
}

/** What is known of a value that no option of Synapse is made of. */
function otherFinding(chart: Chart, name: string, value: unknown): Pick<Finding, "list" | "why" | "awaits"> {
  const secret = chart.inSecrets?.find(([pattern]) => pattern.test(name));
  if (secret)
    return {
      list: "decision",
      why: `the value is in a Secret of Kubernetes: kubectl get secret NAME -o jsonpath='{.data.KEY}' | base64 -d > secrets/${secret[1]}, before you run secrets.sh`,
      awaits: secret[1],
    };
  if (value === false && name.endsWith(".enabled")) return { list: "dropped", why: "it is off" };
  const other = chart.others.find(([pattern]) => pattern.test(name));
  return { list: other?.[1] ?? "decision", why: other?.[2] ?? `it is no known value of the chart ${chart.name}` };
}

/** How an option is named: by the value that it, or the section that it is in, was made of. */
function labelIn(labels: ReadonlyMap<string, string>, at: Path): string {
  for (let n = at.length; n > 0; n--) {
    const found = labels.get(at.slice(0, n).join("\0"));
    if (found === undefined) continue;
    return n === at.length ? found : `${found}${pathText(at.slice(n)).replace(/^(?!\[)/, ".")}`;
  }
  return `chart: ${pathText(at)}`;
}

export function readChart(chart: Chart, values: Record<string, unknown>, parse: (text: string) => unknown): ChartRead {
  const config: Record<string, unknown> = {};
  /** By option, where its value stands. */
  const labels = new Map<string, string>();
  const read: ChartRead = { fragments: [], findings: [], settings: [] };
  const label = (path: Path): string => `values: ${pathText(path)}`;
  const takeOption = (path: Path, value: unknown): boolean => {
    const own = chart.options.find(([from]) => below(from, path));
    if (!own) return false;
    const [from, option, convert] = own;
    const at = [...(option === "" ? [] : pathOf(option)), ...below(from, path)!];
    assign(config, at, convert ? convert(value) : value);
    labels.set(at.join("\0"), label(path));
    return true;
  };
  const takeSetting = (path: Path, value: unknown): boolean => {
    const setting = chart.settings?.find(([from]) => from === pathText(path));
    if (!setting) return false;
    read.settings.push([pathOf(setting[1]), setting[2] ? setting[2](value) : value]);
    read.findings.push({ option: label(path), list: "taken", setting: setting[1] });
    return true;
  };
  for (const { path, value } of leavesOf(values, [])) {
    const name = pathText(path);
    if (chart.texts?.test(name)) read.fragments.push(textFragment(String(value), label(path), parse));
    else if (!takeOption(path, value) && !takeSetting(path, value))
      read.findings.push({ option: label(path), ...otherFinding(chart, name, value) });
  }
  for (const [part, why] of chart.byDefault ?? [])
    if (values[part] === undefined)
      read.findings.push({ option: `values: ${part} (on by default)`, list: "decision", why });
  if (valueAt(config, ["database", "args"]) !== undefined) assign(config, ["database", "name"], "psycopg2");
  read.fragments.unshift({ config, label: (at) => labelIn(labels, at) });
  return read;
}

function textFragment(text: string, label: string, parse: (text: string) => unknown): Fragment {
  const config = parse(text);
  return { config: isPlainObject(config) ? config : {}, label: (at) => `${label}: ${pathText(at)}` };
}
