/** Messages of the server to its users. Pure. */
import { bool, section, text } from "../../../schema/fields";

export const noticeSettings = {
  serverNotices: section(
    {
      localpart: text(
        {
          doc: "Name, without server, of the account that the notices come from. No user may have it; Synapse makes it.",
          allowed: "the part of a user id between @ and the colon",
        },
        (v) => /^[a-z0-9._=/+-]{1,200}$/.test(v),
        "notices",
      ).default("notices"),
      displayName: text({ doc: "Its display name." }).default("Server notices"),
      roomName: text({ doc: "Name of the room that each user gets with the first notice." }).default("Server notices"),
      roomTopic: text({ doc: "Topic of that room." }).optional(),
      autoJoin: bool({ doc: "Users are in that room at once. False: they are invited." }).default(true),
    },
    { doc: "Lets administrators send notices to single users by the admin API. Absent: there are none." },
  ).optional(),
};
