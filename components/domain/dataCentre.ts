/** Facts about a stack that is one of several data centres of one server. Pure. */
import type { Settings } from "../settings/types";

/** What a stack says about itself and the others. */
export type DataCentre = NonNullable<Settings["dataCentre"]>;
/** A data centre, this one or another. */
export type Centre = DataCentre["peers"][number];
type Given = Pick<Settings, "dataCentre">;

/**
 * Whether another data centre is the primary: the database follows it, and no process of Synapse runs. False in a stack
 * that is the only one.
 */
export const isStandby = ({ dataCentre }: Given): boolean =>
  dataCentre !== undefined && dataCentre.primary !== dataCentre.self;

/** Whether Synapse's processes run here. */
export const runsSynapse = (settings: Pick<Settings, "dataCentre" | "stopSynapse">): boolean =>
  !settings.stopSynapse && !isStandby(settings);

/** A data centre by its name. @throws Error for a name that the checks would have refused */
export function centreOf({ peers }: DataCentre, name: string): Centre {
  const found = peers.find((peer) => peer.name === name);
  if (!found)
    throw new Error(
      `dataCentre.peers: there is no ${JSON.stringify(name)} among ${peers.map((p) => p.name).join(", ") || "none"}; add it, or correct the name`,
    );
  return found;
}

/** The other data centres, in the order of the settings. */
export const otherCentres = ({ dataCentre }: Given): Centre[] =>
  dataCentre ? dataCentre.peers.filter((peer) => peer.name !== dataCentre.self) : [];

/**
 * Folder of a data centre's archive. A database that was made anew has another one: PostgreSQL refuses to write its log
 * into an archive that holds another database's.
 */
export const archiveOf = ({ name, generation }: Pick<Centre, "name" | "generation">): string =>
  `synapse-postgres-${name}-${generation}`;

/**
 * Whether this data centre's database was made empty, and so is the one that all others are copies of. One that was
 * lost and made anew is a copy as well.
 */
export const isFounder = (dataCentre: DataCentre): boolean =>
  dataCentre.self === dataCentre.foundedBy && centreOf(dataCentre, dataCentre.self).generation === 1;

/**
 * The data centre that this one's database follows, or would follow: the primary; in the primary itself the one that
 * founded, else the first other, since CloudNativePG wants a name.
 */
export function sourceOf(dataCentre: DataCentre): string {
  const { self, primary, foundedBy, peers } = dataCentre;
  if (primary !== self) return primary;
  if (foundedBy !== self) return foundedBy;
  return peers.find((peer) => peer.name !== self)?.name ?? self;
}
