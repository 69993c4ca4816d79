/** An appservice: it keeps what the homeserver sends, and the tokens it came with. */
import * as http from "node:http";

export class Bridge {
  readonly events: any[] = [];
  /** Transactions with another token than ours. */
  strangers = 0;
  private readonly server: http.Server;
  private readonly transactions = new Set<string>();

  constructor(hsToken: string) {
    this.server = http.createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on("data", (c) => chunks.push(c));
      req.on("end", () => {
        const known = req.headers.authorization === `Bearer ${hsToken}`;
        const transaction = /\/transactions\/([^?]+)/.exec(req.url ?? "")?.[1];
        if (!known) this.strangers++;
        else if (transaction && !this.transactions.has(transaction)) {
          this.transactions.add(transaction);
          this.events.push(...JSON.parse(Buffer.concat(chunks).toString()).events);
        }
        res.writeHead(known ? 200 : 403, { "content-type": "application/json" }).end("{}");
      });
    });
  }
  /** As a program that begins anew: it remembers no transaction. */
  start(port: number): Promise<void> {
    this.transactions.clear();
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, "0.0.0.0", resolve);
    });
  }
  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
  has(body: string): boolean {
    return this.events.some((e) => e.content?.body === body);
  }
}
