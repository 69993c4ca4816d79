/** PostgreSQL's address as a Service of Kubernetes gives it. */
import * as tcp from "node:net";
import { GATEWAY } from "./network";

/** New connections go to the present endpoint; open ones stay where they are. */
export class MovableService {
  private readonly sockets = new Set<tcp.Socket>();
  private readonly server = tcp.createServer((client) => {
    const server = tcp.connect(5432, this.endpoint);
    for (const [a, b] of [
      [client, server],
      [server, client],
    ] as const) {
      a.pipe(b);
      a.on("error", () => b.destroy());
      this.sockets.add(a);
    }
  });

  /** @param endpoint Address of the server that gets new connections, on port 5432. */
  constructor(public endpoint: string) {}

  /** Listens at the gateway of the tests' network. */
  listen(port: number): Promise<void> {
    return new Promise((done) => {
      this.server.listen(port, GATEWAY, done);
    });
  }

  close(): void {
    this.server.close();
    for (const s of this.sockets) s.destroy();
  }
}
