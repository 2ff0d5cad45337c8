// A server of ours, in JavaScript, with the routes of WebTransport that checks.js uses, but
// for those that record. Prints its URL, and the hash of its certificate.
import { serve, WebTransportError } from "godwit";

const hello = new TextEncoder().encode("hello");
const room = new Set();

async function send(writable, bytes) {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

const unidirectional = (session) => session.createUnidirectionalStream({ waitUntilAvailable: true });

async function push(session) {
  await send((await session.createBidirectionalStream({ waitUntilAvailable: true })).writable, hello);
  await send(await unidirectional(session), hello);
  session.sendDatagram(hello);
}

// echo sends back what comes. The end of either side becomes that of the other, with its code.
async function echo(session, { readable, writable }) {
  await readable.pipeTo(writable ?? await unidirectional(session));
}

// relay sends what comes to all others of the room.
async function relay(session, { readable }) {
  const message = new Uint8Array(await new Response(readable).arrayBuffer());
  for (const other of room) if (other !== session) send(await unidirectional(other), message);
}

// closeWithStream closes the session while the stream is open in both directions.
async function closeWithStream(session, { readable, writable }) {
  await readable.getReader().read();
  writable.getWriter().write(hello).catch(() => {});
  session.close({ closeCode: 4000000001, reason: "that was all" });
}

const server = serve({
  hostname: "127.0.0.1",
  http1: false,
  webtransport: {
    origins: "*",
    open(session, { path, query }) {
      if (path === "/wt/reject") return new Response(null, { status: Number(query.get("status")) });
      session.accept();
      switch (path) {
        case "/wt/push":
          push(session).catch(() => {}); // the page closes when it has what it wants
          break;
        case "/wt/close":
          session.close({ closeCode: Number(query.get("code")), reason: query.get("reason") });
          break;
        case "/wt/drain":
          session.drain();
          break;
        case "/wt/chat":
          room.add(session);
      }
    },
    async stream(session, stream) {
      const serve = { "/wt/chat": relay, "/closing": closeWithStream }[session.request.path] ?? echo;
      await serve(session, stream);
    },
    datagram: (session, data) => session.sendDatagram(data),
    close: (session) => room.delete(session),
    error(session, e) { // streams that end, as the page wants, and no more
      if (!(e instanceof WebTransportError)) console.error(e);
    },
  },
});
console.log(server.url.href.replace(/\/$/, ""));
console.log(server.certificateHash);
