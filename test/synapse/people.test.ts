/**
 * What users may do, how often, and where the homeserver connects to for them: each setting's line in Synapse's
 * configuration, and what the settings may not say together.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { checkHomeserver } from "../../components/layers/synapse/checks";
import { synapseEdges } from "../../components/layers/synapse/edges";
import { homeserverConfig, renderSecretYaml } from "../../components/layers/synapse/homeserverYaml";
import { mediaSection } from "../../components/layers/synapse/mediaYaml";
import { Report } from "../../components/schema/report";
import type { Settings } from "../../components/settings/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

type Change = (s: Settings) => void;
const settingsWith = (change: Change): Settings => {
  const settings = fixtureSettings();
  change(settings);
  return settings;
};
const shared = (change: Change = () => undefined): Record<string, any> =>
  homeserverConfig({ settings: settingsWith(change), plan: fixturePlan(), turnUris: [], rtcServiceUrl: "" });
/** Sections that a change adds, changes, or takes away (undefined). */
function difference(change: Change): Record<string, unknown> {
  const before = shared(),
    after = shared(change);
  return Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      JSON.stringify(before[key]) === JSON.stringify(after[key]) ? [] : [[key, after[key]]],
    ),
  );
}
const errors = (change: Change): string[] => {
  const report = new Report();
  checkHomeserver({ settings: settingsWith(change), report, input: {} as never, now: new Date(0) });
  return report.errors.map(({ path, given }) => `${path}: ${given}`);
};

describe("finding people", () => {
  it("is among those who share a room, unless all are asked for", () => {
    assert.deepEqual(shared().user_directory, {
      enabled: true,
      search_all_users: false,
      prefer_local_users: true,
    });
    assert.deepEqual(
      difference((s) => {
        s.userDirectory = {
          enabled: true,
          searchAllUsers: true,
          preferLocalUsers: false,
          excludeRemoteUsers: true,
          showLockedUsers: true,
        };
      }),
      {
        user_directory: {
          enabled: true,
          search_all_users: true,
          prefer_local_users: false,
          exclude_remote_users: true,
          show_locked_users: true,
        },
      },
    );
  });
});

describe("rooms", () => {
  it("are published by whom the rules let, and get aliases by theirs", () => {
    assert.deepEqual(
      difference((s) => {
        s.rooms.publicationRules = [
          { action: "deny", alias: "#secret-*:example.org" },
          { action: "allow", user: "@*:example.org", room: "!*" },
        ];
        s.rooms.aliasRules = [];
        s.rooms.aliasesByMembersOnly = false;
        s.rooms.listWithoutLogin = true;
        s.rooms.listOverFederation = true;
      }),
      {
        room_list_publication_rules: [
          { action: "deny", alias: "#secret-*:example.org" },
          { action: "allow", user_id: "@*:example.org", room_id: "!*" },
        ],
        alias_creation_rules: [],
        require_membership_for_aliases: false,
        allow_public_rooms_without_auth: true,
        allow_public_rooms_over_federation: true,
      },
    );
  });

  it("are encrypted from the start where the settings say so", () => {
    const option = "encryption_enabled_by_default_for_room_type";
    const encrypted = (encryption: Settings["rooms"]["encryption"]): unknown =>
      shared((s) => {
        s.rooms.encryption = encryption;
      })[option];
    // Synapse's word for rooms by invitation.
    assert.deepEqual([encrypted("none"), encrypted("private"), encrypted("all")], [undefined, "invite", "all"]);
  });

  const autoJoin = { aliases: ["#welcome:example.org"], create: true, federated: true, guests: false } as const;

  it("are joined by new users, who are invited where the room is not public", () => {
    const rooms = {
      auto_join_rooms: ["#welcome:example.org"],
      autocreate_auto_join_rooms: true,
      autocreate_auto_join_room_preset: "private_chat",
      autocreate_auto_join_rooms_federated: true,
      auto_join_mxid_localpart: "admin",
    };
    const joined: Change = (s) => {
      s.rooms.autoJoin = { ...autoJoin, aliases: [...autoJoin.aliases], preset: "private_chat", inviter: "admin" };
    };
    assert.deepEqual(difference(joined), rooms);
    assert.deepEqual(
      difference((s) => {
        joined(s);
        s.registration.allowGuests = true;
      }),
      { ...rooms, allow_guest_access: true, auto_join_rooms_for_guests: false },
    );
  });

  it("of other servers can be kept out when they are large", () => {
    assert.deepEqual(
      difference((s) => {
        s.rooms.limitRemote = { complexity: 2.5, message: "Too large.", adminsCanJoin: true };
      }),
      {
        limit_remote_rooms: { enabled: true, complexity: 2.5, complexity_error: "Too large.", admins_can_join: true },
      },
    );
  });

  it("of other servers need federation, and invitations somebody who invites", () => {
    const wrong: Change = (s) => {
      s.rooms.listOverFederation = true;
      s.rooms.limitRemote = { complexity: 1, message: "Too large.", adminsCanJoin: false };
      s.rooms.autoJoin = { ...autoJoin, aliases: ["#a:example.org", "#b:example.com"], preset: "trusted_private_chat" };
    };
    assert.deepEqual(errors(wrong), [
      "rooms.listOverFederation: true, while federation.enabled is false",
      "rooms.limitRemote: a limit, while federation.enabled is false",
      'rooms.autoJoin.aliases[1]: "#b:example.com", while federation.enabled is false',
      "rooms.autoJoin.inviter: nothing, with preset: trusted_private_chat",
    ]);
    assert.deepEqual(
      errors((s) => {
        wrong(s);
        s.federation.enabled = true;
        s.rooms.autoJoin!.inviter = "admin";
      }),
      [],
    );
  });
});

