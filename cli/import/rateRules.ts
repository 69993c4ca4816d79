/** How often who may do what. Pure. */
import {
  FEDERATION_RATE_NAMES,
  FEDERATION_RATES,
  RATE_LIMITS,
  rateOption,
} from "../../components/layers/synapse/settings/rateLimits";
import { drop, take, type Rule } from "./rules";

const former = (option: string, today: string, setting: string): Rule =>
  take(option, setting, (value, facts) =>
    facts.get(today) === undefined ? value : drop(`the former form, which Synapse reads only without ${today}`),
  );

export const RATE_RULES: Rule[] = [
  ...RATE_LIMITS.flatMap((limit) => [
    take(`${rateOption(limit)}.per_second`, `rateLimits.${limit}.perSecond`),
    take(`${rateOption(limit)}.burst_count`, `rateLimits.${limit}.burst`),
  ]),
  ...FEDERATION_RATE_NAMES.map((name) =>
    take(`rc_federation.${FEDERATION_RATES[name]}`, `rateLimits.federation.${name}`),
  ),
  // The former forms, which Synapse reads only without today's (synapse/config/ratelimiting.py).
  former("rc_messages_per_second", "rc_message", "rateLimits.messages.perSecond"),
  former("rc_message_burst_count", "rc_message", "rateLimits.messages.burst"),
  ...FEDERATION_RATE_NAMES.map((name) =>
    former(`federation_rc_${FEDERATION_RATES[name]}`, "rc_federation", `rateLimits.federation.${name}`),
  ),
];
