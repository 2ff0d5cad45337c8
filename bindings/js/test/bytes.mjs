// Many streams, clients and bytes, and what memory they take. With GODWIT_SOAK more of each,
// which takes minutes: a gibibyte both ways, a million messages, a hundred thousand sessions.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, quic, serve, WebTransport } from 'godwit';
import { eventually, run, test } from './suite.mjs';

const local = { hostname: '127.0.0.1', port: 0, http1: false };
const echo = { stream: (s, { readable, writable }) => { readable.pipeTo(writable).catch(() => {}); }, datagram: (s, b) => s.sendDatagram(b) };
const dial = (server) => new WebTransport(server.url.href, { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
const HOURS = 3600_000;

async function exchange(session, bytes) {
  const { readable, writable } = await session.createBidirectionalStream({ waitUntilAvailable: true });
  const writer = writable.getWriter();
  const sent = writer.write(bytes).then(() => writer.close());
  const got = [];
  for (const reader = readable.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) break;
    got.push(value);
  }
  await sent;
  return Buffer.concat(got);
}

test('a thousand streams at once', async () => {
  const server = serve({ ...local, webtransport: echo });
  const session = dial(server);
  await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
    const bytes = randomBytes(1000 + i);
    assert.ok((await exchange(session, bytes)).equals(bytes), `stream ${i}`);
  }));
  session.close();
  await server.stop(false);
});

test('a hundred clients at once get what is theirs', async () => {
  const server = serve({ ...local, webtransport: echo });
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const session = dial(server);
    for (let round = 0; round < 3; round++) {
      const bytes = Buffer.alloc(5000 + i, `client ${i}, round ${round}. `);
      assert.ok((await exchange(session, bytes)).equals(bytes), `client ${i}`);
    }
    session.close();
    await session.closed;
  }));
  await server.stop(false);
  const told = new Map(); // by connection, what has come of it
  const raw = quic({ hostname: '127.0.0.1', port: 0, server: true, message: (socket, b) => told.set(socket, (told.get(socket) ?? '') + b), error() {} });
  const clients = Array.from({ length: 100 }, (_, i) => {
    const socket = quic({ hostname: '127.0.0.1', port: raw.port, message() {}, error() {} });
    for (let n = 0; n < 5; n++) socket.write(`${i};`);
    return socket;
  });
  await eventually(() => told.size === 100 && [...told.values()].every((t) => t.split(';').length === 6));
  assert.deepStrictEqual([...told.values()].sort(), Array.from({ length: 100 }, (_, i) => `${i};`.repeat(5)).sort());
  for (const c of clients) c.close();
  raw.close();
});

/** pieces is a stream of n bytes that the same number always makes the same, and their digest. */
function pieces(n) {
  const hash = createHash('sha256'), block = randomBytes(1 << 20);
  let left = n;
  const stream = new ReadableStream({
    pull(c) {
      if (left === 0) return void c.close();
      const b = new Uint8Array(block.subarray(0, Math.min(left, block.length)));
      b[0] = left & 255;
      left -= b.length;
      hash.update(b);
      c.enqueue(b);
    },
  }, { highWaterMark: 0 });
  return { stream, digest: () => hash.digest('hex') };
}

async function digestOf(stream) {
  const hash = createHash('sha256');
  for (const reader = stream.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return hash.digest('hex');
    hash.update(value);
  }
}

const size = process.env.GODWIT_SOAK ? 1 << 30 : 32 << 20;

test(`${size >> 20} MiB up and down, whole`, async () => {
  let down;
  const server = serve({ ...local, routes: { '/up': async (r) => new Response(await digestOf(r.body)), '/down': () => { down = pieces(size); return new Response(down.stream); } } });
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  const up = pieces(size), began = performance.now();
  const r = await agent.fetch(new URL('/up', server.url), { protocol: 'http3', method: 'POST', body: up.stream, duplex: 'half' });
  assert.strictEqual(await r.text(), up.digest());
  const between = performance.now();
  const got = await agent.fetch(new URL('/down', server.url), { protocol: 'http3' });
  assert.strictEqual(await digestOf(got.body), down.digest());
  console.log(`${size >> 20} MiB: up ${Math.round(between - began)} ms, down ${Math.round(performance.now() - between)} ms, ${memory()}`);
  await agent.close();
  await server.stop();
}, HOURS);

