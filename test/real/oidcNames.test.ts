/**
 * The names that new users get from a provider: Synapse's own mapper in its image's Python, with the configuration of
 * the stack, over claims in the form that each provider documents.
 */
import assert from "node:assert/strict";
import { homeserverConfig } from "../../components/layers/synapse/homeserverYaml";
import type { OidcProvider } from "../../components/settings/types";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import { oidcProvider } from "../helpers/example";

const MAP = `import asyncio, json
from authlib.oidc.core import UserInfo
from synapse.handlers.oidc import JinjaOidcMappingProvider as Mapper

for case in json.load(open("${FILES_AT}/cases.json")):
    mapper = Mapper(Mapper.parse_config(case["config"]), None)
    user = UserInfo(case["claims"])
    got = [asyncio.run(mapper.map_user_attributes(user, {}, failures)) for failures in (0, 1)]
    print(json.dumps({
        "id": mapper.get_remote_user_id(user),
        "localpart": got[0]["localpart"],
        "taken": got[1]["localpart"],
        "confirm": got[0]["confirm_localpart"],
        "name": got[0]["display_name"],
        "emails": got[0]["emails"],
    }))
`;

interface Got {
  id: string;
  localpart: string | null;
  taken: string | null;
  confirm: boolean;
  name: string | null;
  emails: string[];
}

const configOf = (more: Partial<OidcProvider>): unknown => {
  const settings = fixtureSettings();
  settings.sso = { oidc: [oidcProvider(more)], passwordLogin: true };
  const config = homeserverConfig({ settings, plan: fixturePlan(), turnUris: [], rtcServiceUrl: "" });
  return (config.oidc_providers as any[])[0].user_mapping_provider.config;
};

const PERSON = { name: "Alice Smith", email: "alice.smith@corp.example" };
/** Claims as each provider documents them for the scopes openid, profile and email. */
const CLAIMS = {
  keycloak: { ...PERSON, sub: "f4b2c3d1-8f5e-4c0a-9d3b-2a1c0e9f7b6d", preferred_username: "alice.smith" },
  // With "Email as username" in the realm.
  keycloakEmail: {
    ...PERSON,
    sub: "f4b2c3d1-8f5e-4c0a-9d3b-2a1c0e9f7b6d",
    preferred_username: "alice.smith@corp.example",
  },
  // The user principal name; the address only where the tenant sends it.
  entra: {
    name: "Alice Smith",
    sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    oid: "00000000-0000-0000-66f3-3332eca7ea81",
    preferred_username: "Alice.Smith@corp.example",
  },
  // Google has no user names.
  google: { ...PERSON, sub: "110248495921238986420", email_verified: true },
  authentik: { ...PERSON, sub: "a".repeat(64), preferred_username: "alice", nickname: "ally" },
  nothing: { sub: "1" },
};

describe("New users' names by single sign-on", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  async function mapped(cases: Array<[more: Partial<OidcProvider>, claims: keyof typeof CLAIMS]>): Promise<Got[]> {
    const files = {
      "cases.json": JSON.stringify(cases.map(([more, claims]) => ({ config: configOf(more), claims: CLAIMS[claims] }))),
      "map.py": MAP,
    };
    const { status, output } = await synapsePython(net, { files, env: {}, args: [`${FILES_AT}/map.py`] });
    assert.equal(status, 0, output);
    count("claims of identity providers mapped to a user", cases.length);
    return (
      output
        .trim()
        .split("\n")
        // Beside warnings of Python's own.
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Got)
    );
  }

  it("are the user name there, without the domain of an address", async () => {
    const got = await mapped([
      [{}, "keycloak"],
      [{}, "keycloakEmail"],
      [{}, "entra"],
      [{}, "google"],
      [{}, "authentik"],
    ]);
    assert.deepEqual(
      got.map((g) => g.localpart),
      ["alice.smith", "alice.smith", "alice.smith", "alice.smith", "alice"],
    );
    assert.deepEqual([...new Set(got.map((g) => g.name))], ["Alice Smith"]);
    for (const g of got) assert.deepEqual([g.taken, g.emails, g.confirm], [`${g.localpart}1`, [], false]);
  });

  it("are the address's where that is asked for, and the users' choice where they are asked", async () => {
    const [email, ask, none] = await mapped([
      [{ localpart: "email" }, "authentik"],
      [{ localpart: "ask" }, "authentik"],
      [{}, "nothing"],
    ]);
    assert.equal(email!.localpart, "alice.smith");
    assert.equal(ask!.localpart, null);
    // Synapse refuses an empty name.
    assert.deepEqual([none!.localpart, none!.name], ["", null]);
  });

  it("follow the templates, and keep the domain where these do", async () => {
    const [whole, own] = await mapped([
      [{ localpartTemplate: "{{ user.preferred_username }}" }, "entra"],
      [
        {
          localpartTemplate: "{{ user.nickname }}",
          displayNameTemplate: "{{ user.name }} (Corp)",
          emailTemplate: "{{ user.email }}",
          confirmLocalpart: true,
        },
        "authentik",
      ],
    ]);
    assert.equal(whole!.localpart, "alice.smith=40corp.example");
    assert.deepEqual(own, {
      id: "a".repeat(64),
      localpart: "ally",
      taken: "ally1",
      confirm: true,
      name: "Alice Smith (Corp)",
      emails: ["alice.smith@corp.example"],
    });
  });

  it("belong to the claim that names the user for ever", async () => {
    const got = await mapped([
      [{}, "entra"],
      [{ subjectClaim: "oid" }, "entra"],
    ]);
    assert.deepEqual(
      got.map((g) => g.id),
      [CLAIMS.entra.sub, CLAIMS.entra.oid],
    );
  });
});
