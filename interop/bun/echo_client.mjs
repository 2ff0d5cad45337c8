// A node:quic client that has bytes echoed.
// Usage: bun echo_client.mjs HOST:PORT CERT SIZE…; prints a line of JSON.
import * as quic from "node:quic";
import { readFileSync } from "node:fs";

const [address, cert, ...sizes] = process.argv.slice(2);
const session = await quic.connect(address, { alpn: "godwit-echo", servername: "localhost", ca: [readFileSync(cert)], verifyPeer: "manual" });
await session.opened;

async function echo(size) {
  const sent = Buffer.alloc(size);
  for (let i = 0; i < size; i++) sent[i] = (i * 31) ^ (i >> 8);
  const stream = await session.createBidirectionalStream({ body: sent });
  const parts = [];
  for await (const batch of stream) parts.push(...(Array.isArray(batch) ? batch : [batch]));
  return Buffer.concat(parts).equals(sent);
}

const one = [];
for (const size of sizes) one.push(await echo(Number(size)));
const many = await Promise.all(Array.from({ length: 50 }, (_, i) => echo(1000 + i)));
console.log(JSON.stringify({ one, many: many.every(Boolean) }));
await session.close();
process.exit(0);
