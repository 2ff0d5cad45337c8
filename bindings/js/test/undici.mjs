// The dispatcher, with undici and with Node's own fetch. In Bun, what is imported as undici
// is Bun's own, which has no dispatchers.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import * as undici from 'undici';
import { Dispatcher, serve } from 'godwit';
import { eventually, run, test } from './suite.mjs';

const sha = (b) => createHash('sha256').update(b).digest('hex');
const tls = { cert: readFileSync('cert.pem', 'utf8'), key: readFileSync('key.pem', 'utf8') };

async function withServer(options, f, more = {}) {
  const server = serve({ hostname: '127.0.0.1', http1: false, tls, ...options });
  const dispatcher = new Dispatcher({ tls: { ca: tls.cert }, ...more });
  try {
    await f(server.url.href, dispatcher, server);
  } finally {
    await dispatcher.destroy();
    await server.stop(false);
  }
}

const show = { fetch: async (r, s) => Response.json({ method: r.method, path: new URL(r.url).pathname + new URL(r.url).search, text: await r.text(), a: r.headers.get('x-a'), protocol: s.protocol(r) }, { headers: [['x-b', 'c'], ['set-cookie', 'd=e'], ['set-cookie', 'f=g']] }) };

test('request', () => withServer(show, async (url, dispatcher) => {
  const r = await undici.request(url, { dispatcher, path: '/x', query: { q: '1' }, headers: { 'X-A': 'y' } });
  assert.deepStrictEqual([r.statusCode, r.headers['x-b'], r.headers['set-cookie']], [200, 'c', ['d=e', 'f=g']]);
  assert.deepStrictEqual(await r.body.json(), { method: 'GET', path: '/x?q=1', text: '', a: 'y', protocol: 'h3' });
  for (const body of ['text', Buffer.from('text'), Readable.from([Buffer.from('te'), Buffer.from('xt')]), (async function* () { yield 'text'; })(), new Blob(['text'])]) {
    const { body: back } = await undici.request(url, { dispatcher, method: 'POST', body });
    assert.strictEqual((await back.json()).text, 'text', body.constructor.name);
  }
}));

test('large bodies both ways', () => withServer({ fetch: (r) => new Response(r.body) }, async (url, dispatcher) => {
  const bytes = randomBytes(10 << 20);
  const { body } = await undici.request(url, { dispatcher, method: 'PUT', body: Readable.from([bytes.subarray(0, 1 << 20), bytes.subarray(1 << 20)]) });
  assert.strictEqual(sha(Buffer.from(await body.arrayBuffer())), sha(bytes));
}));

test('a reader that pauses', () => withServer({ fetch: () => new Response(new Uint8Array(8 << 20)) }, async (url, dispatcher) => {
  const { body } = await undici.request(url, { dispatcher });
  let n = 0;
  for await (const b of body) {
    n += b.length;
    if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.strictEqual(n, 8 << 20);
}));

test('undici\'s fetch, and the runtime\'s where it takes dispatchers', () => withServer(show, async (url, dispatcher) => {
  const all = [undici.fetch];
  if (!process.versions.bun && !process.versions.deno) all.push(fetch);
  for (const f of all) {
    const r = await f(url, { dispatcher, method: 'POST', body: 'sent', headers: { 'x-a': 'y' } });
    assert.deepStrictEqual([r.status, r.headers.getSetCookie()], [200, ['d=e', 'f=g']]);
    const told = await r.json();
    assert.deepStrictEqual([told.method, told.text, told.a, told.protocol], ['POST', 'sent', 'y', 'h3']);
  }
}));

test('aborted and failed', () => withServer({ fetch: (r) => r.url.endsWith('wait') ? new Promise(() => {}) : new Response('x') }, async (url, dispatcher, server) => {
  await assert.rejects(undici.request(`${url}wait`, { dispatcher, signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  await eventually(() => server.pendingRequests === 0);
  await assert.rejects(undici.request(url, { dispatcher, method: 'POST', body: (async function* () { throw new Error('of the body'); })() }));
  await server.stop(false);
  await assert.rejects(undici.request(url, { dispatcher }));
  await assert.rejects(undici.request('http://127.0.0.1:1/', { dispatcher }), TypeError);
}));

test('another dispatcher for what is not there by HTTP/3', async () => {
  const asked = [];
  const fallback = { dispatch: (options, handler) => { asked.push(options.origin); return agent.dispatch(options, handler); } };
  const agent = new undici.MockAgent();
  agent.disableNetConnect();
  agent.get('http://example.test').intercept({ path: '/' }).reply(200, 'of the mock');
  const dispatcher = new Dispatcher({ fallback });
  const { body } = await undici.request('http://example.test/', { dispatcher });
  assert.strictEqual(await body.text(), 'of the mock');
  assert.strictEqual(asked.length, 1);
  await dispatcher.close();
  await agent.close();
});

await run();
