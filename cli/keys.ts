/**
 * `npm run keys`: saves the keys that are a server's identity, and restores them. Without the signing key no deployment
 * can ever be that server again; the state, which holds it, is lost with `pulumi destroy`.
 */
import { NAMESPACES } from "../components/core/names";
import { TRUST_BUNDLE } from "../components/layers/cluster/tls/publicTls";
import { ALONE_SECRETS, IMPORTABLE_SECRETS, type ImportableSecret } from "../components/domain/importableSecrets";
import { parseWords, Refused, runMain, UsageError } from "./arguments";
import { exported, fill } from "./keys/fill";
import { othersMayRead, readText, writeKeys } from "./keys/disk";
import { keysIn, keysInExport, secretOf, withSigningKey, type Found } from "./keys/found";
import { kubectl } from "./keys/programs";
import { identityOfKeys, namesIn, publicPart, readSaved, savedText } from "./keys/saved";

const USAGE = `npm run keys -- save --stack NAME --out FILE [--export FILE|-]
npm run keys -- save --from-cluster --out FILE [--context NAME]
npm run keys -- show FILE
npm run keys -- restore --stack NAME FILE [--only KEY ...]
  save            writes the keys that a new deployment of the same server needs to a new file that only you can read: signing key,
                  macaroon, form and registration secrets, database password, TURN secret, and the own CA where there is one.
                  From the state (\`pulumi stack export --show-secrets\`, run here), from an export of it, or, where the state is
                  lost, from the cluster's Secrets by kubectl (KUBECONFIG, --context), which do not hold the CA's key
  show            fingerprint and public key of a file, and a list of its keys; nothing secret
  restore         sets the keys of the file as encrypted importSecrets of the stack
  --only KEY      only this one, for example signingKey
Prints no secret value, and puts none on a command line. Pulumi cannot ask for the passphrase here: set PULUMI_CONFIG_PASSPHRASE_FILE
(or PULUMI_CONFIG_PASSPHRASE) before.`;

const HOUR_MS = 3_600_000;

interface Options {
  stack?: string;
  out?: string;
  export?: string;
  fromCluster: boolean;
  context?: string;
  only: string[];
  cwd?: string;
}

function fromCluster({ context }: Options): Found {
  const get = (kind: string, name: string): string =>
    kubectl(["--namespace", NAMESPACES.matrix, "get", kind, name, "--ignore-not-found", "-o", "json"], context);
  const keys = keysIn((name) => secretOf(get("secret", name)));
  if (get("configmap", TRUST_BUNDLE).trim() !== "") {
    console.log(
      "The key of the stack's own CA is in no Secret: only the state had it. A new deployment creates a new CA, which clients must then trust.",
    );
  }
  return { keys };
}

async function save(options: Options): Promise<void> {
  if (!options.out) throw new UsageError("--out is missing: the new file to write");
  if (
    options.fromCluster ? options.export !== undefined : options.stack === undefined && options.export === undefined
  ) {
    throw new UsageError(
      options.fromCluster
        ? "give --from-cluster or --export, not both"
        : "--stack is missing: the stack whose state is read (or --export FILE, or --from-cluster)",
    );
  }
  const found = options.fromCluster
    ? fromCluster(options)
    : keysInExport(
        options.export !== undefined ? await readText(options.export) : exported(options.stack!, options.cwd),
      );
  const keys = withSigningKey(found.keys, options.fromCluster ? "the cluster" : "this state");
  const { serverName } = found,
    { fingerprint } = identityOfKeys(keys);
  writeKeys(options.out, savedText({ keys, serverName, savedAt: new Date().toISOString() }));
  const stack = options.stack ?? "NAME";
  console.log(
    `${options.out}: ${namesIn(keys).join(", ")}${serverName ? ` of ${serverName}` : ""}, readable by you alone.`,
  );
  const missing = ALONE_SECRETS.filter((name) => keys[name] === undefined && !name.startsWith("ca"));
  if (missing.length > 0) console.log(`Not found, so not saved: ${missing.join(", ")}.`);
  console.log(`fingerprint  ${fingerprint}

This file is enough to impersonate your server. Encrypt it, and keep it apart from the state and its passphrase. Then:
  npm run keys -- show ${options.out}                    its contents, without secrets
  pulumi config set --stack ${stack} savedKeys ${fingerprint}
With that and deletionProtection false, \`pulumi up\` lets a later \`pulumi destroy\` take the keys. To deploy the same server again:
  npm run keys -- restore --stack ${stack} ${options.out}`);
}

async function show(file: string): Promise<void> {
  console.log(publicPart(readSaved(await readText(file)), new Date(Date.now() + HOUR_MS)));
  const warning = file === "-" ? undefined : othersMayRead(file);
  if (warning) console.error(`\n${warning}`);
}

async function restore(file: string, { stack, only, cwd }: Options): Promise<void> {
  if (!stack) throw new UsageError("--stack is missing: the stack that gets the keys");
  const unknown = only.filter((name) => !IMPORTABLE_SECRETS.includes(name as ImportableSecret));
  if (unknown.length > 0) throw new UsageError(`--only ${unknown[0]}: give one of ${IMPORTABLE_SECRETS.join(", ")}`);
  const saved = readSaved(await readText(file));
  const wanted = fill(stack, saved, { only: only as ImportableSecret[], cwd });
  console.log(
    wanted.length > 0
      ? `Set as encrypted importSecrets of ${stack}: ${wanted.join(", ")}.`
      : `The stack ${stack} already has all of them: nothing was set.`,
  );
  console.log(
    `fingerprint  ${identityOfKeys(saved.keys).fingerprint}\n\nNext: pulumi preview --stack ${stack}, and pulumi up.`,
  );
}

async function main(argv: string[]): Promise<void> {
  const {
    values,
    words: [action, file, ...rest],
  } = parseWords(argv, {
    stack: { type: "string", short: "s" },
    out: { type: "string", short: "o" },
    export: { type: "string" },
    "from-cluster": { type: "boolean" },
    context: { type: "string" },
    only: { type: "string", multiple: true },
    cwd: { type: "string" },
  });
  const options: Options = { ...values, fromCluster: values["from-cluster"] ?? false, only: values.only ?? [] };
  const takesFile = action === "show" || action === "restore";
  if ((action !== "save" && !takesFile) || takesFile !== (file !== undefined) || rest.length > 0)
    throw new UsageError("an action is missing: save, show FILE, or restore FILE");
  try {
    await (action === "save" ? save(options) : action === "show" ? show(file!) : restore(file!, options));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (require.main === module) runMain(USAGE, main);
