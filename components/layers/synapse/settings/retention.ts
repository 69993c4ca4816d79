/** How long messages are kept. Pure. */
import { int, section } from "../../../schema/fields";

const days = (doc: string, more: { defaultText?: string; remedy?: string } = {}) =>
  int(1, 36_500, { doc, ...more }).optional();

export const retentionSettings = {
  retention: section(
    {
      maxLifetimeDays: days(
        "Messages older than this many days are deleted, in all rooms that do not say otherwise themselves.",
        {
          defaultText: "for ever, in rooms that do not say otherwise",
          remedy: "give the number of days, or remove the section `retention` to keep messages for ever",
        },
      ),
      roomMinDays: days(
        "Shortest time that a room's administrators may choose for it (the state event m.room.retention), days.",
        { defaultText: "any" },
      ),
      roomMaxDays: days("Longest time that a room's administrators may choose for it, days.", {
        defaultText: "maxLifetimeDays",
      }),
    },
    {
      doc: "Message retention. Absent: messages are kept for ever, and what rooms say of it is not looked at.",
    },
  ).optional(),
};
