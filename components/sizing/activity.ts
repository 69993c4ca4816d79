/**
 * What people do, as data: three profiles, each figure with its source, and the rates that follow for so many users.
 * Where nobody published a figure it is decided, and the reason stands beside it. Pure.
 */
import type { Settings } from "../settings/types";

/** What a concurrent user does, in the busiest hour where nothing else is said. */
export interface Activity {
  /** Messages that a user sends in the busiest hour of the day. */
  messagesPerUserHour: number;
  /** The busiest minute of that hour beside its mean: a morning's peak. */
  peakFactor: number;
  /** The mean over the whole day beside that hour. */
  dayShare: number;
  /** Other people who are connected when a message comes to them, on average. */
  recipientsOnline: number;
  /** Share of the users whose client waits for messages at the same moment. */
  onlineShare: number;
  /** Share of the users who are in a call at the same moment. */
  callShare: number;
  /** New sessions of a user in that hour; each begins with a first sync. */
  loginsPerUserHour: number;
  /** Files that a user sends in a day, MiB. */
  mediaMiBPerUserDay: number;
  /** Rooms that a user is in. */
  roomsPerUser: number;
}

export const PROFILES = ["quiet", "typical", "busy"] as const;
export type Profile = (typeof PROFILES)[number];

/** A figure in each profile, with its source. */
interface Figure {
  quiet: number;
  typical: number;
  busy: number;
  /** One for all profiles, or one for each. */
  source: string;
}

/** MiB in a day: 2 TB in a year for 1,000 users, as all the deployments that were run grew. */
const RUN_MEDIA_MIB = 2e12 / 1_000 / 365 / 2 ** 20;

export const FIGURES: Record<keyof Activity, Figure> = {
  messagesPerUserHour: {
    quiet: 2.5,
    typical: 6,
    busy: 15,
    source:
      "an eighth of a day's messages in its busiest hour (decided). quiet: Slack in January 2019, a billion messages a week by ten million people a day, each connected for nine hours (Form S-1): 20 a working day. typical: WhatsApp in October 2020, 100 billion messages a day by two billion people (Facebook's quarterly call): 50 a day. busy: decided, two and a half times typical",
  },
  peakFactor: {
    quiet: 1.5,
    typical: 1.5,
    busy: 1.5,
    source: "decided: the peak that the autoscalers allow for (AUTOSCALE_FACTOR)",
  },
  dayShare: {
    quiet: 1 / 3,
    typical: 1 / 3,
    busy: 1 / 3,
    source: "follows from an eighth of the day's messages in the busiest hour: 8 such hours in 24",
  },
  recipientsOnline: {
    quiet: 2,
    typical: 4,
    busy: 8,
    source:
      "decided, for no server publishes it: half of all rooms have two or three members (lab/load/model.ts), and a message into a large room reaches those of it who are connected",
  },
  onlineShare: {
    quiet: 1,
    typical: 1,
    busy: 1,
    source: "the definition of concurrent users: their clients are connected",
  },
  callShare: {
    quiet: 0.1,
    typical: 0.1,
    busy: 0.1,
    source: "the deployments that were run: 10 of 100 users in calls, 2,000 of 20,000",
  },
  loginsPerUserHour: {
    quiet: 0.01,
    typical: 0.02,
    busy: 0.1,
    source: "decided. typical: a new session in fifty hours, for sessions last; busy: a browser that forgets them",
  },
  mediaMiBPerUserDay: {
    quiet: RUN_MEDIA_MIB / 4,
    typical: RUN_MEDIA_MIB,
    busy: 4 * RUN_MEDIA_MIB,
    source:
      "typical: the deployments that were run, whose media grew by 0.2 TB for 100 users and by 40 TB for 20,000 in the first year. quiet and busy: decided, a quarter and four times as much",
  },
  roomsPerUser: {
    quiet: 6,
    typical: 20,
    busy: 50,
    source: "decided. quiet: as the load generator's people (lab/load/model.ts); the others have used it for longer",
  },
};

