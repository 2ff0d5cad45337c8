// The package's Response: the platform's, by which serve answers without reading a body.

import assert from 'node:assert';
import { Agent, Response, serve } from 'godwit';
import { run, test } from './suite.mjs';

const large = 'é'.repeat(16 << 10); // as characters it is small enough, as bytes it is not
const shared = new Uint8Array([1, 2, 3]);
let taken;
const answers = {
  '/text': () => new Response('täxt \ud800', { headers: { 'x-a': 'b' } }),
  '/bytes': () => {
    const response = new Response(shared);
    shared.fill(9); // is not what was given
    return response;
  },
  '/large': () => new Response(large),
  '/longer': () => new Response('x'.repeat(100_000)),
  '/stream': () => new Response(new ReadableStream({ start: (c) => { c.enqueue(new TextEncoder().encode('streamed')); c.close(); } })),
  '/json': () => Response.json({ a: 1 }),
  '/json/typed': () => Response.json([1], { status: 201, headers: { 'content-type': 'application/x+json' } }),
  '/none': () => new Response(),
  '/empty': () => new Response(''),
  '/304': () => new Response(null, { status: 304 }),
  '/length': () => new Response('abc', { headers: { 'content-length': '3' } }),
  '/trailers': (request, server) => {
    server.sendTrailers(request, { 'x-sum': '7' });
    return new Response('with trailers');
  },
  '/clone': () => new Response('cloned').clone(),
  '/twice': () => taken,
  '/changed': () => {
    const response = new Response('headers');
    response.headers.set('x-later', 'yes');
    return response;
  },
  '/read': async () => {
    const response = new Response('read');
    await response.text();
    return response;
  },
};

test('what is answered, by HTTP/3 and by TCP', async () => {
  const server = serve({ hostname: '127.0.0.1', http1: false, fetch: (request, s) => answers[new URL(request.url).pathname](request, s), error: () => new Response('failed', { status: 500 }) });
  const agent = new Agent({ tls: { rejectUnauthorized: false } });
  const get = async (path, method = 'GET') => {
    const r = await agent.fetch(new URL(path, server.url), { protocol: 'http3', method });
    return { status: r.status, type: r.headers.get('content-type'), length: r.headers.get('content-length'), headers: r.headers, body: new Uint8Array(await r.arrayBuffer()) };
  };
  const text = async (path) => new TextDecoder().decode((await get(path)).body);

  const first = await get('/text');
  assert.deepStrictEqual([first.status, first.headers.get('x-a'), first.length], [200, 'b', '9']);
  assert.strictEqual(new TextDecoder().decode(first.body), 'täxt \ufffd');
  assert.ok(first.headers.get('date'));
  const head = await get('/text', 'HEAD');
  assert.deepStrictEqual([head.status, head.headers.get('x-a'), head.body.length], [200, 'b', 0]);
  assert.deepStrictEqual([...(await get('/bytes')).body], [1, 2, 3]);
  assert.strictEqual(await text('/large'), large);
  assert.strictEqual((await get('/longer')).body.length, 100_000);
  assert.strictEqual(await text('/stream'), 'streamed');
  const json = await get('/json'), typed = await get('/json/typed');
  assert.deepStrictEqual([json.status, json.type.split(';')[0], new TextDecoder().decode(json.body)], [200, 'application/json', '{"a":1}']);
  assert.deepStrictEqual([typed.status, typed.type, new TextDecoder().decode(typed.body)], [201, 'application/x+json', '[1]']);
  for (const path of ['/none', '/empty']) assert.deepStrictEqual([(await get(path)).length, await text(path)], ['0', ''], path);
  assert.strictEqual((await get('/304')).length, null);
  assert.deepStrictEqual([(await get('/length')).length, await text('/length')], ['3', 'abc']);
  assert.strictEqual(await text('/trailers'), 'with trailers');
  assert.strictEqual(await text('/clone'), 'cloned');
  assert.strictEqual((await get('/changed')).headers.get('x-later'), 'yes');
  assert.strictEqual((await get('/read')).status, 500); // its content is gone, as with the platform's
  taken = new Response('the same');
  assert.strictEqual(await text('/twice'), 'the same');
  await agent.destroy();
  await server.stop();
});

test('it is the platform\'s', async () => {
  const r = new Response('x', { status: 201, statusText: 'Made' });
  assert.ok(r instanceof globalThis.Response && r instanceof Response);
  assert.deepStrictEqual([r.status, r.statusText, r.ok, r.bodyUsed, await r.text(), r.bodyUsed], [201, 'Made', true, false, 'x', true]);
  if (!process.versions.bun) assert.throws(() => new Response('x', { status: 204 }), TypeError);
  assert.throws(() => new Response('x', { status: 1000 }), RangeError);
  assert.throws(() => Response.json(undefined), TypeError);
  assert.strictEqual((await Response.json({ a: [] }).json()).a.length, 0);
  assert.strictEqual(Response.error().type, 'error');
});

await run();
