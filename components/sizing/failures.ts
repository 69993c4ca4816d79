/** Figures that the costs of several failures share. Pure. */

/** Seconds until Kubernetes declares a node lost. Measured times come on top. */
export const NODE_LOST = 40;
/** Seconds until pods leave a lost node. */
export const LOST_NODE_TOLERATION = 30;
/**
 * Seconds from the loss of a machine until its Synapse processes that exist once are back on others. Kubernetes from
 * 1.32 on takes 10 s longer to declare it lost; the rest is the start of all that it carried, at once.
 */
export const NODE_REPLACED = NODE_LOST + 10 + 70;
/** Seconds until the operator (or `hosts fence`) has noticed and made sure that the machine is off. */
export const FENCED = 120;
/** `source` of a cost that was measured. */
export const MEASURED = "measured";

/** Which of so many replicas go on when one is lost. @example others(3) gives "the other 2 take" */
export const others = (replicas: number): string =>
  replicas === 2 ? "the other takes" : `the other ${replicas - 1} take`;