/** All figures of a profile. */
export const profileOf = (profile: Profile): Activity =>
  Object.fromEntries(Object.entries(FIGURES).map(([name, figure]) => [name, figure[profile]])) as unknown as Activity;

/** The profile of the settings, with the figures that they replace. */
export function activityOf({ activity }: Pick<Settings, "activity">): Activity {
  const { profile, ...given } = activity;
  return { ...profileOf(profile), ...given };
}

/** How often something happens beside what the profile says: of all of them decided, as the load generator has it. */
export const HABITS = {
  /** Typing notices for each message: one when somebody starts, one that ends it (matrix-js-sdk, sendTyping). */
  typingPerMessage: 2,
  /** Receipts for each message: two people have the room open when it comes. */
  receiptsPerMessage: 2,
  /** Changes of presence of a user in an hour, where presence is on: away and back twice. */
  presencePerUserHour: 4,
  /** Claims of a key of a user in an hour: a new session is met by the ten others that a person talks to. */
  claimsPerLogin: 10,
  /** Push notices for each message, to phones of people who are not connected. */
  pushesPerMessage: 1,
  /** Downloads for each upload: three people open a file. */
  downloadsPerUpload: 3,
  /** MiB of a file: a photo as phones send it. */
  fileMiB: 0.5,
  /** Share of the clients that wait by sliding sync; the others by long poll: Element X beside Element Web. */
  slidingShare: 0.3,
  /** Seconds that a waiting client asks the server to wait: matrix-js-sdk 37, pollTimeout. */
  pollSeconds: 30,
} as const;

/** Rooms of the accounts whose first syncs were measured: three to five. */
const MEASURED_ROOMS = 4;

/** What happens in a second, by the experiments' names; uploads and downloads in MiB. */
export interface Rates {
  send: number;
  wake: number;
  wakeSliding: number;
  sync: number;
  typing: number;
  receipt: number;
  presence: number;
  login: number;
  firstSync: number;
  upload: number;
  uploadRequest: number;
  download: number;
  downloadRequest: number;
  keyUpload: number;
  keyClaim: number;
  push: number;
}

/** What decides the rates. */
export interface People {
  users: number;
  activity: Activity;
  presence: boolean;
}

/** The busiest minute: what the processes are made for. */
export function peakRates({ users, activity: a, presence }: People): Rates {
  const hourly = (perUser: number): number => (users * perUser * a.peakFactor) / 3600;
  const send = hourly(a.messagesPerUserHour);
  const typing = send * HABITS.typingPerMessage,
    receipt = send * HABITS.receiptsPerMessage,
    login = hourly(a.loginsPerUserHour),
    upload = hourly(a.mediaMiBPerUserDay / a.dayShare) / 24;
  const woken = send * a.recipientsOnline;
  return {
    send,
    wake: woken * (1 - HABITS.slidingShare),
    wakeSliding: woken * HABITS.slidingShare,
    // Each client's wait ends once in 30 s, also that of one who is woken in between: an upper bound. Typing notices
    // and receipts end the waits of those who are in the room too, with an answer that has no event in it.
    sync: (users * a.onlineShare) / HABITS.pollSeconds + (typing + receipt) * a.recipientsOnline,
    typing,
    receipt,
    presence: presence ? hourly(HABITS.presencePerUserHour) : 0,
    login,
    firstSync: (login * a.roomsPerUser) / MEASURED_ROOMS,
    upload,
    uploadRequest: upload / HABITS.fileMiB,
    download: upload * HABITS.downloadsPerUpload,
    downloadRequest: (upload / HABITS.fileMiB) * HABITS.downloadsPerUpload,
    keyUpload: login,
    keyClaim: login * HABITS.claimsPerLogin,
    push: send * HABITS.pushesPerMessage,
  };
}

/** Everything so many times as often: as with so many times the users. */
export const times = (rates: Rates, factor: number): Rates =>
  Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate * factor])) as unknown as Rates;

/** Messages in a day, of all. */
export const messagesPerDay = ({ users, activity: a }: Omit<People, "presence">): number =>
  users * a.messagesPerUserHour * a.dayShare * 24;
