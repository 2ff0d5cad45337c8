// quic(), by both ways of handling events.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { GodwitError, quic } from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

/** echo is a server that sends back what comes on each stream. */
function echo(more = {}) {
  const kept = new Map(); // what waits for room, by stream
  const send = (stream) => {
    const list = kept.get(stream) ?? [];
    while (list.length > 0) {
      const n = stream.write(list[0]);
      if (n < list[0].length) {
        list[0] = list[0].subarray(n);
        return;
      }
      list.shift();
    }
    if (list.ended) stream.end();
  };
  return quic({
    hostname: '127.0.0.1', port: 0, server: true,
    open: (stream) => kept.set(stream, []),
    data(stream, b) {
      kept.get(stream).push(b);
      send(stream);
    },
    drain: send,
    end(stream) {
      kept.get(stream).ended = true;
      send(stream);
    },
    close: (stream) => kept.delete(stream),
    datagram: (socket, b) => socket.sendDatagram(b),
    ...more,
  });
}

/** dial is a client by streams; on a stream, data and end are functions of its data. */
function dial(port, more = {}) {
  return quic({
    hostname: '127.0.0.1', port,
    data: (stream, b) => stream.data?.data?.(b),
    drain: (stream) => stream.data?.drain?.(),
    end: (stream) => stream.data?.end?.(),
    close: (stream) => stream.data?.close?.(),
    ...more,
  });
}

/** exchange sends bytes on a stream and returns what came back. */
function exchange(client, bytes) {
  const got = [], d = deferred();
  let at = 0;
  const send = () => {
    at += stream.write(bytes.subarray(at));
    if (at === bytes.length) stream.end();
  };
  const stream = client.stream({
    data: (b) => got.push(b), drain: send, end: () => d.resolve(Buffer.concat(got)),
    close: () => d.reject(new Error(`closed after ${at} of ${bytes.length} bytes`)),
  });
  send();
  return d.promise;
}

const sha = (b) => createHash('sha256').update(b).digest('hex');

test('wrong options are named', () => {
  assert.throws(() => quic(), TypeError);
  assert.throws(() => quic('invalid'), TypeError);
  assert.throws(() => quic({ port: 70000 }), /port/);
  assert.throws(() => quic({ port: 1, message: 3 }), /message/);
  assert.throws(() => quic({ server: 'yes' }), /server/);
  assert.throws(() => quic({ server: true, port: 0, tls: { cert: 7 } }), /tls\.cert/);
  assert.throws(() => quic({ server: true, port: 0, tls: { cert: 'no PEM', key: 'no PEM' } }), TypeError);
  assert.throws(() => quic({ reconnect: { retries: -1 } }), /reconnect\.retries/);
});

test('without host and port nothing is connected', () => {
  const socket = quic({ open() {}, message() {}, close() {}, error() {} });
  assert.strictEqual(socket.readyState, 'open');
  assert.strictEqual(socket.streamCount, 0);
  assert.strictEqual(typeof socket.connect, 'function');
  socket.close();
  socket.close();
  assert.strictEqual(socket.readyState, 'closed');
});

test('by socket: messages there and back, states, figures', async () => {
  const connected = deferred(), message = deferred(), opened = deferred(), closed = deferred();
  const server = quic({
    hostname: 'localhost', port: 0, server: true,
    open: (s) => opened.resolve(s.port), connection: (s) => connected.resolve([s.streamCount, s.isServer]),
    message: (s, data) => s.write(`Echo: ${data}`), close() {}, error() {},
  });
  assert.ok(server.port > 0);
  assert.strictEqual(server.isServer, true);
  const client = quic({
    hostname: 'localhost', port: server.port, data: { test: true },
    open(s) {
      assert.deepStrictEqual([s.readyState, s.isServer, s.serverName, s.streamCount], ['open', false, 'localhost', 0]);
      assert.strictEqual(s.write('Hello'), 5);
    },
    message: (s, data) => message.resolve([String(data), s.stats.bytesReceived]),
    close: () => closed.resolve(), error: (s, e) => message.reject(e),
  });
  assert.strictEqual(client.readyState, 'open');
  assert.deepStrictEqual(client.data, { test: true });
  assert.strictEqual(await opened.promise, server.port);
  assert.deepStrictEqual(await connected.promise, [0, true]);
  assert.deepStrictEqual(await message.promise, ['Echo: Hello', 11]);
  const { bytesSent, isConnected, has0RTT } = client.stats;
  assert.deepStrictEqual([bytesSent, isConnected, has0RTT], [5, true, false]);
  client.close();
  assert.strictEqual(client.readyState, 'closed');
  await closed.promise;
  server.close();
  assert.strictEqual(server.readyState, 'closed');
});

