import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { StackContext } from "../../../core/context";
import { keysAreProtected } from "../../../core/identity";
import { NAMESPACES } from "../../../core/names";
import { turnIsIssued } from "../../../domain/calls";
import { fromIssuer } from "../../../domain/tlsModes";
import type { Settings } from "../../../settings/types";
import { labels, pullSecrets, type ObjectMetadata } from "../../../core/workload";
import { firstEnd } from "./dates";
import {
  type CertificateEnd,
  DNS01_SECRET,
  ISSUER,
  MERGEABLE,
  PUBLIC_CERTIFICATE,
  TRUST_BUNDLE,
  hasOwnTlsNamespace,
  issuerAnnotations,
  publicNames,
  trustNamespaces,
} from "./publicTls";

const HOURS_PER_YEAR = 8760;
const ALGORITHM = { algorithm: "ECDSA", ecdsaCurve: "P256" };

/** Arguments of TlsMaterial. */
export interface TlsMaterialArgs {
  ctx: StackContext;
  /** From `tlsNamespaces`: those whose pods or Ingress objects present the certificate. */
  namespaces: string[];
  /** The namespaces, and cert-manager when it issues certificates. */
  after: pulumi.Resource[];
}

/**
 * The certificate of the public host names: from the stack's own CA, from the settings, or by ACME. In the first two
 * cases every namespace that presents it has one Secret. With ACME, or an issuer that exists, each Ingress names a
 * Secret of its own and has `issuerAnnotations`, and cert-manager fills the Secret.
 */
export class TlsMaterial extends pulumi.ComponentResource {
  /** Certificate of the own CA, PEM, which clients must trust; absent without one. */
  readonly caPem?: pulumi.Output<string>;
  /** Name of the ConfigMap with `ca.crt` in each namespace, for pods that use public names; absent without own CA. */
  readonly trustBundle?: string;
  /** Annotations of every Ingress. Empty unless cert-manager issues certificates. */
  readonly issuerAnnotations: Record<string, string>;
  /** Resources that need the Secrets, or the issuer, depend on these. */
  readonly ready: pulumi.Resource[] = [];
  /** When the certificates end that nobody renews by itself, RFC 3339; empty with ACME. */
  readonly ends: CertificateEnd[] = [];
  private readonly shared: boolean;

  constructor(name: string, args: TlsMaterialArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:TlsMaterial", name, {}, opts);
    const { settings } = args.ctx;
    const ownNamespace = hasOwnTlsNamespace(settings);
    this.issuerAnnotations = issuerAnnotations(settings.tls, ownNamespace);
    this.shared = !fromIssuer(settings.tls);
    const childOpts: pulumi.CustomResourceOptions = { parent: this, dependsOn: args.after };
    const meta = (n: string, namespace?: string): ObjectMetadata => ({
      name: n,
      ...(namespace ? { namespace } : {}),
      labels: labels(settings, "tls", "matrix-ha", "none"),
    });

    if (settings.tls.mode === "acme") {
      this.ready.push(this.acmeIssuer(name, args, settings.tls, meta));
    } else if (settings.tls.mode !== "issuer") {
      const { certificate, privateKey, ca } =
        settings.tls.mode === "given"
          ? {
              certificate: pulumi.output(settings.tls.certificate),
              privateKey: pulumi.secret(settings.tls.privateKey),
              ca: undefined,
            }
          : this.ownCa(name, args.ctx);
      if (settings.tls.mode === "given")
        this.ends.push({ certificate: "tls.certificate", at: firstEnd(settings.tls.certificate) });
      this.caPem = ca;
      for (const namespace of args.namespaces) {
        this.ready.push(
          new k8s.core.v1.Secret(
            `${name}-${namespace}`,
            {
              metadata: meta(PUBLIC_CERTIFICATE, namespace),
              type: "kubernetes.io/tls",
              stringData: { "tls.crt": certificate, "tls.key": privateKey },
            },
            childOpts,
          ),
        );
      }
      for (const namespace of ca ? trustNamespaces(settings) : [])
        this.ready.push(
          new k8s.core.v1.ConfigMap(
            `${name}-trust-${namespace}`,
            { metadata: meta(TRUST_BUNDLE, namespace), data: { "ca.crt": ca! } },
            childOpts,
          ),
        );
      if (ca) this.trustBundle = TRUST_BUNDLE;
    }
    if (turnIsIssued(settings)) this.ready.push(this.turnCertificate(name, args, meta));
    this.registerOutputs({});
  }

