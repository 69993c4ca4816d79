/** Media, e-mail, calls and federation. Pure. */
import { contains, hostCidr, parseAddress, parseCidr, RESERVED_NETWORKS } from "../../components/core/addresses";
import { isPlainObject } from "../../components/schema/walk";
import {
  asIs,
  But,
  decide,
  drop,
  replace,
  dropped,
  each,
  replaced,
  take,
  takeSecret,
  takeSecretFile,
  undecided,
  type Converter,
  type Given,
  type Outcome,
  type Rule,
} from "./rules";
import { days, mebibytes } from "./values";

const S3 = "s3_storage_provider.S3StorageProviderBackend";
/** Takes a part of the one S3 provider. */
const ofS3 =
  (convert: Converter): Converter =>
  (value, facts, at) => {
    const providers = facts.get("media_storage_providers") as unknown[];
    const own = providers[at[1] as number];
    if (!isPlainObject(own) || own.module !== S3) return replace("media are copied into the stack's object store");
    return convert(value, facts, at);
  };

/** What the stack never connects to. */
const NEVER = RESERVED_NETWORKS.map((network) => parseCidr(network)!);

/** An entry in the form of the settings: an address alone is a network of one; undefined where it is neither. */
function networkOf(entry: unknown): string | undefined {
  const text = String(entry);
  return parseCidr(text) ? text : parseAddress(text) ? hostCidr(text) : undefined;
}

/** Networks of a list that the stack's own list does not cover. */
const networksOf = (list: unknown): string[] =>
  (Array.isArray(list) ? list : [])
    .map(networkOf)
    .filter((network) => network !== undefined)
    .filter((network) => !NEVER.some((own) => contains(own, parseCidr(network)!)));

/** @param networks What the setting gets; two options may give to one. */
function blocked(list: unknown, setting: string, networks: readonly string[]): Outcome {
  const settings =
    networks.length > 0 ? [{ path: ["outgoing", setting], value: [...new Set(networks)], secret: false }] : [];
  if (!Array.isArray(list) || list.some((entry) => networkOf(entry) === undefined))
    return {
      list: "decision",
      settings,
      why: `an entry is no address and no network without host bits: add it to outgoing.${setting}`,
    };
  if (networksOf(list).length === 0)
    return { list: "replaced", why: "private and special networks are never connected to" };
  return { list: "taken", settings, why: "the stack never connects to private and special networks: the others" };
}

const MEDIA_COPY = "media are in an object store: docs/move-in.md copies them";
const store = "media_storage_providers[]";

