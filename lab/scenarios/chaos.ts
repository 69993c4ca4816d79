/** `npm run local -- chaos`: one of the failures of test:cluster, caused once and without measurements. */
import type { Client, Load } from "./load";
import type { Run, Scenario } from "./scenario";
import { access, adminRequest, type Access } from "../local/access";
import { type Request, UsageError } from "../local/arguments";
import { requireCluster } from "../local/kubectl";

/** Machine and operators may take this long to recover from a failure, as in test:cluster. */
const HEAL_SECONDS = 300;

/**
 * No load runs, so waiting until it flows again ends at once. Any other use of the load by a scenario is an error that
 * names the property.
 */
export function withoutLoad(): Load {
  const answers: Record<string, unknown> = { flowing: () => true, start: () => undefined };
  return new Proxy(
    {},
    {
      get: (_, key) =>
        answers[String(key)] ??
        (() => {
          throw new Error(
            `this failure reads ${String(key)} of the client load: npm run test:cluster -- --only NAME causes it`,
          );
        }),
    },
  ) as Load;
}

/** An administrator who is registered only when a scenario really sends something. */
function lateAdmin(a: Access): Client {
  let real: Promise<Client> | undefined;
  const admin = async (): Promise<Client> => {
    const { Client } = await import("./load");
    const user = await adminRequest(a, `chaos-${Date.now().toString(36)}`, crypto.randomUUID(), true);
    return new Client(a, user.user_id, user.access_token, false);
  };
  return new Proxy(
    {},
    {
      get:
        (_, key) =>
        async (...args: unknown[]) => {
          const client: any = await (real ??= admin());
          return client[key](...args);
        },
    },
  ) as Client;
}

export function scenarioNamed(scenarios: readonly Scenario[], id: string): Scenario {
  const found = scenarios.find((s) => s.id === id);
  if (found) return found;
  throw new UsageError(`no failure is called "${id}"; there are\n${listed(scenarios)}`);
}
export const listed = (scenarios: readonly Scenario[]): string =>
  scenarios
    .map((s) => `  ${s.id.padEnd(20)} ${s.title}: ${s.how}${s.promised ? ` (promised: ${s.promised})` : ""}`)
    .join("\n");

/** Failures only: the other scenarios of test:cluster measure for themselves. */
export const failures = (all: readonly Scenario[]): Scenario[] => all.filter((s) => s.group === "failure");

export async function chaos(request: Request): Promise<number> {
  const scenarios = failures((await import("./scenarios")).ALL);
  const id = request.words[0] ?? "list";
  if (id === "list") {
    console.log(listed(scenarios));
    return 0;
  }
  requireCluster();
  if (request.cluster !== "lab")
    throw new UsageError("chaos works on the lab's own cluster, whose nodes are processes of this machine");
  const { ailment, healthy, mend } = await import("./cluster");
  if (id === "undo") {
    await mend();
    console.log("every node thawed, connected, uncordoned and emptied of what a failure filled it with");
    return 0;
  }
  const scenario = scenarioNamed(scenarios, id);
  const ill = await ailment();
  if (ill)
    throw new UsageError(
      `something is wrong already: ${ill}\nwait until it has recovered, or \`npm run local -- chaos undo\``,
    );
  const started = Date.now();
  const say = (text: string): void =>
    console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      console.log("\nundoing ...");
      void mend().finally(() => process.exit(130));
    });
  const a = await access();
  let broken = 0;
  const table: Run["table"] = ({ head, rows }) => {
    for (const row of rows) say(head.map((h, i) => `${h} ${row[i]}`).join(", "));
  };
  const run: Run = {
    a,
    table,
    load: withoutLoad(),
    admin: lateAdmin(a),
    cause: () => say(`caused: ${scenario.how}`),
    note: say,
    fail: (t) => {
      broken++;
      say(`FAILED: ${t}`);
    },
  };
  say(`${scenario.title} ...`);
  try {
    // A returned function counts the load's answers, and there is no load.
    await scenario.action(run);
  } catch (error) {
    await mend();
    throw error;
  }
  say("waiting until everything is healthy ...");
  await healthy(HEAL_SECONDS);
  say("everything is healthy");
  return broken ? 1 : 0;
}
