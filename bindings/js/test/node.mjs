// serve() with listeners of Node's kind, and the frameworks that make them.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { pipeline } from 'node:stream';
import { Readable } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { Agent, serve } from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const sha = (b) => createHash('sha256').update(b).digest('hex');
const tls = { cert: readFileSync('cert.pem', 'utf8'), key: readFileSync('key.pem', 'utf8') };

/** withListener runs f with get, which asks a server of a listener. */
async function withListener(listener, f, options = {}) {
  const server = serve(listener, { hostname: '127.0.0.1', http1: false, tls, ...options });
  const agent = new Agent({ tls: { ca: tls.cert } });
  try {
    await f((path, init) => agent.fetch(new URL(path, server.url), { protocol: 'http3', ...init }), server);
  } finally {
    await agent.destroy();
    await server.stop(false);
  }
}

test('req and res', () => withListener((req, res) => {
  assert.ok(req instanceof http.IncomingMessage && res instanceof http.ServerResponse && req instanceof Readable);
  const parts = [];
  req.on('data', (b) => parts.push(b));
  req.on('end', () => {
    res.statusCode = 201;
    res.setHeader('X-A', 'b');
    res.setHeader('Set-Cookie', ['c=1', 'd=2']);
    assert.deepStrictEqual([res.getHeader('x-a'), res.hasHeader('X-B'), res.getHeaderNames(), res.headersSent], ['b', false, ['x-a', 'set-cookie'], false]);
    res.end(JSON.stringify({ method: req.method, url: req.url, host: req.headers.host, text: String(Buffer.concat(parts)), ip: req.socket.remoteAddress, secure: req.socket.encrypted, complete: req.complete, version: req.httpVersion }));
    assert.deepStrictEqual([res.headersSent, res.writableEnded, res.finished], [true, true, true]);
    assert.throws(() => res.setHeader('x', 'y'), { code: 'ERR_HTTP_HEADERS_SENT' });
  });
}, async (get, server) => {
  const r = await get('/p?q=1', { method: 'POST', body: 'content' });
  assert.deepStrictEqual([r.status, r.headers.get('x-a'), r.headers.getSetCookie()], [201, 'b', ['c=1', 'd=2']]);
  assert.deepStrictEqual(await r.json(), { method: 'POST', url: '/p?q=1', host: server.url.host, text: 'content', ip: '127.0.0.1', secure: true, complete: true, version: '3.0' });
  assert.strictEqual(await (await get('/', { method: 'HEAD' })).text(), '');
}));

