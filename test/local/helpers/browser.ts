/**
 * Headless Chromium over its debugging pipe: real TLS, real CORS, real WebRTC. It trusts only the stack's own CA and
 * skips no check.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Access } from "../../../lab/local/access";
import { BROWSER, CERTUTIL } from "../../../lab/local/browser";

export class Page {
  readonly console: string[] = [];
  constructor(
    private readonly browser: Browser,
    readonly session: string,
    readonly target: string,
  ) {}

  command(method: string, params: object = {}): Promise<any> {
    return this.browser.command(method, params, this.session);
  }

  /** Resolves when the page has loaded; rejects on network or certificate errors. */
  async open(url: string): Promise<void> {
    const loaded = this.browser.event(this.session, "Page.loadEventFired", 60);
    const { errorText } = await this.command("Page.navigate", { url });
    if (errorText) {
      loaded.catch(() => undefined);
      throw new Error(`${url}: ${errorText}`);
    }
    await loaded;
  }

  /** Runs in the page, under its origin and its rules; the value must be plain. */
  async run<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.command("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails)
      throw new Error(
        exceptionDetails.exception?.description ?? exceptionDetails.exception?.value ?? exceptionDetails.text,
      );
    return result.value as T;
  }

  /** Calls the function in the page. */
  call<T>(f: (...args: any[]) => T, ...args: unknown[]): Promise<Awaited<T>> {
    // tsx names functions with a helper that the page does not have.
    return this.run(`(() => { const __name = (f) => f; return (${f.toString()})(...${JSON.stringify(args)}); })()`);
  }
}

export class Browser {
  private next = 0;
  private rest = "";
  private readonly waiting = new Map<number, { done: (v: any) => void; failed: (e: Error) => void }>();
  private listeners: Array<{ session: string; method: string; done: (params: any) => void }> = [];
  private readonly pages = new Map<string, Page>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly home: string,
  ) {
    (process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (this.rest + text).split("\0");
      this.rest = messages.pop()!;
      for (const m of messages) this.message(JSON.parse(m));
    });
    process.on("exit", () => {
      for (const w of this.waiting.values()) w.failed(new Error("the browser has ended"));
    });
  }

  static async start(a: Access, trustCa = true): Promise<Browser> {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-browser-"));
    const db = path.join(home, ".pki", "nssdb");
    fs.mkdirSync(db, { recursive: true });
    for (const args of [
      ["-N", "--empty-password"],
      ...(trustCa ? [["-A", "-t", "C,,", "-n", "stack", "-i", a.caFile]] : []),
    ]) {
      const done = spawnSync(CERTUTIL, ["-d", `sql:${db}`, ...args], { encoding: "utf8" });
      if (done.status !== 0) throw new Error(`certutil ${args[0]}: ${done.stderr}`);
    }
    const names = [...new Set([a.serverName, ...Object.values(a.hostnames)])];
    const process_ = spawn(
      BROWSER,
      [
        "--headless",
        "--remote-debugging-pipe",
        `--user-data-dir=${home}/profile`,
        "--no-first-run",
        "--disable-gpu",
        "--mute-audio",
        // Chromium refuses its own sandbox to root, which this machine's lab needs.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-dev-shm-usage",
        // It must connect only to the stack.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-default-apps",
        `--host-resolver-rules=${[...names.map((n) => `MAP ${n} ${a.address}`), "MAP * ~NOTFOUND", "EXCLUDE 10.77.0.*"].join(", ")}`,
        // A camera and a microphone that show and play a test pattern; small, as two cores carry everything here.
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream=fps=10",
        "--autoplay-policy=no-user-gesture-required",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
      ],
      {
        env: { ...process.env, HOME: home, XDG_DATA_HOME: undefined } as any,
        stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      },
    );
    const browser = new Browser(process_, home);
    await browser.command("Browser.getVersion");
    return browser;
  }

  command(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.next;
    return new Promise((done, failed) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        failed(new Error(`${method}: no answer of the browser in 90 s`));
      }, 90_000);
      this.waiting.set(id, {
        done: (v) => {
          clearTimeout(timer);
          done(v);
        },
        failed: (e) => {
          clearTimeout(timer);
          failed(e);
        },
      });
      (this.process.stdio[3] as Writable).write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    });
  }

  event(session: string, method: string, limitSeconds: number): Promise<any> {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`${method}: not within ${limitSeconds} s`)), limitSeconds * 1000);
      this.listeners.push({
        session,
        method,
        done: (p) => {
          clearTimeout(timer);
          done(p);
        },
      });
    });
  }

  private message(m: any): void {
    if (m.id !== undefined) {
      const w = this.waiting.get(m.id);
      this.waiting.delete(m.id);
      if (m.error) w?.failed(new Error(m.error.message));
      else w?.done(m.result);
      return;
    }
    if (m.method === "Runtime.consoleAPICalled")
      this.pages.get(m.sessionId)?.console.push(
        m.params.args
          .map((x: any) => x.value ?? x.description ?? "")
          .join(" ")
          .slice(0, 400),
      );
    const hit = this.listeners.filter((l) => l.session === m.sessionId && l.method === m.method);
    this.listeners = this.listeners.filter((l) => !hit.includes(l));
    for (const l of hit) l.done(m.params);
  }

  /** Each page in a context of its own: another user, another storage. */
  async page(): Promise<Page> {
    const { browserContextId } = await this.command("Target.createBrowserContext");
    const { targetId } = await this.command("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.command("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, targetId);
    this.pages.set(sessionId, page);
    await page.command("Page.enable");
    await page.command("Runtime.enable");
    return page;
  }

  async version(): Promise<string> {
    return (await this.command("Browser.getVersion")).product;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.command("Browser.close").catch(() => undefined);
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
    fs.rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }
}
