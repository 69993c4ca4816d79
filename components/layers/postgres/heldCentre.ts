/**
 * Which part a deployed database has among several data centres, and the changes of it that would lose data or make a
 * second primary. Pure.
 */
import { archiveOf, centreOf, type DataCentre } from "../../domain/dataCentre";
import type { Settings, SettingsError } from "../../settings/types";

/** As the last deployment left it. */
export interface HeldCentre {
  self: string;
  foundedBy: string;
  primary: string;
  generation: number;
}

export const heldCentre = (centre: DataCentre): HeldCentre => ({
  self: centre.self,
  foundedBy: centre.foundedBy,
  primary: centre.primary,
  generation: centreOf(centre, centre.self).generation,
});

const AT = "dataCentre";

/** @param held Undefined where the deployed stack was the only one. */
export function lostAmongCentres(held: HeldCentre | undefined, { dataCentre: now }: Settings): SettingsError[] {
  if (!held) return now ? joining(now) : [];
  if (!now) return leaving(held);
  return [...renamed(held, now), ...promoted(held, now), ...remade(held, now)];
}

/** A stack that was the only one has the server's data: it can only be the one that founds. */
function joining(now: DataCentre): SettingsError[] {
  return (["foundedBy", "primary"] as const)
    .filter((field) => now[field] !== now.self)
    .map((field) => ({
      path: `${AT}.${field}`,
      given: `"${now[field]}", where ${now.self} has been a server of its own`,
      allowed: `"${now.self}": its database is the one that the others are copied from`,
      remedy: `set ${AT}.${field}: ${now.self}; for a standby, begin with a stack that was not deployed yet`,
    }));
}

/** Without its primary, CloudNativePG would promote a standby at once. */
function leaving({ self, primary }: HeldCentre): SettingsError[] {
  if (self === primary) return [];
  return [
    {
      path: AT,
      given: `nothing, where ${self} is a standby of ${primary}`,
      allowed: "a standby stays one until it is promoted: without this section it would begin to write by itself",
      remedy: `keep ${AT}; to promote ${self}, see docs/fail-over.md; to give it up, destroy this stack`,
    },
  ];
}

const renamed = (held: HeldCentre, now: DataCentre): SettingsError[] =>
  (["self", "foundedBy"] as const)
    .filter((field) => held[field] !== now[field])
    .map((field) => ({
      path: `${AT}.${field}`,
      given: `"${now[field]}", where the deployed stack has ${held[field]}`,
      allowed: `"${held[field]}": it never changes, the archives and the other data centres know it by that name`,
      remedy: `set ${AT}.${field}: ${held[field]}`,
    }));

/** A promotion without a word about the former primary is how there come to be two. */
function promoted(held: HeldCentre, now: DataCentre): SettingsError[] {
  if (held.primary === held.self || now.primary !== now.self) return [];
  const former = held.primary;
  if (now.promotionToken !== undefined || now.confirmLost === former) return [];
  return [
    {
      path: `${AT}.primary`,
      given: `"${now.primary}", a promotion${now.confirmLost === undefined ? " without promotionToken and confirmLost" : ` that calls ${now.confirmLost} lost, where the primary was ${former}`}`,
      allowed: `a promotion with the token of ${former}, or with the words that ${former} is lost: what did not arrive from it is lost too, and two primaries lose more`,
      remedy: `planned: deploy ${former} as a standby, then \`npm run dr -- token\` prints the token for ${AT}.promotionToken. ${former} lost: \`npm run dr -- fence\` says how to keep it from coming back; then set ${AT}.confirmLost: ${former}`,
    },
  ];
}

/** Another generation is another database, and one that serves is not made anew. */
function remade(held: HeldCentre, now: DataCentre): SettingsError[] {
  const own = centreOf(now, now.self);
  if (own.generation === held.generation) return [];
  const at = `${AT}.peers[${now.peers.indexOf(own)}].generation`;
  if (own.generation < held.generation)
    return [
      {
        path: at,
        given: `${own.generation}, where the deployed database is generation ${held.generation}`,
        allowed: `${held.generation}, or a higher one: the folder ${archiveOf(own)} holds the log of another database`,
        remedy: `set generation: ${held.generation}`,
      },
    ];
  if (now.primary !== now.self) return [];
  return [
    {
      path: at,
      given: `${own.generation}, in the primary, whose database is generation ${held.generation}`,
      allowed: `${held.generation}: only the database of a standby is made anew, from the primary's`,
      remedy: `set generation: ${held.generation}; after a restore of the primary, raise it in each of the others`,
    },
  ];
}
