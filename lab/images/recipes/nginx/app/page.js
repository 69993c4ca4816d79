// What Element Web does first: read its configuration, and ask the homeserver named there how users log in.
(async () => {
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  try {
    const config = await (await fetch("/config.json")).json();
    const { base_url } = config.default_server_config["m.homeserver"];
    show("homeserver", base_url);
    const { flows } = await (await fetch(`${base_url}/_matrix/client/v3/login`)).json();
    show("flows", flows.map((f) => f.type).join(", "));
  } catch (error) { show("flows", `error: ${error.message}`); }
})();
