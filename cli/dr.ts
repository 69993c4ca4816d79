/**
 * `npm run dr`: what concerns several data centres at once. Each has a stack of its own; this reads all of them, and
 * where asked to, their clusters.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { resolveSettings, SettingsInvalid } from "../components/settings";
import { plan } from "../components/plan";
import { NAMESPACES, SERVICES } from "../components/core/names";
import { isStandby } from "../components/domain/dataCentre";
import { parseWords, Refused, runMain, stackConfig, UsageError } from "./arguments";
import { differences, type CentreStack } from "./dr/compare";
import { fenceText } from "./dr/fence";
import { statusText, type Observed } from "./dr/status";
import { exported, fill } from "./keys/fill";
import { keysInExport, withSigningKey } from "./keys/found";
import { json, kubectl, pulumi } from "./keys/programs";

const USAGE = `npm run dr -- check  --stack DC1 --stack DC2 ...
npm run dr -- status --stack DC1[=CONTEXT] --stack DC2[=CONTEXT] ...
npm run dr -- escrow --from DC1 --to DC2
npm run dr -- token  --stack FORMER_PRIMARY[=CONTEXT] [--wait SECONDS]
npm run dr -- fence  --stack LOST[=CONTEXT] [--apply]
  check    compares the stacks' files: two primaries, other names, versions or sizes. Touches nothing
  status   the same, and what each cluster and each state say: who is the primary, how far the others are behind,
           whether their secrets are the same, what would be lost now
  escrow   copies the keys that must be the same from the state of one stack into the settings of another, encrypted
           for that one; prints none of them
  token    waits until a demoted primary has closed its log, and prints its token
  fence    what keeps a lost data centre from coming back as a second primary, with its names and addresses;
           --apply does what its cluster can do itself, if it answers: stops PostgreSQL and Synapse there
  CONTEXT  of the kubeconfig; without one, kubectl's current context, which is that of one cluster only`;

/** A stack and the context of its cluster. */
interface Named {
  stack: string;
  context?: string;
}
const named = (text: string): Named => {
  const [stack = "", context] = text.split("=");
  return { stack, ...(context ? { context } : {}) };
};

/** The stack of a data centre. @throws SettingsInvalid, UsageError */
function centreStack(stack: string, cwd?: string): CentreStack {
  const { settings, errors } = resolveSettings(stackConfig(stack, { cwd }), stack);
  if (!settings) throw new SettingsInvalid(errors);
  const { dataCentre } = settings;
  if (!dataCentre)
    throw new UsageError(`the stack ${stack} is no data centre among others: it has no section dataCentre`);
  return { stack, settings: { ...settings, dataCentre }, plan: plan(settings) };
}

function check(stacks: readonly CentreStack[]): void {
  const found = differences(stacks);
  if (found.length > 0)
    throw new Refused(
      [`${found.length === 1 ? "One thing is" : `${found.length} things are`} wrong:`, ...found].join("\n  "),
    );
  const { dataCentre } = stacks[0]!.settings;
  const missing = dataCentre.peers
    .map((peer) => peer.name)
    .filter((name) => !stacks.some((s) => s.settings.dataCentre.self === name));
  console.log(`${stacks.map((s) => s.settings.dataCentre.self).join(", ")}: one server, ${dataCentre.primary} serves.`);
  if (missing.length > 0) console.log(`Not compared: ${missing.join(", ")}, whose stack was not named.`);
}

const inMatrix = (args: string[], context?: string): string =>
  kubectl(["--namespace", NAMESPACES.matrix, ...args], context);

/** CloudNativePG's Cluster of a data centre. */
const databaseIn = (context?: string): any =>
  JSON.parse(inMatrix(["get", "clusters.postgresql.cnpg.io", SERVICES.postgresCluster, "-o", "json"], context));

/** What a state and a cluster say; a part that does not answer is left out. */
function observe({ stack, context }: Named, of: CentreStack, cwd?: string): Observed {
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  };
  const outputs = attempt(() =>
    JSON.parse(json(pulumi(["stack", "output", "--json", "--stack", stack], { cwd })) || "{}"),
  ) as Observed["outputs"];
  const cluster: Observed["cluster"] = attempt(() => databaseIn(context));
  const instance = cluster?.status?.currentPrimary;
  const positions =
    instance === undefined
      ? undefined
      : attempt(() =>
          inMatrix(
            ["exec", instance, "-c", "postgres", "--", "psql", "-XAt", "-F", "|", "-c", POSITIONS],
            context,
          ).trim(),
        );
  return { stack, settings: of.settings, outputs, cluster, positions };
}

