/**
 * A TURN client (RFC 8656) over UDP, TCP or TLS, as much as a test needs: long-term credentials, permissions, channels,
 * data.
 */
import * as crypto from "node:crypto";
import * as dgram from "node:dgram";
import { EventEmitter } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { addressBytes } from "../../../components/core/addresses";

const COOKIE = 0x2112a442;
const METHOD = {
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;
const ATTR = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  channel: 0x000c,
  lifetime: 0x000d,
  peer: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  relayed: 0x0016,
  transport: 0x0019,
} as const;
type Method = keyof typeof METHOD;

export interface Address {
  host: string;
  port: number;
}
export interface Answer {
  ok: boolean;
  /** STUN error code; 0 on success. */ code: number;
  attributes: Map<number, Buffer>;
}
export interface Credentials {
  username: string;
  password: string;
}

const attribute = (type: number, value: Buffer): Buffer => {
  const out = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(value.length, 2);
  value.copy(out, 4);
  return out;
};

/** XOR-PEER-ADDRESS and its like: address and port, disguised with the cookie (and for IPv6 the transaction). */
function xorAddress({ host, port }: Address, transaction: Buffer): Buffer {
  const ip = addressBytes(host)!;
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(COOKIE, 0);
  transaction.copy(mask, 4);
  const head = Buffer.from([0, ip.length === 4 ? 1 : 2, 0, 0]);
  head.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  return Buffer.concat([head, Buffer.from(ip.map((b, i) => b ^ mask[i]!))]);
}
function fromXor(value: Buffer): Address {
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(COOKIE, 0);
  return {
    port: value.readUInt16BE(2) ^ (COOKIE >>> 16),
    host: [...value.subarray(4, 8)].map((b, i) => b ^ mask[i]!).join("."),
  };
}

export class TurnClient extends EventEmitter {
  private readonly waiting = new Map<string, (answer: Answer) => void>();
  private readonly channels = new Map<number, Address>();
  private stream = Buffer.alloc(0);
  private realm?: Buffer;
  private nonce?: Buffer;
  relayed?: Address;

  private constructor(
    private readonly credentials: Credentials,
    private readonly transmit: (data: Buffer) => void,
    private readonly shut: () => void,
    private readonly datagrams: boolean,
  ) {
    super();
  }

  static udp(server: Address, credentials: Credentials): TurnClient {
    const socket = dgram.createSocket("udp4");
    const client = new TurnClient(
      credentials,
      (d) => socket.send(d, server.port, server.host),
      () => socket.close(),
      true,
    );
    socket.on("message", (d) => client.message(d));
    socket.on("error", () => undefined);
    return client;
  }

  /** With `verify`: TLS, the name and CA that the certificate must satisfy. */
  static async tcp(
    server: Address,
    credentials: Credentials,
    verify?: { name: string; ca: string },
  ): Promise<TurnClient> {
    const socket = verify ? tls.connect({ ...server, servername: verify.name, ca: verify.ca }) : net.connect(server);
    await new Promise<void>((done, failed) => {
      socket.once(verify ? "secureConnect" : "connect", done);
      socket.once("error", failed);
    });
    const client = new TurnClient(
      credentials,
      (d) => socket.write(d),
      () => socket.destroy(),
      false,
    );
    socket.on("data", (d: Buffer) => client.received(d));
    socket.on("error", () => undefined);
    return client;
  }

  /** A stream holds STUN messages (length in the header, 20 bytes more) and channel data (padded to 4). */
  private received(d: Buffer): void {
    this.stream = Buffer.concat([this.stream, d]);
    while (this.stream.length >= 4) {
      const length = this.stream.readUInt16BE(2);
      const whole = this.stream[0]! < 0x40 ? 20 + length : 4 + Math.ceil(length / 4) * 4;
      if (this.stream.length < whole) return;
      this.message(this.stream.subarray(0, whole));
      this.stream = this.stream.subarray(whole);
    }
  }

  private message(d: Buffer): void {
    if (d.length >= 4 && d[0]! >= 0x40) {
      const from = this.channels.get(d.readUInt16BE(0));
      if (from) this.emit("data", from, d.subarray(4, 4 + d.readUInt16BE(2)));
      return;
    }
    if (d.length < 20) return;
    const attributes = new Map<number, Buffer>();
    for (let at = 20; at + 4 <= d.length;) {
      const type = d.readUInt16BE(at),
        length = d.readUInt16BE(at + 2);
      if (!attributes.has(type)) attributes.set(type, d.subarray(at + 4, at + 4 + length));
      at += 4 + Math.ceil(length / 4) * 4;
    }
    const type = d.readUInt16BE(0),
      kind = type & 0x0110;
    if (kind === 0x0010) {
      if ((type & 0x3eef) === METHOD.data)
        this.emit("data", fromXor(attributes.get(ATTR.peer)!), attributes.get(ATTR.data));
      return;
    }
    const error = attributes.get(ATTR.error);
    this.waiting.get(d.subarray(8, 20).toString("hex"))?.({
      ok: kind === 0x0100,
      code: error ? (error[2]! & 7) * 100 + error[3]! : 0,
      attributes,
    });
  }

