// Whatever ends, no promise is rejected that nobody has asked for: suite.mjs fails if one is.

import assert from 'node:assert';
import { quic, serve, WebTransport } from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const local = { hostname: '127.0.0.1', port: 0, http1: false };
const some = new Uint8Array(1000), much = new Uint8Array(4 << 20);

function dial(server, path = '/') {
  const serverCertificateHashes = [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }];
  return new WebTransport(new URL(path, server.url).href, { serverCertificateHashes });
}

/** use has everything of a session in use, and handles only what it asks for. */
async function use(session, asked) {
  const wanted = (p) => asked.push(p.then(() => {}, () => {}));
  session.datagrams.readable.getReader();
  const datagrams = session.datagrams.createWritable().getWriter();
  wanted(datagrams.write(some));
  session.incomingBidirectionalStreams.getReader();
  wanted(session.incomingUnidirectionalStreams.getReader().read());
  for (let i = 0; i < 4; i++) {
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    wanted(writer.write(i % 2 ? much : some)); // much does not fit
    if (i < 2) readable.getReader();
    else wanted(readable.getReader({ mode: 'byob' }).read(new Uint8Array(10)));
  }
  await session.createUnidirectionalStream(); // of which nobody takes notice
  wanted(session.getStats());
}

// How a session may end: what does it, given both ends and the server.
const ends = {
  'the client closes': (client) => client.close(),
  'the server closes': (client, session) => session.close({ closeCode: 1, reason: 'over' }),
  'the server is stopped': (client, session, server) => server.stop(false),
  'both close': (client, session) => { client.close(); session.close(); },
  'closed and stopped': (client, session, server) => { client.close(); server.stop(false); },
};

for (const [name, end] of Object.entries(ends)) {
  test(`sessions: ${name}`, async () => {
    const there = deferred(), over = deferred(), asked = [];
    const server = serve({ ...local, webtransport: { open: (s) => there.resolve(s), close: () => over.resolve() } });
    const client = dial(server);
    await client.ready;
    const session = await there.promise;
    await Promise.all([use(client, asked), use(session, asked)]);
    end(client, session, server);
    await over.promise;
    await Promise.all(asked);
    assert.ok(await client.closed.then(() => true, () => true));
    await server.stop(false);
  });
}

test('sessions that never are there', async () => {
  const server = serve({ ...local, webtransport: { open: (s, r) => r.path === '/never' ? new Promise(() => {}) : new Response(null, { status: 403 }) } });
  const refused = dial(server), given = dial(server), waits = dial(server, '/never');
  for (const s of [refused, given, waits]) {
    s.createBidirectionalStream().catch(() => {});
    s.datagrams.createWritable().getWriter();
    s.incomingBidirectionalStreams.getReader();
  }
  given.close();
  assert.ok(await refused.ready.then(() => false, () => true));
  await server.stop(false);
  const nobody = dial(server);
  nobody.datagrams.readable.getReader();
  assert.ok(await nobody.closed.then(() => false, () => true));
  assert.ok(await waits.closed.then(() => false, () => true));
});

test('connections of quic() that end under web streams', async () => {
  const streams = [], closed = deferred();
  const server = quic({
    server: true, hostname: '127.0.0.1', port: 0, data() {}, close() {}, error() {},
    open(stream) {
      stream.readable.getReader();
      stream.writable.getWriter();
      streams.push(stream);
    },
  });
  const client = quic({ hostname: '127.0.0.1', port: server.port, data() {}, close: () => closed.resolve(), error() {} });
  const asked = [];
  for (const bytes of [some, much, some]) {
    const stream = client.stream();
    asked.push(stream.writable.getWriter().write(bytes).catch(() => {}));
    stream.readable.getReader();
  }
  await eventually(() => streams.length === 3);
  server.close();
  await closed.promise;
  await Promise.all(asked);
  client.close();
});

await run();
