/** The whole error of each mistake in the form of a setting: its place, what was given, what is allowed, what to do. */
import assert from "node:assert/strict";
import { Report } from "../../components/schema/report";
import { exampleOf } from "../../components/schema/walk";
import { resolveSettings } from "../../components/settings";
import { parse } from "../../components/settings/parse";
import { settingsSchema } from "../../components/settings/schema";
import { applySets } from "../../components/settings/stackFile";
import { minimal, S3 } from "../helpers/example";

type Change = string[] | ((raw: any) => void);
type Said = [path: string, given: string, allowed: string, remedy: string];

function spoilt(change: Change): Record<string, unknown> {
  const raw = minimal();
  if (Array.isArray(change)) return applySets(raw, change);
  change(raw);
  return raw;
}

function said(raw: unknown): Said[] {
  const report = new Report();
  parse(raw, report);
  return report.errors.map((e) => [e.path, e.given, e.allowed, e.remedy]);
}

/** All sections, in the order of docs/settings.md. */
const SECTIONS =
  "ccu, domain, serverName, hostnames, activity, coreSpeed, hosts, hostDefaults, ssh, firewall, prepareHosts, cluster, addressPools, storage, tls, hostAliases, httpProxy, trustedAuthorities, networkPolicies, objectStore, database, backups, synapse, federation, registration, presence, passwords, sso, ldap, userDirectory, rooms, rateLimits, outgoing, media, retention, serverNotices, terms, emailSmtp, appservices, stopSynapse, acceptOneCallHost, turn, rtc, web, ingress, monitoring, images, importSecrets, oldSigningKeys, deletionProtection, savedKeys, dataCentre, overrides";