describe("passwords", () => {
  it("follow the policy", () => {
    assert.deepEqual(
      difference((s) => {
        s.passwords = {
          minimumLength: 12,
          requireDigit: true,
          requireSymbol: true,
          requireLowercase: true,
          requireUppercase: true,
        };
      }),
      {
        password_config: {
          enabled: true,
          localdb_enabled: true,
          policy: {
            enabled: true,
            minimum_length: 12,
            require_digit: true,
            require_symbol: true,
            require_lowercase: true,
            require_uppercase: true,
          },
        },
      },
    );
  });

  it("with a pepper are in the Secret alone, beside e-mail where there is some", () => {
    const peppered: Change = (s) => {
      s.passwords.pepper = "the-pepper";
    };
    assert.deepEqual(difference(peppered), { password_config: undefined });
    assert.ok(!JSON.stringify(shared(peppered)).includes("the-pepper"));
    assert.equal(
      renderSecretYaml(settingsWith(peppered)),
      `password_config:
  enabled: true
  localdb_enabled: true
  pepper: the-pepper
  policy:
    enabled: true
    minimum_length: 8
`,
    );
    const both = renderSecretYaml(
      settingsWith((s) => {
        peppered(s);
        s.emailSmtp = { host: "smtp.example.net", port: 587, from: "chat@example.org" };
      }),
    );
    assert.deepEqual(Object.keys(parse(both!)), ["email", "password_config"]);
  });
});

describe("limits", () => {
  it("replace the stack's or Synapse's, each number by itself", () => {
    assert.deepEqual(
      difference((s) => {
        s.rateLimits = {
          messages: { burst: 500 },
          loginByAddress: { perSecond: 20 },
          joinsRemote: { perSecond: 1, burst: 50 },
          invitesByEmail: { burst: 40 },
          registration: { perSecond: 2 },
          presence: { burst: 9 },
          federation: { rejectLimit: 200, concurrent: 10 },
        };
      }),
      {
        rc_message: { per_second: 10, burst_count: 500 },
        rc_registration: { per_second: 2, burst_count: 3 },
        rc_login: {
          address: { per_second: 20, burst_count: 100 },
          account: { per_second: 0.1, burst_count: 10 },
          failed_attempts: { per_second: 0.17, burst_count: 5 },
        },
        rc_joins: {
          local: { per_second: 0.5, burst_count: 20 },
          remote: { per_second: 1, burst_count: 50 },
        },
        rc_third_party_invite: { per_second: 0.0025, burst_count: 40 },
        rc_presence: { per_user: { per_second: 0.1, burst_count: 9 } },
        rc_federation: { reject_limit: 200, concurrent: 10 },
      },
    );
  });
});

