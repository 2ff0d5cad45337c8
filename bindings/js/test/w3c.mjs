// The class of the W3C's text, section by section. Names in quotes are those of its sections.

import assert from 'node:assert';
import {
  serveWebTransport, WebTransport, WebTransportBidirectionalStream, WebTransportDatagramsWritable, WebTransportError, WebTransportReceiveStream, WebTransportSendGroup,
  WebTransportSendStream, WebTransportWriter,
} from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const serve = (webtransport, more = {}) => serveWebTransport({ hostname: '127.0.0.1', webtransport, ...more });
const text = (s) => new TextEncoder().encode(s);
const string = (b) => new TextDecoder().decode(b);

function dial(server, options = {}, path = '/') {
  return new WebTransport(`${server.url.origin}${path}`, { serverCertificateHashes: [{ algorithm: 'SHA-256', value: Buffer.from(server.certificateHash, 'hex') }], ...options });
}

/** within has a server, a session, and both of them closed in the end. */
async function within(webtransport, f, options, more) {
  const sessions = [];
  const server = serve({ ...webtransport, open: (session, request) => { sessions.push(session); return webtransport.open?.(session, request); } }, more);
  const wt = dial(server, options);
  try {
    await wt.ready;
    await eventually(() => sessions.length > 0);
    await f(wt, sessions[0], server);
  } finally {
    wt.close();
    await server.stop();
  }
}

