/** What keeps a lost data centre from coming back as a second primary, with its own names and addresses. Pure. */
import { advertised } from "../../components/domain/callHosts";
import { archiveOf, centreOf, type DataCentre } from "../../components/domain/dataCentre";
import type { Settings } from "../../components/settings/types";

/** The steps in the order of their strength. Each works without the data centre's help, but the last. */
export function fenceText(settings: Settings & { dataCentre: DataCentre }): string {
  const { dataCentre, hosts } = settings;
  const own = centreOf(dataCentre, dataCentre.self);
  const addresses = [...new Set(hosts.map(advertised))];
  return [
    `Before another data centre is promoted without a token, ${dataCentre.self} must not be able to serve, send or archive:`,
    `1. Power: switch its machines off, at their management controllers or the rack: ${hosts.map((h) => h.name).join(", ")}.`,
    `   Or its way out: drop, at the router in front of it, what comes from ${addresses.join(", ")}`,
    `   and what goes to ${settings.addressPools.flatMap((pool) => pool.addresses).join(", ")}.`,
    `2. Archive: revoke the key that writes to ${own.archive.endpoint}, bucket ${own.archive.bucket}, folder ${archiveOf(own)}, where that store is administered.`,
    "   Without it no write here is ever archived, and a database that comes back is seen to be old.",
    "3. The others: take its networks out of what their PostgreSQL admits only when it is to stay away for good.",
    "4. If its cluster still answers: npm run dr -- fence --apply stops PostgreSQL and Synapse there.",
    `When it comes back, the stack of ${dataCentre.self} is deployed as a standby before its machines have a way out: docs/fail-over.md, "Return".`,
  ].join("\n");
}
