// An authorization server of oidc-provider's make on a free loopback port: `node issuer.mjs FOLDER-OF-ITS-PACKAGES`.
// Clients are registered by its own protocol (RFC 7591, RFC 7592); it ends with its input. Nothing of what it decides is ours.
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const place = join(process.argv[2], "node_modules", "oidc-provider", "lib", "index.js");
const { Provider } = await import(pathToFileURL(place));

const configuration = {
  // The last one is nobody's.
  scopes: ["system/*.read", "system/*.write", "system/*.cruds", "system/*.everything"],
  ttl: { ClientCredentials: Number(process.env.SECONDS ?? 300) },
  clientAuthMethods: ["private_key_jwt", "client_secret_basic"],
  enabledJWA: { clientAuthSigningAlgValues: ["RS384", "ES384"] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
  },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  server.on("request", new Provider(base, configuration).callback());
  console.log(`READY ${base}`);
});
process.stdin.resume().on("end", () => process.exit(0));
