/** Settings of a stack that is one of several data centres of one server. Pure. */
import { bool, cidr, dnsLabel, int, list, port, section, text } from "../../schema/fields";
import { s3Fields } from "../../schema/s3";
import { isPlaceholder } from "../../schema/syntax/keys";
import { isDnsName } from "../../schema/syntax/text";
import { parseAddress } from "../../core/addresses";

const named = (doc: string) => dnsLabel({ doc, example: "dc1", remedy: "give one of the names in dataCentre.peers" });

/** CloudNativePG's token: base64 of a JSON object (pkg/utils/parser.go, ParsePgControldataToken). */
export function isPromotionToken(value: string): boolean {
  try {
    const content: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    return (
      typeof content === "object" &&
      content !== null &&
      ["databaseSystemIdentifier", "latestCheckpointREDOLocation", "latestCheckpointTimelineID"].every(
        (key) => typeof (content as Record<string, unknown>)[key] === "string",
      )
    );
  } catch {
    return false;
  }
}

const peer = section(
  {
    name: dnsLabel({ doc: "Name of the data centre. It never changes.", example: "dc1" }),
    generation: int(1, 1000, {
      doc: "Raise it by one when this data centre's database is made anew, after a loss: the new one archives into a folder of its own.",
    }).default(1),
    archive: section(s3Fields, {
      doc: "Where this data centre's PostgreSQL archives its log and its base backups, in a folder of its name and generation. Its loss must not take the archive with it: another site, or another data centre. The data centre itself needs a key that may write, the others one that may read.",
    }),
    stream: section(
      {
        host: text(
          {
            doc: "Address or name at which the other data centres reach this one's PostgreSQL. In its own stack an address of `addressPools`, or what a router leads to one.",
            allowed: "a DNS name or an address",
          },
          (v) => isDnsName(v) || parseAddress(v) !== undefined,
          "192.0.2.1",
        ),
        port: port({ doc: "Port there." }).default(5432),
        from: list(cidr({ doc: "A network." }), {
          doc: "Networks from which this data centre's hosts connect to the others, as the others see them. Nobody else reaches their PostgreSQL.",
          example: ["192.0.2.0/24"],
        }),
      },
      { doc: "How the data centres reach each other's PostgreSQL." },
    ),
  },
  { doc: "A data centre." },
);

export const dataCentreSettings = {
  dataCentre: section(
    {
      self: named("This data centre."),
      foundedBy: named("The data centre whose database was made first; the others are copies. It never changes."),
      primary: named(
        "The data centre that serves: the line that promotes. It is the same in the stacks of all data centres.",
      ),
      promotionToken: text(
        {
          doc: "What `npm run dr -- token` printed for the former primary: this data centre becomes the primary once it has everything up to there. Remove it when this data centre is no longer the primary.",
          allowed: "the token of a demoted primary",
          remedy: "`npm run dr -- token --stack FORMER_PRIMARY` prints it, once that stack was deployed as a standby",
        },
        (v) => isPlaceholder(v) || isPromotionToken(v),
        Buffer.from(
          '{"databaseSystemIdentifier":"1","latestCheckpointREDOLocation":"0/1","latestCheckpointTimelineID":"1"}',
        ).toString("base64"),
      ).optional(),
      confirmLost: named(
        "The former primary, in place of a token: it is lost, and so are the writes that did not arrive. It must have been fenced before, and its database has to be made anew.",
      ).optional(),
      acceptMediaLoss: bool({
        doc: "Media in the stack's own MinIO are in this data centre alone. Say `true` where they may be lost with it.",
      }).default(false),
      peers: list(peer, {
        doc: "All data centres, this one included, the same list in each stack.",
      }),
    },
    {
      doc: "This stack is one of several data centres of one server: one is the primary, the databases of the others follow it. docs/fail-over.md has the procedures.",
    },
  ).optional(),
};