  /** The issuer of this stack, and the credentials for its challenges in DNS. */
  private acmeIssuer(
    name: string,
    { ctx: { settings }, after }: TlsMaterialArgs,
    tls: Extract<Settings["tls"], { mode: "acme" }>,
    meta: (n: string, namespace?: string) => ObjectMetadata,
  ): pulumi.Resource {
    const credentials = tls.dns01?.credentials ?? {};
    const secret =
      Object.keys(credentials).length > 0
        ? [
            new k8s.core.v1.Secret(
              `${name}-dns01`,
              {
                metadata: meta(DNS01_SECRET, NAMESPACES.certManager),
                type: "Opaque",
                stringData: pulumi.secret(credentials),
              },
              { parent: this, dependsOn: after },
            ),
          ]
        : [];
    return new k8s.apiextensions.CustomResource(
      `${name}-issuer`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { ...meta(ISSUER), annotations: { "pulumi.com/waitFor": "condition=Ready" } },
        spec: {
          acme: {
            email: tls.email,
            server: tls.server,
            ...(tls.privateAuthority
              ? { caBundle: Buffer.from(settings.trustedAuthorities ?? "").toString("base64") }
              : {}),
            privateKeySecretRef: { name: `${ISSUER}-account` },
            solvers: [tls.dns01 ? { dns01: tls.dns01.solver } : httpSolver(settings)],
          },
        },
      },
      { parent: this, dependsOn: [...after, ...secret] },
    );
  }

  /** TURN has no Ingress that would have one ordered. Its pods wait for the Secret. */
  private turnCertificate(
    name: string,
    { ctx: { settings }, after }: TlsMaterialArgs,
    meta: (n: string, namespace: string) => ObjectMetadata,
  ): pulumi.Resource {
    return new k8s.apiextensions.CustomResource(
      `${name}-turn-certificate`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: meta(this.secretName("turn"), NAMESPACES.coturn),
        spec: {
          secretName: this.secretName("turn"),
          dnsNames: [settings.hostnames.turn],
          issuerRef: {
            group: "cert-manager.io",
            kind: "ClusterIssuer",
            name: settings.tls.mode === "issuer" ? settings.tls.clusterIssuer : ISSUER,
          },
          // coturn's library reads both forms; ECDSA costs a fraction of RSA at each handshake.
          privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
          usages: ["digital signature", "server auth"],
        },
      },
      { parent: this, dependsOn: [...after, ...this.ready] },
    );
  }

  /** Name of the TLS Secret of an Ingress. @param ingress Name of the Ingress */
  secretName(ingress: string): string {
    return this.shared ? PUBLIC_CERTIFICATE : `${ingress}-tls`;
  }

  private ownCa(
    name: string,
    { settings }: StackContext,
  ): { certificate: pulumi.Output<string>; privateKey: pulumi.Output<string>; ca: pulumi.Output<string> } {
    const childOpts: pulumi.CustomResourceOptions = { parent: this };
    const ca = this.authority(name, settings);
    const key = new tls.PrivateKey(`${name}-key`, ALGORITHM, childOpts);
    const names = publicNames(settings);
    const request = new tls.CertRequest(
      `${name}-request`,
      { privateKeyPem: key.privateKeyPem, subject: { commonName: names[0]!.slice(0, 64) }, dnsNames: names },
      childOpts,
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: ca.privateKey,
        caCertPem: ca.certificate,
        setSubjectKeyId: true,
        allowedUses: ["server_auth", "digital_signature", "key_encipherment"],
        // A `pulumi up` in the last 60 days of the year renews the certificate.
        validityPeriodHours: HOURS_PER_YEAR,
        earlyRenewalHours: 60 * 24,
      },
      childOpts,
    );
    this.ends.push(
      { certificate: "public names", at: certificate.validityEndTime },
      { certificate: "own authority", at: ca.end },
    );
    return {
      certificate: pulumi.all([certificate.certPem, ca.certificate]).apply(([own, root]) => `${own.trim()}\n${root}`),
      privateKey: pulumi.secret(key.privateKeyPem),
      ca: ca.certificate,
    };
  }

  /** Every client trusts this key. If it is lost, a new certificate must be installed on every client. */
  private authority(
    name: string,
    settings: Settings,
  ): { certificate: pulumi.Output<string>; privateKey: pulumi.Output<string>; end: pulumi.Input<string | undefined> } {
    const { caPrivateKey, caCertificate } = settings.importSecrets;
    if (caPrivateKey !== undefined && caCertificate !== undefined) {
      // A value that was piped into `pulumi config set` has lost its last line break.
      return {
        certificate: pulumi.output(`${caCertificate.trim()}\n`),
        privateKey: pulumi.secret(`${caPrivateKey.trim()}\n`),
        end: firstEnd(caCertificate),
      };
    }
    const fatal: pulumi.CustomResourceOptions = { parent: this, protect: keysAreProtected(settings) };
    const key = new tls.PrivateKey(`${name}-ca-key`, ALGORITHM, fatal);
    const certificate = new tls.SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: key.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        setAuthorityKeyId: true,
        subject: { commonName: `${settings.domain.slice(0, 50)} matrix-ha CA`, organization: "matrix-ha" },
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        validityPeriodHours: 10 * HOURS_PER_YEAR,
      },
      fatal,
    );
    return {
      certificate: certificate.certPem,
      privateKey: pulumi.secret(key.privateKeyPem),
      end: certificate.validityEndTime,
    };
  }
}

/** Challenges over HTTP, through the ingress. */
const httpSolver = (settings: Settings): object => ({
  http01: {
    ingress: {
      ingressClassName: settings.cluster.ingressClass,
      // The solver's pods pull their image like all others.
      ...(settings.images.pullSecret ? { podTemplate: { spec: pullSecrets(settings) } } : {}),
      ...(hasOwnTlsNamespace(settings)
        ? { ingressTemplate: { metadata: { annotations: { [MERGEABLE]: "minion" } } } }
        : {}),
    },
  },
});
