/**
 * The cluster's name service, reduced to what HAProxy, glibc and Go need: A, SRV with the addresses added, NXDOMAIN for
 * the rest.
 */
import * as dgram from "node:dgram";
import * as packet from "dns-packet";

export interface Srv {
  target: string;
  port: number;
  weight?: number;
}
/** Seconds that an answer may be kept. */
const TTL = 5;
const NXDOMAIN = 3;

export class NameServer {
  readonly a = new Map<string, string[]>();
  readonly srv = new Map<string, Srv[]>();
  private socket = dgram.createSocket("udp4");
  /** Names that were queried but do not exist: misspelt names show up here. */
  readonly unknown = new Set<string>();

  /** @returns The port, which is another than 53 only when that is asked for; 0 is any that is free. */
  async listen(ip: string, port = 53): Promise<number> {
    this.socket.on("message", (m, from) => {
      this.socket.send(this.answer(m), from.port, from.address);
    });
    await new Promise<void>((done) => {
      this.socket.bind(port, ip, done);
    });
    return this.socket.address().port;
  }
  close(): void {
    this.socket.close();
  }

  private answer(query: Buffer): Buffer {
    const { id, questions = [] } = packet.decode(query);
    const [{ name, type } = { name: "", type: "A" }] = questions;
    const asked = name.toLowerCase();
    const addresses = (owner: string): packet.Answer[] =>
      (this.a.get(owner) ?? []).map((data) => ({ type: "A", name: owner, ttl: TTL, data }));
    const services = type === "SRV" ? (this.srv.get(asked) ?? []) : [];
    const known = this.a.has(asked) || this.srv.has(asked);
    if (!known) this.unknown.add(asked);
    return packet.encode({
      type: "response",
      id,
      flags:
        packet.AUTHORITATIVE_ANSWER | packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (known ? 0 : NXDOMAIN),
      questions: questions.slice(0, 1),
      answers: [
        ...(type === "A" ? addresses(asked) : []),
        ...services.map(({ target, port, weight = 1 }): packet.Answer => ({
          type: "SRV",
          name: asked,
          ttl: TTL,
          data: { priority: 0, weight, port, target },
        })),
      ],
      additionals: services.flatMap(({ target }) => addresses(target)),
    });
  }
}
