// What the tests of web platforms ask of WebTransport, as far as that needs no browser: the
// behaviours of their folder webtransport, tested by programs of our own.

import assert from 'node:assert';
import { serveWebTransport, WebTransport, WebTransportError } from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const text = (s) => new TextEncoder().encode(s);
const string = (b) => new TextDecoder().decode(b);
const code = (streamErrorCode) => new WebTransportError('', { streamErrorCode });

async function readAll(readable) {
  const parts = [];
  for (const reader = readable.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

// How a stream that the client has opened, or ended a half of, looks to the server.
async function endOf(readable) {
  try {
    return { bytes: (await readAll(readable)).length };
  } catch (e) {
    return { source: e.source, code: e.streamErrorCode };
  }
}

// One server for all: a path says what it does.
const told = new Map(); // ends of streams and sessions, by the query
const paths = {
  '/echo': {
    stream: (session, { readable, writable }) => {
      if (writable) readable.pipeTo(writable).catch(() => {});
      else session.createUnidirectionalStream().then((back) => readable.pipeTo(back)).catch(() => {});
    },
    datagram: (session, b) => session.sendDatagram(b),
  },
  '/ends': { stream: async (session, { readable }) => told.get(session.request.url)?.resolve(await endOf(readable)) },
  '/opens': { opened: async (session) => told.get(session.request.url)?.resolve(await endOf((await session.createBidirectionalStream({ waitUntilAvailable: true })).readable)) },
  '/length': { datagram: (session, b) => session.sendDatagram(String(b.length)) },
  '/abort': {
    stream: (session, { readable, writable }) => {
      const e = code(Number(session.request.query.get('code')));
      readable.cancel(e).catch(() => {});
      writable?.abort(e).catch(() => {});
    },
  },
  '/close': { opened: (session) => { session.close({ closeCode: Number(session.request.query.get('code')), reason: session.request.query.get('reason') ?? '' }); } },
  '/headers': { opened: async (session) => {
    const writer = (await session.createUnidirectionalStream()).getWriter();
    await writer.write(text(JSON.stringify([...session.request.headers])));
    await writer.close();
  } },
};
const statuses = { '/status/204': 204, '/status/301': 301, '/status/401': 401, '/status/404': 404 };

const server = serveWebTransport({
  hostname: '127.0.0.1',
  webtransport: {
    async open(session, { path }) {
      if (path === '/status/204') return session.accept({ headers: { 'set-cookie': 'foo=bar' } });
      if (path in statuses) return new Response(null, { status: statuses[path], headers: { location: '/echo' } });
      session.accept();
      await session.ready;
      await paths[path].opened?.(session);
    },
    stream: (session, s) => paths[session.request.path]?.stream?.(session, s),
    datagram: (session, b) => paths[session.request.path]?.datagram?.(session, b),
    close: (session, closeCode, reason, error) => told.get(`close ${session.request.url}`)?.resolve({ closeCode, reason, error }),
  },
});

let last = 0;

/** dial returns a session, and a promise of what the server tells of it; kind is "" or "close ". */
async function dial(path, kind = '') {
  const url = new URL(path, server.url);
  url.searchParams.set('n', ++last);
  const ends = deferred();
  told.set(`${kind}${url.href}`, ends);
  const wt = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
  await wt.ready;
  return [wt, ends.promise];
}

test('connect: statuses', async () => {
  for (const path of Object.keys(statuses)) {
    if (path === '/status/204') continue;
    const wt = new WebTransport(new URL(path, server.url), { tls: { rejectUnauthorized: false } });
    const e = await wt.ready.catch((e) => e);
    assert.ok(e instanceof WebTransportError && e.source === 'session' && e.streamErrorCode === null);
    assert.strictEqual(await wt.closed.catch((e) => e), e); // the same
  }
});

test('connect: headers are those that are asked for, and cookies are not kept', async () => {
  const [first] = await dial('/status/204');
  first.close();
  const [wt] = await dial('/headers');
  const { value } = await wt.incomingUnidirectionalStreams.getReader().read();
  const headers = new Map(JSON.parse(string(await readAll(value))));
  assert.deepStrictEqual([headers.get('cookie'), headers.get('origin')], [undefined, undefined]);
  wt.close();
});

test('close: by the client, with and without a reason', async () => {
  for (const info of [undefined, {}, { closeCode: 99, reason: 'reason X' }, { closeCode: 11, reason: 'あいうえお'.repeat(1000) }]) {
    const [wt, ends] = await dial('/echo', 'close ');
    wt.close(info);
    const { closeCode = 0, reason = '' } = info ?? {};
    assert.deepStrictEqual(await wt.closed, { closeCode, reason });
    const cut = string(text(reason).slice(0, 1024)).replaceAll('\ufffd', '');
    assert.deepStrictEqual(await ends, { closeCode, reason: cut, error: undefined });
  }
});

test('close: by the server, and the connection by the server', async () => {
  const [wt] = await dial('/close?code=32&reason=abc');
  assert.deepStrictEqual(await wt.closed, { closeCode: 32, reason: 'abc' });
  const other = serveWebTransport({ hostname: '127.0.0.1', webtransport: { stream() {} } });
  const lost = new WebTransport(other.url, { tls: { rejectUnauthorized: false } });
  const { readable, writable } = await lost.createBidirectionalStream();
  const writer = writable.getWriter(), reader = readable.getReader();
  await writer.write(text('A'));
  await other.stop();
  const e = await lost.closed.catch((e) => e);
  assert.ok(e instanceof WebTransportError && e.source === 'session' && e.streamErrorCode === null);
  for (const p of [writer.closed, reader.closed]) assert.strictEqual(await p.catch((x) => x), e);
});

test('streams: closing', async () => {
  for (const [path, open] of [
    ['/ends', async (wt) => (await wt.createBidirectionalStream()).writable], ['/ends', (wt) => wt.createUnidirectionalStream()],
    ['/opens', async (wt) => (await wt.incomingBidirectionalStreams.getReader().read()).value.writable],
  ]) {
    const [wt, ends] = await dial(path);
    await (await open(wt)).close();
    assert.deepStrictEqual(await ends, { bytes: 0 });
    wt.close();
  }
});

test('streams: aborting, with a code and without', async () => {
  for (const [path, open, reason, want] of [
    ['/ends', async (wt) => (await wt.createBidirectionalStream()).writable, code(139), 139],
    ['/opens', async (wt) => (await wt.incomingBidirectionalStreams.getReader().read()).value.writable, code(52), 52],
    ['/ends', (wt) => wt.createUnidirectionalStream(), code(95), 95],
    ['/ends', (wt) => wt.createUnidirectionalStream(), undefined, 0],
    ['/ends', (wt) => wt.createUnidirectionalStream(), new Error('no code'), 0],
  ]) {
    const [wt, ends] = await dial(path);
    await (await open(wt)).abort(reason);
    assert.deepStrictEqual(await ends, { source: 'stream', code: want });
    wt.close();
  }
});

test('streams: aborting what is being closed', async () => {
  const [wt] = await dial('/ends');
  const writer = (await wt.createUnidirectionalStream()).getWriter(), e = code(134);
  await writer.write(new Uint8Array(64 << 10));
  const closing = writer.close();
  closing.catch(() => {});
  writer.closed.catch(() => {});
  await writer.abort(e).catch((x) => assert.strictEqual(x, e)); // Streams, WritableStreamFinishInFlightCloseWithError
  assert.strictEqual(await closing.catch((x) => x), e);
  assert.strictEqual(await writer.closed.catch((x) => x), e);
  writer.releaseLock();
  wt.close();
});

test('streams: STOP_SENDING and RESET_STREAM of the server', async () => {
  const [wt] = await dial('/abort?code=240');
  const uni = (await wt.createUnidirectionalStream()).getWriter(), bidi = await wt.createBidirectionalStream();
  const writer = bidi.writable.getWriter(), reader = bidi.readable.getReader();
  for (const w of [uni, writer]) w.write(text('@')).catch(() => {}); // the server may be faster
  for (const e of await Promise.all([uni, writer, reader].map(({ closed }) => closed.catch((e) => e)))) {
    assert.ok(e instanceof WebTransportError);
    assert.deepStrictEqual([e.source, e.streamErrorCode], ['stream', 240]);
  }
  wt.close();
});

test('streams: echoed, also without waiting for ready, piped, large, empty', async () => {
  for (const chunks of [[text('Hello World')], Array.from({ length: 3 }, () => new Uint8Array(16384).fill(7)), [new Uint8Array(0)], []]) {
    const url = new URL('/echo', server.url), want = Buffer.concat(chunks);
    const wt = new WebTransport(url, { tls: { rejectUnauthorized: false } });
    const { readable, writable } = await wt.createBidirectionalStream(), writer = writable.getWriter();
    const got = readAll(readable);
    await Promise.all([...chunks.map((c) => writer.write(c)), writer.close()]);
    assert.ok((await got).equals(want));
    const out = await wt.createUnidirectionalStream();
    await new ReadableStream({ start: (c) => { chunks.forEach((x) => c.enqueue(x)); c.close(); } }).pipeTo(out);
    const { value } = await wt.incomingUnidirectionalStreams.getReader().read();
    assert.ok((await readAll(value)).equals(want));
    wt.close();
  }
});

test('streams: into buffers of one\'s own', async () => {
  const [wt] = await dial('/echo'), data = Uint8Array.from({ length: 256 }, (_, i) => i);
  const { readable, writable } = await wt.createBidirectionalStream(), writer = writable.getWriter();
  writer.write(data);
  await writer.close();
  const reader = readable.getReader({ mode: 'byob' });
  assert.ok(reader instanceof ReadableStreamBYOBReader);
  let view = new Uint8Array(128), n = 0, got = [];
  for (;;) {
    const { value, done } = await reader.read(view);
    if (done) break;
    n += value.byteLength;
    got.push(...value);
    view = new Uint8Array(value.buffer);
  }
  assert.deepStrictEqual([n, got], [256, [...data]]);
  wt.close();
});

test('datagrams: the largest, a larger one, an empty one, text', async () => {
  const [wt] = await dial('/length');
  await wt.getStats(); // so that the size is known
  const writer = wt.datagrams.createWritable().getWriter(), reader = wt.datagrams.readable.getReader();
  const answer = async (n) => {
    let got;
    const read = reader.read().then(({ value }) => { got = string(value); });
    await eventually(() => { if (got === undefined) writer.write(new Uint8Array(n())).catch(() => {}); return got; });
    await read;
    return got;
  };
  assert.ok(Number(await answer(() => wt.datagrams.maxDatagramSize)) > 1000);
  await writer.write(new Uint8Array(wt.datagrams.maxDatagramSize + 70_000)); // is not sent
  while (await answer(() => 0) !== '0'); // earlier ones come before
  await assert.rejects(writer.write('text'), TypeError);
  wt.close();
});

test('datagrams: outgoingMaxBufferedDatagrams makes writers wait', async () => {
  const [wt] = await dial('/echo'), most = 5;
  wt.datagrams.outgoingMaxBufferedDatagrams = most;
  const writer = wt.datagrams.createWritable().getWriter();
  const settled = async () => {
    let ready = false;
    writer.ready.then(() => { ready = true; });
    for (let i = 0; i < 10; i++) await null;
    return ready;
  };
  for (let i = 0; i < most - 1; i++) {
    writer.write(text(String(i)));
    assert.strictEqual(await settled(), true, `after ${i + 1}`);
  }
  writer.write(text('one more'));
  assert.strictEqual(await settled(), false);
  await writer.ready;
  wt.close();
});

test('stats: before, at the end, after, of a session that has failed', async () => {
  const [wt] = await dial('/echo');
  const [a, b] = await Promise.all([wt.getStats(), wt.getStats()]);
  assert.notStrictEqual(wt.getStats(), wt.getStats());
  assert.ok(a.packetsSent > 0 && b.packetsSent >= a.packetsSent);
  const at = wt.getStats();
  wt.close();
  assert.ok((await at).bytesSent > 0 && (await wt.getStats()).bytesSent > 0);
  const [closed] = await dial('/close?code=42');
  assert.strictEqual((await closed.closed).closeCode, 42);
  assert.ok((await closed.getStats()).datagrams);
  const none = new WebTransport('https://127.0.0.1:1/', { tls: { rejectUnauthorized: false } });
  for (let i = 0; i < 2; i++) await assert.rejects(none.getStats(), { name: 'InvalidStateError', code: 11 });
});

test('port 0', async () => {
  const wt = new WebTransport('https://127.0.0.1:0/');
  const e = await wt.ready.catch((e) => e);
  assert.ok(e instanceof WebTransportError && e.source === 'session' && e.streamErrorCode === null);
  assert.strictEqual(await wt.closed.catch((e) => e), e);
});

test('the server ends', () => server.stop());

await run();
