/**
 * The next version of Synapse: from the one before the pinned one to the pinned one, back, and there again, each by one
 * deployment under load.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../common/folders";
import { until } from "../common/until";
import { readRecipes } from "../images/catalog";
import { deployed, setNow } from "./changes";
import { deploy, get, NS, psql, run, sleep } from "./cluster";
import { LOAD_HEAD, primary, withLoad, type Run, type Scenario, type Table } from "./scenario";

const recipes = readRecipes(fs.readFileSync(path.join(ROOT, "lab/images/list.txt"), "utf8"));
const imageOf = (recipe: string): string => recipes.find((r) => r.recipe === recipe)!.image;
const PREVIOUS = imageOf("synapse-previous"),
  PINNED = imageOf("synapse");
const versionOf = (image: string): string => image.slice(image.lastIndexOf(":") + 1);
/** What is changed already stays. */
const settings = (image: string): string[] => [
  ...setNow(),
  ...(image === PINNED ? [] : [`images.overrides.synapse=${image}`]),
];

/** PostgreSQL's pods are called synapse-postgres. */
const CONSUMERS = /^synapse-(?!postgres)/;

/** Processes of Synapse with another image; one that is being stopped finishes its long polls. */
async function withAnother(image: string): Promise<string[]> {
  const others: string[] = [];
  for (const p of (await get("pods", "-n", NS)).items)
    for (const c of p.metadata.deletionTimestamp || p.metadata.ownerReferences?.[0]?.kind === "Job"
      ? []
      : p.spec.containers)
      if (c.image.includes("/synapse:") && c.image !== image) others.push(`${p.metadata.name} ${versionOf(c.image)}`);
  return others;
}

/**
 * Every process runs this image and no other. The engine's wait ends when the last new pod of a Deployment is ready;
 * its controller stops the last old one a moment later.
 */
const allRun = (r: Run, image: string): Promise<unknown> =>
  until(
    `no process but with ${versionOf(image)}`,
    60,
    async () => (await withAnother(image)).join(", ") || undefined,
  ).catch((error: Error) => r.fail(error.message));

const schema = async (): Promise<string> =>
  (
    await psql(
      await primary(),
      "select v.version, c.compat_version from schema_version v, schema_compat_version c",
      "synapse",
    )
  ).replace("|", ", and oldest that may start ");

export const UPGRADE: Scenario = {
  id: "upgrade-synapse",
  group: "change",
  title: `Synapse is upgraded from ${versionOf(PREVIOUS)} to ${versionOf(PINNED)}, taken back, and upgraded again`,
  how: "one deployment each, with images.overrides.synapse for the earlier version; uids and images of all pods compared",
  seconds: 1500,
  onRequest: true,
  bounds: { gap: 90, failedAfterRetry: 0 },
  prepare: async (note) => {
    for (const script of ["build.sh", "import.sh"])
      await run("bash", [path.join(ROOT, "lab/images", script), "synapse-previous"]);
    const text = await deploy(settings(PREVIOUS));
    note(`before: ${versionOf(PREVIOUS)}, ${/deployed in .*/.exec(text)?.[0] ?? "nothing changed"}`);
  },
  action: async (r) => {
    const windows: Array<[number, number]> = [],
      rows: Table["rows"] = [];
    const images = [PREVIOUS, PINNED, PREVIOUS, PINNED];
    for (const [i, image] of images.slice(1).entries()) {
      if (i === 0) r.cause();
      const from = Date.now();
      const o = await deployed(r, settings(image), CONSUMERS);
      await allRun(r, image);
      // Disturbances show at the latest while the next change is evaluated.
      await sleep(2000);
      rows.push([`${versionOf(images[i]!)} to ${versionOf(image)}`, o.changed, await schema(), o.seconds]);
      windows.push([from, Date.now()]);
    }
    return () =>
      r.table?.({
        head: ["Synapse", "Pods replaced of", "Schema afterwards", "Deployed in", ...LOAD_HEAD],
        rows: withLoad(r.load, rows, windows),
      });
  },
};
