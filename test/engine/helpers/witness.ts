/** A user with a room, a message and a picture, made before something drastic: afterwards each must be what it was. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { access, adminRequest } from "../../../lab/local/access";
import { psql } from "../../../lab/scenarios/cluster";
import { Client } from "../../../lab/scenarios/load";
import { primary } from "../../../lab/scenarios/scenario";

const TEXT = "said before",
  PICTURE_BYTES = 100_000;

interface Kept {
  name: string;
  password: string;
  room: string;
  picture: Buffer;
  /** The message; where the picture is; the key that signed the message. */
  event: string;
  media: string;
  signer: string;
}

export class Witness {
  private constructor(
    private client: Client,
    private readonly kept: Kept,
  ) {}

  static async make(prefix: string): Promise<Witness> {
    const name = `${prefix}-${Date.now().toString(36)}`,
      password = crypto.randomBytes(12).toString("base64url"),
      picture = crypto.randomBytes(PICTURE_BYTES);
    const a = await access(),
      user = await adminRequest(a, name, password, true);
    const client = new Client(a, user.user_id, user.access_token, false);
    const { room_id: room } = await client.must("POST", "/_matrix/client/v3/createRoom", { name: prefix });
    const event = await say(client, room, TEXT);
    const { content_uri: media } = await client.must("POST", "/_matrix/media/v3/upload?filename=p.bin", picture);
    return new Witness(client, { name, password, picture, room, event, media, signer: await signerOf(event) });
  }

  /** The message is readable with the session of before. */
  async readsMessage(): Promise<void> {
    const { room, event } = this.kept;
    assert.equal(
      (
        await this.client.must(
          "GET",
          `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(event)}`,
        )
      ).content.body,
      TEXT,
    );
  }

  /** Session, message, password and picture of before count, and the server signs with the key of before; its name. */
  async findsAllAgain(): Promise<string> {
    // Address and CA may be others.
    this.client = new Client(await access(), this.client.userId, this.client.token, false);
    await this.readsMessage();
    const { name, password, picture } = this.kept;
    const login = await this.client.must("POST", "/_matrix/client/v3/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: name },
      password,
    });
    assert.equal(login.user_id, this.client.userId);
    const media = await this.client.must(
      "GET",
      `/_matrix/client/v1/media/download/${this.kept.media.replace("mxc://", "")}`,
    );
    assert.ok(Buffer.from(media).equals(picture), "the picture");
    const signer = await signerOf(await say(this.client, this.kept.room, "said afterwards"));
    assert.equal(signer, this.kept.signer);
    return signer;
  }
}

async function say(client: Client, room: string, body: string): Promise<string> {
  const txn = crypto.randomUUID();
  return (
    await client.must("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${txn}`, {
      msgtype: "m.text",
      body,
    })
  ).event_id;
}

/**
 * The id of the key that signed an event; of a generated key it is a hash of its public half. Asked of the database:
 * federation is off in the local stack.
 */
async function signerOf(event: string): Promise<string> {
  const sql = `select string_agg(server || ' ' || key, ', ') from event_json, jsonb_each(json::jsonb->'signatures') s(server, signatures), jsonb_object_keys(signatures) key where event_id = '${event}'`;
  const signer = await psql(await primary(), sql, "synapse");
  if (!/^\S+ ed25519:\S+$/.test(signer)) throw new Error(`${event} is signed by "${signer}"`);
  return signer;
}
