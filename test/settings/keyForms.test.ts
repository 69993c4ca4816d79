/** Which keys, certificates and secrets have a form that the programs can read. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  certificateChain,
  exampleHostKey,
  hostKeyProblem,
  isPlaceholder,
  isSigningKey,
  isTurnSecret,
  privateKey,
  SECRET_PLACEHOLDER,
  sshPrivateKeyProblem,
} from "../../components/schema/syntax/keys";
import { certificate, encryptedKey } from "../helpers/example";

const uint32 = (n: number): Buffer => Buffer.from([0, 0, n >> 8, n & 255]);
/** A text as SSH writes it: its length, then its bytes (RFC 4251, section 5). */
const ssh = (text: string | Buffer): Buffer => Buffer.concat([uint32(Buffer.from(text).length), Buffer.from(text)]);
const hostKey = (type: string, ...parts: Array<string | Buffer>): string =>
  `${type} ${Buffer.concat([ssh(type), ...parts.map(ssh)]).toString("base64")}`;

describe("keys: the public key of a host", () => {
  const ED25519 = hostKey("ssh-ed25519", Buffer.alloc(32, 7));
  const [, base64] = ED25519.split(" ");

  it("is a type, the key in base64 and perhaps a comment, as known_hosts has them", () => {
    for (const text of [
      ED25519,
      `${ED25519} root@db-1`,
      `  ${ED25519}\n`,
      ED25519.replace(" ", "  \t"),
      hostKey("ssh-rsa", Buffer.from([1, 0, 1]), Buffer.alloc(257, 9)),
      hostKey("ecdsa-sha2-nistp256", "nistp256", Buffer.alloc(65, 4)),
      hostKey("ecdsa-sha2-nistp384", "nistp384", Buffer.alloc(97, 4)),
      hostKey("ecdsa-sha2-nistp521", "nistp521", Buffer.alloc(133, 4)),
    ])
      assert.equal(hostKeyProblem(text), undefined, text);
  });

  it("says what is wrong with any other text", () => {
    const TYPE = "its first word is not a known key type";
    const BASE64 = "its second word is not base64";
    for (const [text, problem] of [
      ["", TYPE],
      [base64, TYPE],
      [`x${ED25519}`, TYPE],
      [ED25519.replace(" ", "x "), TYPE],
      [ED25519.replace("ssh-ed25519", "ssh-dss"), TYPE],
      [ED25519.replace("ssh-ed25519", "ecdsa-sha2-nistp25"), TYPE],
      ["ssh-ed25519", BASE64],
      ["ssh-ed25519 ", BASE64],
      ["ssh-ed25519 AAAA...", BASE64],
      [`ssh-ed25519 .${base64}`, BASE64],
      [`ssh-ed25519 ${base64}===`, BASE64],
      [`ssh-ed25519 SHA256:${base64}`, BASE64],
      ["ssh-ed25519 A", "the key inside is not of type ssh-ed25519"],
      ["ssh-ed25519 AAAA", "the key inside is not of type ssh-ed25519"],
      [ED25519.replace("ssh-ed25519", "ssh-rsa"), "the key inside is not of type ssh-rsa"],
      [hostKey("ssh-ed25519", Buffer.alloc(31)), "an ed25519 key has 51 bytes, this one has 50"],
      [hostKey("ssh-ed25519", Buffer.alloc(33)), "an ed25519 key has 51 bytes, this one has 52"],
      // 51 bytes in all, of which the key says that it has 28.
      [hostKey("ssh-ed25519", Buffer.alloc(28), ""), "an ed25519 key has 51 bytes, this one has 51"],
      [hostKey("ssh-rsa"), "the key is incomplete"],
      // 4 and 7 bytes of the type, 4 of a length, and the key: 50 bytes are too few, 51 may be one.
      [hostKey("ssh-rsa", Buffer.alloc(35)), "the key is incomplete"],
      [hostKey("ssh-rsa", Buffer.alloc(36)), undefined],
    ] as const)
      assert.equal(hostKeyProblem(text), problem, text);
  });

  it("of an example is valid, of no machine, and another for each name", () => {
    assert.equal(
      exampleHostKey("a"),
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7",
    );
    assert.equal(hostKeyProblem(exampleHostKey("a")), undefined);
    assert.notEqual(exampleHostKey("b"), exampleHostKey("a"));
  });
});

