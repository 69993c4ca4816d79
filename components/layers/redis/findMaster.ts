/**
 * The part that the scripts share: finding the master. Each of these files includes the one before, and needs its
 * values. Pure.
 */
import { PORTS } from "../../core/names";
import type { ScriptValue } from "../../core/scripts";
import { headlessFqdn, SELF_WAIT_SECONDS, type RedisTopology } from "./topology";

type Values = Record<string, ScriptValue>;

/** Of names.sh: where and who this pod is, as variables. */
export const namesValues = (t: RedisTopology): Values => ({ HEADLESS: headlessFqdn(t), INSTANCES: t.instances });

/**
 * Of askSentinels.sh: names, and the function that prints the master's name by majority of the other pods' Sentinels,
 * or nothing if none answers.
 */
export const sentinelsValues = (t: RedisTopology): Values => ({
  ...namesValues(t),
  COMPONENT: t.component,
  SENTINEL_PORT: PORTS.sentinel,
  MASTER_NAME: t.masterName,
});

/**
 * Of findMaster.sh, which leaves the master's name in `m` and its source in `src`, the first of these that exists:
 * 1. the majority of the other pods' Sentinels. While they name this pod, which is only starting, it waits until they
 *    have elected another one; otherwise there would be two masters until then;
 * 2. the last record of this pod's own Sentinel (all pods were down and start again);
 * 3. the first pod: without a Sentinel that answers and without a record, the set is new.
 */
export const findMasterValues = (t: RedisTopology): Values => ({ ...sentinelsValues(t), SELF_WAIT_SECONDS });
