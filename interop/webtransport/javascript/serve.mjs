// A server of ours, in JavaScript, with the routes of the tests. Usage: serve.mjs CERT KEY;
// prints its port, and then a line of JSON for each session of /echo that has ended.
import { readFileSync } from "node:fs";
import { serve, WebTransportError } from "godwit";

const [cert, key] = process.argv.slice(2).map((name) => readFileSync(name));
const hello = new TextEncoder().encode("hello");

async function write(writable) {
  const writer = writable.getWriter();
  await writer.write(hello);
  await writer.close();
}

async function push(session) {
  write((await session.createBidirectionalStream({ waitUntilAvailable: true })).writable);
  write(await session.createUnidirectionalStream({ waitUntilAvailable: true }));
  session.sendDatagram(hello);
  const { readable, writable } = await session.createBidirectionalStream({ waitUntilAvailable: true });
  await readable.getReader().read();
  await writable.abort(new WebTransportError("as the test wants it", { streamErrorCode: 7 }));
}

const server = serve({
  hostname: "127.0.0.1",
  http1: false,
  tls: { cert, key },
  webtransport: {
    protocols: ["b"],
    open(session, request) {
      switch (request.path) {
        case "/echo":
        case "/subprotocol":
          return;
        case "/push":
          return void push(session).catch(() => {}); // the client closes when it has what it wants
        case "/close":
          session.accept(); // to close one before that would refuse it
          return session.close({ closeCode: 41, reason: "closed by the server" });
        default:
          return new Response(null, { status: 404 });
      }
    },
    async stream(session, { readable, writable }) {
      writable ??= await session.createUnidirectionalStream({ waitUntilAvailable: true });
      await readable.pipeTo(writable).catch(() => {}); // either end's becomes the other's
    },
    datagram(session, data) {
      session.sendDatagram(data);
    },
    close(session, code, reason) {
      if (session.request.path === "/echo") console.log(JSON.stringify({ code, reason }));
    },
  },
});
console.log(server.port);