describe("networks that users and other servers name", () => {
  it("are the Internet's: what is allowed and blocked beside comes on top of Synapse's own list", () => {
    const { ip_range_blacklist: blocked, ...rest } = difference((s) => {
      s.outgoing.blockedNetworks = ["198.18.5.0/24", "8.8.8.0/24"];
      s.outgoing.allowedNetworks = ["10.77.0.0/16"];
    }) as { ip_range_blacklist: string[] };
    assert.deepEqual(rest, { ip_range_whitelist: ["10.77.0.0/16"] });
    assert.deepEqual(blocked.slice(-2), ["198.18.5.0/24", "8.8.8.0/24"]);
    // DEFAULT_IP_RANGE_BLOCKLIST of synapse/config/server.py: the option replaces it.
    for (const network of [
      ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24"],
      ...["169.254.0.0/16", "192.88.99.0/24", "198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"],
      ...["224.0.0.0/4", "::1/128", "fe80::/10", "fc00::/7", "2001:db8::/32", "ff00::/8", "fec0::/10"],
    ])
      assert.ok(blocked.includes(network), network);
  });

  it("of previews are lists of their own", () => {
    const media = mediaSection(
      settingsWith((s) => {
        s.media.urlPreviews = true;
        s.outgoing.previewAllowedNetworks = ["10.77.0.0/16"];
        s.outgoing.previewBlockedNetworks = ["8.8.8.0/24"];
      }),
      { endpoint: "http://minio", region: "r", bucket: "b" },
    ) as Record<string, string[]>;
    assert.deepEqual(media.url_preview_ip_range_whitelist, ["10.77.0.0/16"]);
    assert.equal(media.url_preview_ip_range_blacklist!.at(-1), "8.8.8.0/24");
    assert.ok(media.url_preview_ip_range_blacklist!.includes("10.0.0.0/8"));
  });

  it("are not the cluster's inside, nor what the network policies refuse", () => {
    const allowed =
      (...networks: string[]): Change =>
      (s) => {
        s.outgoing.allowedNetworks = networks;
      };
    assert.deepEqual(errors(allowed("10.77.0.0/16", "10.1.0.0/24", "fd00:77::/64")), []);
    assert.deepEqual(errors(allowed("10.96.4.0/24", "0.0.0.0/0", "169.254.169.254/32", "10.1.0.10/32")), [
      'outgoing.allowedNetworks[0]: "10.96.4.0/24", which shares addresses with 10.96.0.0/16',
      'outgoing.allowedNetworks[1]: "0.0.0.0/0", which shares addresses with 10.244.0.0/16',
      'outgoing.allowedNetworks[2]: "169.254.169.254/32", which shares addresses with 169.254.0.0/16',
      'outgoing.allowedNetworks[3]: "10.1.0.10/32", a host of this stack',
    ]);
    assert.deepEqual(
      errors((s) => {
        allowed("10.1.0.0/24")(s);
        s.networkPolicies.enabled = false;
      }),
      [
        'outgoing.allowedNetworks[0]: "10.1.0.0/24", with the host 10.1.0.10 of this stack, and without network policies',
      ],
    );
    const previews: Change = (s) => {
      s.outgoing.previewAllowedNetworks = ["10.77.0.0/16"];
    };
    assert.deepEqual(errors(previews), [
      "outgoing.previewAllowedNetworks: 1 networks, while media.urlPreviews is false",
    ]);
    assert.deepEqual(
      errors((s) => {
        previews(s);
        s.media.urlPreviews = true;
      }),
      [],
    );
  });
});

describe("e-mail over TLS, or without", () => {
  const mail = (more: Partial<NonNullable<Settings["emailSmtp"]>>): Record<string, unknown> =>
    parse(
      renderSecretYaml(
        settingsWith((s) => {
          s.emailSmtp = { host: "10.0.0.25", port: 587, from: "a@example.org", ...more };
        }),
      )!,
    ).email;
  const security = (more: Parameters<typeof mail>[0]): unknown =>
    Object.fromEntries(Object.entries(mail(more)).filter(([key]) => /tls|security/.test(key)));

  it("is as the settings say, at any port", () => {
    assert.deepEqual(security({ port: 25, tls: "required" }), { require_transport_security: true });
    assert.deepEqual(security({ tls: "opportunistic" }), { require_transport_security: false });
    assert.deepEqual(security({ tls: "off" }), { require_transport_security: false, enable_tls: false });
    assert.deepEqual(security({ port: 2465, tls: "implicit", tlsName: "smtp.example.net" }), {
      force_tls: true,
      tlsname: "smtp.example.net",
    });
  });

  it("is not in clear at the port of TLS, and has no name to check where it is off", () => {
    const wrong =
      (more: Parameters<typeof mail>[0]): Change =>
      (s) => {
        s.emailSmtp = { host: "10.0.0.25", port: 587, from: "a@example.org", ...more };
      };
    assert.deepEqual(errors(wrong({ port: 465, tls: "off" })), ["emailSmtp.tls: off, at port 465"]);
    assert.deepEqual(errors(wrong({ port: 465, tls: "implicit" })), []);
    assert.deepEqual(errors(wrong({ tls: "off", tlsName: "smtp.example.net" })), [
      "emailSmtp.tlsName: a name, with tls: off",
    ]);
    assert.deepEqual(errors(wrong({ tlsName: "smtp.example.net" })), []);
  });

  it("has a sender in which only the brand is replaced", () => {
    assert.equal(mail({ from: "50% (Chat) <a@example.org>" }).notif_from, "50%% (Chat) <a@example.org>");
    assert.equal(mail({ from: "%(app)s of Corp <a@example.org>" }).notif_from, "%(app)s of Corp <a@example.org>");
  });
});

