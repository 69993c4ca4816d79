/** Checks a draft as the stack would: what it would refuse becomes a decision. Pure. */
import { resolveSettings, type SettingsError } from "../../components/settings";
import type { Draft } from "./draft";
import type { Finding, Path } from "./finding";
import type { Mapped } from "./map";

const errorsOf = (draft: Draft, stack: string): readonly SettingsError[] =>
  resolveSettings(draft.whole(), stack).errors;

/** Whether an error is about a setting, or about what is in it. */
const isAbout = ({ path }: SettingsError, setting: string): boolean =>
  path === setting || path.startsWith(`${setting}.`) || path.startsWith(`${setting}[`);

/** The keys of a path as errors write it. */
const keysOf = (path: string): Array<string | number> =>
  [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map((m) => (m[2] !== undefined ? Number(m[2]) : m[1]!));

/** Settings that restrict: where one is refused, what stands in its place lets nobody through. */
const CLOSED: Record<string, { path: Path; value: unknown; now: string }> = {
  "federation.domainAllowList": {
    path: ["federation", "enabled"],
    value: false,
    now: "Until the list is right, federation.enabled is false: without a list, every server would be admitted.",
  },
  "rooms.aliasRules": {
    path: ["rooms", "aliasRules"],
    value: [],
    now: "Until the rules are right, nobody may give an alias: without rules, everybody might.",
  },
};

/**
 * Moves what the stack refuses from `taken` to `decision`, and returns the errors that remain: what the old server
 * cannot say, such as the hosts.
 */
export function settle({ draft, findings }: Mapped, stack: string): readonly SettingsError[] {
  // Each round takes something away, and what is away can make something else wrong.
  for (let round = 0; round < 10; round++) {
    const errors = errorsOf(draft, stack);
    const refused = findings.flatMap((finding): Array<[Finding, SettingsError]> => {
      const error =
        finding.list === "taken" && finding.setting !== undefined
          ? errors.find((e) => isAbout(e, finding.setting!))
          : undefined;
      return error ? [[finding, error]] : [];
    });
    if (refused.length === 0) return errors;
    for (const [finding, error] of refused) {
      draft.remove(keysOf(finding.setting!));
      const closed = CLOSED[finding.setting!];
      if (closed) draft.set(closed.path, closed.value);
      Object.assign(finding, {
        list: "decision",
        why: `${finding.setting} does not take it. Allowed: ${error.allowed}. ${capital(error.remedy)}${closed ? `. ${closed.now}` : ""}`,
      } satisfies Partial<Finding>);
      delete finding.setting;
    }
  }
  return errorsOf(draft, stack);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
