// Bun.serve over HTTP/3 with some of the demo server's routes.
// Usage: bun http3_server.mjs CERT KEY; prints its port on one line.
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name, "utf8"));
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  http3: true,
  tls: { cert, key },
  maxRequestBodySize: 4 * 1024 ** 3,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/hello") return new Response("hello\n");
    if (pathname === "/echo") return new Response(await request.arrayBuffer());
    if (pathname.startsWith("/bytes/")) return new Response(new Uint8Array(Number(pathname.slice(7))));
    if (pathname === "/digest") {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const part of request.body ?? []) {
        hash.update(part);
        bytes += part.length;
      }
      return Response.json({ bytes, sha256: hash.digest("hex") });
    }
    return new Response("not found\n", { status: 404 });
  },
});
console.log(server.port);