describe("keys: the private key of SSH", () => {
  const pem = (label: string, content: Buffer): string =>
    `-----BEGIN ${label}-----\n${content
      .toString("base64")
      .match(/.{1,70}/g)!
      .join("\n")}\n-----END ${label}-----\n`;
  /** As ssh-keygen writes it: the magic word, the cipher, its key derivation (PROTOCOL.key of OpenSSH). */
  const openssh = (cipher: string): string =>
    pem(
      "OPENSSH PRIVATE KEY",
      Buffer.concat([Buffer.from("openssh-key-v1\0"), ssh(cipher), ssh("none"), ssh(""), Buffer.alloc(64)]),
    );
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const sec1 = key.export({ type: "sec1", format: "pem" }).toString();

  it("is a whole PEM block without a passphrase", () => {
    for (const text of [
      pkcs8,
      sec1,
      openssh("none"),
      `\n  ${openssh("none")}  \n`,
      openssh("none").trim(),
      openssh("none").replace(/\n/g, "\r\n"),
      pkcs8.replace(/\n/g, "\r\n"),
    ])
      assert.equal(sshPrivateKeyProblem(text), undefined, text);
  });

  it("says what is wrong with any other text, and nothing of what is in it", () => {
    const WHOLE = "it is not a whole PEM block (BEGIN ... PRIVATE KEY to END ...)";
    const PASSPHRASE = "it is protected by a passphrase";
    const legacy = sec1.replace(
      "KEY-----\n",
      "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n",
    );
    for (const [text, problem] of [
      ["", WHOLE],
      ["/root/.ssh/id_ed25519", WHOLE],
      [openssh("none").slice(0, -10), WHOLE],
      [openssh("none").slice(10), WHOLE],
      [`x${openssh("none")}`, WHOLE],
      [`${openssh("none")}x`, WHOLE],
      [openssh("none").replace("END OPENSSH", "END EC"), WHOLE],
      [pem("CERTIFICATE", Buffer.alloc(80)), WHOLE],
      [encryptedKey(), PASSPHRASE],
      [legacy, PASSPHRASE],
      [openssh("aes256-ctr"), PASSPHRASE],
      [openssh("non"), PASSPHRASE],
      [pem("PRIVATE KEY", Buffer.alloc(80)), "the block cannot be read as a key"],
      [pem("OPENSSH PRIVATE KEY", Buffer.alloc(80)), "the block cannot be read as an OpenSSH key"],
      [pem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v2\0")), "the block cannot be read as an OpenSSH key"],
      // Cut short after its first word.
      [pem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v1\0")), "the block cannot be read as an OpenSSH key"],
      [pem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v1\0\0\0\0")), "the block cannot be read as an OpenSSH key"],
      [pem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v1\0\0\0\0\0")), PASSPHRASE],
    ] as const)
      assert.equal(sshPrivateKeyProblem(text), problem, text);
  });

  it("of a certificate is read where no passphrase is needed", () => {
    assert.equal(privateKey(pkcs8)?.asymmetricKeyType, "ec");
    assert.equal(privateKey(encryptedKey()), undefined);
    assert.equal(privateKey("key.pem"), undefined);
  });
});

describe("keys: certificates", () => {
  it("are read in their order, with anything between them", async () => {
    const [first, second] = await Promise.all(
      ["a.example.com", "b.example.com"].map((name) => certificate([name], "2026-01-01", "2027-01-01")),
    );
    const chain = certificateChain(`# first\n${first!.certificate}\n# second\n${second!.certificate}\n`)!;
    assert.deepEqual(
      chain.map((c) => c.subjectAltName),
      ["DNS:a.example.com", "DNS:b.example.com"],
    );
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    for (const text of ["", "/etc/cert.pem", first!.privateKey, first!.certificate.slice(0, -30), broken])
      assert.equal(certificateChain(text), undefined, text);
    assert.equal(certificateChain(`${first!.certificate}\n${broken}`), undefined);
  });
});

describe("keys: secrets", () => {
  it("a signing key is a line of Synapse's file: the algorithm, a name, 32 bytes in base64 without padding", () => {
    const KEY = "A".repeat(43);
    for (const text of [
      `ed25519 a_abcd ${KEY}`,
      `ed25519 a_X ${KEY}`,
      `ed25519 a_${"a".repeat(32)} ${KEY}`,
      `ed25519 0 ${KEY}`,
      `ed25519 auto ${KEY}`,
      `ed25519 ${"a".repeat(64)} ${KEY}`,
      `ed25519 a_abcd ${KEY}=`,
      ` ed25519 a_abcd ${KEY}\n`,
      `ed25519 a_abcd +/09azAZ${"A".repeat(35)}`,
    ])
      assert.ok(isSigningKey(text), text);
    for (const text of [
      "",
      KEY,
      `ed25519  ${KEY}`,
      `ed25519 ${"a".repeat(65)} ${KEY}`,
      `ed25519 a_abcd ${KEY.slice(1)}`,
      `ed25519 a_abcd ${KEY}A`,
      `ed25519 a_abcd ${KEY}==`,
      `ed25519 a_abcd ${KEY.slice(1)}.`,
      `ed25519  a_abcd ${KEY}`,
      `xed25519 a_abcd ${KEY}`,
      `rsa a_abcd ${KEY}`,
      `ed25519 a_ab-cd ${KEY}`,
      `ed25519 a_abcd ${KEY}\ned25519 a_efgh ${KEY}`,
    ])
      assert.ok(!isSigningKey(text), text);
  });

  it("TURN's secret has 8 to 512 bytes that coturn reads as they are", () => {
    for (const text of [
      "x".repeat(8),
      "x".repeat(512),
      "é".repeat(256),
      'has = and " and a blank inside',
      "ends-in=",
      'ends-in"',
      "#'%$\\/;:,",
    ])
      assert.ok(isTurnSecret(text), text);
    for (const text of [
      "",
      "x".repeat(7),
      "x".repeat(513),
      "é".repeat(257),
      " begins-in-a-blank",
      "=begins-in-an-equals-sign",
      '"begins-in-a-quote',
      "ends-in-a-blank ",
      "ends-in-a-tab\t",
      "two\nlines-of-it",
      "a\u0000control-character",
      "a\u007fcontrol-character",
    ])
      assert.ok(!isTurnSecret(text), JSON.stringify(text));
  });

  it("the placeholder of an encrypted value is one text, and nothing else is", () => {
    assert.equal(SECRET_PLACEHOLDER, "[encrypted by pulumi]");
    assert.ok(isPlaceholder("[encrypted by pulumi]"));
    for (const value of ["", "[encrypted]", undefined, null]) assert.ok(!isPlaceholder(value));
  });
});
