/** Checks of a data centre among others: what cannot work, or would fail on the day it is needed. */
import { contains, hostCidr, parseAddress, parseAddresses, parseCidr } from "../../core/addresses";
import type { CheckInput } from "../../core/layer";
import { isFounder, isStandby, type DataCentre } from "../../domain/dataCentre";
import type { ImportableSecret } from "../../domain/importableSecrets";
import { isPlaceholder } from "../../schema/syntax/keys";

const AT = "dataCentre";

/** What the checks of one data centre get. */
interface CentreCheck extends CheckInput {
  centre: DataCentre;
}

export function checkDataCentre(given: CheckInput): void {
  const { dataCentre: centre } = given.settings;
  if (!centre) return;
  const checked = { ...given, centre };
  checkNames(checked);
  checkPromotion(checked);
  // What follows asks who is who.
  if (given.report.hasAt(/^dataCentre\.(self|primary|foundedBy|peers)/)) return;
  checkDatabase(checked);
  checkArchives(checked);
  checkStreams(checked);
  checkMedia(checked);
  checkCertificates(checked);
  checkSecrets(checked);
}

function checkNames({ centre, report }: CentreCheck): void {
  const names = centre.peers.map((peer) => peer.name);
  names.forEach((name, i) => {
    const first = names.indexOf(name);
    if (first < i)
      report.add(
        {
          path: `${AT}.peers[${i}].name`,
          given: `"${name}", as ${AT}.peers[${first}] has`,
          allowed: "each data centre once",
          remedy: "remove one of the two, or give it another name",
        },
        [`${AT}.peers[${first}].name`],
      );
  });
  if (names.length < 2)
    report.add({
      path: `${AT}.peers`,
      given: names.length === 0 ? "no data centre" : `${names[0]} alone`,
      allowed: "two data centres or more, this one included",
      remedy: `list the other one too; a stack that is the only one has no ${AT}`,
    });
  for (const field of ["self", "foundedBy", "primary", "confirmLost"] as const) {
    const name = centre[field];
    if (name !== undefined && !names.includes(name))
      report.add(
        {
          path: `${AT}.${field}`,
          given: `"${name}"`,
          allowed: `a name of ${AT}.peers: ${names.join(", ") || "none yet"}`,
          remedy: `correct the name, or add the data centre to ${AT}.peers, in the stacks of all data centres`,
        },
        [`${AT}.peers`],
      );
  }
}

function checkPromotion({ centre, settings, report }: CentreCheck): void {
  const standby = isStandby(settings);
  const { promotionToken, confirmLost, self, primary } = centre;
  for (const [field, value] of Object.entries({ promotionToken, confirmLost }))
    if (standby && value !== undefined)
      report.add(
        {
          path: `${AT}.${field}`,
          given: `a promotion, in ${self}, which is a standby of ${primary}`,
          allowed: `only in the primary: left here it would decide over a later move`,
          remedy: `pulumi config rm --path 'matrix-ha:${AT}.${field}'; to promote ${self}, set ${AT}.primary: ${self} with it, in one deployment`,
        },
        [`${AT}.primary`, `${AT}.self`],
      );
  if (standby) return;
  if (promotionToken !== undefined && confirmLost !== undefined)
    report.add({
      path: `${AT}.confirmLost`,
      given: `"${confirmLost}", beside a promotionToken`,
      allowed:
        "one of the two: a token says that the former primary was demoted in order, confirmLost that it was lost",
      remedy: "remove confirmLost where the former primary gave a token; else remove the token",
    });
  if (confirmLost !== undefined && confirmLost === self)
    report.add(
      {
        path: `${AT}.confirmLost`,
        given: `"${confirmLost}", which is this data centre`,
        allowed: "the former primary, which is lost",
        remedy: "name the data centre that was the primary before",
      },
      [`${AT}.self`],
    );
}

