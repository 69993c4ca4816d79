/** Settings about finding people, and about rooms: names, the directory, who joins which. Pure. */
import { bool, decimal, list, oneOf, section, text } from "../../../schema/fields";
import { isServerName } from "../../../schema/syntax/text";

const glob = (doc: string, example: string) =>
  text(
    { doc, allowed: "text with `*` and `?` for any characters, without blanks" },
    (v) => v.trim() !== "" && !/[\s\0]/.test(v),
    example,
  ).optional();

/** The first rule that fits decides; where none fits, it is denied. */
const rule = section(
  {
    action: oneOf(["allow", "deny"], { doc: "What the rule does." }),
    user: glob("Who asks: a user id with `*` and `?`. Absent: everybody.", "@alice:example.com"),
    alias: glob("The room's alias, with `*` and `?`. Absent: any, and rooms without one.", "#team-*:example.com"),
    room: glob("The room's id, with `*` and `?`. Absent: any.", "!*"),
  },
  { doc: "A rule." },
);

/** An alias of a room on any server. @example "#welcome:example.com" */
function isAlias(v: string): boolean {
  const server = /^#[^\s:]+:(.+)$/.exec(v)?.[1];
  return server !== undefined && isServerName(server) && Buffer.byteLength(v) <= 255;
}

export const roomSettings = {
  userDirectory: section(
    {
      enabled: bool({ doc: "Users may search for other users." }).default(true),
      searchAllUsers: bool({
        doc: "The search finds every user of this server. False: only those who share a room with the searcher, or are in a public room.",
      }).default(false),
      preferLocalUsers: bool({ doc: "This server's users come before those of others in the results." }).default(true),
      excludeRemoteUsers: bool({ doc: "The search finds no users of other servers." }).default(false),
      showLockedUsers: bool({ doc: "The search finds locked accounts as well." }).default(false),
    },
    { doc: "Search for users." },
  ).prefault({}),
  rooms: section(
    {
      publicationRules: list(rule, {
        doc: "Who may publish which room in the room directory; the first rule that fits decides. Empty: nobody may, the administrators neither. `[{ action: allow }]`: whoever is a moderator of the room.",
      }).default([]),
      aliasRules: list(rule, {
        doc: "Who may give a room which alias; the first rule that fits decides, and none that fits means no. Absent: everybody may.",
      }).optional(),
      aliasesByMembersOnly: bool({
        doc: "Only users in a room, and administrators, may give it an alias. False: any user may whom the rules let.",
      }).default(true),
      listWithoutLogin: bool({ doc: "The room directory is shown without a login." }).default(false),
      listOverFederation: bool({
        doc: "Users of other servers may read this server's room directory.",
      }).default(false),
      encryption: oneOf(["none", "private", "all"], {
        doc: "Rooms that are encrypted from the start, whatever the client asks for: `private` are direct messages and rooms by invitation, `all` public ones too. Only new rooms.",
      }).default("none"),
      autoJoin: section(
        {
          aliases: list(
            text({ doc: "Alias of a room.", allowed: "a room's alias: #name:server" }, isAlias, "#welcome:example.com"),
            { doc: "Rooms that every new user joins, by alias." },
          ),
          create: bool({
            doc: "Make those that do not exist, when the first user registers.",
          }).default(true),
          preset: oneOf(["public_chat", "private_chat", "trusted_private_chat"], {
            doc: "How they are made: `public_chat` lets everybody in; users are invited to the others, by `inviter`.",
          }).default("public_chat"),
          federated: bool({ doc: "Users of other servers can be in the rooms that are made." }).default(true),
          inviter: text(
            {
              doc: "Name, without server, of the account that makes the rooms and invites to those that are not public. It must exist. Absent: the first user who registers makes them.",
              allowed: "the part of a user id between @ and the colon",
            },
            (v) => /^[a-z0-9._=/+-]{1,200}$/.test(v),
            "admin",
          ).optional(),
          guests: bool({ doc: "Guests join too, where there are any." }).default(true),
        },
        { doc: "Rooms that new users join. Absent: none. Users who exist already are not touched." },
      ).optional(),
      limitRemote: section(
        {
          complexity: decimal(0.1, 1000, {
            doc: "Rooms of other servers above it cannot be joined. It is the number of the room's present state events, divided by 500.",
          }).default(1),
          message: text({ doc: "What the user is told." }).default(
            "Your homeserver is unable to join rooms this large or complex. Please speak to your server administrator, or upgrade your instance to join this room.",
          ),
          adminsCanJoin: bool({ doc: "Server administrators may join them." }).default(false),
        },
        { doc: "Keeps users out of large rooms of other servers. Absent: they may join." },
      ).optional(),
    },
    { doc: "Rooms." },
  ).prefault({}),
};
