/** Writes docs/routing.md from the routing table; `--check` only says whether it is up to date. */
import { renderRoutingDocs } from "../components/layers/synapse/routingDocs";
import { writeOrCheck } from "./writeOrCheck";

writeOrCheck("routing-docs.ts", "Writes docs/routing.md from the routing table.", () => [
  { file: "docs/routing.md", text: renderRoutingDocs() },
]);
