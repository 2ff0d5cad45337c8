// A client of ours, in JavaScript. Usage: client.mjs URL CA SIZES CODES, the last two being
// JSON; prints a line of JSON: what went wrong with the routes of the tests.
import { readFileSync } from "node:fs";
import { WebTransport, WebTransportError } from "godwit";

const [base, ca, ...json] = process.argv.slice(2);
const [sizes, codes] = json.map((text) => JSON.parse(text));
const wrong = [];
const want = (what, got, wanted) => {
  const [a, b] = [got, wanted].map((x) => JSON.stringify(x));
  if (a !== b) wrong.push(`${what}: ${a}, want ${b}`);
};
const text = (bytes) => new TextDecoder().decode(bytes);

async function dial(path, options) {
  const session = new WebTransport(base + path, { tls: { ca: readFileSync(ca) }, ...options });
  session.closed.catch(() => {});
  await session.ready;
  return session;
}

async function readAll(readable) {
  const parts = [];
  for await (const part of readable) parts.push(part);
  return Buffer.concat(parts);
}

async function send(writable, bytes) {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

const open = (session) => session.createBidirectionalStream({ waitUntilAvailable: true });

async function echo(session, bytes) {
  const { readable, writable } = await open(session);
  const [got] = await Promise.all([readAll(readable), send(writable, bytes)]);
  want(`echo of ${bytes.length} bytes`, got.equals(bytes), true);
}

/** began returns a stream that the server knows, by a byte that has come back. */
async function began(session) {
  const { readable, writable } = await open(session);
  const reader = readable.getReader(), writer = writable.getWriter();
  writer.closed.catch(() => {});
  await writer.write(new Uint8Array(1));
  await reader.read();
  return { reader, writer };
}

const streamError = (streamErrorCode) => new WebTransportError("as the test wants it", { streamErrorCode });
const codeOf = (promise) => promise.then(() => "no error", (e) => [e.constructor.name, e.streamErrorCode]);

async function reset(session, code) {
  const { reader, writer } = await began(session);
  writer.abort(streamError(code)).catch(() => {});
  want(`reset ${code}`, await codeOf(reader.read()), ["WebTransportError", code]);
}

async function stop(session, code) {
  const { reader, writer } = await began(session);
  reader.cancel(streamError(code)).catch(() => {});
  const error = await codeOf((async () => {
    for (;;) await writer.write(new Uint8Array(1000)); // the peer learns when it writes
  })());
  want(`stop ${code}`, error, ["WebTransportError", code]);
}

async function echoes() {
  const session = await dial("/echo");
  for (const size of sizes) await echo(session, Buffer.alloc(size, "what differs from place to place. "));
  const incoming = session.incomingUnidirectionalStreams.getReader();
  for (let i = 0; i < 60; i++) { // beyond the limits of streams at a time
    await echo(session, Buffer.from(String(i)));
    await send(await session.createUnidirectionalStream({ waitUntilAvailable: true }), Buffer.from(String(i)));
    want(`unidirectional stream ${i}`, text(await readAll((await incoming.read()).value)), String(i));
  }
  session.sendDatagram("ping");
  want("datagram", text((await session.datagrams.readable.getReader().read()).value), "ping");
  for (const code of codes) {
    await reset(session, code);
    await stop(session, code);
  }
  session.close({ closeCode: 79, reason: "enough" });
  await session.closed;
}

async function pushes() {
  const session = await dial("/push");
  const first = async (readable) => (await readable.getReader().read()).value;
  want("unidirectional stream of the server", text(await readAll(await first(session.incomingUnidirectionalStreams))), "hello");
  want("datagram of the server", text(await first(session.datagrams.readable)), "hello");
  const incoming = session.incomingBidirectionalStreams.getReader(), ends = [];
  for (let i = 0; i < 2; i++) {
    const { readable, writable } = (await incoming.read()).value;
    writable.getWriter().write(new Uint8Array(1)).catch(() => {}); // which servers wait for
    ends.push(await readAll(readable).then(text, (e) => `reset with ${e.streamErrorCode}`));
  }
  want("streams of the server", ends.sort(), ["hello", "reset with 7"]);
  session.close();
}

const closed = async () => (await dial("/close")).closed;
const refused = () => dial("/reject").then(() => "accepted", (e) => e.message);
const subprotocol = async () => {
  const session = await dial("/subprotocol", { protocols: ["a", "b"] });
  session.close();
  return session.protocol;
};

for (const f of [echoes, pushes]) await f().catch((e) => wrong.push(`${f.name}: ${e.stack}`));
want("closed", await closed(), { closeCode: 41, reason: "closed by the server" });
want("refused", await refused(), "the server has refused the session with status 404");
want("subprotocol", await subprotocol(), "b");
console.log(JSON.stringify(wrong));
