// What fails: the engine, of which all that belongs to it is told, and what is asked for
// that cannot be, which keeps nothing else back.

import assert from 'node:assert';
import { createRequire } from 'node:module';
import process from 'node:process';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { deferred, eventually, run, test } from './suite.mjs';

// The addon is the package's own, as a module is loaded once.
const addon = createRequire(import.meta.url)(process.env.GODWIT_ADDON);
const { open, call } = addon;
let opened;
addon.open = (...args) => opened = open(...args);

const { Agent, GodwitError, quic, serve, WebTransport } = await import('godwit');

const local = { hostname: '127.0.0.1', port: 0 };

/** breakEngine has the engine find what is no command. */
function breakEngine() {
  const words = new Uint32Array(opened.memory, 0, 1024);
  while (words[24 / 4] === 1) addon.commit(opened.port, 8); // GW_OPEN
}

function dial(server) {
  return new WebTransport(server.url.href, { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
}

const failed = (e) => {
  const cause = e.cause ?? e;
  assert.ok(cause instanceof GodwitError && cause.kind === 'port', `${e} ${cause}`);
  assert.match(cause.message, /no whole record/);
};

test('when the engine fails, all are told, and what follows has another one', async () => {
  const told = new Map();
  const tell = (name) => (...args) => told.set(name, args.at(-1));
  const names = ['bySocket', 'closed', 'client', 'clientClosed', 'byStream', 'stream', 'site', 'session'];
  const bySocket = quic({ ...local, server: true, message() {}, error: tell('bySocket'), close: tell('closed') });
  const client = quic({ hostname: '127.0.0.1', port: bySocket.port, message() {}, error: tell('client'), close: tell('clientClosed') });
  const byStream = quic({ ...local, server: true, data() {}, error: tell('byStream') });
  const other = quic({ hostname: '127.0.0.1', port: byStream.port, data() {}, error() {}, close: tell('stream') });
  const stream = other.stream();
  stream.write('x');
  await eventually(() => client.isConnected && other.isConnected);
  const waiting = deferred(), aborted = deferred();
  const server = serve({
    ...local, http1: false, error: tell('site'), webtransport: { close: tell('session') },
    fetch: (request) => new Promise(() => {
      request.signal.addEventListener('abort', aborted.resolve);
      waiting.resolve();
    }),
  });
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  const answer = agent.fetch(server.url, { protocol: 'http3' });
  const session = dial(server);
  await session.ready;
  const { readable, writable } = await session.createBidirectionalStream();
  const read = readable.getReader().read(), write = writable.getWriter().write(new Uint8Array(1 << 20));
  const datagram = session.datagrams.readable.getReader().read();
  const ends = Promise.allSettled([answer, session.closed, read, write, datagram]);
  await waiting.promise;
  breakEngine();
  const [{ reason }, ...others] = await ends;
  failed(reason.cause);
  for (const { status } of others) assert.strictEqual(status, 'rejected');
  await aborted.promise;
  await eventually(() => names.every((name) => told.has(name)), `${names} of ${[...told.keys()]}`);
  for (const name of ['bySocket', 'client', 'byStream', 'site', 'session']) failed(told.get(name));
  for (const socket of [bySocket, client, byStream, other]) assert.strictEqual(socket.readyState, 'closed');
  assert.throws(() => stream.write('x'), GodwitError);
  assert.strictEqual(await client.getStats(), undefined);
  await server.stop();
  for (const socket of [bySocket, client, byStream, other]) socket.close();

  const again = serve({ ...local, http1: false, fetch: () => new Response('again') });
  assert.strictEqual(await (await agent.fetch(again.url, { protocol: 'http3' })).text(), 'again');
  await agent.close();
  await again.stop();
});

test('a client that reconnects outlives the engine', async () => {
  const options = { server: true, data: (stream, b) => { stream.write(b); } };
  const server = quic({ ...local, ...options, error() {} }), { port } = server;
  let opens = 0;
  const client = quic({ hostname: '127.0.0.1', port, data() {}, error() {}, socketOpen: () => opens++, reconnect: { minDelay: 20, maxDelay: 50 } });
  await eventually(() => opens === 1);
  const stats = client.getStats();
  breakEngine();
  assert.strictEqual(await stats, undefined);
  await eventually(() => server.readyState === 'closed');
  const again = quic({ ...local, port, ...options });
  await eventually(() => opens === 2);
  client.close();
  again.close();
});

const large = 'x'.repeat(400_000); // more than the ring of commands takes

/** pair returns a server that echoes, and a client that there is. */
async function pair(more = {}) {
  const server = quic({ ...local, server: true, data: (stream, b) => { stream.write(b); }, error() {} });
  const errors = [], got = [];
  const client = quic({ hostname: '127.0.0.1', port: server.port, data: (stream, b) => got.push(b), error: (s, e) => errors.push(e), ...more });
  client.stream().write('x');
  await eventually(() => got.length === 1);
  const still = async () => {
    const before = got.length;
    client.stream().write('x');
    await eventually(() => got.length > before);
  };
  const end = () => {
    client.close();
    server.close();
  };
  return { server, client, errors, still, end };
}

test('what is too large for the engine is refused, and nothing waits behind it', async () => {
  const { client, server, errors, still, end } = await pair();
  client.sendDatagram(Buffer.from(large));
  await eventually(() => errors.length > 0);
  assert.strictEqual(errors[0].kind, 'size');
  await still();
  assert.throws(() => quic({ ...local, server: true, tls: { ca: large } }), /bytes of options/);
  assert.throws(() => quic({ ...local, port: server.port, tls: { ca: large } }), { kind: 'size' });
  assert.throws(() => new WebTransport('https://127.0.0.1:1', { headers: { large } }), { kind: 'size' });
  await still();
  const other = quic({ ...local, port: server.port, data() {}, error() {} });
  other.close(1, large);
  await still();
  end();
});

test('a response that refuses a session may be too large', async () => {
  const errors = [];
  const server = serve({ ...local, http1: false, webtransport: { open: () => new Response(large, { status: 451 }), error: (s, e) => errors.push(e) } });
  await assert.rejects(dial(server).ready, /451/);
  assert.strictEqual(errors[0].kind, 'size');
  await server.stop(false);
});

test('an answer that comes too late is not the next one\'s', async () => {
  addon.call = (port, head) => call(port, head, 0);
  try {
    serve({ ...local, http1: false, fetch: () => new Response('first') }).stop(false);
  } catch { /* too late, as a rule */ }
  addon.call = call;
  const second = serve({ ...local, http1: false, fetch: () => new Response('second') });
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  assert.strictEqual(await (await agent.fetch(second.url, { protocol: 'http3' })).text(), 'second');
  await agent.close();
  await second.stop();
});

test('an answer that comes while an earlier one is looked at is not missed', async () => {
  const listen = () => quic({ ...local, server: true, data() {} });
  addon.call = (port, head) => call(port, head, 0);
  try {
    listen().close();
  } catch { /* too late, as a rule */ }
  let calls = 0;
  addon.call = (...args) => {
    if (calls++ > 0) for (const end = performance.now() + 200; performance.now() < end;); // a busy machine
    return call(...args);
  };
  try {
    listen().close();
  } finally {
    addon.call = call;
  }
});

test('codes that are none change nothing', async () => {
  const { client, server, still, end } = await pair();
  const stream = client.stream();
  stream.write('x');
  for (const code of [1.5, -1, NaN, '1', 2n ** 62n]) {
    assert.throws(() => client.close(code), TypeError);
    assert.throws(() => server.close(code), TypeError);
    assert.throws(() => stream.close(code), TypeError);
  }
  assert.strictEqual(stream.write('x'), 1);
  await still();
  end();
});

test('datagrams that find no room do not take all memory', async () => {
  const { client, still, end } = await pair();
  const bytes = new Uint8Array(1000), before = process.memoryUsage().rss;
  for (let i = 0; i < 200_000; i++) client.sendDatagram(bytes);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 80 << 20, `${grown >> 20} MiB for 200 MB of datagrams`);
  await still();
  end();
});

/** flood is a worker that sends datagrams as fast as it can, until it is terminated. */
function flood(port) {
  const client = quic({ hostname: '127.0.0.1', port, data() {}, error() {} });
  const bytes = new Uint8Array(20);
  const go = () => {
    for (let i = 0; i < 500; i++) client.sendDatagram(bytes);
    setImmediate(go);
  };
  go();
}

test('timers have their turn under a flood of datagrams', async () => {
  let came = 0;
  const server = quic({
    ...local, server: true, data() {}, error() {},
    datagram() {
      came++;
      for (const end = performance.now() + 0.05; performance.now() < end;); // slower than they come
    },
  });
  const worker = new Worker(new URL(import.meta.url), { workerData: { port: server.port } });
  await eventually(() => came > 0);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  await worker.terminate();
  server.close();
});

if (isMainThread) await run();
else flood(workerData.port);
