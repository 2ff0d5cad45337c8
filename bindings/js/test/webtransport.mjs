// WebTransport: the client's class, and sessions at a server.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import {
  serve as serveAll, serveWebTransport, WebTransport, WebTransportBidirectionalStream, WebTransportError, WebTransportReceiveStream, WebTransportSendStream, WebTransportWriter,
} from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const serve = (webtransport, more = {}) => serveWebTransport({ hostname: '127.0.0.1', port: 0, webtransport, ...more });

function dial(server, path = '/', options = {}) {
  const serverCertificateHashes = [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }];
  return new WebTransport(`https://127.0.0.1:${server.port}${path}`, { serverCertificateHashes, ...options });
}

async function all(readable) {
  const parts = [];
  for (const reader = readable.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

async function sendAll(writable, bytes) {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

const sha = (b) => createHash('sha256').update(b).digest('hex');
const text = (s) => new TextEncoder().encode(s);
const echo = { stream: (session, { readable, writable }) => writable && readable.pipeTo(writable).catch(() => {}), datagram: (session, data) => session.sendDatagram(data) };

test('wrong URLs and options are refused at once', () => {
  const syntax = { name: 'SyntaxError' };
  assert.throws(() => new WebTransport('nonsense'), syntax);
  assert.throws(() => new WebTransport('http://localhost/'), syntax);
  assert.throws(() => new WebTransport('https://localhost/#part'), syntax);
  assert.throws(() => new WebTransport('https://localhost/', { protocols: ['a', 'a'] }), syntax);
  assert.throws(() => new WebTransport('https://localhost/', { protocols: [''] }), syntax);
  assert.throws(() => new WebTransport('https://localhost/', { congestionControl: 'best' }), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { serverCertificateHashes: [{ algorithm: 'sha-256', value: new Uint8Array(3) }] }), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { allowPooling: true, serverCertificateHashes: [{ algorithm: 'sha-256', value: new Uint8Array(32) }] }), { name: 'NotSupportedError' });
  assert.throws(() => serveWebTransport({}), /webtransport/);
  assert.throws(() => serve({ open: 1 }), /open/);
  assert.throws(() => serve({ origins: [1] }), /origins/);
});

test('errors are those of the W3C', () => {
  const e = new WebTransportError('text', { streamErrorCode: 7 });
  assert.ok(e instanceof DOMException && e instanceof Error);
  assert.deepStrictEqual([e.name, e.message, e.source, e.streamErrorCode], ['WebTransportError', 'text', 'stream', 7]);
  assert.deepStrictEqual([new WebTransportError().streamErrorCode, new WebTransportError('', { streamErrorCode: 2 ** 40 }).streamErrorCode], [null, 0xffffffff]);
  assert.strictEqual(new WebTransportError('', { source: 'session' }).source, 'session');
});

test('a session: request, protocol, headers, closing by the client', async () => {
  const opened = deferred(), ended = deferred();
  const server = serve({
    protocols: ['v1'],
    open(session, request) {
      opened.resolve(request);
      session.accept({ headers: { 'x-hello': 'you' } });
    },
    close: (session, ...rest) => ended.resolve(rest),
  });
  const wt = dial(server, '/chat?room=1', { protocols: ['v2', 'v1'], headers: { 'x-token': 'secret', cookie: 'a=b; c=d=e' } });
  assert.deepStrictEqual([wt.reliability, wt.protocol, wt.responseHeaders, wt.congestionControl], ['pending', '', null, 'default']);
  await wt.ready;
  const r = await opened.promise;
  assert.deepStrictEqual([r.path, r.query.get('room'), r.headers.get('x-token'), { ...r.cookies }, r.protocols, r.sameOrigin], ['/chat', '1', 'secret', { a: 'b', c: 'd=e' }, ['v2', 'v1'], true]);
  assert.deepStrictEqual([wt.reliability, wt.protocol, wt.responseHeaders.get('x-hello')], ['supports-unreliable', 'v1', 'you']);
  await eventually(() => server.sessions.size === 1);
  wt.close({ closeCode: 77, reason: 'enough' });
  assert.deepStrictEqual(await wt.closed, { closeCode: 77, reason: 'enough' });
  assert.deepStrictEqual(await ended.promise, [77, 'enough', undefined]);
  await assert.rejects(wt.createBidirectionalStream(), { name: 'InvalidStateError' });
  wt.close();
  assert.strictEqual(server.sessions.size, 0);
  await server.stop();
});

test('streams there and back, whole, and by the server', async () => {
  const greeting = deferred();
  const server = serve({
    ...echo,
    async open(session) {
      await sendAll(await session.createUnidirectionalStream(), text('hello'));
      const { readable, writable } = await session.createBidirectionalStream();
      await sendAll(writable, text('who?'));
      greeting.resolve(String(await all(readable)));
    },
  });
  const wt = dial(server);
  await wt.ready;
  const uni = (await wt.incomingUnidirectionalStreams.getReader().read()).value;
  assert.ok(uni instanceof WebTransportReceiveStream && uni instanceof ReadableStream);
  assert.strictEqual(String(await all(uni)), 'hello');
  const asked = (await wt.incomingBidirectionalStreams.getReader().read()).value;
  assert.strictEqual(String(await all(asked.readable)), 'who?');
  await sendAll(asked.writable, text('me'));
  assert.strictEqual(await greeting.promise, 'me');
  for (const size of [0, 1, 70_000, 10 << 20]) {
    const stream = await wt.createBidirectionalStream();
    assert.ok(stream instanceof WebTransportBidirectionalStream && stream.writable instanceof WebTransportSendStream);
    const bytes = randomBytes(size);
    const [got] = await Promise.all([all(stream.readable), sendAll(stream.writable, bytes)]);
    assert.strictEqual(sha(got), sha(bytes), `${size} bytes`);
    assert.strictEqual((await stream.writable.getStats()).bytesWritten, size);
    assert.deepStrictEqual(await stream.readable.getStats(), { bytesReceived: size, bytesRead: size });
  }
  wt.close();
  await server.stop();
});

test('streams by callbacks, without web streams', async () => {
  const kept = new Map(), seen = [];
  const send = (stream) => {
    const list = kept.get(stream);
    while (list.length > 0) {
      const n = stream.write(list[0]);
      if (n < list[0].length) {
        list[0] = list[0].subarray(n);
        return;
      }
      list.shift();
    }
    if (list.last) stream.end('.');
  };
  const server = serve({
    stream: (session, stream) => kept.set(stream, []),
    data(session, stream, bytes, last) {
      if (stream.writable === undefined) seen.push([Buffer.from(bytes).toString(), last]);
      else throw new Error('made');
    },
    error: (session, e) => seen.push(e.message),
  });
  const other = serve({
    data(session, stream, bytes, last) {
      if (!kept.has(stream)) kept.set(stream, []);
      const list = kept.get(stream);
      list.push(bytes);
      list.last = last;
      send(stream);
    },
    drain: (session, stream) => send(stream),
    abort: (session, stream, e) => seen.push([e.source, e.streamErrorCode]),
    async open(session) {
      const { readable, writable } = await session.createBidirectionalStream();
      await sendAll(writable, text('who?'));
      seen.push(String(await all(readable)));
    },
  });
  const wt = dial(other);
  const asked = (await wt.incomingBidirectionalStreams.getReader().read()).value;
  await sendAll(asked.writable, text('me'));
  await eventually(() => seen.length === 1);
  for (const size of [0, 1, 70_000, 3 << 20]) {
    const { readable, writable } = await wt.createBidirectionalStream();
    const bytes = randomBytes(size);
    const [got] = await Promise.all([all(readable), sendAll(writable, bytes)]);
    assert.strictEqual(sha(got), sha(Buffer.concat([bytes, text('.')])), `${size} bytes`);
  }
  const cut = await wt.createBidirectionalStream();
  await cut.writable.getWriter().write(text('x'));
  assert.deepStrictEqual((await cut.readable.getReader().read()).value, text('x'));
  wt.close();
  await eventually(() => seen.length === 3);
  assert.deepStrictEqual(seen, ['me', ['session', null], ['session', null]]);
  seen.length = 0;
  const one = dial(server);
  await sendAll(await one.createUnidirectionalStream(), text('one way'));
  await eventually(() => seen.length > 0);
  assert.strictEqual(seen.map(([t]) => t).join(''), 'one way');
  one.close();
  await Promise.all([server.stop(), other.stop()]);
});

test('fifty streams at once', async () => {
  const server = serve(echo);
  const wt = dial(server);
  await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    const { readable, writable } = await wt.createBidirectionalStream({ waitUntilAvailable: i % 2 === 0 });
    const bytes = randomBytes(20_000 + i);
    const [got] = await Promise.all([all(readable), sendAll(writable, bytes)]);
    assert.ok(got.equals(bytes));
  }));
  wt.close();
  await server.stop();
});

