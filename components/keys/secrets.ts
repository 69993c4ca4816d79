/** Every generated secret of the stack. Protected where the loss is fatal; imported where the operator gives it. */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keysAreProtected } from "../core/identity";
import type { Settings } from "../settings/types";
import type { ImportableSecret } from "../domain/importableSecrets";
import { signingKeyFrom } from "../core/signingKey";

/** What the signing key was before. Its value was its id, which no state encrypts. */
const FORMER_SIGNING_KEY = "random:index/randomBytes:RandomBytes";

export class StackSecrets extends pulumi.ComponentResource {
  /** `ed25519 a_<id> <base64 seed>`: the server's identity. Losing it makes every room unreachable to others. */
  readonly signingKey: pulumi.Output<string>;
  readonly macaroonSecretKey: pulumi.Output<string>;
  readonly formSecret: pulumi.Output<string>;
  readonly registrationSharedSecret: pulumi.Output<string>;
  readonly replicationSecret: pulumi.Output<string>;
  readonly databasePassword: pulumi.Output<string>;
  readonly turnSharedSecret: pulumi.Output<string>;
  readonly redisSynapsePassword: pulumi.Output<string>;
  readonly redisLivekitPassword: pulumi.Output<string>;
  readonly minioRootPassword: pulumi.Output<string>;
  readonly mediaS3SecretKey: pulumi.Output<string>;
  readonly backupS3SecretKey: pulumi.Output<string>;
  readonly livekitApiKey: pulumi.Output<string>;
  readonly livekitApiSecret: pulumi.Output<string>;
  readonly alertmanagerToken: pulumi.Output<string>;
  readonly grafanaPassword: pulumi.Output<string>;

  constructor(name: string, args: { settings: Settings }, opts?: pulumi.ComponentResourceOptions) {
    super("matrix-ha:secrets:StackSecrets", name, {}, opts);
    const { settings } = args;
    const fatal: pulumi.CustomResourceOptions = { parent: this, protect: keysAreProtected(settings) };
    const plain: pulumi.CustomResourceOptions = { parent: this };
    // Only passwords: the id of random's other types is their value.
    const password = (label: string, o: pulumi.CustomResourceOptions, length = 40): pulumi.Output<string> =>
      pulumi.secret(new random.RandomPassword(`${name}-${label}`, { length, special: false }, o).result);
    const importable = (key: ImportableSecret, make: () => pulumi.Output<string>): pulumi.Output<string> => {
      const given = settings.importSecrets[key];
      return given === undefined ? make() : pulumi.secret(given);
    };

    // A stack that has the former one is refused, since that is protected, before Synapse gets another key:
    // docs/operate.md.
    const signing: pulumi.CustomResourceOptions = { ...fatal, aliases: [{ type: FORMER_SIGNING_KEY }] };
    this.signingKey = importable("signingKey", () =>
      pulumi.secret(password("signing-key", signing, 64).apply(signingKeyFrom)),
    );
    this.macaroonSecretKey = importable("macaroonSecretKey", () => password("macaroon", fatal, 64));
    this.formSecret = importable("formSecret", () => password("form", plain, 64));
    this.registrationSharedSecret = importable("registrationSharedSecret", () => password("registration", plain, 64));
    this.databasePassword = importable("databasePassword", () => password("database", fatal));
    this.turnSharedSecret = importable("turnSharedSecret", () => password("turn", plain, 64));
    this.replicationSecret = password("replication", plain, 64);
    this.redisSynapsePassword = password("redis-synapse", plain);
    this.redisLivekitPassword = password("redis-livekit", plain);
    this.minioRootPassword = password("minio-root", fatal);
    this.mediaS3SecretKey = password("media-s3", plain);
    this.backupS3SecretKey = password("backup-s3", plain);
    this.livekitApiKey = password("livekit-key", plain, 16).apply((k) => `API${k}`);
    this.livekitApiSecret = password("livekit-secret", plain, 48);
    this.alertmanagerToken = password("alertmanager", plain);
    this.grafanaPassword = password("grafana", plain);
    this.registerOutputs({});
  }
}