describe("how long messages are kept", () => {
  const kept = (retention: Settings["retention"]): unknown =>
    shared((s) => {
      s.retention = retention;
    }).retention;
  const mistakes = (retention: Settings["retention"], localRetentionDays?: number): string[] =>
    errors((s) => {
      s.retention = retention;
      if (localRetentionDays !== undefined) s.media.localRetentionDays = localRetentionDays;
    });

  it("is bounded for all rooms, and for what a room chooses", () => {
    assert.equal(kept(undefined), undefined);
    assert.deepEqual(kept({ maxLifetimeDays: 90, roomMinDays: 7, roomMaxDays: 365 }), {
      enabled: true,
      default_policy: { min_lifetime: "1d", max_lifetime: "90d" },
      allowed_lifetime_min: "7d",
      allowed_lifetime_max: "365d",
      purge_jobs: [{ interval: "1d" }],
    });
    // Only rooms that choose a time lose messages.
    assert.deepEqual(kept({ roomMinDays: 7 }), {
      enabled: true,
      allowed_lifetime_min: "7d",
      purge_jobs: [{ interval: "1d" }],
    });
  });

  it("is some time, the least no longer than the longest, and media last as long", () => {
    assert.deepEqual(mistakes({}), ["retention: no number of days"]);
    assert.deepEqual(mistakes({ maxLifetimeDays: 90, roomMaxDays: 89 }), [
      "retention.roomMaxDays: 89, less than retention.maxLifetimeDays (90)",
    ]);
    assert.deepEqual(mistakes({ maxLifetimeDays: 90, roomMinDays: 91 }), [
      "retention.roomMinDays: 91, more than retention.maxLifetimeDays (90)",
    ]);
    assert.deepEqual(mistakes({ maxLifetimeDays: 90, roomMinDays: 90, roomMaxDays: 90 }, 90), []);
    assert.deepEqual(mistakes({ maxLifetimeDays: 90, roomMaxDays: 365 }, 364), [
      "media.localRetentionDays: 364, while messages are kept 365 days (retention.roomMaxDays)",
    ]);
  });
});

describe("a captcha", () => {
  const captcha: Change = (s) => {
    s.registration.captcha = { siteKey: "the-site-key", secretKey: "the-secret-key" };
  };
  it("protects registration, with its keys in files", () => {
    const asked = difference((s) => {
      captcha(s);
      s.registration.enabled = true;
    });
    assert.deepEqual(asked, {
      enable_registration: true,
      enable_registration_captcha: true,
      recaptcha_public_key_path: "/secrets/recaptcha-public-key",
      recaptcha_private_key_path: "/secrets/recaptcha-private-key",
    });
    assert.ok(!JSON.stringify(asked).includes("secret-key"));
    assert.deepEqual(
      errors((s) => {
        captcha(s);
        s.registration.enabled = true;
      }),
      [],
    );
  });

  it("is not asked for where nobody registers, nor beside open registration", () => {
    assert.deepEqual(errors(captcha), ["registration.captcha: keys, while registration.enabled is false"]);
    assert.deepEqual(
      errors((s) => {
        captcha(s);
        Object.assign(s.registration, { enabled: true, allowOpen: true });
      }),
      ["registration.allowOpen: true, with captcha"],
    );
  });

  it("is checked at its provider by the processes that register users", () => {
    const to443 = (change: Change): string[] =>
      synapseEdges({ settings: settingsWith(change), plan: fixturePlan() } as never)
        .filter((e) => e.why === "answers to captchas")
        .map((e) => `${(e.from as { component: string }).component} ${JSON.stringify(e.to)} ${e.ports[0]!.port}`);
    assert.deepEqual(
      to443(() => undefined),
      [],
    );
    assert.deepEqual(to443(captcha), ['synapse-main {"world":true} 443', 'synapse-generic {"world":true} 443']);
  });
});

describe("notices of the server", () => {
  it("come from an account of their own", () => {
    assert.deepEqual(
      difference((s) => {
        s.serverNotices = { localpart: "notices", displayName: "IT", roomName: "News of IT", autoJoin: true };
      }),
      {
        server_notices: {
          system_mxid_localpart: "notices",
          system_mxid_display_name: "IT",
          room_name: "News of IT",
          auto_join: true,
        },
      },
    );
  });
});