async function readAll(readable) {
  const parts = [];
  for (const reader = readable.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

test('Constructor: URLs, protocols, headers', async () => {
  const syntax = { name: 'SyntaxError', code: 12 };
  for (const url of [null, '', 'no-scheme', 'http://localhost/', 'quic-transport://localhost/', 'https:///', 'https://localhost/#', 'https://localhost/#part', 'https://localhost:99999/']) {
    assert.throws(() => new WebTransport(url), syntax, String(url));
  }
  for (const protocols of [[''], ['\u8aa4'], ['a', 'a'], ['a'.repeat(513)]]) assert.throws(() => new WebTransport('https://localhost/', { protocols }), syntax);
  assert.throws(() => WebTransport('https://localhost/'), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', 7), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { congestionControl: 'best' }), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { datagramsReadableType: 'byob' }), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { headers: { 'WT-Available-Protocols': '"a"' } }), TypeError);
  assert.throws(() => new WebTransport('https://localhost/', { serverCertificateHashes: [{ value: new Uint8Array(32) }] }), TypeError);
  for (const wish of ['default', 'throughput', 'low-latency']) {
    await within({}, async (wt) => assert.strictEqual(wt.congestionControl, 'default'), { congestionControl: wish, requireUnreliable: true });
  }
});

test('WebTransport: protocol, responseHeaders, reliability', async () => {
  await within({
    protocols: ['b', 'a'],
    open: (session, { headers }) => session.accept({ headers: { 'x-token': headers.get('x-token'), 'x-list': 'one' } }),
  }, async (wt) => {
    assert.deepStrictEqual([wt.protocol, wt.reliability, WebTransport.supportsReliableOnly], ['a', 'supports-unreliable', false]);
    const headers = wt.responseHeaders;
    assert.strictEqual(headers, wt.responseHeaders);
    assert.ok(headers instanceof Headers);
    assert.deepStrictEqual([headers.get('x-token'), headers.get('x-list'), headers.get('wt-protocol')], ['t', 'one', null]);
    for (const change of [() => headers.set('x', 'y'), () => headers.append('x', 'y'), () => headers.delete('x-token')]) assert.throws(change, TypeError);
  }, { protocols: ['a', 'b', 'c'], headers: { 'x-token': 't' } });
  await within({}, async (wt) => assert.strictEqual(wt.protocol, ''), { protocols: ['a'] });
});

test('WebTransport: members are those of Web IDL', async () => {
  for (const [c, ...names] of [
    [WebTransport, 'ready', 'closed', 'draining', 'datagrams', 'protocol', 'responseHeaders', 'reliability', 'congestionControl', 'getStats', 'exportKeyingMaterial', 'close',
      'createBidirectionalStream', 'createUnidirectionalStream', 'createSendGroup', 'incomingBidirectionalStreams', 'incomingUnidirectionalStreams',
      'anticipatedConcurrentIncomingUnidirectionalStreams', 'anticipatedConcurrentIncomingBidirectionalStreams'],
    [WebTransportWriter, 'atomicWrite', 'commit'], [WebTransportSendStream, 'sendGroup', 'sendOrder', 'getStats', 'getWriter'], [WebTransportReceiveStream, 'getStats'],
    [WebTransportBidirectionalStream, 'readable', 'writable'], [WebTransportError, 'source', 'streamErrorCode'], [WebTransportSendGroup, 'getStats'],
    [WebTransportDatagramsWritable, 'sendGroup', 'sendOrder'],
  ]) {
    for (const name of names) assert.strictEqual(Object.getOwnPropertyDescriptor(c.prototype, name)?.enumerable, true, `${c.name}.${name}`);
    assert.strictEqual(c.prototype[Symbol.toStringTag], c.name);
  }
  await within({}, async (wt) => {
    assert.strictEqual(String(wt), '[object WebTransport]');
    for (const name of ['ready', 'closed', 'draining', 'datagrams', 'incomingBidirectionalStreams', 'incomingUnidirectionalStreams']) assert.strictEqual(wt[name], wt[name], name);
    assert.throws(() => { 'use strict'; wt.ready = 1; }, TypeError);
  });
});

test('exportKeyingMaterial', async () => {
  await within({}, async (wt, session) => {
    const both = async (...args) => {
      const [a, b] = await Promise.all([wt.exportKeyingMaterial(...args), session.exportKeyingMaterial(...args)]);
      assert.ok(a instanceof Uint8Array);
      assert.deepStrictEqual([...a], [...b]);
      return Buffer.from(a).toString('hex');
    };
    const [first, ...others] = [await both(text('a'), text('bc'), 32), await both(text('ab'), text('c'), 32), await both(new ArrayBuffer(0), new DataView(new ArrayBuffer(2)), 32), await both(text('a'), text('bc'), 8160)];
    assert.strictEqual(first.length, 64);
    assert.strictEqual(new Set([first, ...others]).size, 4);
    assert.notStrictEqual(await wt.exportKeyingMaterial(text('a'), text('bc'), 32), await wt.exportKeyingMaterial(text('a'), text('bc'), 32));
    const large = new Uint8Array(256), none = new Uint8Array(0);
    for (const args of [[large, none, 32], [none, large, 32], [none, none, 0], [none, none, 8161], [none, none, 2 ** 32]]) await assert.rejects(wt.exportKeyingMaterial(...args), RangeError);
    await assert.rejects(wt.exportKeyingMaterial('a', none, 32), TypeError);
    wt.close();
    await assert.rejects(wt.exportKeyingMaterial(none, none, 32), { name: 'InvalidStateError' });
  });
});

test('exportKeyingMaterial: asked for before the session is there, or with one that fails', async () => {
  const server = serve({ open: (session, { path }) => path === '/no' ? new Response(null, { status: 404 }) : undefined });
  const none = new Uint8Array(0);
  const wt = dial(server), early = wt.exportKeyingMaterial(none, none, 16);
  assert.strictEqual((await early).length, 16);
  const refused = dial(server, {}, '/no');
  await assert.rejects(refused.exportKeyingMaterial(none, none, 16), { name: 'InvalidStateError' });
  wt.close();
  await server.stop();
});

test('createBidirectionalStream, createUnidirectionalStream: no credit, waitUntilAvailable', async () => {
  const held = [];
  await within({ stream: (session, stream) => { held.push(stream); } }, async (wt) => {
    const mine = [];
    for (;;) {
      try {
        mine.push((await wt.createUnidirectionalStream()).getWriter());
      } catch (e) {
        assert.ok(e instanceof DOMException);
        assert.strictEqual(e.name, 'QuotaExceededError');
        break;
      }
      assert.ok(mine.length <= 10, 'no limit');
      mine.at(-1).write(text('x'));
    }
    assert.ok(mine.length > 0);
    let available = false;
    const waiting = wt.createUnidirectionalStream({ waitUntilAvailable: true }).then((s) => { available = true; return s; });
    await eventually(() => held.length === mine.length);
    assert.strictEqual(available, false);
    await mine[0].abort();
    await held[0].readable.cancel().catch(() => {});
    for (const s of mine.slice(1)) s.abort();
    for (const s of held.slice(1)) s.readable.cancel().catch(() => {});
    assert.ok(await waiting instanceof WebTransportSendStream);
    assert.ok((await wt.createBidirectionalStream()) instanceof WebTransportBidirectionalStream);
  }, {}, { maxUniStreams: 3 });
});

test('createSendGroup, sendGroup and sendOrder', async () => {
  await within({}, async (wt, session) => {
    const group = wt.createSendGroup(), theirs = session.createSendGroup();
    const stream = await wt.createUnidirectionalStream({ sendGroup: group, sendOrder: '5' });
    assert.ok(group instanceof WebTransportSendGroup);
    assert.deepStrictEqual([stream.sendGroup, stream.sendOrder], [group, 5]);
    await assert.rejects(wt.createUnidirectionalStream({ sendGroup: theirs }), TypeError);
    await assert.rejects(wt.createBidirectionalStream({ sendGroup: {} }), TypeError);
    assert.throws(() => wt.datagrams.createWritable({ sendGroup: theirs }), TypeError);
    const datagrams = wt.datagrams.createWritable({ sendGroup: group, sendOrder: 2 });
    assert.deepStrictEqual([datagrams.sendGroup, datagrams.sendOrder], [group, 2]);
    for (const of of [stream, datagrams]) {
      assert.throws(() => { of.sendGroup = theirs; }, { name: 'InvalidStateError' });
      assert.throws(() => { of.sendGroup = 7; }, TypeError);
      of.sendGroup = null;
      assert.strictEqual(of.sendGroup, null);
      // long long: Web IDL, 3.2.4.7
      for (const [given, kept] of [[null, 0], ['first', 0], [3.9, 3], [-3.9, -3], [Infinity, 0], [2 ** 64 + 2 ** 20, 2 ** 20], [-(2 ** 63), -(2 ** 63)]]) {
        of.sendOrder = given;
        assert.strictEqual(of.sendOrder, kept);
      }
      assert.throws(() => { of.sendOrder = 1n; }, TypeError);
    }
  });
});

test('close: the reason is kept whole here, and cut in whole characters on its way', async () => {
  const closed = deferred();
  await within({ close: (session, code, reason) => closed.resolve([code, reason]) }, async (wt) => {
    const reason = 'あ\ud800'.repeat(600);
    wt.close({ closeCode: 2 ** 32 + 7, reason });
    assert.deepStrictEqual(await wt.closed, { closeCode: 7, reason: 'あ\ufffd'.repeat(600) });
    assert.deepStrictEqual(await closed.promise, [7, 'あ\ufffd'.repeat(170) + 'あ']);
    assert.throws(() => wt.createSendGroup(), { name: 'InvalidStateError' });
    assert.throws(() => wt.datagrams.createWritable(), { name: 'InvalidStateError' });
    wt.close({ closeCode: 8 });
    assert.strictEqual((await wt.closed).closeCode, 7);
  });
});

test('cleanup: what becomes of streams and datagrams', async () => {
  await within({ stream() {} }, async (wt) => {
    const stream = await wt.createBidirectionalStream(), writer = stream.writable.getWriter();
    const first = wt.datagrams.createWritable(), held = wt.datagrams.createWritable().getWriter();
    const reads = [wt.datagrams.readable, wt.incomingBidirectionalStreams, wt.incomingUnidirectionalStreams].map((r) => r.getReader().read());
    const reading = stream.readable.getReader().read();
    reading.catch(() => {});
    writer.closed.catch(() => {});
    wt.close();
    await assert.rejects(reading, { name: 'AbortError' });
    await assert.rejects(writer.closed, { name: 'AbortError' });
    for (const r of await Promise.all(reads)) assert.strictEqual(r.done, true);
    await held.closed;
    await first.getWriter().closed;
    assert.deepStrictEqual(await wt.closed, { closeCode: 0, reason: '' });
  });
  const server = serve({});
  const wt = dial(server);
  await wt.ready;
  const writer = wt.datagrams.createWritable().getWriter(), reading = wt.datagrams.readable.getReader().read();
  for (const p of [writer.closed, reading]) p.catch(() => {});
  await server.stop(); // the connection ends, and no session is closed
  const e = await wt.closed.catch((e) => e);
  assert.ok(e instanceof WebTransportError && e.source === 'session' && e.streamErrorCode === null);
  for (const p of [writer.closed, reading]) assert.strictEqual(await p.catch((e) => e), e);
});

test('getStats', async () => {
  await within({}, async (wt) => {
    const a = await wt.getStats(), b = await wt.getStats();
    for (const name of ['bytesSent', 'bytesReceived', 'packetsSent', 'packetsReceived', 'bytesLost', 'packetsLost']) assert.ok(a[name] >= 0 && b[name] >= a[name], name);
    assert.ok(a.minRtt > 0 && a.smoothedRtt >= a.minRtt && a.rttVariation >= 0 && (a.estimatedSendRate === null || a.estimatedSendRate > 0));
    assert.strictEqual(typeof a.atSendCapacity, 'boolean');
    assert.deepStrictEqual(a.datagrams, { droppedIncoming: 0, expiredIncoming: 0, expiredOutgoing: 0, droppedOutgoing: 0 });
    for (const absent of ['bytesSentOverhead', 'bytesAcknowledged']) assert.ok(!(absent in a), absent);
  });
  const server = serve({});
  const pooled = new WebTransport(server.url, { allowPooling: true, tls: { rejectUnauthorized: false } });
  const stats = await pooled.getStats(); // asked for while it is connecting
  assert.deepStrictEqual(Object.keys(stats).sort(), ['atSendCapacity', 'datagrams', 'estimatedSendRate', 'minRtt', 'rttVariation', 'smoothedRtt']);
  assert.deepStrictEqual(stats.datagrams, {});
  pooled.close();
  await server.stop();
});

test('WebTransportDatagramDuplexStream: attributes', async () => {
  await within({}, async (wt) => {
    const d = wt.datagrams;
    for (const name of ['incomingMaxAge', 'outgoingMaxAge']) {
      assert.strictEqual(d[name], null);
      for (const [given, kept] of [[5.5, 5.5], [0, null], [Infinity, Infinity], [null, null]]) {
        d[name] = given;
        assert.strictEqual(d[name], kept);
      }
      for (const bad of [-1, NaN, 'x']) assert.throws(() => { d[name] = bad; }, RangeError);
    }
    for (const name of ['incomingMaxBufferedDatagrams', 'outgoingMaxBufferedDatagrams']) {
      assert.ok(d[name] >= 1);
      for (const [given, kept] of [[5, 5], [0, 1], [0.5, 1], [NaN, 1], [-1, 2 ** 32 - 1], [2 ** 32 + 3, 3]]) { // unsigned long
        d[name] = given;
        assert.strictEqual(d[name], kept);
      }
    }
    for (const name of ['incomingHighWaterMark', 'outgoingHighWaterMark']) { // of an earlier text
      d[name] = 0.5;
      assert.strictEqual(d[name], 1);
      for (const bad of [-1, NaN]) assert.throws(() => { d[name] = bad; }, RangeError);
    }
    assert.ok(Number.isInteger(d.maxDatagramSize) && d.maxDatagramSize > 0);
  });
});

test('receiveDatagrams: the oldest are dropped, and those that have waited for too long', async () => {
  await within({}, async (wt, session) => {
    const figures = async () => (await wt.getStats()).datagrams;
    wt.datagrams.incomingMaxBufferedDatagrams = 4;
    let sent = 0;
    for (let dropped = 0; dropped === 0; dropped = (await figures()).droppedIncoming) {
      for (let i = 0; i < 16; i++) session.sendDatagram(String(sent++));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok((await figures()).droppedIncoming <= sent - 4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    wt.datagrams.incomingMaxAge = 50; // less than the four have waited
    const reader = wt.datagrams.readable.getReader();
    let got;
    const read = reader.read().then(({ value }) => { got = string(value); });
    await eventually(() => { if (!got) session.sendDatagram('fresh'); return got; });
    await read;
    assert.strictEqual(got, 'fresh');
    assert.ok((await figures()).expiredIncoming >= 4);
  });
});

test('sendDatagrams: those that wait for the session, and have for too long', async () => {
  const got = [];
  const server = serve({ open: (session, { path }) => new Promise((resolve) => setTimeout(resolve, path === '/slow' ? 200 : 0)), datagram: (session, b) => { got.push(string(b)); } });
  const wt = dial(server, {}, '/slow');
  wt.datagrams.outgoingMaxAge = 50;
  const writer = wt.datagrams.createWritable().getWriter();
  await writer.write(text('too old'));
  await wt.ready;
  await eventually(() => { wt.sendDatagram('new'); return got.includes('new'); });
  assert.ok(!got.includes('too old'));
  assert.strictEqual((await wt.getStats()).datagrams.expiredOutgoing, 1);
  const prompt = dial(server);
  prompt.sendDatagram('early');
  await prompt.ready;
  await eventually(() => { if (!got.includes('early')) prompt.sendDatagram('early'); return got.includes('early'); });
  assert.strictEqual((await prompt.getStats()).datagrams.expiredOutgoing, 0);
  wt.close();
  prompt.close();
  await server.stop();
});

test('datagramsReadableType: bytes', async () => {
  await within({}, async (wt, session) => {
    const read = async (reader, view) => {
      let got;
      const reading = reader.read(view).then((r) => { got = r; }, (e) => { got = e; });
      await eventually(() => { if (!got) session.sendDatagram('twelve bytes'); return got; });
      await reading;
      return got;
    };
    let reader = wt.datagrams.readable.getReader({ mode: 'byob' });
    const { value } = await read(reader, new Uint8Array(64));
    assert.deepStrictEqual([string(value), value.buffer.byteLength], ['twelve bytes', 64]);
    reader.releaseLock();
    reader = wt.datagrams.readable.getReader();
    assert.strictEqual(string((await read(reader)).value), 'twelve bytes');
    reader.releaseLock();
    reader = wt.datagrams.readable.getReader({ mode: 'byob' });
    assert.ok(await read(reader, new Uint8Array(11)) instanceof RangeError); // it is not divided
    await assert.rejects(reader.closed, RangeError);
  }, { datagramsReadableType: 'bytes' });
  await within({}, async (wt) => assert.throws(() => wt.datagrams.readable.getReader({ mode: 'byob' }), TypeError));
});

test('WebTransportSendStream: stats, what cannot be written', async () => {
  await within({ stream: (session, { readable }) => { readAll(readable).catch(() => {}); } }, async (wt) => {
    const stream = await wt.createUnidirectionalStream(), writer = stream.getWriter();
    assert.ok(stream instanceof WritableStream && writer instanceof WebTransportWriter && writer instanceof WritableStreamDefaultWriter);
    await writer.write(new Uint8Array(0));
    await writer.write(new Uint16Array([1, 2]).subarray(1));
    await writer.write(new ArrayBuffer(5));
    const { bytesWritten, bytesSent } = await stream.getStats();
    assert.deepStrictEqual([bytesWritten, bytesSent <= bytesWritten], [7, true]);
    await assert.rejects(writer.write('text'), TypeError);
    await assert.rejects(writer.closed, TypeError);
  });
});

test('commit: what was committed arrives in spite of an abort', async () => {
  const got = deferred();
  await within({
    async stream(session, { readable }) {
      const parts = [], reader = readable.getReader();
      try {
        for (;;) parts.push((await reader.read()).value);
      } catch (e) {
        got.resolve([Buffer.concat(parts), e]);
      }
    },
  }, async (wt) => {
    const writer = (await wt.createUnidirectionalStream()).getWriter(), kept = Buffer.alloc(150_000, 'kept.');
    assert.strictEqual(writer.commit(), undefined);
    await writer.write(kept);
    writer.commit();
    writer.write(Buffer.alloc(50_000, 'lost.'));
    await writer.abort(new WebTransportError('', { streamErrorCode: 77 }));
    writer.commit(); // means nothing any more
    const [bytes, e] = await got.promise;
    assert.ok(bytes.subarray(0, kept.length).equals(kept), `${bytes.length} bytes`);
    assert.deepStrictEqual([e.source, e.streamErrorCode], ['stream', 77]);
    const released = (await wt.createUnidirectionalStream()).getWriter();
    released.releaseLock();
    assert.throws(() => released.commit(), TypeError);
    assert.throws(() => new WebTransportWriter(new WritableStream()), TypeError);
  });
});

test('commit: for a reader that is slow as well', async () => {
  let theirs;
  await within({ stream: (session, stream) => { theirs = stream; } }, async (wt) => {
    const writer = (await wt.createUnidirectionalStream()).getWriter();
    await writer.write(text('kept'));
    writer.commit();
    await writer.abort(new WebTransportError('', { streamErrorCode: 3 }));
    await eventually(() => theirs);
    const { readable } = theirs;
    await new Promise((resolve) => setTimeout(resolve, 100)); // long enough for the reset to come, as a rule
    const reader = readable.getReader();
    assert.strictEqual(string((await reader.read()).value), 'kept');
    await assert.rejects(reader.read(), (e) => e.streamErrorCode === 3);
  });
});

test('atomicWrite: all or nothing, and what waits behind it', async () => {
  let theirs;
  await within({ stream: (session, stream) => { theirs = stream.readable; } }, async (wt) => {
    const writer = (await wt.createUnidirectionalStream()).getWriter(), large = new Uint8Array(8 << 20);
    await writer.atomicWrite(text('a'));
    const refused = [writer.atomicWrite(large), writer.atomicWrite(text('not this')), writer.atomicWrite(text('nor this'))];
    for (const p of refused) await assert.rejects(p, { name: 'AbortError' });
    await writer.atomicWrite(text('b'));
    await writer.close();
    assert.strictEqual(string(await readAll(theirs)), 'ab');
    const other = (await wt.createUnidirectionalStream()).getWriter();
    const atomic = other.atomicWrite(large), plain = other.write(text('no atomic write'));
    plain.catch(() => {});
    await assert.rejects(atomic, { name: 'AbortError' });
    await assert.rejects(plain, { name: 'AbortError' });
    await assert.rejects(other.closed, { name: 'AbortError' });
    await assert.rejects((await wt.createUnidirectionalStream()).getWriter().atomicWrite(), TypeError);
  });
});

test('WebTransportReceiveStream: stats, buffers of one\'s own', async () => {
  await within({}, async (wt, session) => {
    const writer = (await session.createUnidirectionalStream()).getWriter();
    await writer.write(text('0123456789'));
    const { value: stream } = await wt.incomingUnidirectionalStreams.getReader().read();
    assert.ok(stream instanceof WebTransportReceiveStream && stream instanceof ReadableStream);
    const reader = stream.getReader({ mode: 'byob' });
    const { value } = await reader.read(new Uint8Array(4));
    assert.strictEqual(string(value), '0123');
    assert.deepStrictEqual(await stream.getStats(), { bytesReceived: 10, bytesRead: 4 });
    await writer.close();
    assert.strictEqual(string((await reader.read(new Uint8Array(10))).value), '456789');
    assert.strictEqual((await reader.read(new Uint8Array(1))).done, true);
  });
});

test('incoming streams: one that was reset before it was asked for is not seen', async () => {
  await within({}, async (wt, session) => {
    const first = await session.createUnidirectionalStream(), second = await session.createUnidirectionalStream();
    await first.abort(new WebTransportError('', { streamErrorCode: 5 }));
    await second.getWriter().write(text('second'));
    await new Promise((resolve) => setTimeout(resolve, 100)); // so that both have come, as a rule
    const { value } = await wt.incomingUnidirectionalStreams.getReader().read();
    assert.strictEqual(string((await value.getReader().read()).value), 'second');
  });
});

test('WebTransportError', () => {
  const e = new WebTransportError('text', { streamErrorCode: 1.5, source: 'stream' });
  assert.ok(e instanceof DOMException && e instanceof Error);
  assert.deepStrictEqual([e.name, e.message, e.code, e.source, e.streamErrorCode], ['WebTransportError', 'text', 0, 'stream', 2]);
  const codes = [undefined, null, -1, 2 ** 40, NaN].map((streamErrorCode) => new WebTransportError('', { streamErrorCode }).streamErrorCode);
  assert.deepStrictEqual(codes, [null, null, 0, 0xffffffff, 0]); // [Clamp]
  assert.throws(() => new WebTransportError('', { source: 'elsewhere' }), TypeError);
  assert.throws(() => WebTransportError(), TypeError);
});

test('WebTransportOptions: as many streams as are anticipated', async () => {
  await within({}, async (wt, session) => {
    const streams = await Promise.all(Array.from({ length: 150 }, () => session.createUnidirectionalStream()));
    assert.strictEqual(streams.length, 150);
  }, { anticipatedConcurrentIncomingUnidirectionalStreams: 200 });
});

await run();