test('by stream: streams of both sides, their data and IDs', async () => {
  const server = echo();
  const socketOpen = deferred(), opened = [];
  const client = dial(server.port, { socketOpen: (s) => socketOpen.resolve(s), open: (stream) => opened.push(stream.id) });
  const early = exchange(client, Buffer.from('early'));
  assert.strictEqual(await socketOpen.promise, client);
  const ids = [client.stream(), client.stream(), client.stream(undefined, { unidirectional: true })].map((s) => s.id);
  assert.deepStrictEqual(ids, [4, 8, 2]);
  assert.strictEqual(String(await early), 'early');
  assert.strictEqual(String(await exchange(client, Buffer.from('later'))), 'later');
  await eventually(() => opened.length === 5);
  client.close();
  server.close();
});

test('bytes: 64 KiB and 10 MiB there and back', async () => {
  const server = echo(), client = dial(server.port);
  for (const size of [64 << 10, 10 << 20]) {
    const bytes = randomBytes(size);
    assert.strictEqual(sha(await exchange(client, bytes)), sha(bytes));
  }
  client.close();
  server.close();
});

test('10 and 1000 streams at once', async () => {
  const server = echo(), client = dial(server.port);
  for (const n of [10, 1000]) {
    const sent = Array.from({ length: n }, (_, i) => Buffer.from(`stream ${i} `.repeat(1 + i % 50)));
    const got = await Promise.all(sent.map((b) => exchange(client, b)));
    got.forEach((b, i) => assert.strictEqual(String(b), String(sent[i])));
  }
  await eventually(() => client.streamCount === 0);
  client.close();
  server.close();
});

test('100 clients are apart', async () => {
  let connections = 0;
  const server = echo({ connection: () => connections++ });
  const clients = Array.from({ length: 100 }, () => dial(server.port));
  const got = await Promise.all(clients.map((c, i) => exchange(c, Buffer.from(`client ${i}`))));
  got.forEach((b, i) => assert.strictEqual(String(b), `client ${i}`));
  assert.strictEqual(connections, 100);
  clients.forEach((c) => c.close());
  server.close();
});

test('datagrams', async () => {
  const server = echo(), got = deferred();
  const client = dial(server.port, { socketOpen: (s) => s.sendDatagram('datagram'), datagram: (s, b) => got.resolve(String(b)) });
  assert.strictEqual(await got.promise, 'datagram');
  client.close();
  server.close();
});

test('web streams', async () => {
  const server = echo(), client = dial(server.port);
  const stream = client.stream(), bytes = randomBytes(3 << 20);
  const writer = stream.writable.getWriter();
  const sent = (async () => {
    for (let at = 0; at < bytes.length; at += 100_000) await writer.write(bytes.subarray(at, at + 100_000));
    await writer.close();
  })();
  const got = [];
  for await (const b of stream.readable) got.push(b);
  await sent;
  assert.strictEqual(sha(Buffer.concat(got)), sha(bytes));
  client.close();
  server.close();
});

test('what the reader of a web stream does not take is kept back', async () => {
  const much = Buffer.alloc(8 << 20);
  const server = quic({
    hostname: '127.0.0.1', port: 0, server: true,
    data(stream, b) {
      if (String(b) !== 'much') return stream.write(b);
      stream.data = stream.write(much);
      return undefined;
    },
    drain: (stream) => { stream.data += stream.write(much.subarray(stream.data)); },
  });
  const client = dial(server.port), stream = client.stream(), reader = stream.readable.getReader();
  for (let i = 0; i < 200; i++) { // each of which must not allow more than itself
    stream.write('x');
    assert.strictEqual((await reader.read()).value.length, 1);
  }
  stream.write('much');
  await eventually(() => stream.bytesReceived > 1000);
  for (let i = 0; i < 50; i++) {
    const d = deferred();
    client.stream({ data: d.resolve }).write('x');
    await d.promise;
  }
  assert.ok(stream.bytesReceived < 1 << 20, `${stream.bytesReceived} bytes`);
  client.close();
  server.close();
});

test('a small window, and a large one', async () => {
  for (const window of [1024, 20_000, 1 << 20]) {
    const server = echo({ window }), client = dial(server.port, { window }), bytes = randomBytes(300_000);
    assert.strictEqual(sha(await exchange(client, bytes)), sha(bytes), `window ${window}`);
    client.close();
    server.close();
  }
});

test('nobody is there', async () => {
  const err = deferred(), closed = deferred();
  quic({ hostname: '127.0.0.1', port: 9, open: () => err.reject(new Error('open')), message() {}, error: (s, e) => err.resolve(e), close: () => closed.resolve() });
  const e = await err.promise;
  assert.ok(e instanceof GodwitError);
  assert.strictEqual(e.code, 'ECONNREFUSED');
  await closed.promise;
});

