/** docs/routing.md, from the routing table. Pure. */
import { ROUTES } from "./routes";
import { ADMIN_PREFIX, NEVER_SERVED, type HashKey, type Route } from "./routingTable";

const HASHED: Record<HashKey, string> = {
  none: "least connections",
  user: "user of the access token",
  room: "room id",
  origin: "sending server",
  media: "media id",
};
const code = (text: string): string => `\`${text.replace(/\|/g, "\\|")}\``;

function target(route: Route): string {
  return "stream" in route.target ? `writer of \`${route.target.stream}\`` : `\`${route.target.class}\``;
}

function row(route: Route): string {
  const when =
    [route.methods?.join(" "), route.queryAbsent ? `no \`${route.queryAbsent}\`` : undefined]
      .filter(Boolean)
      .join(", ") || "any";
  const fallback = route.fallback.length > 0 ? route.fallback.map((c) => `\`${c}\``).join(", ") : `none: ${route.why}`;
  return `| ${route.id} | ${route.patterns.map(code).join("<br>")} | ${when} | ${target(route)} | ${HASHED[route.hash]} | ${fallback} | ${route.surface ?? "public"} | ${route.doc} |`;
}

/** The file's text. */
export function renderRoutingDocs(): string {
  return [
    "# Which process serves which path",
    "",
    "Generated from `components/layers/synapse/routes.ts` by `npx tsx scripts/routing-docs.ts`; HAProxy's configuration and the workers' listeners come from the same table.",
    "The first route that matches wins. A class that the plan does not have is replaced by its first fallback that it has, else by the main process.",
    "A fallback serves while no process of the class does. `federation` routes exist only where federation is on, `terms` only with the setting of that name; `admin` routes only on the router's admin port.",
    "",
    "| route | paths | methods | class | kept together by | fallback | surface | source |",
    "|---|---|---|---|---|---|---|---|",
    ...ROUTES.map(row),
    "",
    `Refused on every port: ${NEVER_SERVED.map(code).join(", ")}. Refused on the public port: ${code(ADMIN_PREFIX)}. Both are matched on the decoded path. A path that matches no route gets 404 \`M_UNRECOGNIZED\`.`,
    "",
  ].join("\n");
}
