// Bun.serve over HTTP/3, with the routes of ../httpd, each of them twice: as it
// is, a static response, and below /js, a handler in JavaScript.
// Usage: bun http3.mjs CERT KEY; prints its port.
import { readFileSync } from "node:fs";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name, "utf8"));
const medium = new Uint8Array(10 << 10);
const bulk = new Uint8Array(64 << 20);
const text = { headers: { "Content-Type": "text/plain" } };

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  http3: true,
  idleTimeout: 255, // seconds, the most that Bun allows
  tls: { cert, key },
  routes: {
    "/small": new Response("hello", text),
    "/10k": new Response(medium, text),
    "/js/small": () => new Response("hello", text),
    "/js/10k": () => new Response(medium, text),
    "/bulk": () => new Response(bulk),
  },
  fetch: () => new Response("not found\n", { status: 404 }),
});
console.log(server.port);
