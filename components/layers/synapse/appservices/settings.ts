/** What may be written about appservices: bridges and bots that Synapse sends events to. Pure. */
import type { z } from "zod";
import {
  bool,
  cidr,
  dnsLabel,
  field,
  list,
  objectName,
  oneOf,
  port,
  secret,
  section,
  text,
  texts,
} from "../../../schema/fields";
import { isUrl, LABEL_VALUE } from "../../../schema/syntax/text";
import { pythonRegexProblem } from "./pythonRegex";

/** Scopes that Synapse knows (Scopes in synapse/appservice/__init__.py); another one keeps it from starting. */
const SCOPES = ["urn:matrix:client:io.element.msc4502:rooms:is_joined"] as const;

const token = (doc: string) =>
  secret(
    {
      doc,
      allowed: "16 to 255 printable characters without blanks",
      remedy: "give the token of the registration that exists, or leave it out: one is generated",
    },
    (v) => /^[!-~]{16,255}$/.test(v),
  );

const namespace = (what: string, sample: string, begins: string) =>
  list(
    section(
      {
        regex: text(
          {
            doc: `Regular expression of Python that ${what} begin with a match of, \`${begins}\` included.`,
            allowed: "a regular expression that Python's `re` compiles",
            remedy: `write, for example, ${sample}`,
          },
          (v) => v !== "" && pythonRegexProblem(v) === undefined,
          sample,
        ),
        exclusive: bool({ doc: `Nobody else may make ${what} that match.` }).default(true),
      },
      { doc: "A part of the namespace." },
    ),
    { doc: `${what[0]!.toUpperCase()}${what.slice(1)} that the appservice takes part in.` },
  ).default([]);

const pods = section(
  {
    namespace: dnsLabel({ doc: "Their namespace." }),
    labels: field(
      texts({ doc: "" }).refine((v) => Object.values(v).every((value) => LABEL_VALUE.test(value))),
      {
        doc: "Labels that all of them have, and no other pod of that namespace. Network policies select them by these.",
        allowed: "at least one label: names with text values",
        example: { app: "bridge" },
      },
    ),
    port: port({ doc: "Port on which the container listens." }),
    service: dnsLabel({ doc: "Name of the Service in front of them." }),
    servicePort: port({ doc: "Port of the Service.", defaultText: "`port`" }).optional(),
  },
  { doc: "Pods in this cluster, of this or another stack, that the appservice runs in." },
);

const appservice = section(
  {
    id: text(
      {
        doc: "Its name, unique on this server. Synapse keeps its state under it, so never change it.",
        allowed: "letters, digits, '.', '_' and '-', at most 63, beginning with a letter or digit",
      },
      (v) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(v),
      "bridge",
    ),
    url: text(
      {
        doc: "URL at which Synapse reaches it, where that is not `pods`. Of a Service in this cluster: with its complete name.",
        allowed: "an http:// or https:// URL without user or password",
      },
      (v) => isUrl(v, ["http:", "https:"]),
      "https://bridge.example.com",
    ).optional(),
    pods: pods.optional(),
    receives: bool({
      doc: "Synapse sends it events and asks it for users and rooms. False: it only uses the API, as double puppeting does; then it has neither `url` nor `pods`.",
    }).default(true),
    senderLocalpart: text(
      {
        doc: "Name of its own user, the part of the user id before the colon. Required, unless the registration is given as a whole.",
        allowed: "letters, digits, '.', '_', '~', '/' and '-'",
      },
      (v) => /^[A-Za-z0-9._~/-]{1,200}$/.test(v),
      "bridgebot",
    ).optional(),
    namespaces: section(
      {
        users: namespace("user ids", "@irc_.*:example\\.com", "@"),
        aliases: namespace("room aliases", "#irc_.*:example\\.com", "#"),
        rooms: namespace("room ids", "!.*:example\\.com", "!"),
      },
      { doc: "What it takes part in." },
    ).prefault({}),
    rateLimited: bool({ doc: "Rate limits apply to its users; they never do to its own user." }).default(true),
    protocols: list(text({ doc: "Protocol, such as irc." }), {
      doc: "Protocols that it offers to clients that look for users and rooms elsewhere.",
    }).default([]),
    receiveEphemeral: bool({ doc: "It gets typing notices, read receipts and presence too." }).default(false),
    receiveEphemeralUnstable: bool({
      doc: "The same for bridges that know it by the name of before Matrix 1.13 (de.sorunome.msc2409.push_ephemeral).",
    }).default(false),
    encryption: bool({
      doc: "It takes part in encrypted rooms: it gets to-device messages, device lists and the numbers of its keys (MSC3202, MSC2409). Needs `receiveEphemeral`.",
    }).default(false),
    deviceManagement: bool({
      doc: "It makes and deletes its users' devices without their passwords (MSC4190).",
    }).default(false),
    scopes: list(oneOf(SCOPES, { doc: "Scope." }), {
      doc: "Further rights that it has in the API (MSC4502).",
    }).default([]),
    allowedNetworks: list(cidr({ doc: "Network." }), {
      doc: "Its token is accepted from these networks only. Absent: from everywhere.",
    }).optional(),
    asToken: token("Token with which it logs in here. Absent: generated.").optional(),
    hsToken: token("Token with which Synapse logs in there. Absent: generated.").optional(),
    registration: secret({
      doc: "The whole registration as its program wrote it, YAML, in place of all fields but `id`, `url`, `pods`, `receives` and `encryption`.",
      allowed: "the text of a registration file",
      remedy: "pulumi config set --secret --path 'matrix-ha:appservices[0].registration' < registration.yaml",
    }).optional(),
    registrationSecret: section(
      {
        name: objectName("Name of the Secret, in Synapse's namespace."),
        key: text(
          { doc: "Its key that holds the registration.", allowed: "letters, digits, '.', '_' and '-'" },
          (v) => /^[A-Za-z0-9._-]{1,253}$/.test(v),
          "registration.yaml",
        ).default("registration.yaml"),
      },
      {
        doc: "A Secret that exists and holds the whole registration, likewise. Where its content changes, it gets another name: nothing restarts by itself.",
      },
    ).optional(),
  },
  { doc: "An appservice." },
);

export const appserviceSettings = {
  appservices: list(appservice, {
    doc: "Bridges and bots (application services), each with its registration.",
  }).default([]),
};

/** An appservice in complete settings. */
export type AppserviceSettings = z.output<typeof appservice>;