function checkDatabase({ centre, input, settings, report }: CentreCheck): void {
  const add = (path: string, given: string, allowed: string, remedy: string): void => {
    report.add({ path, given, allowed, remedy }, [`${AT}.primary`]);
  };
  if (!settings.backups.enabled)
    add(
      "backups.enabled",
      "false",
      "true: the archive is what a data centre is made from, and what is left when the stream breaks",
      "remove backups.enabled",
    );
  if (!settings.cluster.install.barmanPlugin)
    add(
      "cluster.install.barmanPlugin",
      "false",
      "true: the archives of the other data centres are read by the plugin",
      "remove cluster.install.barmanPlugin, or set it to true",
    );
  if (input.backups.target.kind === "s3")
    add(
      "backups.target",
      "an S3",
      `nothing here: a data centre archives to ${AT}.peers[].archive, which the others know too`,
      `move it to the entry of ${centre.self} in ${AT}.peers, and remove backups.target`,
    );
  if (input.backups.archiveName !== "synapse-postgres")
    add(
      "backups.archiveName",
      `"${input.backups.archiveName}"`,
      `nothing here: the folder is ${settings.backups.archiveName}, of the data centre's name and generation`,
      "remove backups.archiveName",
    );
  for (const [path, written] of [
    ["backups.restore", settings.backups.restore],
    ["database.importFrom", settings.database.importFrom],
  ] as const)
    if (written && !isFounder(centre))
      add(
        path,
        `a section, in ${centre.self}, whose database is a copy of ${centre.foundedBy}'s`,
        `only in the data centre that founded, in its first generation`,
        `remove ${path}: the database is copied from the archive of ${centre.primary}`,
      );
}

/** Whether a name is that of a Service in a cluster. */
const isService = (host: string): boolean => /\.svc(\.|$)/.test(host);

/** Whether an endpoint is one of this data centre's own machines, or a Service of its cluster. */
function isInside(endpoint: string, { settings }: CentreCheck): boolean {
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, "");
  if (isService(host) || host.endsWith(`.${settings.cluster.domain}`)) return true;
  const own = new Set(Object.values(settings.hostnames));
  if (own.has(host)) return true;
  const address = parseAddress(host);
  if (!address) return false;
  const networks = [
    ...settings.hosts.map((h) => parseCidr(hostCidr(h.address))),
    ...settings.addressPools.flatMap((pool) => pool.addresses.map(parseAddresses)),
    ...[...settings.cluster.podCidrs, ...settings.cluster.serviceCidrs].map(parseCidr),
  ];
  return networks.some((network) => network !== undefined && contains(network, address));
}

function checkArchives(given: CentreCheck): void {
  const { centre, settings, report } = given;
  const { objectStore } = settings;
  centre.peers.forEach(({ name, archive }, i) => {
    const path = `${AT}.peers[${i}].archive`;
    if (name === centre.self && isInside(archive.endpoint, given))
      report.add({
        path: `${path}.endpoint`,
        given: `${archive.endpoint}, which is in ${name} itself`,
        allowed: "an S3 that is there when this data centre is not: another site, or another data centre",
        remedy: "name an S3 at a third site, or the MinIO of another data centre by its public address",
      });
    else if (isService(new URL(archive.endpoint).hostname))
      report.add({
        path: `${path}.endpoint`,
        given: `${archive.endpoint}, a Service of one cluster`,
        allowed: "a URL that leads to the same store from every data centre",
        remedy: "give its public name or address",
      });
    if (
      objectStore.kind === "s3" &&
      !isPlaceholder(objectStore.endpoint) &&
      objectStore.endpoint === archive.endpoint &&
      objectStore.bucket === archive.bucket
    )
      report.add(
        {
          path: `${path}.bucket`,
          given: `"${archive.bucket}", which also holds the media (objectStore.bucket)`,
          allowed: "a separate bucket: credentials that may delete media must not be able to delete backups",
          remedy: "create a bucket for the archives",
        },
        ["objectStore.bucket"],
      );
  });
}

