// A node:quic server that echoes every bidirectional stream.
// Usage: bun echo_server.mjs CERT KEY; prints its port on one line.
import * as quic from "node:quic";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name));

async function readAll(stream) {
  const parts = [];
  for await (const batch of stream) parts.push(...(Array.isArray(batch) ? batch : [batch]));
  return Buffer.concat(parts);
}

const endpoint = await quic.listen(
  (session) => {
    session.onstream = async (stream) => stream.setBody(await readAll(stream));
  },
  {
    endpoint: { address: "127.0.0.1:0" },
    sni: { "*": { keys: [createPrivateKey(key)], certs: [cert] } },
    alpn: ["godwit-echo"],
  },
);
console.log(endpoint.address.port);
