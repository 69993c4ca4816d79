/** Figures that the costs of several failures are made of. Pure. */

/** Seconds until Kubernetes declares a node lost. Measured times come on top. */
export const NODE_LOST = 40;
/** Seconds until pods leave a lost node. */
export const LOST_NODE_TOLERATION = 30;
/** Seconds until the operator (or `hosts fence`) has noticed and made sure that the machine is off. */
export const FENCED = 120;
export const MEASURED = "measured";

/** Of so many replicas, who goes on when one is lost. */
export const others = (replicas: number): string =>
  replicas === 2 ? "the other takes" : `the other ${replicas - 1} take`;
