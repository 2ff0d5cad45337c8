// Bun's fetch over HTTP/3 against the routes of the tests.
// Usage: bun fetch.mjs BASE BYTES; prints a line of JSON.
import { createHash } from "node:crypto";

const [base, size] = process.argv.slice(2);
const options = { protocol: "h3", tls: { rejectUnauthorized: false } };

async function digest(body) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of body) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

const hello = await (await fetch(base + "/hello", options)).text();
const info = await (await fetch(base + "/info", options)).json();
const download = await digest((await fetch(`${base}/bytes/${size}`, options)).body);
const upload = await (
  await fetch(base + "/digest", {
    ...options,
    method: "POST",
    body: new ReadableStream({
      start() {
        this.left = Number(size);
        this.piece = new Uint8Array(256 * 1024);
      },
      pull(controller) {
        const n = Math.min(this.left, this.piece.length);
        if (n === 0) return controller.close();
        this.left -= n;
        controller.enqueue(this.piece.slice(0, n));
      },
    }),
  })
).json();
const data = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) >> 3);
const echoed = await digest((await fetch(base + "/echo", { ...options, method: "POST", body: data })).body);
const sent = await digest([data]);
const echo = echoed.bytes === sent.bytes && echoed.sha256 === sent.sha256;
const many = await Promise.all(Array.from({ length: 200 }, async (_, i) => (await (await fetch(`${base}/bytes/${1000 + i}`, options)).arrayBuffer()).byteLength === 1000 + i));
console.log(JSON.stringify({ hello, info, download, upload, echo, many: many.every(Boolean) }));
process.exit(0);