test('an address in use', () => {
  const server = echo();
  assert.throws(() => quic({ hostname: '127.0.0.1', port: server.port, server: true }), { code: 'EADDRINUSE' });
  server.close();
});

test('a reset, codes, and closes in every order', async () => {
  const ended = deferred(), told = deferred();
  const server = quic({
    hostname: '127.0.0.1', port: 0, server: true, data() {},
    open: (stream) => stream.close(7), error: (s, e) => told.resolve(e),
  });
  const client = dial(server.port, { error: () => {} });
  client.stream({ close: () => ended.resolve() }).write('x');
  await ended.promise;
  client.close(42, 'enough');
  const e = await told.promise;
  assert.deepStrictEqual([e.kind, e.errorCode, e.remote], ['application', 42n, true]);
  server.close();
  server.close();
  client.close();
  assert.throws(() => client.stream(), GodwitError);
});

test('a server that is closed ends its connections, and its port is free', async () => {
  const server = echo(), port = server.port, gone = deferred();
  const client = dial(port, { close: () => gone.resolve() });
  client.stream().write('x');
  await eventually(() => client.isConnected);
  server.close();
  await gone.promise;
  await eventually(() => client.readyState === 'closed');
  const again = echo({ port });
  assert.strictEqual(again.port, port);
  again.close();
});

test('reconnects', async () => {
  let server = echo(), opens = 0, tries = 0;
  const port = server.port;
  const client = dial(port, { socketOpen: () => opens++, reconnecting: () => tries++, reconnect: { retries: 20, minDelay: 20, maxDelay: 50 } });
  assert.strictEqual(String(await exchange(client, Buffer.from('1'))), '1');
  server.close();
  await eventually(() => tries > 0);
  server = echo({ port });
  await eventually(() => opens === 2);
  assert.strictEqual(String(await exchange(client, Buffer.from('2'))), '2');
  client.close();
  server.close();
});

test('an exception in a callback is an uncaught one, and no more', async () => {
  const seen = [];
  const listener = (e) => seen.push(e.message);
  process.on('uncaughtException', listener);
  const server = echo(), client = dial(server.port);
  const stream = client.stream({ data: () => { throw new Error('of the callback'); } });
  stream.write('x');
  await eventually(() => seen.length > 0);
  process.off('uncaughtException', listener);
  assert.deepStrictEqual(seen, ['of the callback']);
  assert.strictEqual(String(await exchange(client, Buffer.from('still there'))), 'still there');
  client.close();
  server.close();
});

test('bytes are the caller\'s again when write returns', async () => {
  const server = echo(), client = dial(server.port);
  const sent = [], d = deferred(), got = [];
  const bytes = Buffer.alloc(1000);
  const stream = client.stream({ data: (b) => got.push(b), end: () => d.resolve(Buffer.concat(got)), drain: () => {} });
  for (let i = 0; i < 600; i++) { // the connection is not there yet, and this is more than a ring takes
    bytes.fill(i);
    sent.push(Buffer.from(bytes));
    assert.strictEqual(stream.write(bytes), 1000);
  }
  stream.end();
  bytes.fill(255);
  assert.strictEqual(sha(await d.promise), sha(Buffer.concat(sent)));
  for (let i = 0; i < 600; i++) { // a full ring, which the next call of the engine has to wait for
    bytes.fill(i);
    client.sendDatagram(bytes);
  }
  bytes.fill(255);
  client.close();
  server.close();
});

test('listening while commands wait for room', () => {
  const server = echo(), client = dial(server.port);
  for (let i = 0; i < 20; i++) client.stream().write(Buffer.alloc(256 << 10));
  const others = Array.from({ length: 3 }, () => echo());
  assert.strictEqual(new Set([server, ...others].map((s) => s.port)).size, 4);
  client.close();
  for (const s of [server, ...others]) s.close();
});

test('figures of the path', async () => {
  const server = echo(), client = dial(server.port);
  await exchange(client, Buffer.from('x'));
  const stats = await client.getStats();
  assert.ok(stats.smoothedRTT > 0 && stats.packetsSent > 0 && stats.maxDatagramSize > 1000);
  client.close();
  server.close();
});

test('a web stream may be given up while bytes come', async () => {
  const server = quic({
    hostname: '127.0.0.1', port: 0, server: true,
    data(stream, b) {
      stream.write(Buffer.alloc(200 << 10));
      if (b[0] === 1) stream.end();
    },
  });
  const client = dial(server.port);
  for (const fin of [0, 1]) {
    const stream = client.stream(), reader = stream.readable.getReader();
    stream.write(Buffer.of(fin));
    await reader.read();
    const cancelled = reader.cancel();
    for (const end = performance.now() + 100; performance.now() < end;); // in which the engine tells of more
    await cancelled;
    await client.getStats(); // behind it
  }
  client.close();
  server.close();
});

await run(); // and then the process ends by itself
