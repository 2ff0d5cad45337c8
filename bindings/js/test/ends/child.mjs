// Programs that end, each in a way of its own, under traffic: child.mjs NAME. Code 0 is
// right where nothing else is said.

import assert from 'node:assert';
import process from 'node:process';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Agent, quic, serve, WebTransport } from 'godwit';

const address = { hostname: '127.0.0.1', port: 0 }, local = { ...address, http1: false };
const bytes = new Uint8Array(20_000);

/** busy has a server of everything and clients that never stop. */
async function busy() {
  const server = serve({
    ...local, fetch: async (r) => new Response(await r.arrayBuffer()),
    webtransport: { stream: (s, { readable, writable }) => { readable.pipeTo(writable).catch(() => {}); }, datagram: (s, b) => s.sendDatagram(b) },
  });
  const raw = quic({ ...address, server: true, data: (stream, b) => { stream.write(b); } });
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  const session = new WebTransport(server.url.href, { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
  const client = quic({ hostname: '127.0.0.1', port: raw.port, data: (stream, b) => { stream.write(b); }, error() {} });
  const state = { server, raw, agent, session, client, on: true, rounds: 0 };
  client.stream().write(bytes);
  const forever = async (f) => {
    try {
      while (state.on) {
        await f();
        state.rounds++;
      }
    } catch (e) {
      if (state.on) throw e;
    }
  };
  await session.ready;
  forever(async () => { await (await agent.fetch(server.url, { protocol: 'http3', method: 'POST', body: bytes })).arrayBuffer(); });
  forever(async () => {
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    await writer.write(bytes);
    await writer.close();
    for (const reader = readable.getReader(); !(await reader.read()).done;);
  });
  forever(async () => {
    session.sendDatagram('datagram');
    await new Promise((resolve) => setImmediate(resolve));
  });
  while (state.rounds < 50) await new Promise((resolve) => setImmediate(resolve));
  state.end = async () => {
    state.on = false;
    client.close();
    raw.close();
    session.close();
    await agent.destroy();
    await server.stop(false);
  };
  return state;
}

const collect = globalThis.gc ?? (globalThis.Bun ? () => globalThis.Bun.gc(true) : undefined);

const programs = {
  /** Code 5. */
  async exit() {
    await busy();
    process.exit(5);
  },
  /** Code 7: an exception that nobody catches. */
  async throws() {
    await busy();
    process.on('uncaughtException', () => process.exit(7));
    setTimeout(() => { throw new Error('wanted'); }, 1);
  },
  /** Ended by SIGTERM. */
  async killed() {
    await busy();
    process.kill(process.pid, 'SIGTERM');
  },
  async sigterm() {
    const b = await busy();
    const over = new Promise((resolve) => process.once('SIGTERM', resolve));
    process.kill(process.pid, 'SIGTERM');
    await over;
    await b.end();
  },
  async workers() {
    for (let round = 0; round < 2; round++) {
      const all = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { argv: ['worker'] }));
      await Promise.all(all.map((w) => new Promise((resolve, reject) => w.once('message', resolve).once('error', reject))));
      await Promise.all(all.map((w) => w.terminate()));
    }
    const b = await busy(); // here all goes on
    await b.end();
  },
  async worker() {
    await busy();
    parentPort.postMessage('busy');
  },
  async collected() {
    const b = await busy();
    for (let i = 0; i < 20; i++) {
      collect?.();
      const before = b.rounds;
      while (b.rounds === before) await new Promise((resolve) => setImmediate(resolve));
    }
    await b.end();
    collect?.();
  },
  /** stop and close, called by what they end. */
  async inside() {
    const stopped = [];
    const agent = new Agent({ tls: { rejectUnauthorized: false } });
    const s1 = serve({ ...local, fetch() { stopped.push(s1.stop(false)); return new Response(); } });
    await agent.fetch(s1.url, { protocol: 'http3' }).catch(() => {});
    for (const [graceful, hook] of [[false, 'open'], [false, 'stream'], [true, 'open'], [true, 'stream'], [false, 'close']]) {
      const server = serve({ ...local, webtransport: { [hook]: () => { stopped.push(server.stop(graceful)); } } });
      const wt = new WebTransport(server.url.href, { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
      wt.createUnidirectionalStream().then((s) => s.getWriter().write(bytes)).catch(() => {});
      wt.draining.then(() => wt.close());
      if (hook === 'close') wt.ready.then(() => wt.close(), () => {});
      await wt.closed.catch(() => {});
    }
    const raw = quic({ ...address, server: true, data: () => { raw.close(); } });
    await new Promise((resolve) => {
      const client = quic({ hostname: '127.0.0.1', port: raw.port, data() {}, close() {}, error() {}, socketOpen: (socket) => socket.stream().write('x') });
      const look = setInterval(() => {
        if (client.readyState !== 'closed') return;
        clearInterval(look);
        resolve();
      }, 5);
    });
    assert.strictEqual((await Promise.all(stopped)).length, 6);
    await agent.close();
  },
  /** Exceptions in all callbacks; the traffic goes on. */
  async exceptions() {
    const caught = [];
    process.on('uncaughtException', (e) => caught.push(e.message));
    const b = await busy();
    const fail = (name) => () => { throw new Error(name); };
    const raw = quic({ ...address, server: true, data: fail('data'), connection: fail('connection'), open: fail('open'), end: fail('end'), error() {} });
    const client = quic({ hostname: '127.0.0.1', port: raw.port, data() {}, error() {}, socketOpen: fail('socketOpen') });
    client.stream().end('x');
    for (const name of ['data', 'connection', 'open', 'end', 'socketOpen']) {
      while (!caught.includes(name)) await new Promise((resolve) => setImmediate(resolve));
    }
    const before = b.rounds;
    while (b.rounds < before + 50) await new Promise((resolve) => setImmediate(resolve));
    client.close();
    raw.close();
    await b.end();
  },
};

await programs[isMainThread ? process.argv[2] : 'worker']();
