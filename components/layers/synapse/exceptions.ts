/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { SINGLE, type RuleException } from "../../core/exceptions";
import { NAMESPACES, synapseService } from "../../core/names";
import { whyAlone, WORKER_CLASSES } from "../../domain/workerClasses";
import { WORKERS, type WorkerClass } from "../../domain/workers";

const allows = (cls: WorkerClass): string =>
  WORKERS[cls].scaling.mode === "single" ? "Synapse allows one such process" : "Synapse allows several such processes";

/** Classes that may have one process, according to the table of classes. */
const SINGLE_PROCESSES = WORKER_CLASSES.flatMap((cls): RuleException[] => {
  const why = whyAlone(cls);
  if (why === undefined) return [];
  return [
    {
      rule: "12",
      object: `StatefulSet ${NAMESPACES.matrix}/${synapseService(cls)}`,
      what: SINGLE,
      why: `${why}. ${allows(cls)}; a lost one is replaced without anyone, and \`npm run plan\` names the time that takes`,
    },
  ];
});

export const EXCEPTIONS: RuleException[] = [
  ...SINGLE_PROCESSES,
  {
    rule: "20",
    object: "Job matrix/synapse-check-config-*",
    what: /^its configuration names .* but there is no edge to /,
    why: "it parses the configurations of all classes and connects to nothing; without edges, the network policies enforce that",
  },
  {
    rule: "15b",
    object: "Job matrix/synapse-check-config-*",
    what: /^\/conf\/email\/email\.yaml is not mounted$/,
    why: "its script checks whether the file exists; it is mounted only if the stack sends e-mail",
  },
];
