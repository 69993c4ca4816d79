/** An identity provider by OpenID Connect that admits one person without asking; HTTPS by a private authority. */
import { execFileSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";

const encode = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString("base64url");

export class Provider {
  readonly issuer: string;
  /** The authority's certificate. */
  readonly authority: string;
  private readonly server: https.Server;
  private readonly nonces = new Map<string, string>();
  private readonly key = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });

  constructor(
    dir: string,
    private readonly address: string,
    private readonly port: number,
    private readonly person: Record<string, unknown>,
  ) {
    this.issuer = `https://${address}:${port}/`;
    fs.mkdirSync(dir);
    const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
    const make = ["req", "-newkey", "rsa:2048", "-nodes"];
    openssl(...make, "-x509", "-subj", "/CN=Private authority", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2");
    openssl(...make, "-subj", `/CN=${address}`, "-keyout", "key.pem", "-out", "request.pem");
    fs.writeFileSync(path.join(dir, "names"), `subjectAltName=IP:${address}\n`);
    const sign = ["x509", "-req", "-in", "request.pem", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(...sign, "-extfile", "names", "-out", "cert.pem", "-days", "2");
    const read = (name: string): string => fs.readFileSync(path.join(dir, name), "utf8");
    this.authority = read("ca.crt");
    this.server = https.createServer({ key: read("key.pem"), cert: read("cert.pem") }, (req, res) => {
      const chunks: Buffer[] = [];
      req.on("data", (c) => chunks.push(c));
      req.on("end", () => {
        const { pathname, searchParams } = new URL(req.url!, this.issuer);
        const answer = this.answer(pathname, searchParams, new URLSearchParams(Buffer.concat(chunks).toString()));
        if (typeof answer === "string") res.writeHead(302, { location: answer }).end();
        else
          res.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer ?? {}));
      });
    });
  }

  /** A text is where the browser goes next. */
  private answer(at: string, query: URLSearchParams, form: URLSearchParams): string | object | undefined {
    const { issuer } = this;
    switch (at) {
      case "/.well-known/openid-configuration":
        return {
          issuer,
          authorization_endpoint: `${issuer}authorize`,
          token_endpoint: `${issuer}token`,
          jwks_uri: `${issuer}keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
        };
      case "/keys":
        return { keys: [{ ...this.key.publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }] };
      case "/authorize": {
        const code = crypto.randomBytes(8).toString("hex");
        this.nonces.set(code, query.get("nonce") ?? "");
        return `${query.get("redirect_uri")}?${new URLSearchParams({ code, state: query.get("state") ?? "" }).toString()}`;
      }
      case "/token":
        return { access_token: "unused", token_type: "Bearer", id_token: this.idToken(form.get("code") ?? "") };
      default:
        return undefined;
    }
  }

  private idToken(code: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: "matrix",
      iat: now,
      exp: now + 600,
      nonce: this.nonces.get(code),
      ...this.person,
    };
    const text = `${encode({ alg: "RS256", kid: "1" })}.${encode(claims)}`;
    return `${text}.${encode(crypto.sign("sha256", Buffer.from(text), this.key.privateKey))}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port, this.address, resolve);
    });
  }
  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** The browser's visit there: from the address that the homeserver gave to the one that the provider gives. */
  visit(url: string): Promise<string> {
    return new Promise((resolve, reject) => {
      https
        .get(url, { ca: this.authority }, (res) => {
          res.resume();
          resolve(res.headers.location ?? "");
        })
        .on("error", reject);
    });
  }
}
