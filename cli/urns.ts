/**
 * The names by which the engine knows a resource: its URN without stack and project, `types::name`, where the types are
 * those of its parent components and its own, joined by `$`. (The URNs of an evaluation name the innermost
 * component only.) Pure.
 */
import type { RegisteredResource } from "./evaluate";

type Known = ReadonlyMap<string, RegisteredResource>;
type Named = Pick<RegisteredResource, "type" | "name" | "parent">;

const ROOT = "pulumi:pulumi:Stack";
const typesOf = (place: string): string => place.slice(0, place.indexOf("::"));
const nameOf = (place: string): string => place.slice(place.indexOf("::") + 2);
const withoutStack = (urn: string): string => urn.split("::").slice(2).join("::");
const below = (parent: string | undefined, type: string, name: string): string =>
  `${parent === undefined || typesOf(parent) === ROOT ? "" : `${typesOf(parent)}$`}${type}::${name}`;

export function placeOf(r: Named, known: Known): string {
  const parent = r.parent === undefined ? undefined : known.get(r.parent);
  return below(parent && placeOf(parent, known), r.type, r.name);
}

/** As a registration carries them (pulumi/alias.proto). */
interface AliasMessage {
  hasUrn(): boolean;
  getUrn(): string;
  getSpec(): { getName(): string; getType(): string; getParenturn(): string; getNoparent(): boolean } | undefined;
}

/**
 * Former names under which the engine recognises this resource's state: its own aliases, and those that follow from the
 * aliases of its parent components.
 */
export function aliasesOf(r: Named, given: AliasMessage[], known: Known): string[] {
  const parent = r.parent === undefined ? undefined : known.get(r.parent);
  const own = given.map((a) => {
    const spec = a.getSpec();
    if (a.hasUrn() || !spec) return withoutStack(a.getUrn());
    const urn = spec.getNoparent() ? undefined : spec.getParenturn() || r.parent,
      former = urn === undefined ? undefined : known.get(urn);
    return below(
      former ? placeOf(former, known) : urn && withoutStack(urn),
      spec.getType() || r.type,
      spec.getName() || r.name,
    );
  });
  // If a child's name begins with its component's name, it formerly began with the component's former name.
  const inherited = (parent?.aliases ?? []).flatMap((former) =>
    [placeOf(r, known), ...own].map((place) => {
      const name = nameOf(place);
      return below(
        former,
        typesOf(place).split("$").pop()!,
        name.startsWith(parent!.name) ? nameOf(former) + name.slice(parent!.name.length) : name,
      );
    }),
  );
  return [...new Set([...own, ...inherited])];
}