/** Of the instance that is the primary, or would become it: whether it is written to, its log, the last write's age. */
const POSITIONS = `select pg_is_in_recovery(), (select timeline_id from pg_control_checkpoint()),
  case when pg_is_in_recovery() then coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_lsn() end - '0/0'::pg_lsn,
  coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp())::bigint, 0)`;

async function token({ stack, context }: Named, waitSeconds: number, cwd?: string): Promise<void> {
  const { settings } = centreStack(stack, cwd);
  const { self, primary } = settings.dataCentre;
  if (!isStandby(settings))
    throw new Refused(
      `${self} is the primary in its own stack: set dataCentre.primary there to the one that takes over, deploy it, and ask again.`,
    );
  const end = Date.now() + waitSeconds * 1000;
  for (;;) {
    const cluster = databaseIn(context);
    const found = cluster.status?.demotionToken as string | undefined;
    if (found && cluster.status?.switchReplicaClusterStatus?.inProgress !== true) {
      console.log(found);
      console.error(
        `\nIn the stack of ${primary}, both in one deployment:\n  pulumi config set --path 'matrix-ha:dataCentre.promotionToken' TOKEN\n  pulumi config set --path 'matrix-ha:dataCentre.primary' ${primary}`,
      );
      return;
    }
    if (Date.now() > end)
      throw new Refused(
        `${self} has no token after ${waitSeconds} s (phase: ${cluster.status?.phase ?? "none"}). Was the stack deployed since dataCentre.primary changed? A standby that never was the primary has none.`,
      );
    await sleep(2000);
  }
}

function escrow(from: string, to: string, cwd?: string): void {
  const found = keysInExport(exported(from, cwd));
  const keys = withSigningKey(found.keys, `the state of ${from}`);
  const set = fill(to, { keys, savedAt: "", ...(found.serverName ? { serverName: found.serverName } : {}) }, { cwd });
  console.log(
    set.length > 0
      ? `Set as encrypted importSecrets of ${to}: ${set.join(", ")}.`
      : `The stack ${to} already has all of them: nothing was set.`,
  );
}

function fence({ stack, context }: Named, apply: boolean, cwd?: string): void {
  const of = centreStack(stack, cwd);
  console.log(fenceText(of.settings));
  if (!apply) return;
  inMatrix(
    [
      "annotate",
      "clusters.postgresql.cnpg.io",
      SERVICES.postgresCluster,
      "--overwrite",
      'cnpg.io/fencedInstances=["*"]',
    ],
    context,
  );
  inMatrix(["scale", "statefulsets,deployments", "-l", "app.kubernetes.io/name=synapse", "--replicas=0"], context);
  console.log(`Done in ${of.settings.dataCentre.self}: PostgreSQL is fenced, Synapse has no process.`);
}

export async function main(argv: string[]): Promise<void> {
  const {
    values,
    words: [action, ...rest],
  } = parseWords(argv, {
    stack: { type: "string", short: "s", multiple: true },
    from: { type: "string" },
    to: { type: "string" },
    wait: { type: "string" },
    apply: { type: "boolean" },
    cwd: { type: "string" },
  });
  if (!["check", "status", "escrow", "token", "fence"].includes(action ?? "") || rest.length > 0)
    throw new UsageError("an action is missing: check, status, escrow, token or fence");
  const { cwd } = values;
  const stacks = (values.stack ?? []).map(named);
  const wanted = (n: number): void => {
    if (stacks.length < n || (n === 1 && stacks.length > 1))
      throw new UsageError(n === 1 ? "--stack NAME: one stack" : "--stack NAME, for two data centres or more");
  };
  try {
    if (action === "escrow") {
      if (!values.from || !values.to)
        throw new UsageError("--from and --to: the stack that has the keys, and the one that gets them");
      escrow(values.from, values.to, cwd);
    } else if (action === "token") {
      wanted(1);
      await token(stacks[0]!, Number(values.wait ?? 300), cwd);
    } else if (action === "fence") {
      wanted(1);
      fence(stacks[0]!, Boolean(values.apply), cwd);
    } else {
      wanted(2);
      const read = stacks.map(({ stack }) => centreStack(stack, cwd));
      if (action === "status") console.log(statusText(read.map((of, i) => observe(stacks[i]!, of, cwd))));
      check(read);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (require.main === module) runMain(USAGE, main);
