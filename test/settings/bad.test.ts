/** Every mistake that an operator may make gets an error that names its place and the remedy. */
import assert from "node:assert/strict";
import { applySets } from "../../components/settings/stackFile";
import { formatErrors, resolveSettings } from "../../components/settings";
import { authority, type Authority } from "../helpers/authority";
import { S3, HOSTS, certificate, encryptedKey, host, minimal, type Pair } from "../helpers/example";

const NOW = new Date("2026-11-21T00:00:00Z");
type Change = string[] | ((raw: any) => void);
/** The mistake, how it is made, the path of the error, and its text. */
type Case = [what: string, change: Change, path: string, says: RegExp];

const without =
  (key: string): Change =>
  (raw) => {
    delete raw[key];
  };
const roles =
  (change: (hosts: any[]) => any[]): Change =>
  (raw) => {
    raw.hosts = change(raw.hosts);
  };

const CASES: Case[] = [
  ["no ccu", without("ccu"), "ccu", /add `ccu`.*pulumi config set ccu/],
  ["ccu of zero", ["ccu=0"], "ccu", /whole number from 1/],
  ["ccu in words", ["ccu=many"], "ccu", /"many".*whole number/s],
  ["half a user", ["ccu=10.5"], "ccu", /whole number/],
  ["more users than the plan supports", ["ccu=3000000"], "ccu", /200,000/],
  ["an unknown profile", ["activity.profile=normal"], "activity.profile", /"normal".*quiet, typical, busy/s],
  [
    "a negative number of messages",
    ["activity.messagesPerUserHour=-1"],
    "activity.messagesPerUserHour",
    /a number from 0\.01 to 1,000.*count it/s,
  ],
  ["a peak below the mean", ["activity.peakFactor=0.5"], "activity.peakFactor", /a number from 1 to 20/],
  ["a day busier than its busiest hour", ["activity.dayShare=1.5"], "activity.dayShare", /to 1/],
  ["more recipients than there are", ["activity.recipientsOnline=20000"], "activity.recipientsOnline", /10,000/],
  ["more than all users online", ["activity.onlineShare=1.2"], "activity.onlineShare", /to 1/],
  ["a share in percent", ["activity.callShare=10"], "activity.callShare", /a number from 0 to 1/],
  ["logins in words", ["activity.loginsPerUserHour=few"], "activity.loginsPerUserHour", /"few"/],
  ["media below nothing", ["activity.mediaMiBPerUserDay=-5"], "activity.mediaMiBPerUserDay", /from 0/],
  ["no room at all", ["activity.roomsPerUser=0"], "activity.roomsPerUser", /from 1/],
  ["a misspelt figure", ["activity.messagesPerUserHours=5"], "activity.messagesPerUserHours", /messagesPerUserHour/],
  ["cores of no speed", ["coreSpeed=0"], "coreSpeed", /a number from 0\.25 to 4/],
  ["no domain", without("domain"), "domain", /nothing/],
  ["a URL for a domain", ["domain=https://example.com"], "domain", /without https/],
  ["domain in capitals", ["domain=Example.com"], "domain", /lower case/],
  ["domain of one label", ["domain=localhost"], "domain", /DNS name/],
  ["server name with @", ["serverName='@example.com'"], "serverName", /Matrix specification/],
  ["server name with port 0", ["serverName=example.com:0"], "serverName", /host\[:port\]/],
  ["server name with a broken IPv6 address", ["serverName='[::1'"], "serverName", /server name/],
  [
    "two services of one name",
    ["hostnames.web=matrix.example.com"],
    "hostnames.web",
    /the same as hostnames.homeserver.*different name for each/s,
  ],
  ["web client at the server name", ["hostnames.web=example.com"], "hostnames.web", /well-known/],
  [
    "an option of Synapse that has a setting",
    ["synapse.extra.max_upload_size=10M"],
    "synapse.extra.max_upload_size",
    /set `media\.maxUploadMiB` instead/,
  ],
  [
    "a misspelt option of Synapse",
    ["synapse.extra.enable_serch=true"],
    "synapse.extra.enable_serch",
    /did you mean `enable_search`/,
  ],
  [
    "an option of Synapse that the stack decides",
    ["synapse.extra.redis={}"],
    "synapse.extra.redis",
    /this stack's Redis/,
  ],
  [
    "a module whose package no image has",
    ['synapse.modules=[{"module":"a.B","packages":["a==1"]}]'],
    "images.overrides.synapse",
    /npm run images -- synapse/,
  ],
  [
    "a key of Element's configuration that has a setting",
    ["web.elementWeb.config={brand: Chat}"],
    "web.elementWeb.config.brand",
    /set `web\.elementWeb\.brand` instead/,
  ],
  [
    "a section of Element's configuration in place of one with keys of the stack",
    ["web.elementWeb.config={setting_defaults: 1}"],
    "web.elementWeb.config.setting_defaults",
    /set `registration\.enabled` instead/,
  ],
  [
    "a secret in Element's configuration",
    ["web.elementWeb.config={maps: {api_key: abc}}"],
    "web.elementWeb.config.maps.api_key",
    /everybody can read/,
  ],
  ["a list for Element's configuration", ["web.elementWeb.config=[1]"], "web.elementWeb.config", /a section with keys/],
  [
    "the SFUs of the stack among further discovery keys",
    ["web.wellKnown.client={org.matrix.msc4143.rtc_foci: []}"],
    'web.wellKnown.client["org.matrix.msc4143.rtc_foci"]',
    /set `rtc\.enabled` instead/,
  ],
  [
    "keys of a discovery document that is not served",
    ["rtc.enabled=false", "web.wellKnown.server={a: 1}"],
    "web.wellKnown.server",
    /federation\.enabled or rtc\.enabled/,
  ],
  [
    "another web server at a name of this stack",
    ["serverName=matrix.example.com", "web.wellKnown.servedElsewhere=true"],
    "web.wellKnown.servedElsewhere",
    /matrix\.example\.com is hostnames\.homeserver/,
  ],
  [
    "a version of the terms that is no file name",
    ["terms={version: 1/2, page: <p>x</p>}"],
    "terms.version",
    /letters, digits/,
  ],
  [
    "a notice about the terms without their link",
    ["serverNotices={}", "terms={version: v1, page: <p>x</p>, notice: please accept}"],
    "terms.notice",
    /%\(consent_uri\)s/,
  ],
  [
    "a notice about the terms where nothing may write to users",
    ["terms={version: v1, page: <p>x</p>, notice: 'read %(consent_uri)s'}"],
    "terms.notice",
    /add `serverNotices: \{\}`/,
  ],
  [
    "users who are refused without having been told",
    ["terms={version: v1, page: <p>x</p>, refuseWithout: 'see %(consent_uri)s'}"],
    "terms.refuseWithout",
    /add terms\.notice/,
  ],
  ["two DNS providers", ["tls.dns01={solver: {cloudflare: {}, route53: {}}}"], "tls.dns01.solver", /one DNS provider/],
  [
    "a DNS provider whose credential is missing",
    ["tls.dns01={solver: {cloudflare: {apiTokenSecretRef: {name: matrix-ha-acme-dns01, key: api-token}}}}"],
    "tls.dns01.solver",
    /credentials\["api-token"\]/,
  ],
  [
    "a credential of which the DNS provider does not know",
    ["tls.dns01={solver: {cloudflare: {}}, credentials: {api-token: not-a-real-token}}"],
    "tls.dns01.credentials.api-token",
    /does not refer to/,
  ],
  ["a proxy without a port", ["httpProxy.url=http://proxy.example.com"], "httpProxy.url", /write the port too/],
  [
    "a login in the proxy's URL",
    ["httpProxy.url=http://user:word@proxy.example.com:3128"],
    "httpProxy.url",
    /a login goes into `user` and `password`/,
  ],
  [
    "a password without a user at the proxy",
    ["httpProxy.url=http://proxy.example.com:3128", "httpProxy.password=secret-of-the-proxy"],
    "httpProxy.password",
    /give httpProxy\.user/,
  ],
  [
    "a user without a password at the proxy",
    ["httpProxy.url=http://proxy.example.com:3128", "httpProxy.user=matrix"],
    "httpProxy.user",
    /give httpProxy\.password/,
  ],
  [
    "a password that Synapse would send in another form",
    [
      "httpProxy.url=http://proxy.example.com:3128",
      "httpProxy.user=matrix",
      "httpProxy.password='with@and:of-the-proxy'",
    ],
    "httpProxy.password",
    /a secret \(not shown\)[\s\S]*Synapse sends other characters/,
  ],
  [
    "a network that Synapse could not leave out of the proxy",
    ["httpProxy.url=http://proxy.example.com:3128", "httpProxy.noProxy=[10.0.0.0/8]"],
    "httpProxy.noProxy[0]",
    /a DNS name or an address/,
  ],
  [
    "the proxy among what does not use it",
    ["httpProxy.url=http://proxy.example.com:3128", "httpProxy.noProxy=[proxy.example.com]"],
    "httpProxy.noProxy[0]",
    /the proxy itself/,
  ],
  [
    "an alias that leads to the pod itself",
    ['hostAliases=[{"address":"127.0.0.1","names":["sso.example.net"]}]'],
    "hostAliases[0].address",
    /another machine/,
  ],
  [
    "an alias without names",
    ['hostAliases=[{"address":"10.0.0.7","names":[]}]'],
    "hostAliases[0].names",
    /at least one name/,
  ],
  [
    "a name at two addresses",
    ['hostAliases=[{"address":"10.0.0.7","names":["a.b"]},{"address":"10.0.0.8","names":["a.b"]}]'],
    "hostAliases[1].names[0]",
    /the same as hostAliases\[0\]\.names\[0\]/,
  ],
  [
    "an alias of a Service",
    ['hostAliases=[{"address":"10.0.0.7","names":["haproxy.matrix.svc.cluster.local"]}]'],
    "hostAliases[0].names[0]",
    /the cluster's DNS/,
  ],
  [
    "an alias of a name that is at the entrance already",
    ["ingress.hairpin=false", 'hostAliases=[{"address":"10.0.0.7","names":["matrix.example.com"]}]'],
    "hostAliases[0].names[0]",
    /ingress\.hairpin: false leads to the entrance/,
  ],
  [
    "no hairpin behind a controller whose addresses are not known",
    ["ingress.hairpin=false", "cluster.install.ingressController=false"],
    "ingress.hairpin",
    /names: \[matrix\.example\.com, example\.com, chat\.example\.com/,
  ],
  ["misspelt setting", ["registraton.enabled=true"], "registraton", /did you mean `registration`/],
  ["misspelt setting in a section", ["rtc.enbled=true"], "rtc.enbled", /did you mean `enabled`/],
  ["an unknown setting", ["zzz=1"], "zzz", /docs\/settings\.md/],
  ["a text for a section", ["rtc=on"], "rtc", /a section with enabled/],
  ["a text for yes or no", ["rtc.enabled=maybe"], "rtc.enabled", /true or false/],
  ["yes, a word of YAML 1.1", ["rtc.enabled=yes"], "rtc.enabled", /write `true`/],
  ["a domain in capitals, with what is meant", ["domain=Example.com"], "domain", /write `example\.com`/],
  ["a URL for a domain, with what is meant", ["domain=https://example.com/"], "domain", /write `example\.com`/],
  [
    "a URL for a mirror",
    ["images.mirror=https://registry.example.com/x"],
    "images.mirror",
    /write `registry\.example\.com\/x`/,
  ],
  ["a number for a zone", ["hosts[0].zone=1"], "hosts[0].zone", /write `zone: "1"`/],
  ["memory in MiB", ["hosts[0].memoryGiB=8192"], "hosts[0].memoryGiB", /if these are MiB, write 8\b/],
  ["certificates of a public authority for a private name", ["domain=corp.local"], "tls.mode", /own-ca/],
  [
    "a network for a pool",
    ["addressPools[0].addresses=[198.0.0.0/8]"],
    "addressPools[0].addresses[0]",
    /at most 1,024/,
  ],
  [
    "a path in place of a key",
    (raw) => {
      raw["federation.enabled"] = true;
    },
    '["federation.enabled"]',
    /pulumi config set --path 'matrix-ha:federation\.enabled'/,
  ],
  [
    "a secret that ends in a line break",
    (raw) => {
      raw.objectStore = { ...S3, secretKey: "very-secret-s3-key\n" };
    },
    "objectStore.secretKey",
    /ends in a line break[\s\S]*without a blank or a line break/,
  ],
  [
    "a move of the media from where they are",
    (raw) => {
      raw.objectStore = { kind: "minio", moveFrom: { store: "minio" } };
    },
    "objectStore.moveFrom.store",
    /which is the present store/,
  ],

  ["an unknown distribution", ["cluster.distribution=k3"], "cluster.distribution", /did you mean `k3s`/],
  [
    "a network for NodeLocal DNS",
    ["cluster.nodeLocalDns=[169.254.0.0/16]"],
    "cluster.nodeLocalDns[0]",
    /without port, prefix/,
  ],
  [
    "kubelets' certificates of an unknown kind",
    ["cluster.kubeletCertificates=none"],
    "cluster.kubeletCertificates",
    /cluster-ca, self-signed/,
  ],
  ["an issuer without its name", ["tls={mode: issuer}"], "tls.clusterIssuer", /nothing/],
  [
    "labels of Prometheus that are none",
    ["monitoring.existing.labels={'a b': c}"],
    'monitoring.existing.labels["a b"]',
    /"c"/,
  ],
  [
    "a pool without a word on whether it exists",
    ["addressPools[0].create=perhaps"],
    "addressPools[0].create",
    /true or false/,
  ],
  ["no hosts", without("hosts"), "hosts", /npm run plan/],
  ["an empty list of hosts", ["hosts=[]"], "hosts", /at least one host/],
  [
    "host without a name",
    roles(([h, ...r]) => {
      delete h.name;
      return [h, ...r];
    }),
    "hosts[0].name",
    /nothing/,
  ],
  ["host name with underscore", ["hosts[0].name=node_1"], "hosts[0].name", /node name/],
  ["host address with prefix", ["hosts[0].address=10.1.0.1/24"], "hosts[0].address", /without port, prefix or zone/],
  [
    "a store that survives what is unknown",
    ['objectStore={"kind":"minio","survives":"site"}'],
    "objectStore.survives",
    /one of host, zone/,
  ],
  ["host address with zone", ["hosts[0].address=fe80::1%eth0"], "hosts[0].address", /without port, prefix or zone/],
  ["two hosts of one name", ["hosts[1].name=a"], "hosts[1].name", /the same as hosts\[0\]\.name/],
  ["two hosts at one address", ["hosts[1].address=10.1.0.1"], "hosts[1].address", /the same as hosts\[0\]\.address/],
  [
    "two hosts with one host key",
    roles((h) => {
      h[1].hostKey = h[0].hostKey;
      return h;
    }),
    "hosts[1].hostKey",
    /different host key for each/,
  ],
  ["an unknown role", ["hosts[0].roles=[db]"], "hosts[0].roles[0]", /control-plane, application, database/],
  ["host without a role", ["hosts[0].roles="], "hosts[0].role", /what a is for/],
  ["host without cores", ["hosts[2].cpu="], "hosts[2].cpu", /nproc/],
  ["host without memory", ["hosts[2].memoryGiB="], "hosts[2].memoryGiB", /free --gibi/],
  ["memory with a unit", ["hosts[2].memoryGiB=64Gi"], "hosts[2].memoryGiB", /"64Gi".*GiB/s],
  ["disk by a name that moves", ["hosts[0].disks[0].id=/dev/sdb"], "hosts[0].disks[0].id", /ls -l \/dev\/disk\/by-id/],
  [
    "one disk twice",
    (raw) => {
      raw.hosts[0].disks.push(raw.hosts[0].disks[0]);
    },
    "hosts[0].disks[1].id",
    /the same as disks\[0\]/,
  ],
  [
    "an unknown use of a disk",
    ["hosts[0].disks[0].use=postgres"],
    "hosts[0].disks[0].use",
    /database, wal, object-store, local/,
  ],
  [
    "an object-store disk on a database host",
    ["hosts[0].disks[0].use=object-store"],
    "hosts[0].disks[0].use",
    /role storage/,
  ],
  ["host without a host key", ["hosts[3].hostKey="], "hosts[3].ssh.hostKey", /ssh_host_ed25519_key\.pub/],
  [
    "a host key cut short",
    ["hosts[3].hostKey=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="],
    "hosts[3].hostKey",
    /known_hosts/,
  ],
  [
    "a host key of another type inside",
    (raw) => {
      raw.hosts[3].hostKey = raw.hosts[3].hostKey.replace("ssh-ed25519", "ssh-rsa");
    },
    "hosts[3].hostKey",
    /known_hosts/,
  ],
  ["an SSH port out of range", ["ssh.port=70000"], "ssh.port", /1 to 65535/],
  ["a file name for the private key", ["ssh.privateKey=~/.ssh/id_ed25519"], "ssh.privateKey", /complete private key/],
  [
    "a private key with passphrase",
    (raw) => {
      raw.ssh = { privateKey: encryptedKey() };
    },
    "ssh.privateKey",
    /without a passphrase/,
  ],
  ["bastion without host key", ["ssh.bastion={host: 10.0.0.1}"], "ssh.bastion.hostKey", /nothing.*known_hosts/s],
  [
    "two application hosts",
    roles((h) => h.map((x, i) => (i === 2 ? { ...x, roles: ["database"] } : x))),
    "hosts",
    /2 hosts with the role application.*Sentinels.*add 1/s,
  ],
  [
    "two database hosts",
    roles((h) => h.map((x, i) => (i === 2 ? { ...x, roles: ["application"] } : x))),
    "hosts",
    /2 hosts with the role database.*acknowledge each write/s,
  ],
  [
    "two storage hosts",
    roles((h) => h.filter((x) => x.name !== "s2")),
    "hosts",
    /2 hosts with the role storage.*more than half.*objectStore\.kind: s3/s,
  ],
  [
    "one call host",
    roles((h) => h.filter((x) => x.name !== "k1")),
    "hosts",
    /1 host with the role call.*acceptOneCallHost: true.*turn\.enabled: false/s,
  ],
  [
    "more database instances than hosts",
    ["overrides.postgres.instances=5"],
    "hosts",
    /at least 5.*overrides\.postgres\.instances/s,
  ],

  ["no address pool", without("addressPools"), "addressPools", /addressPools: \[\{name: public/],
  ["an empty pool", ["addressPools[0].addresses=[]"], "addressPools[0].addresses", /at least one network or range/],
  [
    "a range backwards",
    ["addressPools[0].addresses[0]=203.0.113.20-203.0.113.10"],
    "addressPools[0].addresses[0]",
    /first address before the last/,
  ],
  [
    "a network with host bits",
    ["addressPools[0].addresses[0]=203.0.113.5/24"],
    "addressPools[0].addresses[0]",
    /network/,
  ],
  [
    "two pools of one name",
    (raw) => {
      raw.addressPools.push({ name: "public", addresses: ["198.51.100.0/28"] });
    },
    "addressPools[1].name",
    /the same as addressPools\[0\]/,
  ],
  [
    "pools that overlap",
    (raw) => {
      raw.addressPools.push({ name: "more", addresses: ["203.0.113.0/28"] });
    },
    "addressPools[1].addresses[0]",
    /outside 203\.0\.113\.10-203\.0\.113\.20/,
  ],
  ["a host in a pool", ["hosts[0].address=203.0.113.12"], "hosts[0].address", /pool public/],
  ["a host in the pods' network", ["hosts[0].address=10.244.3.4"], "hosts[0].address", /pods' network/],
  [
    "pods in the Services' network",
    ["cluster.podCidrs=[10.100.0.0/16]"],
    "cluster.serviceCidrs[0]",
    /10\.100\.0\.0\/16/,
  ],
  [
    "two IPv4 networks of pods",
    ["cluster.podCidrs=[10.244.0.0/16, 10.245.0.0/16]"],
    "cluster.podCidrs",
    /one network of each family/,
  ],
  [
    "IPv6 without a network for it",
    ["cluster.ipFamilies=[IPv4, IPv6]"],
    "cluster.ipFamilies[1]",
    /add an IPv6 network/,
  ],
  ["a path for a kubeconfig", ["cluster.kubeconfig=~/.kube/config"], "cluster.kubeconfig", /not its path/],
  [
    "an existing storage class without name",
    ["storage.database.create=false"],
    "storage.database.name",
    /kubectl get storageclass/,
  ],
  [
    "one name for two classes",
    ["storage.general.name=fast", "storage.database.name=fast"],
    "storage.general.name",
    /the same as storage\.database/,
  ],

  ["no tls", without("tls"), "tls", /acme.*own-ca.*given/s],
  ["an unknown mode", ["tls.mode=letsencrypt"], "tls.mode", /own-ca/],
  ["ACME without e-mail", ["tls=acme"], "tls.email", /e-mail address/],
  [
    "a file name for a certificate",
    ["tls={mode: given, certificate: /etc/cert.pem, privateKey: /etc/key.pem}"],
    "tls.certificate",
    /fullchain\.pem/,
  ],
  [
    "a file name for its key",
    ["tls={mode: given, certificate: /etc/cert.pem, privateKey: /etc/key.pem}"],
    "tls.privateKey",
    /privkey\.pem/,
  ],
  [
    "an expired certificate",
    (raw) => {
      raw.tls = { mode: "given", ...expired };
    },
    "tls.certificate",
    /expired on/,
  ],
  [
    "a certificate that is not valid yet",
    (raw) => {
      raw.tls = { mode: "given", ...future };
    },
    "tls.certificate",
    /not valid before/,
  ],
  [
    "a certificate without the names",
    (raw) => {
      raw.tls = { mode: "given", ...narrow };
    },
    "tls.certificate",
    /chat\.example\.com.*admin\.example\.com/s,
  ],
  [
    "the key of another certificate",
    (raw) => {
      raw.tls = { mode: "given", certificate: good.certificate, privateKey: narrow.privateKey };
    },
    "tls.certificate",
    /the key that belongs to it/,
  ],

  ["open registration", ["registration.enabled=true"], "registration.enabled", /spam accounts.*requireToken/s],
  [
    "e-mail asked for but not sent",
    ["registration={enabled: true, requireEmail: true}"],
    "registration.requireEmail",
    /emailSmtp/,
  ],
  [
    "open and not open",
    ["registration={enabled: true, requireToken: true, allowOpen: true}"],
    "registration.allowOpen",
    /one or the other/,
  ],
  [
    "SMTP user without password",
    ["emailSmtp={host: smtp.example.com, from: a@example.com, user: me}"],
    "emailSmtp.password",
    /user and password/,
  ],
  ["an invalid sender", ["emailSmtp={host: smtp.example.com, from: matrix}"], "emailSmtp.from", /Name </],
  [
    "a sender without a mailbox",
    ["emailSmtp={host: smtp.example.com, from: .@example.com}"],
    "emailSmtp.from",
    /Name </,
  ],
  [
    "a room for new users on another server",
    ["rooms.autoJoin={aliases: ['#a:example.org']}"],
    "rooms.autoJoin.aliases[0]",
    /#a:example\.com/,
  ],
  [
    "rooms that Synapse shall make for users who accept terms first",
    ["rooms.autoJoin={aliases: ['#a:example.com']}", "terms={version: '1', page: '<p>Be kind.</p>'}"],
    "rooms.autoJoin.create",
    /make the rooms yourself/,
  ],
  [
    "the cluster's inside among the networks that are connected to",
    ["outgoing.allowedNetworks=[0.0.0.0/0]"],
    "outgoing.allowedNetworks[0]",
    /outside the cluster/,
  ],
  [
    "allow list without federation",
    ["federation.domainAllowList=[example.org]"],
    "federation.domainAllowList",
    /federation\.enabled: true/,
  ],
  [
    "a URL in the allow list",
    ["federation={enabled: true, domainAllowList: ['https://example.org']}"],
    "federation.domainAllowList[0]",
    /server name/,
  ],
  [
    "two providers of one id",
    (raw) => {
      raw.sso = { oidc: [oidc("x"), oidc("x")] };
    },
    "sso.oidc[1].id",
    /as sso\.oidc\[0\] is/,
  ],
  [
    "a provider without openid",
    (raw) => {
      raw.sso = { oidc: [{ ...oidc("x"), scopes: ["email"] }] };
    },
    "sso.oidc[0].scopes",
    /openid/,
  ],
  [
    "an issuer without TLS",
    (raw) => {
      raw.sso = { oidc: [{ ...oidc("x"), issuer: "http://id.example.com" }] };
    },
    "sso.oidc[0].issuer",
    /https/,
  ],
  [
    "a directory at a web address",
    ["ldap={uris: ['http://ldap.example.com'], base: 'dc=example,dc=com'}"],
    "ldap.uris[0]",
    /ldaps:\/\//,
  ],
  ["an empty list of directories", ["ldap={uris: [], base: 'dc=example,dc=com'}"], "ldap.uris", /at least one server/],
  [
    "a filter without parentheses",
    ["ldap={uris: ['ldaps://ldap.example.com'], base: 'dc=example,dc=com', filter: 'memberOf=x'}"],
    "ldap.filter",
    /one expression in parentheses/,
  ],
  [
    "a base that is a domain",
    ["ldap={uris: ['ldaps://ldap.example.com'], base: example.com}"],
    "ldap.base",
    /a distinguished name/,
  ],
  [
    "a directory, and no logins with a password",
    (raw) => {
      raw.sso = { oidc: [oidc("x")], passwordLogin: false };
      raw.ldap = { uris: ["ldaps://ldap.example.com"], base: "dc=example,dc=com" };
    },
    "sso.passwordLogin",
    /localPasswords: false/,
  ],
  ["no way to log in", ["sso.passwordLogin=false"], "sso.passwordLogin", /add a provider/],
  [
    "uploads that the cache has no room for",
    ["media.maxUploadMiB=10240", "media.cacheGiB=1"],
    "media.cacheGiB",
    /10,240 MiB.*at least 160.*media\.cacheGiB: 160/s,
  ],
  ["large uploads with the default cache", ["media.maxUploadMiB=4096"], "media.cacheGiB", /at least 64/],
  ["an upload of nothing", ["media.maxUploadMiB=0"], "media.maxUploadMiB", /1 to 10,240/],
  ["retention of no days", ["retention.maxLifetimeDays=0"], "retention.maxLifetimeDays", /remove the section/],
  [
    "media gone before their messages",
    ["retention.maxLifetimeDays=365", "media.localRetentionDays=30"],
    "media.localRetentionDays",
    /365/,
  ],

  [
    "S3 without bucket",
    (raw) => {
      raw.objectStore = { ...S3, bucket: undefined };
    },
    "objectStore.bucket",
    /nothing/,
  ],
  [
    "unencrypted S3 over the Internet",
    (raw) => {
      raw.objectStore = { ...S3, endpoint: "http://s3.example.net" };
    },
    "objectStore.endpoint",
    /https:\/\/ URL/,
  ],
  ["an unknown object store", ["objectStore=ceph"], "objectStore.kind", /minio, or s3/],
  [
    "sizes of a MinIO that is not there",
    (raw) => {
      raw.objectStore = S3;
      raw.overrides = { minio: { nodes: 4 } };
    },
    "overrides.minio",
    /remove overrides\.minio/,
  ],
  [
    "backups among the media",
    (raw) => {
      raw.objectStore = S3;
      raw.backups = { target: S3 };
    },
    "backups.target.bucket",
    /a separate bucket/,
  ],
  ["five cron fields", ["backups.schedule=0 2 * * *"], "backups.schedule", /seconds first|second before/],
  ["hour 25", ["backups.schedule=0 0 25 * * *"], "backups.schedule", /six fields/],
  [
    "an import from a newer PostgreSQL",
    ["database.importFrom={host: 10.0.0.5, majorVersion: 19, password: '[encrypted by pulumi]'}"],
    "database.importFrom.majorVersion",
    /at most 18/,
  ],
  [
    "an import without a version",
    ["database.importFrom={host: 10.0.0.5, password: '[encrypted by pulumi]'}"],
    "database.importFrom.majorVersion",
    /a whole number from 10 to 99/,
  ],
  [
    "an import from a path",
    ["database.importFrom={host: /var/run/postgresql, majorVersion: 16, password: '[encrypted by pulumi]'}"],
    "database.importFrom.host",
    /a DNS name or an address/,
  ],
  [
    "an import beside a restore",
    [
      "database.importFrom={host: 10.0.0.5, majorVersion: 16, password: '[encrypted by pulumi]'}",
      "backups.archiveName=db-2",
      "backups.restore={from: db-1}",
    ],
    "database.importFrom",
    /a database is created once/,
  ],
  [
    "a restore into the archive that it comes from",
    ["backups.restore={from: synapse-postgres}"],
    "backups.archiveName",
    /refuses to write.*archiveName' synapse-postgres-2/s,
  ],
  [
    "a second restore into the first one's archive",
    ["backups.archiveName=db-9", "backups.restore={from: db-9}"],
    "backups.archiveName",
    /db-10/,
  ],
  [
    "a restore without backups",
    ["backups.enabled=false", "backups.archiveName=db-2", "backups.restore={from: db-1}"],
    "backups.restore",
    /backups\.enabled: true/,
  ],
  [
    "a moment without its zone",
    ["backups.archiveName=db-2", "backups.restore={from: db-1, targetTime: '2026-11-20 14:30:00'}"],
    "backups.restore.targetTime",
    /with its zone/,
  ],
  [
    "an invalid day",
    ["backups.archiveName=db-2", "backups.restore={from: db-1, targetTime: '2026-02-31T14:30:00Z'}"],
    "backups.restore.targetTime",
    /with its zone/,
  ],
  ["an archive in a folder", ["backups.archiveName=a/b"], "backups.archiveName", /lower-case letters/],
  ["backups kept no day", ["backups.retentionDays=0"], "backups.retentionDays", /1 to 3,650/],

  ["TURN and SFU on the same ports", ["turn.maxPort=56000"], "rtc.udpPortMin", /both contain 55001 to 56000.*56001/s],
  [
    "TURN's range backwards",
    ["turn.minPort=54000", "turn.maxPort=50000"],
    "turn.maxPort",
    /not smaller than the first/,
  ],
  ["TURN on node ports", ["turn.minPort=31000"], "turn.minPort", /30000 to 32767/],
  ["an SFU with ten ports", ["rtc.udpPortMin=59991"], "rtc.udpPortMax", /at least 100/],
  ["TLS of TURN where the kubelet is", ["turn.tlsPort=10250"], "turn.tlsPort", /kubelet/],
  ["TCP of the SFU where TLS of TURN is", ["rtc.tcpPort=5349"], "rtc.tcpPort", /a port other than turn\.tlsPort/],
  ["TCP of the SFU in TURN's range", ["rtc.tcpPort=50000"], "rtc.tcpPort", /49152 to 55000/],
  ["TCP of the SFU on a node port", ["rtc.tcpPort=30001"], "rtc.tcpPort", /node ports/],
  ["TURN into the pods", ["turn.allowedPrivateCidrs=[10.0.0.0/8]"], "turn.allowedPrivateCidrs[0]", /through TURN/],
  ["the admin UI open to the world", ["web.admin.allowCidrs=[0.0.0.0/0]"], "web.admin.allowCidrs[0]", /allowPublic/],
  [
    "the admin UI open to the world, in two halves",
    ["web.admin.allowCidrs=[0.0.0.0/1, 128.0.0.0/1]"],
    "web.admin.allowCidrs[1]",
    /allowPublic/,
  ],
  [
    "administrators at a host",
    ["web.admin.allowCidrs=[10.1.0.1/32]"],
    "web.admin.allowCidrs[0]",
    /only pass requests on/,
  ],
  [
    "administrators at a load balancer",
    ["ingress.trustedProxies=[10.9.0.0/16]", "web.admin.allowCidrs=[10.9.3.0/24]"],
    "web.admin.allowCidrs[0]",
    /part of 10\.9\.0\.0\/16/,
  ],
  [
    "an entrance with private addresses, and the admin UI open to all of them",
    ["addressPools[0].addresses[0]=10.200.0.10-10.200.0.20"],
    "web.admin.allowCidrs",
    /every client of the Internet.*ingress\.trustedProxies/s,
  ],
  [
    "proxies of the whole Internet",
    ["ingress.trustedProxies=[0.0.0.0/0]"],
    "ingress.trustedProxies[0]",
    /anyone could claim any address/,
  ],
  ["PROXY protocol from nobody", ["ingress.proxyProtocol=true"], "ingress.proxyProtocol", /from which they connect/],
  [
    "PROXY protocol for a controller of others",
    ["ingress.proxyProtocol=true", "ingress.trustedProxies=[10.9.0.5/32]", "cluster.install.ingressController=false"],
    "ingress.proxyProtocol",
    /configuration of that controller/,
  ],
  [
    "an entrance outside the pool",
    ["ingress.addresses=[198.51.100.7]"],
    "ingress.addresses[0]",
    /pool public: 203\.0\.113\.10-203\.0\.113\.20/,
  ],
  [
    "one entrance twice",
    ["ingress.addresses=[203.0.113.10, 203.0.113.10]"],
    "ingress.addresses[1]",
    /each address once/,
  ],
  ["no entrance", ["ingress.addresses=[]"], "ingress.addresses", /leave it out/],
  [
    "entrances of one family in a cluster of two",
    (raw) => {
      raw.cluster = { podCidrs: ["10.244.0.0/16", "fd00:1::/56"], serviceCidrs: ["10.96.0.0/12", "fd00:2::/112"] };
      raw.ingress = { addresses: ["203.0.113.10"] };
    },
    "ingress.addresses",
    /IPv4 and IPv6, of each the same number/,
  ],
  ["the admin UI without a network", ["web.admin.allowCidrs=[]"], "web.admin.allowCidrs", /enabled: false/],
  ["an authority's file name", ["trustedAuthorities=/etc/ca.crt"], "trustedAuthorities", /contents of the authority/],
  [
    "a private authority that is not given",
    ["tls.privateAuthority=true"],
    "tls.privateAuthority",
    /without trustedAuthorities.*give that certificate as trustedAuthorities/s,
  ],
  [
    "the same of the backups",
    (raw) => {
      raw.backups = { target: { ...S3, privateAuthority: true } };
    },
    "backups.target.privateAuthority",
    /without trustedAuthorities/,
  ],
  ["a heartbeat without TLS", ["monitoring.heartbeatUrl=http://beats.example.com"], "monitoring.heartbeatUrl", /https/],
  ["a firewall that trusts the world", ["firewall.trustedCidrs=[0.0.0.0/0]"], "firewall.trustedCidrs[0]", /every port/],
  ["metrics for no day", ["monitoring.retentionDays=0"], "monitoring.retentionDays", /1 to 3,650/],
  ["an unknown Prometheus mode", ["monitoring.prometheus=instal"], "monitoring.prometheus", /did you mean `install`/],

  [
    "a moving image",
    ["images.overrides.synapse=registry.example.com/synapse:latest"],
    "images.overrides.synapse",
    /must not be `latest`/,
  ],
  [
    "an image without tag",
    ["images.overrides.synapse=registry.example.com:5000/synapse"],
    "images.overrides.synapse",
    /exact version/,
  ],
  ["an unknown image", ["images.overrides.postgress=x:1"], "images.overrides.postgress", /did you mean `postgresql`/],
  ["a URL for the mirror", ["images.mirror=https://registry.example.com"], "images.mirror", /without https/],
  ["an invalid signing key", ["importSecrets.signingKey=hunter2hunter2"], "importSecrets.signingKey", /ed25519 NAME/],
  ["an invalid password", ["importSecrets.databasePassword=short"], "importSecrets.databasePassword", /at least 8/],
  ...[
    "=hunter2hunter2",
    " hunter2hunter2",
    '"hunter2hunter2"',
    "hunter2hunter2 ",
    "hunter2\nrealm=x",
    "x".repeat(513),
    "short",
  ].map((turnSharedSecret): Case => [
    `a TURN secret that coturn reads otherwise: ${JSON.stringify(turnSharedSecret.slice(0, 20))}`,
    (raw) => {
      raw.importSecrets = { turnSharedSecret };
    },
    "importSecrets.turnSharedSecret",
    /8 to 512 bytes.*another is made/s,
  ]),
  [
    "a URL in two lines",
    (raw) => {
      raw.web = { supportContact: { page: "https://example.com/\nhelp" } };
    },
    "web.supportContact.page",
    /an https:\/\/ URL/,
  ],
  [
    "a CA's key without its certificate",
    (raw) => {
      raw.importSecrets = { caPrivateKey: ca.privateKey };
    },
    "importSecrets.caCertificate",
    /both, or neither/,
  ],
  [
    "a CA's certificate without its key",
    (raw) => {
      raw.importSecrets = { caCertificate: ca.certificate };
    },
    "importSecrets.caPrivateKey",
    /both, or neither/,
  ],
  [
    "key and certificate of two CAs",
    (raw) => {
      raw.importSecrets = { caPrivateKey: otherCa.privateKey, caCertificate: ca.certificate };
    },
    "importSecrets.caCertificate",
    /does not match importSecrets.caPrivateKey/,
  ],
  [
    "a server's certificate for a CA's",
    (raw) => {
      raw.importSecrets = { caPrivateKey: noCa.privateKey, caCertificate: noCa.certificate };
    },
    "importSecrets.caCertificate",
    /CA:TRUE/,
  ],
  [
    "an expired CA",
    (raw) => {
      raw.importSecrets = { caPrivateKey: expiredCa.privateKey, caCertificate: expiredCa.certificate };
    },
    "importSecrets.caCertificate",
    /expired on/,
  ],
  [
    "a file name for a CA's key",
    ["importSecrets={caPrivateKey: ca.key, caCertificate: ca.crt}"],
    "importSecrets.caPrivateKey",
    /PEM private key/,
  ],
  [
    "a chain for a CA",
    (raw) => {
      raw.importSecrets = { caPrivateKey: ca.privateKey, caCertificate: ca.certificate + otherCa.certificate };
    },
    "importSecrets.caCertificate",
    /one PEM certificate/,
  ],
  [
    "an old signing key that is private",
    (raw) => {
      raw.oldSigningKeys = [old({ key: `ed25519 a_old ${"A".repeat(43)}` })];
    },
    "oldSigningKeys[0].key",
    /public half.*verify_keys/s,
  ],
  [
    "an old signing key without algorithm",
    (raw) => {
      raw.oldSigningKeys = [old({ id: "a_old" })];
    },
    "oldSigningKeys[0].id",
    /ed25519:a_abcd/,
  ],
  [
    "an old signing key's end without zone",
    (raw) => {
      raw.oldSigningKeys = [old({ expiredAt: "2026-11-20T14:30:00" })];
    },
    "oldSigningKeys[0].expiredAt",
    /with its zone/,
  ],
  [
    "one old signing key twice",
    (raw) => {
      raw.oldSigningKeys = [old(), old()];
    },
    "oldSigningKeys[1].id",
    /as oldSigningKeys\[0\] is/,
  ],
  [
    "the present signing key among the old ones",
    (raw) => {
      raw.importSecrets = { signingKey: SIGNING_KEY };
      raw.oldSigningKeys = [old({ id: "ed25519:a_own" })];
    },
    "oldSigningKeys[0].id",
    /signs with now/,
  ],
  ["saved keys in words", ["savedKeys=true"], "savedKeys", /fingerprint.*disposable.*npm run keys/s],
  [
    "saved keys that are not the given ones",
    (raw) => {
      raw.importSecrets = { signingKey: SIGNING_KEY };
      raw.savedKeys = "0000-0000-0000-0000";
    },
    "savedKeys",
    /keys of this stack are [0-9a-f-]{19}.*npm run keys -- save --stack t/s,
  ],
  ["two main processes", ["overrides.pools.main.replicas=2"], "overrides.pools.main.replicas", /refuses a second/],
  ["two typing writers", ["overrides.pools.ephemeral.replicas=2"], "overrides.pools.ephemeral.replicas", /typing/],
  [
    "two user directories, some day",
    ["overrides.pools.user-directory.maxReplicas=3"],
    "overrides.pools.user-directory.maxReplicas",
    /refuses a second/,
  ],
  [
    "an unknown class",
    ["overrides.pools.sincrotron.replicas=2"],
    "overrides.pools.sincrotron",
    /did you mean `synchrotron`/,
  ],
  [
    "fewer at most than at least",
    ["overrides.pools.generic={replicas: 5, maxReplicas: 3}"],
    "overrides.pools.generic.maxReplicas",
    /at least replicas \(5\)/,
  ],
  ["a process without a core", ["overrides.pools.generic.cpu=0"], "overrides.pools.generic.cpu", /more than 0/],
  ["two database instances", ["overrides.postgres.instances=2"], "overrides.postgres.instances", /3 to 9/],
  [
    "max_connections past the budget",
    ["overrides.postgres.parameters.max_connections=900"],
    "overrides.postgres.parameters.max_connections",
    /overrides\.postgres\.maxConnections/,
  ],
  [
    "a parameter that the operator owns",
    ["overrides.postgres.parameters.archive_mode=off"],
    "overrides.postgres.parameters.archive_mode",
    /CloudNativePG/,
  ],
  [
    "fsync off",
    ["overrides.postgres.parameters.fsync=off"],
    "overrides.postgres.parameters.fsync",
    /no acknowledged write/,
  ],
  ["four Redis", ["overrides.redis.instances=4"], "overrides.redis.instances", /odd number/],
  [
    "parity that cannot lose a node",
    ["overrides.minio={nodes: 4, drivesPerNode: 4, parity: 2}"],
    "overrides.minio.parity",
    /takes 4 drives/,
  ],
  [
    "parity above half",
    ["overrides.minio={nodes: 4, drivesPerNode: 1, parity: 4}"],
    "overrides.minio.parity",
    /at most half of the drives: 2/,
  ],
];

let good: Pair, expired: Pair, future: Pair, narrow: Pair;
let ca: Authority, otherCa: Authority, noCa: Authority, expiredCa: Authority;
const SIGNING_KEY = `ed25519 a_own ${"B".repeat(42)}A`;
const old = (change: object = {}): object => ({
  id: "ed25519:a_old",
  key: "A".repeat(43),
  expiredAt: "2026-11-20T14:30:00Z",
  ...change,
});
const oidc = (id: string): object => ({
  id,
  name: id,
  issuer: "https://id.example.com",
  clientId: "matrix",
  clientSecret: "oidc-secret-value",
});

function spoilt(change: Change): Record<string, unknown> {
  const raw = minimal();
  if (Array.isArray(change)) return applySets(raw, change);
  change(raw);
  return raw;
}

describe("bad settings", () => {
  before(async () => {
    const names = ["*.example.com"];
    [good, expired, future, narrow] = await Promise.all([
      certificate(names, "2026-01-01", "2027-06-01"),
      certificate(names, "2025-01-01", "2026-01-01"),
      certificate(names, "2027-01-01", "2028-01-01"),
      certificate(["matrix.example.com"], "2026-01-01", "2027-06-01"),
    ]);
    [ca, otherCa, noCa, expiredCa] = await Promise.all(
      [
        {},
        {},
        { ca: false },
        { notAfter: new Date("2026-11-20T00:00:00Z"), notBefore: new Date("2026-01-01T00:00:00Z") },
      ].map((o) => authority(o)),
    );
  });

  it("are many and distinct", () => {
    assert.ok(CASES.length >= 70);
    assert.equal(new Set(CASES.map(([what]) => what)).size, CASES.length);
  });

  for (const [what, change, path, says] of CASES) {
    it(`${what}: ${path}`, () => {
      const { settings, errors } = resolveSettings(spoilt(change), "t", NOW);
      assert.equal(settings, undefined);
      const found = errors.filter((error) => error.path === path);
      assert.ok(found.length > 0, `no error at ${path}:\n${formatErrors(errors)}`);
      const said = found.map((e) => `${e.given}\n${e.allowed}\n${e.remedy}`).join("\n");
      assert.match(said, says);
      for (const error of errors)
        for (const part of [error.given, error.allowed, error.remedy]) assert.ok(part.length > 0, error.path);
    });
  }

  it("a good certificate passes", () => {
    const raw = spoilt((r) => {
      r.tls = { mode: "given", ...good };
    });
    assert.deepEqual(resolveSettings(raw, "t", NOW).errors, []);
  });

  it("are reported all at once, of form and of meaning", () => {
    const raw = applySets(minimal(), [
      "ccu=x",
      "serverName='@'",
      "domian=example.com",
      "hosts[0].cpu=none",
      "hosts[1].address=10.1.0.1",
      "turn.maxPort=56000",
      "registration.enabled=true",
      "backups.schedule=daily",
      "overrides.redis.instances=4",
      "web.admin.allowCidrs=[0.0.0.0/0]",
      "overrides.pools.main.replicas=2",
      "images.overrides.redis=redis:latest",
    ]);
    const { errors } = resolveSettings(raw, "t", NOW);
    assert.deepEqual(
      errors.map((e) => e.path).sort(),
      [
        "backups.schedule",
        "ccu",
        "domian",
        "hosts[0].cpu",
        "hosts[1].address",
        "images.overrides.redis",
        "overrides.pools.main.replicas",
        "overrides.redis.instances",
        "registration.enabled",
        "rtc.udpPortMin",
        "serverName",
        "web.admin.allowCidrs[0]",
      ].sort(),
    );
  });

  it("one mistake gives one error", () => {
    const several = CASES.filter(([, change]) => resolveSettings(spoilt(change), "t", NOW).errors.length > 1).map(
      ([what]) => what,
    );
    // These are two mistakes by their nature: certificate and key (twice), two halves of the Internet, MinIO of one
    // drive.
    assert.deepEqual(
      several,
      [
        "ACME without e-mail",
        "a file name for a certificate",
        "a file name for its key",
        "the admin UI open to the world, in two halves",
        "a file name for a CA's key",
      ].filter((w) => several.includes(w)),
    );
  });

  it("never print a secret", () => {
    const SECRET = "hunter2-hunter2-hunter2";
    const places = [
      "ssh.privateKey",
      "cluster.kubeconfig",
      "importSecrets.signingKey",
      "importSecrets.databasePasword",
      "hosts[0].ssh.privateKey",
      "hosts[0].ssh.privatKey",
      "objectStore",
      "sso.oidc",
      "emailSmtp",
      "tls.privateKey",
      "tls.certificate",
      "objectStore.secretKey",
      "backups.target.secretKey",
      "ssh",
      "cluster",
      "importSecrets",
    ];
    for (const place of places) {
      const raw = applySets(minimal(), [`${place}=${SECRET}`]);
      if (place.startsWith("tls")) Object.assign(raw.tls as object, { mode: "given", email: undefined });
      if (place.startsWith("objectStore.")) Object.assign(raw.objectStore as object, { kind: "s3" });
      const { errors } = resolveSettings(raw, "t", NOW);
      assert.ok(errors.length > 0, place);
      const known = errors.filter((e) => !/kind$|mode$/.test(e.path));
      assert.doesNotMatch(formatErrors(known), /hunter2/, place);
    }
    const url = applySets(minimal(), [`httpProxy.url=http://matrix:${SECRET}@proxy.example.com:3128`]);
    assert.doesNotMatch(formatErrors(resolveSettings(url, "t", NOW).errors), /hunter2/);
    const multiline = applySets(minimal(), []);
    (multiline as any).domain = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n";
    assert.doesNotMatch(formatErrors(resolveSettings(multiline, "t", NOW).errors), /c2VjcmV0/);
  });

  it("a wrong host does not make the others look too few", () => {
    const raw = {
      ...minimal(),
      hosts: [...HOSTS.slice(0, 2), { ...host("c", "10.1.0.3", ["application", "databse"]) }, ...HOSTS.slice(3)],
    };
    assert.deepEqual(
      resolveSettings(raw, "t", NOW).errors.map((e) => e.path),
      ["hosts[2].roles[1]"],
    );
  });
});