  private pack(type: number, transaction: Buffer, attributes: Buffer[], signed: boolean): Buffer {
    const body = Buffer.concat(
      signed && this.realm
        ? [
            ...attributes,
            attribute(ATTR.username, Buffer.from(this.credentials.username)),
            attribute(ATTR.realm, this.realm),
            attribute(ATTR.nonce, this.nonce!),
          ]
        : attributes,
    );
    const head = Buffer.alloc(20);
    head.writeUInt16BE(type, 0);
    head.writeUInt32BE(COOKIE, 4);
    transaction.copy(head, 8);
    // The length that is signed counts the signature, which comes after.
    head.writeUInt16BE(body.length + (signed && this.realm ? 24 : 0), 2);
    if (!signed || !this.realm) return Buffer.concat([head, body]);
    const key = crypto
      .createHash("md5")
      .update(`${this.credentials.username}:${this.realm}:${this.credentials.password}`)
      .digest();
    return Buffer.concat([
      head,
      body,
      attribute(
        ATTR.integrity,
        crypto
          .createHmac("sha1", key)
          .update(Buffer.concat([head, body]))
          .digest(),
      ),
    ]);
  }

  /**
   * One request; over UDP sent again each half second, 10 s in all. Asks again once with the server's realm and nonce.
   */
  private async ask(method: Method, attributes: (transaction: Buffer) => Buffer[], again = true): Promise<Answer> {
    const transaction = crypto.randomBytes(12),
      id = transaction.toString("hex");
    const packet = this.pack(METHOD[method], transaction, attributes(transaction), true);
    const challenged = this.realm !== undefined;
    const answer = await new Promise<Answer>((done, failed) => {
      const timers = [setTimeout(() => failed(new Error(`${method}: no answer in 10 s`)), 10_000)];
      if (this.datagrams) timers.push(setInterval(() => this.transmit(packet), 500) as any);
      this.waiting.set(id, (a) => {
        timers.forEach(clearTimeout);
        this.waiting.delete(id);
        done(a);
      });
      this.transmit(packet);
    });
    const stale = answer.code === 438,
      first = answer.code === 401 && !challenged;
    if (again && (stale || first)) {
      this.realm = answer.attributes.get(ATTR.realm) ?? this.realm;
      this.nonce = answer.attributes.get(ATTR.nonce);
      return this.ask(method, attributes, stale ? false : true);
    }
    return answer;
  }

  async allocate(): Promise<Answer> {
    const answer = await this.ask("allocate", () => [attribute(ATTR.transport, Buffer.from([17, 0, 0, 0]))]);
    if (answer.ok) this.relayed = fromXor(answer.attributes.get(ATTR.relayed)!);
    return answer;
  }
  createPermission(peer: Address): Promise<Answer> {
    return this.ask("createPermission", (t) => [attribute(ATTR.peer, xorAddress(peer, t))]);
  }
  async channelBind(peer: Address, channel: number): Promise<Answer> {
    const number = Buffer.alloc(4);
    number.writeUInt16BE(channel, 0);
    const answer = await this.ask("channelBind", (t) => [
      attribute(ATTR.channel, number),
      attribute(ATTR.peer, xorAddress(peer, t)),
    ]);
    if (answer.ok) this.channels.set(channel, peer);
    return answer;
  }
  /** An indication: it gets no answer. */
  send(peer: Address, data: Buffer): void {
    const transaction = crypto.randomBytes(12);
    this.transmit(
      this.pack(
        METHOD.send | 0x0010,
        transaction,
        [attribute(ATTR.peer, xorAddress(peer, transaction)), attribute(ATTR.data, data)],
        false,
      ),
    );
  }
  sendChannel(channel: number, data: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(channel, 0);
    head.writeUInt16BE(data.length, 2);
    this.transmit(Buffer.concat([head, data, Buffer.alloc((4 - (data.length % 4)) % 4)]));
  }
  /** Gives the allocation back: a user's quota is small. */
  async close(): Promise<void> {
    if (this.relayed)
      await this.ask("refresh", () => [attribute(ATTR.lifetime, Buffer.alloc(4))]).catch(() => undefined);
    this.shut();
  }
}
