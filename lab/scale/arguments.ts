/** The arguments of `npm run test:scale`. Pure. */
import { parseWords, UsageError } from "../../cli/arguments";
import { MOST_CCU } from "../../components/settings/general/identity";

/** Sizes without a choice, in users. */
export const SIZES = [100, 1_000, 5_000, 10_000, 20_000] as const;

export const USAGE = `npm run test:scale [-- SIZE ... --losses --growth --apply --built]
  Deploys the stack at each size on a real control plane (etcd, kube-apiserver, kube-controller-manager, kube-scheduler)
  whose kubelets KWOK plays, with hosts from the plan, and writes docs/proof/scale.md. Every object must be admitted, every
  pod scheduled where it belongs; then the fullest host of each role and each zone is lost, the fullest host of each role is
  drained, and every autoscaler goes to its maximum. At last the stack grows from 1,000 to 20,000 users and back.
  All of it lives in namespaces of its own and ends with the command. Needs root, on Debian or the like.

  SIZE       concurrent users: ${SIZES.join(", ")} (default: all of these)
  --losses   of losses and growth only the losses
  --growth   only the growth, from the smallest of the sizes to the largest
  --apply    by server-side apply of the rendered objects, without the engine: no times of preview and up, no growth; two
             minutes a size
  --built    takes the programs that are there, without a look at their sources`;

export interface Request {
  sizes: number[];
  /** Whether each size is deployed for itself. */
  each: boolean;
  losses: boolean;
  /** From and to. */
  growth?: [from: number, to: number];
  apply: boolean;
  built: boolean;
}

/** @throws UsageError For a size that is none, and for options that exclude each other */
export function readArguments(argv: readonly string[]): Request {
  const { values, words } = parseWords(argv, {
    losses: { type: "boolean" },
    growth: { type: "boolean" },
    apply: { type: "boolean" },
    built: { type: "boolean" },
  });
  const given = words.flatMap((w) => w.split(",")).map(size);
  const { losses = false, growth = false, apply = false, built = false } = values;
  if (losses && growth) throw new UsageError("--losses and --growth exclude each other: without both, both are done");
  if (apply && growth) throw new UsageError("--apply has no growth: only the engine changes a deployed stack");
  const range = rangeOf(given);
  if (growth && !range) throw new UsageError("--growth needs two sizes, or none for 1,000 to 20,000");
  return {
    sizes: given.length > 0 ? given : [...SIZES],
    each: !growth,
    losses: !growth,
    ...(range && !losses && !apply ? { growth: range } : {}),
    apply,
    built,
  };
}

/** From where to where a stack grows; absent where that is the same. */
function rangeOf(sizes: readonly number[]): [from: number, to: number] | undefined {
  if (sizes.length === 0) return [1_000, 20_000];
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)];
  return from === to ? undefined : [from, to];
}

function size(text: string): number {
  const value = Number(text.replace(/_/g, ""));
  if (!Number.isInteger(value) || value < 1 || value > MOST_CCU)
    throw new UsageError(`"${text}" is no size: give concurrent users, a whole number from 1 to ${MOST_CCU}`);
  return value;
}
