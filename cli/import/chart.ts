/** Values of the Helm charts for Synapse, as the configuration that the chart makes of them. Pure. */
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

/** Every leaf: a value, an empty section, or a list. */
function leaves(value: unknown, at: Path = []): Array<[Path, unknown]> {
  return isPlainObject(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, child]) => leaves(child, [...at, key]))
    : [[at, value]];
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

export function readChart(chart: Chart, values: Record<string, unknown>, parse: (text: string) => unknown): ChartRead {
  const config: Record<string, unknown> = {};
  /** By option, where its value stands. */
  const labels = new Map<string, string>();
  const read: ChartRead = { fragments: [], findings: [], settings: [] };
  const label = (path: Path): string => `values: ${pathText(path)}`;
  const use = (option: Path, value: unknown, from: Path): void => {
    assign(config, option, value);
    labels.set(option.join("\0"), label(from));
  };
  for (const [path, value] of leaves(values)) {
    const name = pathText(path);
    const own = chart.options.find(([from]) => below(from, path));
    const setting = chart.settings?.find(([from]) => from === name);
    const secret = chart.inSecrets?.find(([pattern]) => pattern.test(name));
    if (secret)
      read.findings.push({
        option: label(path),
        list: "decision",
        why: `the value is in a Secret of Kubernetes: kubectl get secret NAME -o jsonpath='{.data.KEY}' | base64 -d > secrets/${secret[1]}, before you run secrets.sh`,
      });
    else if (chart.texts?.test(name)) read.fragments.push(textFragment(String(value), label(path), parse));
    else if (own) {
      const [from, option, convert] = own;
      use([...(option === "" ? [] : pathOf(option)), ...below(from, path)!], convert ? convert(value) : value, path);
    } else if (setting) {
      const converted = setting[2] ? setting[2](value) : value;
      read.settings.push([pathOf(setting[1]), converted]);
      read.findings.push({ option: label(path), list: "taken", setting: setting[1] });
    } else if (value === false && name.endsWith(".enabled"))
      read.findings.push({ option: label(path), list: "dropped", why: "it is off" });
    else {
      const other = chart.others.find(([pattern]) => pattern.test(name));
      read.findings.push({
        option: label(path),
        list: other?.[1] ?? "decision",
        why: other?.[2] ?? `it is no known value of the chart ${chart.name}`,
      });
    }
  }
  for (const [part, why] of chart.byDefault ?? [])
    if (values[part] === undefined)
      read.findings.push({ option: `values: ${part} (on by default)`, list: "decision", why });
  if (valueAt(config, ["database", "args"]) !== undefined) assign(config, ["database", "name"], "psycopg2");
  const ofChart = (at: Path): string => {
    for (let n = at.length; n > 0; n--) {
      const found = labels.get(at.slice(0, n).join("\0"));
      if (found !== undefined)
        return n === at.length ? found : `${found}${pathText(at.slice(n)).replace(/^(?!\[)/, ".")}`;
    }
    return `chart: ${pathText(at)}`;
  };
  read.fragments.unshift({ config, label: ofChart });
  return read;
}

function textFragment(text: string, label: string, parse: (text: string) => unknown): Fragment {
  const config = parse(text);
  return { config: isPlainObject(config) ? config : {}, label: (at) => `${label}: ${pathText(at)}` };
}
