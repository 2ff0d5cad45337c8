// Bun's node:quic: streams whose bytes come back, ALPN "perf".
// Usage: bun quic.mjs CERT KEY; prints its port.
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { listen } from "node:quic";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name));

async function echo(stream) {
  const { writer } = stream;
  for await (const batch of stream) {
    for (const chunk of batch) {
      if (!writer.writeSync(chunk)) await writer.write(chunk);
    }
  }
  await writer.end();
}

const endpoint = await listen(
  (session) => {
    session.closed.catch(() => {}); // the client leaves as it likes
    session.onstream = (stream) => {
      stream.closed.catch(() => {});
      echo(stream).catch(() => {});
    };
  },
  {
    alpn: ["perf"],
    sni: { "*": { keys: [createPrivateKey(key)], certs: [cert] } },
    endpoint: { address: "127.0.0.1:0" },
    transportParams: { initialMaxStreamsBidi: 1000, maxIdleTimeout: 60 },
  },
);
console.log(endpoint.address.port);
