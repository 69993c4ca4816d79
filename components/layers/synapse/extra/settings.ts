/** Settings for options of Synapse that have no setting of their own, and for modules. Pure. */
import { WORKER_CLASSES } from "../../../domain/workerClasses";
import { list, oneOf, open, port, section, text } from "../../../schema/fields";
import { isDnsName } from "../../../schema/syntax/text";

/** `name==version`, and the hashes of its files where they are pinned too. */
const PACKAGE = /^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!_-]*( --hash=sha256:[0-9a-f]{64})*$/;

const module = section(
  {
    module: text(
      { doc: "Python class of the module.", allowed: "a dotted name: package.Class" },
      (v) => /^[A-Za-z_]\w*([.][A-Za-z_]\w*)+$/.test(v),
      "my_module.MyModule",
    ),
    config: open(
      "The module's own configuration. A value may be a secret; all of it is in a Secret.",
      "a section, as the module documents it",
      { enabled: true },
    ).optional(),
    packages: list(
      text(
        {
          doc: "A package of PyPI.",
          allowed:
            "`name==version`, with the hashes of its files if they are pinned: `name==version --hash=sha256:...`",
        },
        (v) => PACKAGE.test(v),
        "my-module==1.0.0",
      ),
      {
        doc: "Python packages that Synapse's image lacks: the module's, and those that it depends on. `npm run images -- synapse` writes the recipe of an image that has them, which `images.overrides.synapse` then names.",
      },
    ).default([]),
    workers: list(oneOf(WORKER_CLASSES as [string, ...string[]], { doc: "A class of processes." }), {
      doc: "Only processes of these classes load the module; `main` is the main process. Absent: all, as Synapse recommends. A module's callbacks run in the process that does the work, so a class that is left out does its work without the module.",
    }).optional(),
  },
  { doc: "A module of Synapse." },
);

const connection = section(
  {
    host: text(
      { doc: "Name or address of the server.", allowed: "a DNS name or address" },
      (v) => isDnsName(v) || /^[0-9a-f.:]+$/i.test(v),
      "api.example.com",
    ),
    port: port({ doc: "Its TCP port." }),
  },
  { doc: "A server." },
);

/** The section. */
export const extraSettings = {
  synapse: section(
    {
      extra: open(
        "Options of Synapse that no setting of this stack has, with the names and values of homeserver.yaml. Options that a setting has, or that the stack decides, are refused, and so are those that the pinned Synapse does not know. A value may be a secret (`pulumi config set --secret --path`); all of it is in a Secret.",
        "a section with options of Synapse",
        { enable_search: false },
      ).optional(),
      modules: list(module, { doc: "Modules of Synapse, in the order in which they are asked." }).default([]),
      connections: list(connection, {
        doc: "Servers that Synapse's processes call because of these options or modules; the network policies let them through.",
      }).default([]),
    },
    { doc: "What Synapse has beyond the settings of this stack." },
  ).prefault({}),
};