const MEDIA: Rule[] = [
  take("max_upload_size", "media.maxUploadMiB", mebibytes),
  take("url_preview_enabled", "media.urlPreviews"),
  {
    option: "url_preview_ip_range_blacklist",
    decide: (value, facts) =>
      facts.get("url_preview_enabled") === true
        ? blocked(value, "previewBlockedNetworks", networksOf(value))
        : { list: "dropped", why: "previews are off" },
  },
  take("url_preview_ip_range_whitelist", "outgoing.previewAllowedNetworks", (value) =>
    Array.isArray(value) && value.length > 0 ? value : drop("it is empty"),
  ),
  take("media_retention.local_media_lifetime", "media.localRetentionDays", days),
  take("media_retention.remote_media_lifetime", "media.remoteRetentionDays", days),
  replaced("media_store_path", MEDIA_COPY),
  ...each(
    replaced,
    "enable_media_repo enable_local_media_storage backup_media_store_path",
    "the media processes of the stack decide it",
  ),
  dropped("uploads_path", "uploads have needed no folder of their own since Synapse 1.20"),
  {
    option: `${store}.module`,
    decide: (value, facts) => {
      if (value !== S3) return { list: "replaced", why: MEDIA_COPY };
      const s3 = (facts.get("media_storage_providers") as unknown[]).filter((p) => isPlainObject(p) && p.module === S3);
      return s3.length > 1
        ? { list: "decision", why: "the stack keeps media in one S3" }
        : {
            list: "taken",
            settings: [{ path: ["objectStore", "kind"], value: "s3", secret: false }],
            why: "the media stay in the S3 that they are in",
          };
    },
  },
  ...each(
    replaced,
    `${store}.store_local ${store}.store_remote ${store}.store_synchronous`,
    "every upload is in the object store before it is answered",
  ),
  take(`${store}.config.bucket`, "objectStore.bucket", ofS3(asIs)),
  take(`${store}.config.region_name`, "objectStore.region", ofS3(asIs)),
  take(`${store}.config.endpoint_url`, "objectStore.endpoint", ofS3(asIs)),
  takeSecret(`${store}.config.access_key_id`, "objectStore.accessKey", ofS3(asIs)),
  takeSecret(`${store}.config.secret_access_key`, "objectStore.secretKey", ofS3(asIs)),
  take(`${store}.config.prefix`, "objectStore.kind", (value) =>
    value === ""
      ? drop("it is empty")
      : decide(
          "the stack keeps media at the top of the bucket: move the objects there, or copy them into another bucket",
        ),
  ),
  undecided(`${store}.config.sse_customer_key`, "the stack cannot read what is encrypted with a key of its own"),
  undecided(`${store}.config.sse_customer_algo`, "the stack cannot read what is encrypted with a key of its own"),
  ...each(
    replaced,
    `${store}.config.threadpool_size ${store}.config.storage_class ${store}.config.directory`,
    "the stack decides it",
  ),
];

const sender: Converter = (value, facts) => {
  const name = String(facts.get("email.app_name") ?? "Matrix");
  const text = String(value).replaceAll("%(app)s", name);
  return text === value ? text : new But(text, "with the name of the application in its place");
};

const smtpTls =
  (wanted: "implicit" | "required" | "off"): Converter =>
  (value, facts) => {
    if (value !== (wanted === "off" ? false : true))
      return replace("port and emailSmtp.tls decide how the connection is secured");
    if (wanted === "required" && facts.get("email.force_tls") === true) return replace("emailSmtp.tls is implicit");
    return wanted;
  };

const EMAIL: Rule[] = [
  take("email.smtp_host", "emailSmtp.host"),
  take("email.smtp_port", "emailSmtp.port"),
  take("email.smtp_user", "emailSmtp.user"),
  takeSecret("email.smtp_pass", "emailSmtp.password"),
  take("email.notif_from", "emailSmtp.from", sender),
  take("email.force_tls", "emailSmtp.tls", smtpTls("implicit")),
  take("email.require_transport_security", "emailSmtp.tls", smtpTls("required")),
  take("email.enable_tls", "emailSmtp.tls", smtpTls("off")),
  take("email.tlsname", "emailSmtp.tlsName"),
  replaced("email.app_name", "e-mails name web.elementWeb.brand"),
  // With a server for e-mail, synapse.extra takes them.
  ...["email.enable_notifs", "email.notif_for_new_users"].map((option): Rule => ({
    option,
    decide: (_, facts) =>
      facts.get("email.smtp_host") === undefined
        ? { list: "dropped", why: "email.smtp_host is not set, and the stack sends no e-mail then" }
        : undefined,
  })),
  ...each(
    replaced,
    "email.client_base_url email.riot_base_url email.invite_client_location",
    "links lead to Element Web at hostnames.web",
  ),
];

const CALLS: Rule[] = [
  replaced("turn_uris", "coturn of this stack; calls that run over the old TURN server go on while it runs"),
  takeSecret("turn_shared_secret", "importSecrets.turnSharedSecret"),
  takeSecretFile("turn_shared_secret_path", "importSecrets.turnSharedSecret"),
  ...each(dropped, "turn_username turn_password", "clients get credentials that expire"),
  ...each(
    replaced,
    "matrix_rtc experimental_features.msc4143_enabled experimental_features.msc4222_enabled experimental_features.msc4140_enabled",
    "group calls are at this stack's SFU (settings rtc)",
  ),
];

