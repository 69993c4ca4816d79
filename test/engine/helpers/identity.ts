/** Which server this is, by what it signs: federation is off in the local stack, so nobody can ask for its keys. */
import { psql } from "../../failures/cluster";
import { primary } from "../../failures/scenario";

/** The id of the key that signed an event; of a generated key it is a hash of its public half. */
export async function signerOf(event: string): Promise<string> {
  const sql = `select string_agg(server || ' ' || key, ', ') from event_json, jsonb_each(json::jsonb->'signatures') s(server, signatures), jsonb_object_keys(signatures) key where event_id = '${event}'`;
  const signer = await psql(await primary(), sql, "synapse");
  if (!/^\S+ ed25519:\S+$/.test(signer)) throw new Error(`${event} is signed by "${signer}"`);
  return signer;
}
