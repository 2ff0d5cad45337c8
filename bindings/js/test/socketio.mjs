// socket.io, with the real packages, at serve: by WebTransport, and polling first.

import assert from 'node:assert';
import { Server as Engine } from 'engine.io';
import { readFileSync } from 'node:fs';
import { forEngineIO, serve, WebTransport, WebTransportForEngineIO } from 'godwit';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { deferred, eventually, run, test } from './suite.mjs';

globalThis.WebTransport = WebTransportForEngineIO; // which socket.io's client looks for

const tls = { cert: readFileSync('cert.pem', 'utf8'), key: readFileSync('key.pem', 'utf8') };

function start(options = {}) {
  const io = new Server(), engine = new Engine({ transports: ['polling', 'webtransport'], ...options });
  io.bind(engine);
  const server = serve({ hostname: '127.0.0.1', tls, ...forEngineIO(engine) });
  const dial = (more) => connect(`https://localhost:${server.port}`, {
    forceNew: true, reconnection: false, ca: tls.cert, transportOptions: { webtransport: { tls: { ca: tls.cert } } }, ...more,
  });
  return { io, engine, server, dial };
}

const connected = (socket) => new Promise((resolve, reject) => {
  socket.on('connect', resolve);
  socket.on('connect_error', (e) => reject(new Error(e.message, { cause: e })));
});

test('events, acknowledgments, binary, rooms by WebTransport', async () => {
  const { io, server, dial } = start();
  const gone = deferred();
  io.on('connection', (socket) => {
    socket.on('echo', (value, answer) => answer(value));
    socket.on('join', (room, answer) => { socket.join(room); answer(); });
    socket.on('say', (room, what) => io.to(room).emit('said', what));
    socket.on('disconnect', (reason) => gone.resolve(reason));
  });
  const one = dial({ transports: ['webtransport'] }), two = dial({ transports: ['webtransport'] });
  await Promise.all([connected(one), connected(two)]);
  assert.strictEqual(one.io.engine.transport.name, 'webtransport');
  assert.strictEqual(server.sessions.size, 2);
  assert.deepStrictEqual(await one.emitWithAck('echo', { a: [1, 'zwei', null] }), { a: [1, 'zwei', null] });
  const bytes = Buffer.alloc(300_000, 'binary');
  assert.ok(Buffer.from(await one.emitWithAck('echo', bytes)).equals(bytes));
  await Promise.all([one.emitWithAck('join', 'room'), two.emitWithAck('join', 'room')]);
  const heard = new Promise((resolve) => two.once('said', resolve));
  one.emit('say', 'room', 'hello');
  assert.strictEqual(await heard, 'hello');
  one.disconnect();
  assert.match(await gone.promise, /disconnect|transport close/);
  two.disconnect();
  await eventually(() => server.sessions.size === 0);
  await io.close();
  await server.stop();
});

// Bun 1.3 serves nothing by TCP, over which clients poll.
if (!process.versions.bun?.startsWith('1.3.')) test('polling by HTTP, and from there to WebTransport', async () => {
  const { io, server, dial } = start();
  io.on('connection', (socket) => socket.on('echo', (value, answer) => answer(value)));
  const polls = dial({ transports: ['polling'] });
  await connected(polls);
  assert.strictEqual(await polls.emitWithAck('echo', 'polled'), 'polled');
  polls.disconnect();
  const socket = dial({ transports: ['polling', 'webtransport'] });
  await connected(socket);
  await eventually(() => socket.io.engine.transport.name === 'webtransport');
  assert.strictEqual(await socket.emitWithAck('echo', 'upgraded'), 'upgraded');
  socket.disconnect();
  await eventually(() => server.sessions.size === 0);
  await io.close();
  await server.stop();
});

test('a client that goes away without a word, another path, a wrong engine', async () => {
  const { io, engine, server, dial } = start({ upgradeTimeout: 200 });
  const gone = deferred();
  io.on('connection', (socket) => socket.on('disconnect', gone.resolve));
  const socket = dial({ transports: ['webtransport'] });
  await connected(socket);
  for (const s of server.sessions) s.close({ closeCode: 9 });
  await gone.promise;
  const options = { tls: { ca: tls.cert } }, url = `https://localhost:${server.port}`;
  await assert.rejects(new WebTransport(`${url}/elsewhere`, options).ready, /404/);
  const silent = new WebTransport(`${url}/socket.io/`, options); // engine.io closes it in the end
  await silent.closed;
  const bad = new WebTransport(`${url}/socket.io/`, options);
  const writer = (await bad.createBidirectionalStream()).writable.getWriter();
  await writer.write(new Uint8Array([255, 255, 255]));
  writer.close().catch(() => {});
  await bad.closed.catch(() => {});
  assert.throws(() => forEngineIO({}), TypeError);
  assert.throws(() => forEngineIO(engine, { paht: '/' }), /is path meant/);
  await io.close();
  await server.stop(false);
});

await run();