const memory = () => `${Math.round(process.memoryUsage.rss() / (1 << 20))} MiB resident`;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * steady has a round of messages done again and again, until memory has grown by less than
 * 4 MiB in two rounds, which is 42 bytes for each message: runtimes take some first, and give
 * it back when they like, but a leak goes on. The least memory of each round counts, for
 * which round calls done often.
 */
async function steady(what, round) {
  const lows = [];
  let low;
  const done = () => { low = Math.min(low, process.memoryUsage.rss()); };
  while (lows.length < least || lows.at(-1) - lows.at(-3) >= 4 << 20) {
    assert.ok(lows.length < least + 30, `memory grows with ${what}: ${lows.map(mib).join(', ')} MiB`);
    low = Infinity;
    await round(done);
    lows.push(low);
  }
  console.log(`${lows.length} times ${messages} ${what}: ${lows.map(mib).join(', ')} MiB resident`);
}

const mib = (n) => (n / (1 << 20)).toFixed(1);
const messages = 50_000, least = process.env.GODWIT_SOAK ? 20 : 3;

test('memory does not grow with datagrams, at both ends', async () => {
  const server = serve({ ...local, webtransport: echo });
  const session = dial(server), reader = session.datagrams.readable.getReader();
  await session.ready;
  const bytes = new Uint8Array(64);
  let sent = 0, got = 0;
  const reading = (async () => { while (!(await reader.read()).done) got++; })();
  await steady('datagrams', async (done) => {
    for (let n = 0; n < messages; n += 100) {
      for (let i = 0; i < 100; i++, sent++) session.sendDatagram(bytes);
      const until = performance.now() + 50; // what has not come then is lost
      for (const want = got + 100 - 20; got < want && performance.now() < until;) await turn();
      if (n % 5000 === 0) done();
    }
  });
  assert.ok(got > sent / 2, `${got} of ${sent} came back`);
  session.close();
  await reading;
  await server.stop(false);
}, HOURS);

test('memory does not grow with messages of a stream, at both ends', async () => {
  const server = serve({ ...local, webtransport: echo });
  const session = dial(server), { readable, writable } = await session.createBidirectionalStream();
  const reader = readable.getReader(), writer = writable.getWriter(), size = 64;
  let sent = 0, got = 0;
  const reading = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      got += value.length;
    }
  })();
  await steady('messages', async (done) => {
    for (let n = 0; n < messages; n += 100) {
      for (let i = 0; i < 100; i++, sent++) writer.write(new Uint8Array(size)).catch(() => {});
      await writer.ready;
      while (got < (sent - 2000) * size) await turn();
      if (n % 5000 === 0) done();
    }
  });
  await writer.close();
  await reading;
  assert.strictEqual(got, sent * size);
  session.close();
  await server.stop(false);
}, HOURS);

if (process.env.GODWIT_SOAK) {
  test('sessions opened and closed', async () => {
    const count = Number(process.env.GODWIT_SOAK) > 1 ? Number(process.env.GODWIT_SOAK) : 100_000;
    let ended = 0, begun = 0, first;
    const server = serve({ ...local, webtransport: { close: () => { ended++; } } }), began = performance.now();
    await Promise.all(Array.from({ length: 20 }, async () => {
      while (begun < count) {
        if (++begun === count / 5) first = process.memoryUsage.rss();
        const session = dial(server);
        await session.ready;
        session.close();
        await session.closed;
      }
    }));
    await eventually(() => ended === count && server.sessions.size === 0);
    const grown = process.memoryUsage.rss() - first;
    console.log(`${count} sessions in ${Math.round(performance.now() - began)} ms, ${memory()}, ${Math.round(grown / (1 << 20))} MiB more than after a fifth`);
    assert.ok(grown < 64 << 20, `${grown} bytes more than after a fifth`);
    await server.stop(false);
  }, HOURS);
}

await run();
