// fetch() over HTTP/3, against serve and against servers without it.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';
import { Agent, fetch, serve } from 'godwit';
import { AltSvc, parseAltSvc } from './node_modules/godwit/src/altsvc.js';
import { deferred, eventually, run, test } from './suite.mjs';

const sha = (b) => createHash('sha256').update(b).digest('hex');
// A certificate that the runtimes are told to trust.
const tls = { cert: readFileSync('cert.pem', 'utf8'), key: readFileSync('key.pem', 'utf8') };
const trusting = { tls: { ca: tls.cert } };

/** withServer runs f with a server and an agent that speaks HTTP/3 only. */
async function withServer(options, f, more = {}) {
  const server = serve({ hostname: '127.0.0.1', http1: false, tls, ...options });
  const agent = new Agent({ ...trusting, ...more });
  const get = (path, init) => agent.fetch(new URL(path, server.url), { protocol: 'http3', ...init });
  try {
    await f(get, server, agent);
  } finally {
    await agent.destroy();
    await server.stop(false);
  }
}

async function bytesOf(stream) {
  const parts = [];
  for (const reader = stream.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

/** pieces is a stream of bytes in pieces. */
function pieces(bytes, size, pulled = () => {}) {
  let at = 0;
  return new ReadableStream({
    pull(c) {
      pulled();
      if (at >= bytes.length) return void c.close();
      c.enqueue(new Uint8Array(bytes.subarray(at, at + size)));
      at += size;
    },
  }, { highWaterMark: 0 });
}

test('a request and its response are the platform\'s', () => withServer({
  fetch: async (r, s) => Response.json({ method: r.method, url: r.url, text: await r.text(), headers: Object.fromEntries(r.headers), protocol: s.protocol(r) }, { status: 201, headers: { 'x-a': 'b' } }),
}, async (get, server) => {
  const r = await get('/a?b=c#d', { headers: { 'x-one': '1', cookie: 'p=q' } });
  assert.ok(r instanceof Response && r.ok);
  assert.deepStrictEqual([r.status, r.url, r.redirected, r.headers.get('x-a'), r.bodyUsed], [201, `${server.url}a?b=c`, false, 'b', false]);
  const told = await r.json();
  assert.deepStrictEqual([told.method, told.url, told.protocol, told.headers['x-one'], told.headers.cookie], ['GET', `${server.url}a?b=c`, 'h3', '1', 'p=q']);
  assert.deepStrictEqual([told.headers.accept, told.headers['accept-encoding'], told.headers['user-agent']], ['*/*', 'br, gzip, deflate', 'godwit']);
  const posted = await (await get(new Request(new URL('/post', server.url), { method: 'POST', body: 'content' }).url, { method: 'POST', body: 'content' })).json();
  assert.deepStrictEqual([posted.text, posted.headers['content-length']], ['content', '7']);
  const form = await (await get('/', { method: 'PUT', body: new URLSearchParams({ a: 'b' }) })).json();
  assert.deepStrictEqual([form.text, form.headers['content-length']], ['a=b', '3']);
  assert.strictEqual((await (await get('/', { method: 'POST' })).json()).headers['content-length'], '0');
  const head = await get('/', { method: 'HEAD' });
  assert.deepStrictEqual([head.status, head.body, await head.text()], [201, null, '']);
  const given = new Request(new URL('/given', server.url), { method: 'POST', body: new Uint8Array([65, 66]), headers: { 'x-r': 's' } });
  const agent = new Agent(trusting);
  const from = await (await fetch(given, { agent, protocol: 'http3' })).json();
  assert.deepStrictEqual([from.text, from.headers['x-r']], ['AB', 's']);
  await agent.close();
}));

test('a Request may be in the place of init, and what init inherits is there', () => withServer({
  fetch: async (r) => Response.json({ method: r.method, text: await r.text(), there: r.headers.get('x-there') }),
}, async (get, server, agent) => {
  await get('/'); // so that there is a connection
  const answer = async (init) => (await agent.fetch(new URL('/', server.url), init)).json();
  const made = { method: 'POST', body: 'content', headers: { 'x-there': 'x' } };
  assert.deepStrictEqual(await answer(new Request('https://localhost/', made)), { method: 'POST', text: 'content', there: 'x' });
  assert.deepStrictEqual(await answer(new Request('https://localhost/')), { method: 'GET', text: '', there: null });
  assert.deepStrictEqual(await answer(Object.create(made)), { method: 'POST', text: 'content', there: 'x' });
}));

test('wrong options and addresses', () => withServer({ fetch: () => new Response() }, async (get, server, agent) => {
  await assert.rejects(agent.fetch(server.url, { protocol: 'http4' }), TypeError);
  await assert.rejects(agent.fetch('http://127.0.0.1/', { protocol: 'http3' }), TypeError);
  await assert.rejects(agent.fetch('nonsense'), TypeError);
  assert.throws(() => new Agent({ connections: 0 }), /connections/);
  assert.throws(() => new Agent({ keepAliveTimeout: 'long' }), /keepAliveTimeout/);
  await assert.rejects(get('/', { headers: { 'x-large': 'y'.repeat(1 << 20) } }), (e) => e instanceof TypeError && e.cause.kind === 'size');
  assert.strictEqual((await get('/')).status, 200);
  const stranger = new Agent(); // which does not know the certificate
  await assert.rejects(stranger.fetch(server.url, { protocol: 'http3' }), (e) => e instanceof TypeError && e.cause.kind === 'certificate');
  await stranger.close();
  await server.stop(false);
  await assert.rejects(get('/'), (e) => e instanceof TypeError && e.cause.kind !== undefined);
  await assert.rejects(new Agent(trusting).fetch(server.url, { protocol: 'http3' }), (e) => e.cause.code === 'ECONNREFUSED');
}));

test('bodies both ways, whole and in pieces', () => withServer({
  routes: { '/digest': async (r) => new Response(sha(Buffer.from(await r.arrayBuffer()))), '/echo': (r) => new Response(r.body) },
}, async (get) => {
  for (const size of [0, 1, 64 << 10, 10 << 20]) {
    const body = randomBytes(size);
    assert.strictEqual(await (await get('/digest', { method: 'POST', body })).text(), sha(body), `${size} bytes`);
    assert.strictEqual(sha(Buffer.from(await (await get('/echo', { method: 'POST', body: new Blob([body]) })).arrayBuffer())), sha(body), `${size} bytes of a blob`);
    const streamed = await get('/echo', { method: 'POST', body: pieces(body, 70_001), duplex: 'half' });
    assert.strictEqual(sha(await bytesOf(streamed.body)), sha(body), `${size} bytes in pieces`);
  }
}));

test('who does not read makes the other wait', async () => {
  let produced = 0, release;
  const held = new Promise((resolve) => { release = resolve; });
  const much = Buffer.alloc(48 << 20);
  await withServer({
    routes: {
      '/down': () => new Response(pieces(much, 64 << 10, () => produced++)),
      '/up': async (r) => {
        await held;
        return new Response(sha(await bytesOf(r.body)));
      },
    },
  }, async (get) => {
    const down = await get('/down');
    let taken = 0;
    const up = get('/up', { method: 'POST', body: pieces(much, 64 << 10, () => taken++), duplex: 'half' });
    for (let last = -1; last !== taken + produced;) {
      last = taken + produced;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(produced > 1 && produced < 512, `${produced} pieces produced that nobody reads`);
    assert.ok(taken > 1 && taken < 512, `${taken} pieces taken that nobody reads`);
    release();
    const [sent, got] = await Promise.all([up.then((r) => r.text()), bytesOf(down.body)]);
    assert.strictEqual(sent, sha(much));
    assert.strictEqual(sha(got), sha(much));
  });
});

test('redirects', () => withServer({
  routes: {
    '/to': async (r) => {
      const u = new URL(r.url);
      await r.text();
      return new Response('on the way', { status: Number(u.searchParams.get('s')), headers: { location: u.searchParams.get('l') } });
    },
    '/loop': () => new Response(null, { status: 302, headers: { location: '/loop' } }),
    '/nowhere': () => new Response('here', { status: 302 }),
    '/show': async (r) => Response.json({ method: r.method, text: await r.text(), type: r.headers.get('content-type'), secret: r.headers.get('authorization') }),
  },
}, async (get, server) => {
  const to = (status, init, location = '/show') => get(`/to?s=${status}&l=${encodeURIComponent(location)}`, init);
  const posting = { method: 'POST', body: 'content', headers: { 'content-type': 'text/x', authorization: 'secret' } };
  const r = await to(302);
  assert.deepStrictEqual([r.redirected, r.url], [true, `${server.url}show`]);
  for (const [status, method, text] of [[301, 'GET', ''], [302, 'GET', ''], [303, 'GET', ''], [307, 'POST', 'content'], [308, 'POST', 'content']]) {
    assert.deepStrictEqual(await (await to(status, posting)).json(), { method, text, type: text && 'text/x' || null, secret: 'secret' }, `${status}`);
  }
  assert.strictEqual((await (await to(303, { method: 'PUT', body: pieces(Buffer.from('x'), 1), duplex: 'half' })).json()).method, 'GET');
  await assert.rejects(to(307, { method: 'PUT', body: pieces(Buffer.from('x'), 1), duplex: 'half' }), TypeError);
  const other = serve({ hostname: '127.0.0.1', http1: false, tls, fetch: (q) => new Response(String(q.headers.get('authorization'))) });
  assert.strictEqual(await (await to(307, posting, other.url.href)).text(), 'null');
  await other.stop();
  const manual = await to(302, { redirect: 'manual' });
  assert.deepStrictEqual([manual.status, manual.headers.get('location'), await manual.text()], [302, '/show', 'on the way']);
  await assert.rejects(to(302, { redirect: 'error' }), TypeError);
  await assert.rejects(get('/loop'), (e) => e instanceof TypeError && /too many/.test(e.cause.message));
  await assert.rejects(to(302, {}, 'ftp://example.com/'), TypeError);
  await assert.rejects(to(302, {}, 'http://127.0.0.1:1/'), TypeError);
  assert.strictEqual(await (await get('/nowhere')).text(), 'here');
}));

test('aborted: before, while waiting, in the response, by time', async () => {
  const gone = [], begun = deferred();
  await withServer({
    routes: {
      '/wait': (r) => new Promise((resolve) => {
        begun.resolve();
        r.signal.addEventListener('abort', () => { gone.push('wait'); resolve(new Response()); });
      }),
      '/stream': () => new Response(new ReadableStream({
        pull: (c) => new Promise((resolve) => setTimeout(() => { c.enqueue(new Uint8Array(10)); resolve(); }, 2)),
        cancel: () => gone.push('stream'),
      })),
    },
  }, async (get, server, agent) => {
    const why = new Error('no longer wanted');
    await assert.rejects(get('/wait', { signal: AbortSignal.abort(why) }), why);
    const waiting = new AbortController();
    const waits = get('/wait', { signal: waiting.signal });
    waits.catch(() => {});
    await begun.promise;
    waiting.abort();
    await assert.rejects(waits, { name: 'AbortError' });
    const reading = new AbortController();
    const { body } = await get('/stream', { signal: reading.signal });
    const reader = body.getReader();
    await reader.read();
    reading.abort(why);
    await assert.rejects(async () => { for (;;) await reader.read(); }, why);
    await eventually(() => gone.length === 2);
    await assert.rejects(get('/wait', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
    const r = await get('/stream');
    await r.body.cancel();
    await eventually(() => gone.length === 4);
    await eventually(() => server.pendingRequests === 0);
    assert.strictEqual(agent.connections, 1); // which none of this has ended
  });
});

test('a body that fails, and a response that is cut short', () => withServer({
  routes: {
    '/take': async (r) => { await r.text().catch(() => {}); return new Response(); },
    '/cut': () => new Response(new ReadableStream({
      async pull(c) {
        c.enqueue(new Uint8Array(100_000));
        await new Promise((resolve) => setTimeout(resolve, 10));
        c.error(new Error('cut'));
      },
    })),
    '/early': () => new Response('enough', { status: 413 }),
  },
  error: () => new Response(null, { status: 500 }),
}, async (get) => {
  const failing = new ReadableStream({ pull(c) { c.error(new Error('of the body')); } });
  await assert.rejects(get('/take', { method: 'POST', body: failing, duplex: 'half' }), (e) => e.cause?.message === 'of the body');
  await assert.rejects(async () => (await get('/cut')).arrayBuffer(), TypeError); // a reset may overtake the header
  const early = await get('/early', { method: 'POST', body: pieces(Buffer.alloc(4 << 20), 64 << 10), duplex: 'half' });
  assert.deepStrictEqual([early.status, await early.text()], [413, 'enough']);
}));

test('codings', () => {
  const text = 'a text that repeats, '.repeat(5000), parts = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, raw: zlib.deflateRawSync, br: zlib.brotliCompressSync };
  return withServer({
    fetch(r) {
      const { searchParams } = new URL(r.url);
      const coding = searchParams.get('c'), names = coding.split(',').map((c) => c === 'raw' ? 'deflate' : c).join(', ');
      let body = Buffer.from(text);
      for (const c of coding.split(',')) body = parts[c]?.(body) ?? body;
      if (searchParams.has('cut')) body = Buffer.from('no such coding');
      return new Response(body, { headers: { 'content-encoding': names, 'x-asked': r.headers.get('accept-encoding') } });
    },
  }, async (get) => {
    for (const c of ['gzip', 'deflate', 'raw', 'br', 'gzip,br', 'identity']) {
      assert.strictEqual(await (await get(`/?c=${c}`)).text(), text, c);
    }
    assert.strictEqual((await get('/?c=gzip', { method: 'HEAD' })).headers.get('content-encoding'), 'gzip');
    await assert.rejects((await get('/?c=gzip&cut')).text());
    assert.strictEqual(await (await get('/?c=unknown')).text(), text);
    await assert.rejects(get('/?c=gzip,gzip,gzip,gzip,gzip,gzip'), TypeError);
    assert.strictEqual((await get('/?c=identity', { headers: { range: 'bytes=0-' } })).headers.get('x-asked'), 'identity');
    const r = await get('/?c=gzip');
    await r.body.cancel();
  });
});

test('a hundred requests at once, over few connections; keep-alive and close', async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await withServer({ fetch: async (r) => { await held; return new Response(new URL(r.url).pathname); } }, async (get, server, agent) => {
    const all = Promise.all(Array.from({ length: 100 }, async (_, i) => (await get(`/${i}`)).text()));
    await eventually(() => server.pendingRequests === 100);
    assert.strictEqual(agent.connections, 3);
    release();
    assert.deepStrictEqual(await all, Array.from({ length: 100 }, (_, i) => `/${i}`));
    await eventually(() => agent.connections === 0); // which were idle for too long
    assert.strictEqual(await (await get('/again')).text(), '/again');
  }, { connections: 3, requests: 10, keepAliveTimeout: 5 });
});

test('an agent that is closed finishes what it has', async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await withServer({ fetch: async () => { await held; return new Response('whole'); } }, async (get, server, agent) => {
    const pending = get('/');
    await eventually(() => server.pendingRequests === 1);
    let over = false;
    const closed = agent.close().then(() => { over = true; });
    await assert.rejects(get('/more'), (e) => e.cause.kind === 'cancelled');
    assert.strictEqual(over, false);
    release();
    assert.strictEqual(await (await pending).text(), 'whole');
    await closed;
    assert.strictEqual(agent.connections, 0);
  });
});

test('a connection that has ended is made again; one that drains is left', async () => {
  let server = serve({ hostname: '127.0.0.1', http1: false, tls, fetch: () => new Response('first') });
  const agent = new Agent(trusting), { port, url } = server;
  const text = async () => (await agent.fetch(url, { protocol: 'http3' })).text();
  assert.strictEqual(await text(), 'first');
  await server.stop();
  server = serve({ hostname: '127.0.0.1', port, http1: false, tls, fetch: () => new Response('second') });
  assert.strictEqual(await text(), 'second');
  await server.stop(false);
  server = serve({ hostname: '127.0.0.1', port, http1: false, tls, fetch: () => new Response('third') });
  assert.strictEqual(await text(), 'third');
  await agent.close();
  await server.stop();
});

test('Alt-Svc is read and forgotten', () => {
  assert.deepStrictEqual(parseAltSvc('h2="alt.example.com:8000", h3=":443"; ma=60; persist=1'), [
    { protocol: 'h2', host: 'alt.example.com', port: 8000, maxAge: 86400 }, { protocol: 'h3', host: '', port: 443, maxAge: 60 }]);
  assert.deepStrictEqual(parseAltSvc(' clear '), []);
  for (const s of ['', 'h3', 'h3=443', 'h3=":0"', 'h3=":70000"', '"']) assert.strictEqual(parseAltSvc(s), null, s);
  let now = 0;
  const known = new AltSvc(() => now);
  known.learn('https://a', 'a', 'h3=":8443"; ma=10');
  assert.deepStrictEqual([known.find('https://a').host, known.find('https://a').port, known.find('https://b')], ['a', 8443, undefined]);
  now = 10_001;
  assert.strictEqual(known.find('https://a'), undefined);
  known.learn('https://a', 'a', 'h3="b:1"');
  known.learn('https://a', 'a', 'clear');
  assert.strictEqual(known.find('https://a'), undefined);
  for (let i = 0; i < 2000; i++) known.learn(`https://${i}`, 'x', 'h3=":1"');
  assert.deepStrictEqual([known.find('https://0'), known.find('https://1999').port], [undefined, 1]);
  known.failed('https://a');
  assert.ok(known.broken('https://a'));
  now += 5 * 60_000;
  assert.ok(!known.broken('https://a'));
  known.failed('https://a');
  now += 5 * 60_000;
  assert.ok(known.broken('https://a'));
  known.worked('https://a');
  assert.ok(!known.broken('https://a'));
});

/** plain is a server of HTTP/1.1 over TLS, at a port where nobody speaks HTTP/3. */
function plain(handler) {
  const server = https.createServer(tls, handler);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

test('where there is no HTTP/3, the runtime\'s own fetch is used, until Alt-Svc tells of it', async () => {
  const server = serve({ hostname: '127.0.0.1', http1: false, tls, fetch: async (r, s) => new Response(`${s.protocol(r)} ${await r.text()} ${r.headers.get('alt-used')}`) });
  let alternative = 'clear';
  const old = await plain((req, res) => {
    const parts = [];
    req.on('data', (b) => parts.push(b));
    req.on('end', () => {
      if (req.url === '/away') res.writeHead(302, { location: server.url.href });
      res.setHeader?.('alt-svc', alternative);
      res.end(`old ${Buffer.concat(parts)}`);
    });
  });
  const { port } = old.address(), url = `https://127.0.0.1:${port}/`;
  const rejectUnauthorized = !process.versions.bun?.startsWith('1.3.'); // which does not take a certificate that is its own authority
  const agent = new Agent({ tls: { ca: tls.cert, rejectUnauthorized }, patience: 2000 });
  assert.strictEqual(await (await agent.fetch(url, { method: 'POST', body: 'x' })).text(), 'old x');
  assert.strictEqual(await (await agent.fetch(url, { method: 'POST', body: pieces(Buffer.from('in pieces'), 3), duplex: 'half' })).text(), 'old in pieces');
  await assert.rejects(agent.fetch(url, { protocol: 'http3' }), TypeError);
  assert.ok(agent.altSvc.broken(`https://127.0.0.1:${port}`));
  agent.altSvc.worked(`https://127.0.0.1:${port}`); // as when that is long ago
  alternative = `h3=":${server.port}"; ma=3600`;
  await agent.fetch(url).then((r) => r.text());
  agent.altSvc.worked(`https://127.0.0.1:${port}`);
  assert.strictEqual(await (await agent.fetch(url, { method: 'POST', body: 'y' })).text(), `h3 y 127.0.0.1:${server.port}`);
  await agent.close();
  await server.stop();
  old.closeAllConnections?.();
  await new Promise((resolve) => old.close(resolve));
});

test('what is no https is the runtime\'s', async () => {
  const server = http.createServer((req, res) => res.end('plain'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  assert.strictEqual(await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text(), 'plain');
  assert.strictEqual(await (await fetch('data:text/plain,here')).text(), 'here');
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
});

await run(); // and then the process ends by itself