function checkStreams({ centre, settings, report }: CentreCheck): void {
  centre.peers.forEach(({ name, stream }, i) => {
    const path = `${AT}.peers[${i}].stream`;
    if (stream.from.length === 0)
      report.add({
        path: `${path}.from`,
        given: "an empty list",
        allowed: "the networks from which its hosts connect, one at least",
        remedy: "give the addresses that the other data centres see: those of the hosts, or of their router",
      });
    stream.from.forEach((network, k) => {
      if (/\/0$/.test(network))
        report.add({
          path: `${path}.from[${k}]`,
          given: network,
          allowed: "networks of the data centre, not the whole Internet: they reach the database's port",
          remedy: "give the addresses that the other data centres see: those of the hosts, or of their router",
        });
    });
    if (name !== centre.self || !settings.cluster.install.metallb) return;
    const address = parseAddress(stream.host);
    const pooled =
      address &&
      settings.addressPools.some((pool) =>
        pool.addresses.map(parseAddresses).some((block) => block && contains(block, address)),
      );
    // Behind a router any address will do; that needs a pool from which Services get one unasked.
    if (!pooled && !settings.addressPools.some((pool) => pool.use.includes("any")))
      report.add(
        {
          path: `${path}.host`,
          given: `${stream.host}, which is in no pool of addressPools, and no pool is for any Service`,
          allowed: "an address of addressPools; or a name or an address that a router leads to one",
          remedy: "add the address to a pool; or write `use: [any]` for the pool that the router leads to",
        },
        ["addressPools"],
      );
  });
}

function checkMedia({ centre, settings, report }: CentreCheck): void {
  if (settings.objectStore.kind !== "minio" || centre.acceptMediaLoss) return;
  report.add(
    {
      path: "objectStore",
      given: "the stack's own MinIO, which is in this data centre alone",
      allowed: "an S3 that all data centres reach; MinIO is not replicated between them",
      remedy: `name an S3 at another site: objectStore: {kind: s3, ...}; or accept that media are lost with the data centre: ${AT}.acceptMediaLoss: true`,
    },
    [`${AT}.acceptMediaLoss`],
  );
}

/** Certificates that a standby cannot have would be missing in the minute after it was promoted. */
function checkCertificates({ settings, report }: CentreCheck): void {
  const { tls } = settings;
  if (tls.mode !== "acme" || tls.dns01) return;
  report.add({
    path: "tls.mode",
    given: "acme by HTTP, which the public names answer, and they lead to the primary",
    allowed: "a certificate that a standby can have too",
    remedy: "answer the challenge in DNS: tls.dns01; or use tls: {mode: given} or {mode: own-ca} in all data centres",
  });
}

/** Secrets that the data centres must share. */
export const sharedSecrets = ({
  tls,
  turn,
}: Pick<CheckInput["settings"], "tls" | "turn">): readonly ImportableSecret[] => [
  "signingKey",
  "macaroonSecretKey",
  "formSecret",
  "registrationSharedSecret",
  "databasePassword",
  "replicationPassword",
  ...(turn.enabled ? (["turnSharedSecret"] as const) : []),
  ...(tls.mode === "own-ca" ? (["caPrivateKey", "caCertificate"] as const) : []),
];

function checkSecrets({ centre, settings, report }: CentreCheck): void {
  if (centre.self === centre.foundedBy) return;
  const missing = sharedSecrets(settings).filter((name) => settings.importSecrets[name] === undefined);
  if (missing.length > 0)
    report.add({
      path: "importSecrets",
      given: `no ${missing.join(", ")}: this stack would make its own`,
      allowed: `those of ${centre.foundedBy}: with others ${centre.self} would be another server when it is promoted`,
      remedy: `npm run dr -- escrow --from STACK_OF_${centre.foundedBy.toUpperCase()} --to THIS_STACK copies them, encrypted for this stack`,
    });
  settings.appservices.forEach((appservice, i) => {
    if (appservice.registration !== undefined || appservice.registrationSecret !== undefined) return;
    for (const token of ["asToken", "hsToken"] as const)
      if (appservice[token] === undefined)
        report.add({
          path: `appservices[${i}].${token}`,
          given: "nothing: this stack would make its own",
          allowed: `the token of ${centre.foundedBy}, by which the bridge knows the server`,
          remedy: `pulumi config set --secret --path 'matrix-ha:appservices[${i}].${token}' < FILE, with the value of that stack's output appservices`,
        });
  });
}