test('a reader that pauses makes the writer pause', async () => {
  let got;
  const server = serve({ stream: (session, { readable }) => { got = readable; } });
  const wt = dial(server);
  const writer = (await wt.createUnidirectionalStream()).getWriter();
  const chunk = randomBytes(256 << 10), count = 128; // 32 MiB, more than all windows
  let written = 0;
  const sent = (async () => {
    for (let i = 0; i < count; i++) {
      await writer.write(chunk);
      written++;
    }
    await writer.close();
  })();
  await eventually(() => got && written > 1);
  for (let last = -1; last !== written;) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(written < count, `${written} of ${count} chunks written, none read`);
  const reader = got.getReader({ mode: 'byob' });
  let n = 0, view = new Uint8Array(100_000);
  for (;;) {
    const { value, done } = await reader.read(view);
    if (done) break;
    n += value.byteLength;
    view = new Uint8Array(value.buffer);
  }
  assert.strictEqual(n, count * chunk.length);
  await sent;
  wt.close();
  await server.stop();
});

test('codes of streams: abort, cancel, and the other end', async () => {
  const streams = [], ended = deferred();
  const server = serve({ stream: (session, s) => { streams.push(s); if (streams.length === 2) ended.resolve(); } });
  const wt = dial(server);
  const a = await wt.createBidirectionalStream(), b = await wt.createBidirectionalStream();
  const wa = a.writable.getWriter(), wb = b.writable.getWriter();
  await Promise.all([wa.write(text('a')), wb.write(text('b'))]);
  await ended.promise;
  wa.abort(new WebTransportError('', { streamErrorCode: 0xffffffff })).catch(() => {});
  const reader = streams[0].readable.getReader();
  await assert.rejects(async () => { while (!(await reader.read()).done); }, (e) => e instanceof WebTransportError && e.source === 'stream' && e.streamErrorCode === 0xffffffff);
  await streams[1].readable.cancel(new WebTransportError('', { streamErrorCode: 9 }));
  await assert.rejects(wb.closed, (e) => e.source === 'stream' && e.streamErrorCode === 9);
  await assert.rejects(wb.write(text('more')), (e) => e.streamErrorCode === 9);
  streams[1].writable.getWriter().abort('whatever').catch(() => {});
  await assert.rejects(b.readable.getReader().read(), (e) => e.streamErrorCode === 0);
  const wc = (await wt.createUnidirectionalStream()).getWriter();
  await assert.rejects(wc.write('text'), TypeError);
  const wd = (await wt.createUnidirectionalStream()).getWriter();
  const waiting = wd.write(new Uint8Array(20 << 20)); // nobody reads it
  const given = assert.rejects(waiting, (e) => e.streamErrorCode === 3);
  await wd.abort(new WebTransportError('', { streamErrorCode: 3 }));
  await given;
  wt.close();
  await server.stop();
});