const CASES: Array<[mistake: string, change: Change, errors: Said[]]> = [
  [
    "no number of users",
    (r) => {
      delete r.ccu;
    },
    [["ccu", "nothing", "a whole number from 1 to 200,000", "add `ccu`: pulumi config set ccu 1000"]],
  ],
  ["no user at all", ["ccu=0"], [["ccu", "0", "a whole number from 1 to 200,000", "pulumi config set ccu 1000"]]],
  [
    "more users than were planned for",
    ["ccu=200001"],
    [["ccu", "200001", "a whole number from 1 to 200,000", "pulumi config set ccu 1000"]],
  ],
  [
    "a number in words",
    ["ccu=many"],
    [["ccu", '"many"', "a whole number from 1 to 200,000", "pulumi config set ccu 1000"]],
  ],
  [
    "a list for a number",
    ["ccu=[1]"],
    [["ccu", "a list of 1", "a whole number from 1 to 200,000", "pulumi config set ccu 1000"]],
  ],
  [
    "a URL for a domain",
    ["domain=https://Example.com/."],
    [
      [
        "domain",
        '"https://Example.com/."',
        "a DNS name in lower case, such as chat.example.com",
        "write `example.com`; give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a domain in capitals",
    ["domain=Example.com"],
    [
      [
        "domain",
        '"Example.com"',
        "a DNS name in lower case, such as chat.example.com",
        "write `example.com`; give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a domain with blanks around it",
    ["domain=' example.com '"],
    [
      [
        "domain",
        '" example.com "',
        "a DNS name in lower case, such as chat.example.com",
        "write `example.com`; give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a number for a domain",
    ["domain=5"],
    [
      [
        "domain",
        "5",
        "a DNS name in lower case, such as chat.example.com",
        "give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a list for a text",
    ["domain=[a]"],
    [
      [
        "domain",
        "a list of 1",
        "a DNS name in lower case, such as chat.example.com",
        "give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a section for a text",
    ["domain={a: 1}"],
    [
      [
        "domain",
        "a section",
        "a DNS name in lower case, such as chat.example.com",
        "give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "no domain",
    (r) => {
      delete r.domain;
    },
    [
      [
        "domain",
        "nothing",
        "a DNS name in lower case, such as chat.example.com",
        "add `domain`: give a domain that you own, without https:// and without a trailing dot",
      ],
    ],
  ],
  [
    "a user id's prefix in a server name",
    ["serverName='@x'"],
    [
      [
        "serverName",
        '"@x"',
        "a server name of the Matrix specification: host[:port], in lower case",
        "give the name that user ids should end in, usually the domain itself",
      ],
    ],
  ],
  [
    "a word that YAML reads as yes or no, where a text is needed",
    ["serverName=true"],
    [
      [
        "serverName",
        "true",
        "a server name of the Matrix specification: host[:port], in lower case",
        'write `serverName: "true"`; give the name that user ids should end in, usually the domain itself',
      ],
    ],
  ],
  [
    "a host name of one part",
    ["hostnames.web=chat"],
    [
      [
        "hostnames.web",
        '"chat"',
        "a DNS name in lower case, such as chat.example.com",
        "leave `hostnames.web` out for the default: chat.<domain>",
      ],
    ],
  ],
  [
    "a list for a section",
    ["hostnames=[a]"],
    [["hostnames", "a list of 1", "a section with homeserver, web, admin, rtc, turn", "leave `hostnames` out"]],
  ],
  [
    "a text for a section",
    ["rtc=on"],
    [["rtc", "a text", "a section with enabled, udpPortMin, udpPortMax, tcpPort, jwtService", "leave `rtc` out"]],
  ],
  [
    "neither yes nor no",
    ["rtc.enabled=maybe"],
    [["rtc.enabled", '"maybe"', "true or false", "leave `rtc.enabled` out for the default: true"]],
  ],
  ["yes with blanks", ["rtc.enabled=' Yes '"], [["rtc.enabled", '" Yes "', "true or false", "write `true`"]]],
  ["y", ["rtc.enabled=y"], [["rtc.enabled", '"y"', "true or false", "write `true`"]]],
  ["OFF", ["rtc.enabled=OFF"], [["rtc.enabled", '"OFF"', "true or false", "write `false`"]]],
  ["n", ["rtc.enabled=n"], [["rtc.enabled", '"n"', "true or false", "write `false`"]]],
  ["True", ["rtc.enabled='True '"], [["rtc.enabled", '"True "', "true or false", "write `true`"]]],
  [
    "a word that begins with true",
    ["rtc.enabled=truely"],
    [["rtc.enabled", '"truely"', "true or false", "leave `rtc.enabled` out for the default: true"]],
  ],
  [
    "a word that ends in true",
    ["rtc.enabled=xtrue"],
    [["rtc.enabled", '"xtrue"', "true or false", "leave `rtc.enabled` out for the default: true"]],
  ],
  [
    "1 for yes",
    ["rtc.enabled=1"],
    [["rtc.enabled", "1", "true or false", "leave `rtc.enabled` out for the default: true"]],
  ],
  [
    "port 0",
    ["turn.minPort=0"],
    [
      [
        "turn.minPort",
        "0",
        "a port: a whole number from 1 to 65535",
        "leave `turn.minPort` out for the default: 49152",
      ],
    ],
  ],
  [
    "a number for a name",
    ["hosts[0].name=1"],
    [["hosts[0].name", "1", "a node name: lower-case letters, digits, '-' and '.'", 'write `name: "1"`']],
  ],
  [
    "a number for a zone",
    ["hosts[0].zone=1"],
    [["hosts[0].zone", "1", "letters, digits, '-', '_' and '.', at most 63", 'write `zone: "1"`']],
  ],
  [
    "a number that is no name either",
    ["hosts[0].zone=-1"],
    [
      [
        "hosts[0].zone",
        "-1",
        "letters, digits, '-', '_' and '.', at most 63",
        "leave `hosts[0].zone` out, or write, for example, example",
      ],
    ],
  ],
  [
    "a mistyped section",
    ["registraton.enabled=true"],
    [["registraton", "a setting that does not exist", SECTIONS, "did you mean `registration`?"]],
  ],
  [
    "a section that does not exist",
    ["zzzz=1"],
    [["zzzz", "a setting that does not exist", SECTIONS, "remove it; docs/settings.md lists every setting"]],
  ],
  [
    "a mistyped setting",
    ["rtc.enbled=true"],
    [
      [
        "rtc.enbled",
        "a setting that does not exist",
        "enabled, udpPortMin, udpPortMax, tcpPort, jwtService",
        "did you mean `enabled`?",
      ],
    ],
  ],
  [
    "a path in place of a key",
    (r) => {
      r["federation.enabled"] = true;
    },
    [
      [
        '["federation.enabled"]',
        "a setting that does not exist",
        SECTIONS,
        "pulumi config rm 'matrix-ha:federation.enabled', and set it with --path: pulumi config set --path 'matrix-ha:federation.enabled' VALUE",
      ],
    ],
  ],
  [
    "a path into a list in place of a key",
    (r) => {
      r["hosts[0].cpu"] = 4;
    },
    [
      [
        '["hosts[0].cpu"]',
        "a setting that does not exist",
        SECTIONS,
        "pulumi config rm 'matrix-ha:hosts[0].cpu', and set it with --path: pulumi config set --path 'matrix-ha:hosts[0].cpu' VALUE",
      ],
    ],
  ],
  [
    "such a path of a section that does not exist",
    (r) => {
      r["fed.x"] = 4;
    },
    [['["fed.x"]', "a setting that does not exist", SECTIONS, "remove it; docs/settings.md lists every setting"]],
  ],
  [
    "such a path within a section",
    (r) => {
      r.rtc = { "enabled.x": 4 };
    },
    [
      [
        'rtc["enabled.x"]',
        "a setting that does not exist",
        "enabled, udpPortMin, udpPortMax, tcpPort, jwtService",
        "did you mean `enabled`?",
      ],
    ],
  ],
  [
    "two unknown settings",
    (r) => {
      r.aaaa = 1;
      r.bbbb = 2;
    },
    [
      ["aaaa", "a setting that does not exist", SECTIONS, "remove it; docs/settings.md lists every setting"],
      ["bbbb", "a setting that does not exist", SECTIONS, "remove it; docs/settings.md lists every setting"],
    ],
  ],
  [
    "an unknown setting of the chosen mode",
    ["tls.emial=a@example.com"],
    [
      [
        "tls.emial",
        "a setting that does not exist",
        "mode, email, server, privateAuthority, dns01",
        "remove it; docs/settings.md lists every setting",
      ],
    ],
  ],
  [
    "a mistyped setting of a host",
    ["hosts[0].adress=x"],
    [
      [
        "hosts[0].adress",
        "a setting that does not exist",
        "name, address, role, roles, publicAddress, cpu, memoryGiB, zone, disks, ssh, hostKey",
        "did you mean `address`?",
      ],
    ],
  ],
  [
    "an unknown mode",
    ["tls.mode=letsencrypt"],
    [
      [
        "tls.mode",
        '"letsencrypt"',
        "mode acme (with email), issuer (with clusterIssuer), own-ca, or given (with certificate and privateKey)",
        "tls: {mode: acme, email: admin@example.com}",
      ],
    ],
  ],
  [
    "no mode",
    ["tls={email: a@example.com}"],
    [
      [
        "tls.mode",
        "nothing",
        "mode acme (with email), issuer (with clusterIssuer), own-ca, or given (with certificate and privateKey)",
        "tls: {mode: acme, email: admin@example.com}",
      ],
    ],
  ],
  [
    "a list for a section with a mode",
    ["tls=[1]"],
    [
      [
        "tls",
        "a list of 1",
        "mode acme (with email), issuer (with clusterIssuer), own-ca, or given (with certificate and privateKey)",
        "tls: {mode: acme, email: admin@example.com}",
      ],
    ],
  ],
  [
    "no certificates",
    (r) => {
      delete r.tls;
    },
    [
      [
        "tls",
        "nothing",
        "mode acme (with email), issuer (with clusterIssuer), own-ca, or given (with certificate and privateKey)",
        "add `tls`: tls: {mode: acme, email: admin@example.com}",
      ],
    ],
  ],
  [
    "a mode without what it needs",
    ["tls=acme"],
    [["tls.email", "nothing", "an e-mail address", "add `tls.email`: give an address that someone reads"]],
  ],
  [
    "an unknown store",
    ["objectStore=ceph"],
    [
      [
        "objectStore.kind",
        '"ceph"',
        "kind minio, or s3 with endpoint, bucket, accessKey and secretKey",
        "write, for example, `objectStore.kind: minio`",
      ],
    ],
  ],
  [
    "an S3 of which nothing is said",
    (r) => {
      r.objectStore = { kind: "s3" };
    },
    [
      [
        "objectStore.endpoint",
        "nothing",
        "an https:// URL, or http:// to a private address",
        "add `objectStore.endpoint`: give the URL of the S3 API without the bucket: https://s3.eu-central-1.amazonaws.com",
      ],
      [
        "objectStore.bucket",
        "nothing",
        "a bucket name: 3 to 63 lower-case letters, digits, '-' and '.'",
        "add `objectStore.bucket`",
      ],
      [
        "objectStore.accessKey",
        "nothing",
        "text that is not blank, without a blank or a line break at its beginning and end",
        "add `objectStore.accessKey`",
      ],
      [
        "objectStore.secretKey",
        "nothing",
        "text that is not blank, without a blank or a line break at its beginning and end",
        "add `objectStore.secretKey`",
      ],
    ],
  ],
  [
    "a mistyped word with a remedy of its own",
    ["objectStore={kind: minio, survives: zon}"],
    [
      [
        "objectStore.survives",
        '"zon"',
        "one of host, zone",
        "with storage hosts in three zones, two in each, write `survives: zone` in a new stack",
      ],
    ],
  ],
  [
    "a secret that ends in a blank",
    (r) => {
      r.objectStore = { ...S3, secretKey: "s " };
    },
    [
      [
        "objectStore.secretKey",
        "a secret (not shown) that ends in a blank",
        "text that is not blank, without a blank or a line break at its beginning and end",
        "pulumi config set --secret --path 'matrix-ha:objectStore.secretKey' < FILE",
      ],
    ],
  ],
  [
    "a number for a secret",
    (r) => {
      r.objectStore = { ...S3, secretKey: 5 };
    },
    [
      [
        "objectStore.secretKey",
        "a secret (not shown)",
        "text that is not blank, without a blank or a line break at its beginning and end",
        "pulumi config set --secret --path 'matrix-ha:objectStore.secretKey' < FILE",
      ],
    ],
  ],
  [
    "a signing key that is none",
    ["importSecrets.signingKey=hunter2"],
    [
      [
        "importSecrets.signingKey",
        "a secret (not shown)",
        "`ed25519 NAME BASE64`, the line of the signing key file",
        "pulumi config set --secret --path 'matrix-ha:importSecrets.signingKey' < example.com.signing.key",
      ],
    ],
  ],
  [
    "a mistyped word",
    ["monitoring.prometheus=instal"],
    [["monitoring.prometheus", '"instal"', "one of install, existing", "did you mean `install`?"]],
  ],
  [
    "a word like none",
    ["monitoring.prometheus=zzzzzzzz"],
    [
      [
        "monitoring.prometheus",
        '"zzzzzzzz"',
        "one of install, existing",
        "leave `monitoring.prometheus` out for the default: install",
      ],
    ],
  ],
  [
    "a number for a word",
    ["monitoring.prometheus=5"],
    [
      [
        "monitoring.prometheus",
        "5",
        "one of install, existing",
        "leave `monitoring.prometheus` out for the default: install",
      ],
    ],
  ],
  [
    "a list for labels",
    ["monitoring.selectorLabels=[1]"],
    [["monitoring.selectorLabels", "a list of 1", "Kubernetes labels", "leave `monitoring.selectorLabels` out"]],
  ],
  [
    "a list for a label",
    (r) => {
      r.monitoring = { selectorLabels: { a: [1] } };
    },
    [
      [
        "monitoring.selectorLabels.a",
        "a list of 1",
        "text",
        "write, for example, `monitoring.selectorLabels.a: example`",
      ],
    ],
  ],
  [
    "an unknown role",
    ["hosts[0].roles=[db]"],
    [
      [
        "hosts[0].roles[0]",
        '"db"',
        "one of control-plane, application, database, storage, call",
        "choose from the roles; a host may carry several: roles: [application, database]",
      ],
    ],
  ],
  [
    "a text for a list",
    ["hosts[0].roles=database"],
    [
      [
        "hosts[0].roles",
        "a text",
        "a list of control-plane, application, database, storage, call",
        "write a list: hosts[0].roles: [...]",
      ],
    ],
  ],
  [
    "a text for the hosts",
    ["hosts=x"],
    [
      [
        "hosts",
        "a text",
        "a list of at least one host",
        "list every machine with name, address, role, cpu and memoryGiB; `npm run plan -- --ccu N` prints how many are needed",
      ],
    ],
  ],
  [
    "no host",
    ["hosts=[]"],
    [
      [
        "hosts",
        "an empty list",
        "a list of at least one host",
        "list every machine with name, address, role, cpu and memoryGiB; `npm run plan -- --ccu N` prints how many are needed",
      ],
    ],
  ],
  [
    "a text for a host",
    ["hosts[1]=x"],
    [
      [
        "hosts[1]",
        "a text",
        "a host with name, address, role or roles, cpu, memoryGiB",
        "correct `hosts[1]`, or remove it",
      ],
    ],
  ],
  [
    "a host without an address",
    ["hosts[0].address="],
    [
      [
        "hosts[0].address",
        "nothing",
        "an IPv4 or IPv6 address, without port, prefix or zone",
        "add `hosts[0].address`",
      ],
    ],
  ],
  [
    "a URL for an address",
    ["hosts[0].address=http://10.1.0.9"],
    [
      [
        "hosts[0].address",
        '"http://10.1.0.9"',
        "an IPv4 or IPv6 address, without port, prefix or zone",
        "write `10.1.0.9`",
      ],
    ],
  ],
  [
    "a text for a list with a remedy of its own",
    ["addressPools[0].addresses=203.0.113.10"],
    [
      [
        "addressPools[0].addresses",
        "a text",
        "a list of at least one network or range",
        "list them: addresses: [203.0.113.10-203.0.113.20]",
      ],
    ],
  ],
  [
    "a URL for a registry",
    ["images.mirror=https://Registry.example.com/x/"],
    [
      [
        "images.mirror",
        '"https://Registry.example.com/x/"',
        "registry[:port][/path], in lower case, without https://",
        "write `registry.example.com/x`",
      ],
    ],
  ],
  [
    "an unknown class of processes",
    ["overrides.pools.sincrotron.replicas=2"],
    [
      [
        "overrides.pools.sincrotron",
        "a setting that does not exist",
        "main, synchrotron, initial-sync, generic, event-persister, media, ephemeral, presence, to-device, account, receipts, device-lists, federation-reader, federation-sender, pusher, appservice, background, user-directory",
        "did you mean `synchrotron`?",
      ],
    ],
  ],
  [
    "no core",
    ["overrides.pools.generic.cpu=0"],
    [
      [
        "overrides.pools.generic.cpu",
        "0",
        "cores, more than 0",
        "leave `overrides.pools.generic.cpu` out, or write, for example, 1",
      ],
    ],
  ],
  [
    "a label with a blank in its name",
    ["monitoring.existing.labels={'a b': c}"],
    [
      [
        'monitoring.existing.labels["a b"]',
        '"c"',
        "text",
        'write, for example, `monitoring.existing.labels["a b"]: example`',
      ],
    ],
  ],
  [
    "an unknown target of backups",
    ["backups.target.kind=x"],
    [
      [
        "backups.target.kind",
        '"x"',
        "kind object-store, or s3 with endpoint, bucket, accessKey and secretKey",
        "write, for example, `backups.target.kind: object-store`",
      ],
    ],
  ],
  [
    "a schedule in words",
    ["backups.schedule=daily"],
    [
      [
        "backups.schedule",
        '"daily"',
        "six fields: second minute hour day-of-month month day-of-week",
        'put the second before the usual five fields: "0 0 2 * * *" is 02:00 every day',
      ],
    ],
  ],
  [
    "a blank name",
    ["web.elementWeb.brand=' '"],
    [
      [
        "web.elementWeb.brand",
        '" "',
        "text that is not blank",
        "leave `web.elementWeb.brand` out for the default: Element",
      ],
    ],
  ],
  [
    "a list for yes or no",
    ["deletionProtection=[]"],
    [["deletionProtection", "an empty list", "true or false", "leave `deletionProtection` out for the default: true"]],
  ],
];

describe("the form of settings", () => {
  for (const [mistake, change, errors] of CASES)
    it(`${mistake}: ${errors.map(([path]) => path).join(", ")}`, () => {
      assert.deepEqual(said(spoilt(change)), errors);
    });

  it("of a right stack has no error, also at the bounds", () => {
    // Ten times the largest number of users that was run.
    for (const sets of [[], ["ccu=1"], ["ccu=200000"], ["turn.minPort=1"], ["rtc.enabled=true"], ["hosts[0].zone=a1"]])
      assert.deepEqual(said(applySets(minimal(), sets)), []);
  });

  it("is wrong as a whole where it is no section", () => {
    for (const [raw, given] of [
      [5, "5"],
      ["x", "a text"],
      [[], "an empty list"],
    ])
      assert.deepEqual(said(raw)[0], [
        "settings",
        given,
        `a section with ${SECTIONS}`,
        "correct `settings`, or remove it",
      ]);
  });

  it("lacks each section that has no default where nothing was written", () => {
    for (const raw of [undefined, null, {}])
      assert.deepEqual(
        said(raw).map(([path, given]) => `${path}: ${given}`),
        ["ccu: nothing", "domain: nothing", "hosts: nothing", "tls: nothing"],
      );
  });

  // What stands in for a wrong part must be right itself: nothing else is checked otherwise.
  it("has a value for each section that is missing", () => {
    const { shape } = settingsSchema;
    assert.deepEqual(
      Object.entries(shape)
        .filter(([, schema]) => !schema.safeParse(exampleOf(schema)).success)
        .map(([name]) => name),
      [],
    );
  });

  it("without hosts is checked in all else, and nothing is said of hosts that nobody wrote", () => {
    for (const hosts of [undefined, [], "app-1"]) {
      const { hosts: _, addressPools: __, ...raw } = minimal();
      const { errors } = resolveSettings({ ...raw, ...(hosts === undefined ? {} : { hosts }) }, "test");
      assert.deepEqual(
        errors.map((e) => e.path),
        ["hosts", "addressPools"],
      );
    }
  });

  it("is checked to the end: what is wrong is left out or replaced, the rest is as written", () => {
    const report = new Report();
    const input = parse(
      applySets(minimal(), [
        "ccu=x",
        "domian=a",
        "rtc={enabled: maybe, tcpPort: 7000}",
        "hosts[1].address=x",
        "hosts[1].adress=10.1.0.9",
        "hosts[0].disks[0].use=x",
        "objectStore={kind: ceph, bucket: b}",
        "monitoring={selectorLabels: {a: [1], b: c}}",
        "monitoring.existing.labels={'a b': c}",
      ]),
      report,
    )!;
    assert.deepEqual(report.errors.map((e) => e.path).sort(), [
      "ccu",
      "domian",
      "hosts[0].disks[0].use",
      "hosts[1].address",
      "hosts[1].adress",
      'monitoring.existing.labels["a b"]',
      "monitoring.selectorLabels.a",
      "objectStore.kind",
      "rtc.enabled",
    ]);
    assert.equal(input.ccu, 1000);
    assert.equal("domian" in input, false);
    assert.deepEqual([input.rtc.enabled, input.rtc.tcpPort], [true, 7000]);
    assert.deepEqual([input.hosts[1]!.name, input.hosts[1]!.address], ["b", "192.0.2.1"]);
    assert.deepEqual(input.hosts[0]!.disks[0], { id: "/dev/disk/by-id/nvme-1", use: "database", sizeGiB: 500 });
    assert.equal(input.objectStore.kind, "minio");
    assert.deepEqual(input.monitoring.selectorLabels, { a: "example", b: "c" });
    assert.deepEqual(input.monitoring.existing?.labels, {});
  });

  it("shares nothing with what was given, nor with another stack's", () => {
    const raw = minimal();
    const before = structuredClone(raw);
    const [first, second] = [parse(raw, new Report())!, parse(raw, new Report())!];
    first.hosts[0]!.name = "other";
    first.backups.target = { kind: "s3" } as never;
    first.oldSigningKeys.push({} as never);
    assert.deepEqual(raw, before);
    assert.equal(second.hosts[0]!.name, "a");
    assert.deepEqual(parse(raw, new Report())!.backups.target, { kind: "object-store" });
    assert.deepEqual(parse(raw, new Report())!.oldSigningKeys, []);
  });
});
