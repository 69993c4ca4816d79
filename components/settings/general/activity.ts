/** Settings about what people do: the plan reckons the load from them. Pure. */
import { FIGURES, PROFILES, type Activity } from "../../sizing/activity";
import { decimal, oneOf, section } from "../../schema/fields";

const figure = (name: keyof Activity, min: number, max: number, doc: string) =>
  decimal(min, max, {
    doc,
    defaultText: `${(["quiet", "typical", "busy"] as const).map((p) => Number(FIGURES[name][p].toPrecision(3))).join(", ")} by profile`,
    example: FIGURES[name].typical,
    remedy: "count it where people are already (synapse_storage_events_persisted_events of Synapse), or leave it out",
  }).optional();

export const activitySettings = {
  activity: section(
    {
      profile: oneOf(PROFILES, {
        doc: "What people do: figures with their sources are in components/sizing/activity.ts. quiet: work, by those who write little. typical: friends and colleagues. busy: communities and support.",
      }).default("typical"),
      messagesPerUserHour: figure(
        "messagesPerUserHour",
        0.01,
        1000,
        "Messages that a concurrent user sends in the busiest hour of the day.",
      ),
      peakFactor: figure("peakFactor", 1, 20, "The busiest minute of that hour beside its mean: a morning's peak."),
      dayShare: figure("dayShare", 0.02, 1, "The mean over the whole day beside that hour."),
      recipientsOnline: figure(
        "recipientsOnline",
        0,
        10_000,
        "Other people who are connected when a message comes to them, on average. Large rooms raise it.",
      ),
      onlineShare: figure(
        "onlineShare",
        0.01,
        1,
        "Share of the concurrent users whose client waits for messages at the same moment.",
      ),
      callShare: figure("callShare", 0, 1, "Share of the concurrent users who are in a call at the same moment."),
      loginsPerUserHour: figure(
        "loginsPerUserHour",
        0,
        60,
        "New sessions of a user in that hour. Each begins with a first sync.",
      ),
      mediaMiBPerUserDay: figure("mediaMiBPerUserDay", 0, 10_000, "Files that a concurrent user sends in a day, MiB."),
      roomsPerUser: figure("roomsPerUser", 1, 10_000, "Rooms that a user is in: a first sync carries them all."),
    },
    {
      doc: "What people do. The plan reckons the CPU of each part from it, raises the numbers of processes where the usual ones would not suffice, and refuses what Synapse cannot carry.",
    },
  ).prefault({}),
  coreSpeed: decimal(0.25, 4, {
    doc: "How fast a core of the hosts is beside that of the machine on which costs were measured: its calibration over yours (docs/proof/capacity.md). `npm run load -- --calibrate` measures it.",
    example: 1,
  }).default(1),
};