/** A proxy in the forms that Synapse reads: scheme, login and port may be absent. */
function proxyOf(value: unknown): Outcome {
  const match = /^(?:(https?):\/\/)?(?:([^:@/]*)(?::([^@/]*))?@)?([^:@/[\]]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(
    String(value),
  );
  if (!match) return { list: "decision", why: "it is no URL of a proxy: write httpProxy.url" };
  const [, scheme = "http", user, password, host, port = "1080"] = match;
  const given = (key: string, text: string | undefined, secret: boolean): Given[] =>
    text ? [{ path: ["httpProxy", key], value: text, secret }] : [];
  return {
    list: "taken",
    settings: [
      ...given("url", `${scheme}://${host}:${port}`, false),
      ...given("user", user, false),
      ...given("password", password, true),
    ],
  };
}

const PROXY: Rule[] = [
  {
    option: "https_proxy",
    decide: (value) => (value ? proxyOf(value) : { list: "dropped", why: "it is empty" }),
  },
  {
    option: "http_proxy",
    decide: (value, facts) => {
      const https = facts.get("https_proxy");
      if (!value) return { list: "dropped", why: "it is empty" };
      if (!https) return proxyOf(value);
      return value === https
        ? { list: "replaced", why: "httpProxy is for both schemes" }
        : { list: "decision", why: "the stack has one proxy, httpProxy, and takes https_proxy" };
    },
  },
  take("no_proxy_hosts", "httpProxy.noProxy", (value, facts) =>
    facts.get("https_proxy") || facts.get("http_proxy")
      ? Array.isArray(value)
        ? value.map((entry) => String(entry).replace(/^\./, ""))
        : drop("it is empty")
      : drop("there is no proxy"),
  ),
];

const FEDERATION: Rule[] = [
  {
    option: "federation_domain_whitelist",
    decide: (value, facts) => {
      const closed = [{ path: ["federation", "enabled"], value: false, secret: false }];
      if (!Array.isArray(value))
        return { list: "decision", settings: closed, why: "it is not a list: until it is one, federation is off" };
      // A server always reaches itself, and the stack's list is of others.
      const others = value.filter((name) => name !== facts.get("server_name"));
      return others.length === 0
        ? { list: "taken", settings: closed, why: "the list has no other server" }
        : {
            list: "taken",
            settings: [{ path: ["federation", "domainAllowList"], value: others, secret: false }],
            ...(others.length < value.length ? { why: "without the server's own name" } : {}),
          };
    },
  },
  replaced("send_federation", "the plan decides which processes send"),
  take("ip_range_whitelist", "outgoing.allowedNetworks", (value) =>
    Array.isArray(value) && value.length > 0 ? value : drop("it is empty"),
  ),
  // Synapse reads the former name as well, for federation alone; the stack has one list for both.
  ...["ip_range_blacklist", "federation_ip_range_blacklist"].map((option): Rule => ({
    option,
    decide: (value, facts) =>
      blocked(value, "blockedNetworks", [
        ...networksOf(facts.get("ip_range_blacklist")),
        ...networksOf(facts.get("federation_ip_range_blacklist")),
      ]),
  })),
  {
    option: "federation_custom_ca_list",
    decide: (value, facts) => {
      const texts = Array.isArray(value) ? value.map((file) => facts.file(String(file))) : [];
      if (texts.length === 0) return { list: "dropped", why: "it is empty" };
      if (texts.some((text) => text === undefined))
        return { list: "decision", why: "a file is not at hand: put the certificates into trustedAuthorities" };
      return {
        list: "taken",
        settings: [
          { path: ["trustedAuthorities"], value: `${texts.map((t) => t!.trim()).join("\n")}\n`, secret: false },
        ],
      };
    },
  },
];

export const MEDIA_RULES: Rule[] = [...MEDIA, ...EMAIL, ...CALLS, ...PROXY, ...FEDERATION];
