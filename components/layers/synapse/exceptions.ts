/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { SINGLE, type RuleException } from "../../core/exceptions";

const oneOf = (what: string): string =>
  `${what}. Synapse allows one such process and nothing in the database fences a second; \`npm run plan\` names its recovery time`;

export const EXCEPTIONS: RuleException[] = [
  { rule: "12", object: "StatefulSet matrix/synapse-main", what: SINGLE, why: oneOf("the main process") },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-background",
    what: SINGLE,
    why: oneOf("run_background_tasks_on names one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-user-directory",
    what: SINGLE,
    why: oneOf("update_user_directory_from_worker names one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-ephemeral",
    what: SINGLE,
    why: oneOf("the writer of typing (and presence) has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-presence",
    what: SINGLE,
    why: oneOf("the writer of presence has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-account",
    what: SINGLE,
    why: oneOf("the writer of account data and push rules has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-to-device",
    what: SINGLE,
    why: oneOf("the writer of to-device messages has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-device-lists",
    what: SINGLE,
    why: oneOf(
      "each writer of device lists is the only one for its share of the users: a second would halve what one loss touches, which small stacks do not need",
    ),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-receipts",
    what: SINGLE,
    why: oneOf(
      "each writer of receipts is the only one for its share of the rooms; there is only one if the overrides set it, as in the local stack",
    ),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-pusher",
    what: SINGLE,
    why: oneOf(
      "each pusher is the only one for its share of the users: a second would halve what one loss touches, which small stacks do not need",
    ),
  },
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