test('streams: pipe, pipeline, backpressure, flushing', async () => {
  const flushed = deferred();
  let produced = 0;
  await withListener((req, res) => {
    if (req.url === '/echo') return void req.pipe(res);
    if (req.url === '/pipeline') return void pipeline(req, res, () => {});
    if (req.url === '/flush') {
      res.writeHead(200, 'as one likes', { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      return void flushed.promise.then(() => res.end('later'));
    }
    if (req.url === '/hints') {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.addTrailers({ 'x-end': 'yes' });
      return void res.end('hinted');
    }
    return void pipeline(Readable.from((function* () { for (; produced < 512; produced++) yield Buffer.alloc(64 << 10); })()), res, () => {});
  }, async (get) => {
    for (const path of ['/echo', '/pipeline']) {
      for (const size of [0, 1, 5 << 20]) {
        const body = randomBytes(size);
        assert.strictEqual(sha(Buffer.from(await (await get(path, { method: 'POST', body })).arrayBuffer())), sha(body), `${path} ${size}`);
      }
    }
    const r = await get('/flush');
    assert.strictEqual(r.headers.get('content-type'), 'text/event-stream');
    flushed.resolve();
    assert.strictEqual(await r.text(), 'later');
    assert.strictEqual(await (await get('/hints')).text(), 'hinted');
    const much = await get('/much');
    for (let last = -1; last !== produced;) {
      last = produced;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(produced < 500, `${produced} pieces produced that nobody reads`);
    assert.strictEqual((await much.arrayBuffer()).byteLength, 32 << 20);
  });
});

test('clients that go away, and listeners that fail', async () => {
  const told = [];
  await withListener(async (req, res) => {
    if (req.url === '/throws') throw new Error('thrown');
    if (req.url === '/destroy') return void res.destroy();
    if (req.url === '/status') return void res.writeHead(99);
    res.on('close', () => told.push(`close ${res.writableFinished}`));
    if (req.url === '/wait') return;
    res.write('begun');
  }, async (get, server) => {
    assert.strictEqual((await get('/throws')).status, 500);
    assert.strictEqual((await get('/destroy')).status, 500);
    assert.strictEqual((await get('/status')).status, 500);
    await assert.rejects(get('/wait', { signal: AbortSignal.timeout(50) }));
    await eventually(() => told.length === 1);
    const r = await get('/stream');
    await r.body.cancel();
    await eventually(() => told.length === 2);
    assert.deepStrictEqual(told, ['close false', 'close false']);
    await eventually(() => server.pendingRequests === 0);
  }, { error: () => new Response(null, { status: 500 }) });
});

test('express', () => {
  const app = express();
  app.use(express.json());
  app.use('/files', express.static('.'));
  app.get('/users/:id', (req, res) => { res.cookie('seen', '1').json({ id: req.params.id, q: req.query.q, ip: req.ip, secure: req.secure, host: req.hostname }); });
  app.post('/sum', (req, res) => { res.status(201).send(String(req.body.a + req.body.b)); });
  app.get('/away', (req, res) => { res.redirect('/users/7'); });
  app.get('/throws', () => { throw new Error('of a route'); });
  app.use((error, req, res, next) => { void next; res.status(503).type('text').send(error.message); });
  return withListener(app, async (get) => {
    const r = await get('/users/5?q=x');
    assert.deepStrictEqual(await r.json(), { id: '5', q: 'x', ip: '127.0.0.1', secure: true, host: '127.0.0.1' });
    assert.strictEqual(r.headers.get('x-powered-by'), 'Express');
    assert.deepStrictEqual(r.headers.getSetCookie(), ['seen=1; Path=/']);
    const etag = r.headers.get('etag');
    assert.strictEqual((await get('/users/5?q=x', { headers: { 'if-none-match': etag } })).status, 304);
    assert.strictEqual(await (await get('/sum', { method: 'POST', body: '{"a":1,"b":2}', headers: { 'content-type': 'application/json' } })).text(), '3');
    const away = await get('/away');
    assert.deepStrictEqual([away.redirected, (await away.json()).id], [true, '7']);
    const thrown = await get('/throws');
    assert.deepStrictEqual([thrown.status, await thrown.text()], [503, 'of a route']);
    assert.strictEqual((await get('/nothing')).status, 404);
    assert.strictEqual(await (await get('/files/cert.pem')).text(), tls.cert);
    const part = await get('/files/cert.pem', { headers: { range: 'bytes=0-9' } });
    assert.deepStrictEqual([part.status, await part.text()], [206, tls.cert.slice(0, 10)]);
  });
});

test('fastify', async () => {
  const app = fastify();
  app.get('/users/:id', async (req, reply) => { reply.header('x-a', 'b'); return { id: req.params.id, ip: req.ip }; });
  app.post('/sum', async (req, reply) => { reply.code(201); return { sum: req.body.a + req.body.b }; });
  app.get('/stream', (req, reply) => { reply.send(Readable.from(['in ', 'parts'])); });
  app.get('/throws', async () => { throw new Error('of a route'); });
  await app.ready();
  await withListener((req, res) => app.routing(req, res), async (get) => {
    const r = await get('/users/5');
    assert.deepStrictEqual([r.headers.get('x-a'), await r.json()], ['b', { id: '5', ip: '127.0.0.1' }]);
    const sum = await get('/sum', { method: 'POST', body: '{"a":1,"b":2}', headers: { 'content-type': 'application/json' } });
    assert.deepStrictEqual([sum.status, await sum.json()], [201, { sum: 3 }]);
    assert.strictEqual(await (await get('/stream')).text(), 'in parts');
    assert.strictEqual((await get('/throws')).status, 500);
    assert.strictEqual((await get('/nothing')).status, 404);
  });
  await app.close();
});

test('hono, by its fetch and by its adapter for Node', async () => {
  const app = new Hono();
  app.get('/users/:id', (c) => c.json({ id: c.req.param('id') }));
  app.post('/text', async (c) => c.text(`got ${await c.req.text()}`, 201));
  const check = async (get) => {
    assert.deepStrictEqual(await (await get('/users/5')).json(), { id: '5' });
    const r = await get('/text', { method: 'POST', body: 'x' });
    assert.deepStrictEqual([r.status, await r.text()], [201, 'got x']);
    assert.strictEqual((await get('/nothing')).status, 404);
  };
  await withListener(getRequestListener(app.fetch, { overrideGlobalObjects: false }), check);
  const server = serve({ hostname: '127.0.0.1', http1: false, tls, fetch: (r) => app.fetch(r) });
  const agent = new Agent({ tls: { ca: tls.cert } });
  await check((path, init) => agent.fetch(new URL(path, server.url), init));
  await agent.close();
  await server.stop();
});

test('beside, over HTTP/1.1 and HTTP/2', async () => {
  const app = express();
  app.get('/', (req, res) => { res.send(`the same by ${req.httpVersion}`); });
  const server = serve(app, { hostname: '127.0.0.1', tls });
  await server.ready;
  const rejectUnauthorized = !process.versions.bun?.startsWith('1.3.');
  if (!process.versions.bun?.startsWith('1.3.')) {
    // Deno's fetch speaks HTTP/2, and so does Node's from version 26 on.
    const two = process.versions.deno || !process.versions.bun && parseInt(process.versions.node) >= 26;
    assert.strictEqual(await (await fetch(server.url, process.versions.bun ? { tls: { ca: tls.cert, rejectUnauthorized } } : {})).text(), `the same by ${two ? '2.0' : '1.1'}`);
  }
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  assert.strictEqual(await (await agent.fetch(server.url, { protocol: 'http3' })).text(), 'the same by 3.0');
  await agent.destroy();
  await server.stop(false);
});

await run();
