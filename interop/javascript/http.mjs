// A server of ours, in JavaScript, with the routes of the tests.
// Usage: http.mjs CERT KEY; prints its port.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { serve } from "godwit";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name));

function bytes(request) {
  let left = Number(request.params.n);
  const body = new ReadableStream({
    pull(controller) {
      const n = Math.min(left, 64 << 10);
      if (n === 0) return controller.close();
      left -= n;
      controller.enqueue(new Uint8Array(n));
    },
  });
  return new Response(body, { headers: { "content-length": request.params.n } });
}

async function digest(request) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of request.body ?? []) {
    hash.update(part);
    bytes += part.length;
  }
  return Response.json({ bytes, sha256: hash.digest("hex") });
}

const server = serve({
  hostname: "127.0.0.1",
  http1: false,
  maxStreams: 250,
  tls: { cert, key },
  routes: {
    "/hello": new Response("hello\n"),
    "/bytes/:n": bytes,
    "/echo": { POST: (request) => new Response(request.body) },
    "/digest": { POST: digest },
    "/info": (request, server) => Response.json({ protocol: server.protocol(request) === "h3" ? "HTTP/3.0" : "another" }),
    "/trailers": {
      GET: (request, server) => {
        server.sendTrailers(request, { "x-after": "late" });
        return new Response("body\n", { headers: { trailer: "x-after" } });
      },
      POST: async (request, server) => {
        await request.arrayBuffer();
        return new Response((await server.trailers(request))?.get("x-sum") ?? "");
      },
    },
  },
});
console.log(server.port);
