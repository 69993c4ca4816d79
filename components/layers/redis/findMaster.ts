/**
 * What the scripts share: who is the master? Each of these files includes the one before, and asks for its values. Pure.
 */
import { PORTS } from "../../core/names";
import type { ScriptValue } from "../../core/scripts";
import { headlessFqdn, SELF_WAIT_SECONDS, type RedisTopology } from "./topology";

type Values = Record<string, ScriptValue>;

/** Of names.sh: where and who this pod is, as variables. */
export const namesValues = (t: RedisTopology): Values => ({ HEADLESS: headlessFqdn(t), INSTANCES: t.instances });

/**
 * Of askSentinels.sh: names, and the function that prints what most of the other pods' Sentinels call the master;
 * nothing when none answers.
 */
export const sentinelsValues = (t: RedisTopology): Values => ({
  ...namesValues(t),
  COMPONENT: t.component,
  SENTINEL_PORT: PORTS.sentinel,
  MASTER_NAME: t.masterName,
});

/**
 * Of findMaster.sh, which leaves the master's name in `m` and where it is known from in `src`. In this order:
 * 1. what most of the other pods' Sentinels say; while they say that it is this very pod, which is only just starting,
 * it
 *    waits for them to elect another, because otherwise there are two masters for as long as they take;
 * 2. what this pod's own Sentinel wrote down last (all pods start again after all were down);
 * 3. nobody knows and nothing is written down: a new set, whose first pod is the master.
 */
export const findMasterValues = (t: RedisTopology): Values => ({ ...sentinelsValues(t), SELF_WAIT_SECONDS });
