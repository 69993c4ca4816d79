/** What is known of several data centres, as a text for people. Pure. */
import type { DataCentre } from "../../components/domain/dataCentre";
import type { Settings } from "../../components/settings/types";
import { table } from "../table";

/** What a data centre's state and cluster said; a part is undefined where nobody answered. */
export interface Observed {
  stack: string;
  settings: Settings & { dataCentre: DataCentre };
  /** Outputs of its last deployment. */
  outputs?: { version?: string; dataCentre?: { primary: string; secrets: Record<string, string> } };
  /** CloudNativePG's Cluster. */
  cluster?: { status?: { currentPrimary?: string; phase?: string; readyInstances?: number; timelineID?: number } };
  /** From psql: `in recovery|timeline|position in bytes|seconds since the last write`. */
  positions?: string;
}

interface Position {
  follows: boolean;
  timeline: number;
  bytes: number;
  seconds: number;
}

export function positionOf(text: string | undefined): Position | undefined {
  const [recovery, timeline, bytes, seconds] = (text ?? "").split("|");
  if (seconds === undefined) return undefined;
  return { follows: recovery === "t", timeline: Number(timeline), bytes: Number(bytes), seconds: Number(seconds) };
}

/** Names of the secrets whose hashes differ from those of the first data centre that has any. */
export function differingSecrets(all: readonly Observed[]): string[] {
  const known = all.filter((o) => o.outputs?.dataCentre?.secrets);
  const [first, ...rest] = known.map((o) => o.outputs!.dataCentre!.secrets);
  if (!first) return [];
  return [
    ...new Set(
      rest.flatMap((other) =>
        [...new Set([...Object.keys(first), ...Object.keys(other)])].filter((name) => first[name] !== other[name]),
      ),
    ),
  ];
}

const UNKNOWN = "does not answer";

export function statusText(all: readonly Observed[]): string {
  const positions = all.map((o) => positionOf(o.positions));
  const writing = all.filter((_, i) => positions[i]?.follows === false);
  const head = positions.find((p) => p?.follows === false);
  const rows = all.map((o, i) => {
    const { self, primary } = o.settings.dataCentre;
    const p = positions[i];
    const behind = p?.follows && head ? Math.max(0, head.bytes - p.bytes) : undefined;
    return [
      self,
      self === primary ? "primary" : `standby of ${primary}`,
      o.outputs?.dataCentre ? (o.outputs.dataCentre.primary === self ? "primary" : "standby") : UNKNOWN,
      p === undefined ? UNKNOWN : p.follows ? "follows" : "is written to",
      p === undefined ? "" : String(p.timeline),
      behind === undefined ? "" : `${behind} bytes, ${p!.seconds} s`,
      o.cluster?.status?.phase ?? UNKNOWN,
    ];
  });
  const differing = differingSecrets(all);
  const hashed = all.filter((o) => o.outputs?.dataCentre?.secrets).length;
  const lost = all.flatMap((o, i) => {
    const p = positions[i];
    return p?.follows && head
      ? [
          `${o.settings.dataCentre.self} instead of the primary now would lose the last ${Math.max(0, head.bytes - p.bytes)} bytes of the log`,
        ]
      : [];
  });
  return [
    table(["data centre", "settings", "deployed", "database", "timeline", "behind", "phase"], rows),
    "",
    writing.length > 1
      ? `TWO DATABASES ARE WRITTEN TO: ${writing.map((o) => o.settings.dataCentre.self).join(", ")}. Fence the one that no client should reach: docs/fail-over.md.`
      : writing.length === 0
        ? "No database that answers is written to."
        : `${writing[0]!.settings.dataCentre.self} is written to, and no other that answers.`,
    hashed < 2
      ? "Secrets: not compared, since fewer than two states answer."
      : differing.length > 0
        ? `Secrets that differ, and must not: ${differing.join(", ")}.`
        : "Secrets: the same.",
    ...lost,
  ].join("\n");
}