test('datagrams: echoed, as streams, too large ones, stats', async () => {
  const server = serve(echo);
  const wt = dial(server);
  await wt.ready;
  const { datagrams } = wt;
  const writer = datagrams.createWritable().getWriter(), reader = datagrams.readable.getReader();
  const want = new Set(Array.from({ length: 20 }, (_, i) => `datagram ${i}`));
  const got = (async () => {
    while (want.size > 0) {
      const { value } = await reader.read();
      want.delete(String(Buffer.from(value)));
    }
  })();
  for (let again = 0; want.size > 0 && again < 500; again++) {
    for (const w of want) await writer.write(text(w));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await got;
  assert.ok(datagrams.maxDatagramSize > 1000 && datagrams.maxDatagramSize < 65536, `${datagrams.maxDatagramSize}`);
  await writer.write(new Uint8Array(70_000)); // is dropped
  await assert.rejects(writer.write('text'), TypeError);
  datagrams.incomingHighWaterMark = 3;
  assert.strictEqual(datagrams.incomingMaxBufferedDatagrams, 3);
  assert.throws(() => { datagrams.incomingMaxAge = -1; }, RangeError);
  const stats = await wt.getStats();
  assert.ok(stats.bytesSent > 0 && stats.packetsReceived > 0 && stats.smoothedRtt > 0 && stats.datagrams.droppedIncoming >= 0);
  wt.close();
  while (!(await reader.read()).done); // echoes that waited are gone, or come
  assert.ok((await wt.getStats()).bytesSent > 0);
  await server.stop();
});

test('a session as the object of the W3C at the server', async () => {
  const told = deferred();
  const server = serve({
    async open(session) {
      assert.ok(session instanceof WebTransport);
      await session.ready;
      (async () => {
        for (const r = session.incomingBidirectionalStreams.getReader(); ;) {
          const { value, done } = await r.read();
          if (done) return;
          value.readable.pipeTo(value.writable);
        }
      })();
      const reader = session.datagrams.readable.getReader(), writer = session.datagrams.writable.getWriter();
      const { value } = await reader.read();
      await writer.write(value);
      told.resolve(await session.closed);
    },
    error: (session, e) => told.reject(e),
  });
  const wt = dial(server);
  const { readable, writable } = await wt.createBidirectionalStream();
  const [got] = await Promise.all([all(readable), sendAll(writable, text('abc'))]);
  assert.strictEqual(String(got), 'abc');
  let back = false;
  const d = wt.datagrams.readable.getReader().read().then((r) => { back = true; return r; });
  await eventually(() => { if (!back) wt.sendDatagram('ping'); return back; });
  assert.strictEqual(String(Buffer.from((await d).value)), 'ping');
  wt.close({ closeCode: 4 });
  assert.strictEqual((await told.promise).closeCode, 4); // stop would end the session before it is told
  await server.stop();
});

test('refusing: by a Response, by reject, by an exception, by origin', async () => {
  const told = [];
  const server = serve({
    origins: ['https://friend.example'],
    open(session, request) {
      if (request.path === '/response') return new Response('no', { status: 401, headers: { 'x-why': 'token' } });
      if (request.path === '/later') return Promise.resolve(new Response(null, { status: 429 }));
      if (request.path === '/reject') return void session.reject(404);
      if (request.path === '/throws') throw new Error('open throws');
    },
    close: (session) => told.push(session),
    error: (session, e) => told.push(e.message),
  });
  const refused = async (path, status, headers) => {
    const wt = dial(server, path, { headers });
    await assert.rejects(wt.ready, (e) => e instanceof WebTransportError && e.source === 'session' && e.message.includes(String(status)) && e.cause.errorCode === BigInt(status));
    await assert.rejects(wt.closed, WebTransportError);
    await assert.rejects(wt.createBidirectionalStream(), { name: 'InvalidStateError' });
    await assert.rejects(wt.getStats(), { name: 'InvalidStateError' });
  };
  await refused('/response', 401);
  await refused('/later', 429);
  await refused('/reject', 404);
  await refused('/throws', 500);
  assert.deepStrictEqual(told, ['open throws']);
  await refused('/', 403, { origin: 'https://stranger.example' });
  const friend = dial(server, '/', { headers: { origin: 'https://friend.example' } });
  await friend.ready;
  friend.close();
  await server.stop();
});

test('closing and draining by the server', async () => {
  const sessions = [];
  const server = serve({ open: (session) => { sessions.push(session); } });
  const wt = dial(server);
  await wt.ready;
  const stream = await wt.createBidirectionalStream(), pending = stream.readable.getReader().read();
  pending.catch(() => {});
  await stream.writable.getWriter().write(text('x'));
  await eventually(() => sessions.length === 1);
  sessions[0].drain();
  await wt.draining;
  sessions[0].close({ closeCode: 5, reason: 'é'.repeat(1000) });
  assert.deepStrictEqual(await wt.closed, { closeCode: 5, reason: 'é'.repeat(512) });
  await assert.rejects(pending, (e) => e instanceof WebTransportError && e.source === 'session');
  assert.strictEqual((await wt.incomingBidirectionalStreams.getReader().read()).done, true);
  await server.stop();
});

test('closing a session as soon as it is accepted', async () => {
  const told = deferred();
  const server = serve({
    open(session) {
      session.accept();
      session.close({ closeCode: 41, reason: 'at once' });
    },
    close: (session, ...args) => told.resolve(args),
  });
  const session = dial(server);
  await session.ready;
  assert.deepStrictEqual(await session.closed, { closeCode: 41, reason: 'at once' });
  assert.deepStrictEqual(await told.promise, [41, 'at once', undefined]);
  await server.stop(true);
});

test('a server that goes away, and one that is not there', async () => {
  const server = serve({});
  const wt = dial(server);
  await wt.ready;
  const stream = await wt.createUnidirectionalStream();
  await server.stop();
  await assert.rejects(wt.closed, (e) => e.source === 'session');
  await assert.rejects(stream.getWriter().write(text('x')), (e) => e.source === 'session');
  const nobody = dial(server);
  await assert.rejects(nobody.ready, (e) => e.source === 'session' && e.cause.code === 'ECONNREFUSED');
  await assert.rejects(nobody.closed);
});

test('certificates: a wrong hash, none at all, closed while connecting', async () => {
  const server = serve({});
  const wrong = dial(server, '/', { serverCertificateHashes: [{ algorithm: 'sha-256', value: randomBytes(32) }] });
  await assert.rejects(wrong.ready, (e) => e.source === 'session' && e.cause.kind === 'certificate');
  const none = dial(server, '/', { serverCertificateHashes: [] });
  await assert.rejects(none.ready, (e) => e.cause.kind === 'certificate');
  const early = dial(server);
  const asked = early.createBidirectionalStream();
  early.close();
  await assert.rejects(early.ready, WebTransportError);
  await assert.rejects(early.closed, WebTransportError);
  await assert.rejects(asked, { name: 'InvalidStateError' });
  await server.stop();
});

test('exceptions in hooks reach the hook error', async () => {
  const told = [];
  const server = serve({
    stream() { throw new Error('stream'); },
    async datagram() { throw new Error('datagram'); },
    close() { throw new Error('close'); },
    error: (session, e) => told.push(e.message),
  });
  const wt = dial(server);
  await (await wt.createUnidirectionalStream()).getWriter().write(text('x'));
  await eventually(() => told.includes('stream'));
  await eventually(() => { wt.sendDatagram('x'); return told.includes('datagram'); });
  wt.close();
  await eventually(() => told.includes('close'));
  await server.stop();
});

test('order and groups, topics', async () => {
  const server = serve({ open: (session) => session.subscribe('news') });
  const wt = dial(server), other = dial(server);
  await Promise.all([wt.ready, other.ready]);
  const group = wt.createSendGroup();
  const a = await wt.createUnidirectionalStream({ sendOrder: 1, sendGroup: group }), b = await wt.createUnidirectionalStream({ sendOrder: 2 });
  assert.deepStrictEqual([a.sendOrder, a.sendGroup, b.sendOrder, b.sendGroup], [1, group, 2, null]);
  b.sendOrder = -3;
  b.sendGroup = group;
  await assert.rejects(other.createUnidirectionalStream({ sendGroup: group }), TypeError);
  await a.getWriter().write(text('counted'));
  assert.deepStrictEqual(await group.getStats(), { bytesWritten: 7, bytesSent: 7 });
  const got = [wt, other].map((w) => w.datagrams.readable.getReader().read());
  const count = [];
  got.forEach((p) => p.then(() => count.push(1)));
  await eventually(() => { assert.strictEqual(server.publish('news', 'today'), 2); return count.length === 2; });
  assert.strictEqual(server.publish('other', 'x'), 0);
  wt.close();
  other.close();
  await eventually(() => server.publish('news', 'x') === 0);
  await server.stop(true);
});

test('atomic writes, and what is anticipated', async () => {
  const server = serve(echo);
  assert.throws(() => dial(server, '/', { anticipatedConcurrentIncomingBidirectionalStreams: 70_000 }), TypeError);
  const wt = dial(server, '/', { requireUnreliable: true, anticipatedConcurrentIncomingUnidirectionalStreams: 10 });
  assert.deepStrictEqual([wt.anticipatedConcurrentIncomingUnidirectionalStreams, wt.anticipatedConcurrentIncomingBidirectionalStreams], [10, null]);
  wt.anticipatedConcurrentIncomingBidirectionalStreams = 3;
  assert.strictEqual(wt.anticipatedConcurrentIncomingBidirectionalStreams, 3);
  const { readable, writable } = await wt.createBidirectionalStream();
  const writer = writable.getWriter();
  assert.ok(writer instanceof WebTransportWriter && writer instanceof WritableStreamDefaultWriter);
  const got = all(readable);
  await writer.atomicWrite(text('whole'));
  await assert.rejects(writer.atomicWrite(new Uint8Array(1 << 20)), { name: 'AbortError' });
  await writer.write(text(', and more'));
  await writer.close();
  assert.strictEqual(String(await got), 'whole, and more');
  wt.close();
  await server.stop();
});

test('a hundred sessions, one after the other and at once, closed with a reason', async () => {
  const codes = [];
  const server = serve({ close: (session, code, reason, e) => codes.push(e ?? `${code} ${reason}`) });
  const one = async (i) => {
    const wt = dial(server);
    await wt.ready;
    wt.close({ closeCode: i, reason: `r${i}` });
    await wt.closed;
  };
  for (let i = 0; i < 30; i++) await one(i);
  await Promise.all(Array.from({ length: 70 }, (_, i) => one(30 + i)));
  await eventually(() => codes.length === 100);
  assert.deepStrictEqual(codes.sort(), Array.from({ length: 100 }, (_, i) => `${i} r${i}`).sort());
  await server.stop();
});

test('sessions beside requests, at one server', async () => {
  const server = serveAll({ hostname: '127.0.0.1', port: 0, fetch: (r, s) => new Response(`${s.sessions.size} sessions`), webtransport: { ...echo } });
  assert.throws(() => serveAll({ port: 0, webtransport: { open: 1 } }), /webtransport: open/);
  const client = dial(server, '/chat');
  await client.ready;
  const stream = await client.createBidirectionalStream();
  const got = all(stream.readable);
  await sendAll(stream.writable, text('beside'));
  assert.strictEqual(String(await got), 'beside');
  assert.strictEqual(server.sessions.size, 1);
  server.reload({ webtransport: { stream: (session, { writable }) => writable && sendAll(writable, text('other')) } });
  const later = dial(server, '/later'); // callbacks are those of when a session begins
  await later.ready;
  const again = await later.createBidirectionalStream();
  const other = all(again.readable);
  await sendAll(again.writable, text('x'));
  assert.strictEqual(String(await other), 'other');
  client.close();
  later.close();
  await Promise.all([client.closed, later.closed]);
  await eventually(() => server.sessions.size === 0);
  await server.stop();
});

test('an authority that is none of a URL is refused, and is no end of the process', async () => {
  const uncaught = [], note = (e) => uncaught.push(e);
  process.on('uncaughtException', note);
  const server = serve({}), { URL } = globalThis;
  for (const authority of ['localhost:99999', '[', 'a:b:c', '%']) {
    globalThis.URL = class extends URL {
      get host() {
        return authority;
      }
    };
    const client = dial(server);
    globalThis.URL = URL;
    await assert.rejects(client.ready, /400/, authority);
  }
  await server.stop();
  process.off('uncaughtException', note);
  assert.deepStrictEqual(uncaught, []);
});

test('headers of a session are bytes, and those that HTTP/3 does not have are left out', async () => {
  const server = serve({ open: (session, { headers }) => session.accept({ headers: { 'x-back': headers.get('x-there'), connection: 'close' } }) });
  const client = dial(server, '/', { headers: { 'x-there': 'caf\u00e9 \u00ff' } });
  await client.ready;
  assert.strictEqual(client.responseHeaders.get('x-back'), 'caf\u00e9 \u00ff');
  client.close();
  await server.stop();
});

test('a header with which a session cannot be answered is told, and the session refused', async () => {
  const errors = [], ends = [];
  const server = serve({
    open(session, { path }) {
      const headers = { x: '\u0001' };
      if (path === '/accept') session.accept({ headers });
      else return new Response(null, { headers, status: 404 });
    },
    error: (session, e) => errors.push(e), close: () => ends.push('close'),
  });
  await assert.rejects(dial(server, '/accept').ready, /500/);
  await assert.rejects(dial(server, '/refuse').ready, /500/);
  assert.deepStrictEqual([errors.length, ends.length, server.sessions.size], [2, 0, 0]);
  await server.stop();
});

test('a stream that ends within an element fails its reader alone', async () => {
  const server = serve({
    async stream(session, { readable, writable }) {
      session.sendDatagram('abc');
      await sendAll(writable, text('abc'));
      await all(readable);
      session.close({ closeCode: 3 });
    },
  });
  const client = dial(server, '/', { datagramsReadableType: 'bytes' });
  const datagram = client.datagrams.readable.getReader({ mode: 'byob' }).read(new Uint32Array(4));
  const { readable, writable } = await client.createBidirectionalStream(), writer = writable.getWriter();
  await writer.write(text('x'));
  await assert.rejects(readable.getReader({ mode: 'byob' }).read(new Uint32Array(4)), TypeError);
  await writer.close();
  await Promise.allSettled([datagram]); // it may have been lost
  assert.strictEqual((await client.closed).closeCode, 3);
  await server.stop();
});

test('stream.end keeps what waits, whoever asks for stream.writable then', async () => {
  const large = randomBytes(1 << 20);
  let refused;
  const server = serve({
    data(session, stream, bytes, last) {
      if (!last) return;
      stream.end(large);
      refused = assert.rejects(stream.writable.getWriter().write(text('more')), { name: 'InvalidStateError' });
    },
  });
  const client = dial(server);
  const { readable, writable } = await client.createBidirectionalStream();
  await sendAll(writable, text('x'));
  assert.strictEqual(sha(await all(readable)), sha(large));
  await refused;
  client.close();
  await server.stop();
});

test('stream.reset and stream.stop end what waits for the web streams', async () => {
  const ends = deferred();
  const server = serve({
    async stream(session, stream) {
      const ended = Promise.allSettled([stream.writable.getWriter().write(new Uint8Array(1 << 20)), stream.readable.getReader().read()]);
      stream.reset(4);
      stream.stop(5);
      ends.resolve(await ended);
    },
  });
  const client = dial(server);
  const { readable } = await client.createBidirectionalStream();
  for (const [i, { reason }] of (await ends.promise).entries()) assert.deepStrictEqual([reason?.source, reason?.streamErrorCode], ['stream', 4 + i]);
  await assert.rejects(all(readable), { streamErrorCode: 4 });
  client.close();
  await server.stop();
});

await run();
