// serve(), by HTTP/3 and by what the runtimes have for HTTP/2 and HTTP/1.1.

import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import https from 'node:https';
import { GodwitError, serve } from 'godwit';
import { HTTPConnection } from './node_modules/godwit/src/http.js';
import { engine } from './node_modules/godwit/src/engine.js';
import { decodeError, decodeFields, EV, FIN, REQUEST, TRAILERS } from './node_modules/godwit/src/port.js';
import { Pipe } from './node_modules/godwit/src/stream.js';
import { deferred, eventually, run, test } from './suite.mjs';

const sha = (b) => createHash('sha256').update(b).digest('hex');
const pairs = (fields) => Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]);
const quiet = { http1: false, hostname: '127.0.0.1' };

/** Client is a client of HTTP/3 that shows all there is. */
class Client {
  constructor(server) {
    this.authority = `127.0.0.1:${server.port}`;
    this.ended = deferred();
    this.connection = HTTPConnection.dial(['address', this.authority, 'insecure', '1'], { ended: (c, e) => this.ended.resolve(e) });
    this.connection.hold(true);
  }

  /** begin sends a request; without body it is whole. */
  begin(path, { method = 'GET', headers = [], whole = true, authority = this.authority } = {}) {
    const id = engine().handle(), r = new Exchange(this.connection, id);
    this.connection.add(id, r);
    engine().sendFields(REQUEST, whole ? FIN : 0, 0, this.connection.handle, id,
      [':method', method, ...method === 'CONNECT' ? [] : [':scheme', 'https', ':path', path], ':authority', authority, ...headers.flat()]);
    return r;
  }

  /** get returns {status, headers, body, informs, trailers} of a whole exchange. */
  async get(path, { body, trailers, ...more } = {}) {
    const r = this.begin(path, { ...more, whole: body === undefined });
    if (body !== undefined) await r.send(body, trailers);
    return r.whole.promise;
  }

  close() {
    this.connection.close();
  }
}

class Exchange {
  informs = [];
  body = [];
  size = 0;
  whole = deferred();
  headed = deferred();
  wanted = deferred(); // settled when the server stops reading
  reads = true;

  constructor(connection, id) {
    this.pipe = new Pipe(engine(), connection.handle, id);
    Object.assign(this, { connection, id });
    this.whole.promise.catch(() => {});
    this.headed.promise.catch(() => {});
  }

  async send(bytes, trailers) {
    for (let at = 0; ;) {
      at += this.pipe.write(bytes.subarray(at), trailers === undefined);
      if (at === bytes.length || this.pipe.sendOver) break;
      await new Promise((resolve) => { this.pipe.ondrain = resolve; });
    }
    if (trailers) engine().sendFields(TRAILERS, FIN, 0, this.connection.handle, this.id, trailers);
  }

  event(type, flags, aux, id, bytes) {
    if (type === EV.INFORM) {
      this.informs.push(pairs(decodeFields(bytes).fields));
    } else if (type === EV.RESPONSE) {
      const all = pairs(decodeFields(bytes).fields);
      this.status = Number(all[0][1]);
      this.headers = new Headers(all.slice(1));
      this.headed.resolve(this);
    } else if (type === EV.DATA) {
      this.body.push(Buffer.from(bytes));
      this.size += bytes.length;
      if (this.reads) this.pipe.allow(bytes.length);
    } else if (type === EV.TRAILERS) {
      this.trailers = pairs(decodeFields(bytes).fields);
    } else if (type === EV.CREDIT) {
      this.pipe.addCredit(bytes);
    } else if (type === EV.RESET) {
      this.error = decodeError(bytes, flags);
    } else if (type === EV.STOPPED) {
      this.pipe.endSend();
      this.pipe.ondrain?.();
      this.wanted.resolve(decodeError(bytes, flags));
    } else if (type === EV.ENDED) {
      const e = this.error ?? decodeError(bytes, flags);
      this.text = Buffer.concat(this.body).toString();
      const { status, headers, text, body, informs, trailers } = this;
      if (status !== undefined && (e.kind === 'ok' || !this.error && e.code === 0x100n)) this.whole.resolve({ status, headers, text, body, informs, trailers });
      else this.whole.reject(Object.assign(new Error(`${status}: ${e.kind} ${e.code} ${e.text}`), e));
      this.headed.reject(new Error(`${e.kind} ${e.code} ${e.text}`));
    }
  }
}

/** withServer runs f with a server and a client of it. */
async function withServer(options, f) {
  const server = serve({ ...quiet, ...options }), client = new Client(server);
  try {
    await f(server, client);
  } finally {
    client.close();
    await server.stop(false);
  }
}

test('wrong options are named', () => {
  assert.throws(() => serve(), TypeError);
  assert.throws(() => serve({}), /fetch, routes/);
  assert.throws(() => serve({ fetch: 3 }), /fetch/);
  assert.throws(() => serve({ fetch() {}, port: -1 }), /port/);
  assert.throws(() => serve({ fetch() {}, error: {} }), /error/);
  assert.throws(() => serve({ routes: { x: new Response() } }), /routes: "x"/);
  assert.throws(() => serve({ routes: { '/x': 7 } }), /routes\["\/x"\]/);
  assert.throws(() => serve({ routes: { '/x': { get() {} } } }), /get/);
  assert.throws(() => serve({ fetch() {}, tls: { cert: 'no PEM', key: 'no PEM' } }), TypeError);
});

test('a request and its response', () => withServer({
  fetch(request, server) {
    const { method, url } = request;
    const headers = Object.fromEntries(request.headers);
    const response = Response.json({ method, url, headers, ip: server.requestIP(request), protocol: server.protocol(request) }, { status: 201 });
    response.headers.append('set-cookie', 'a=1');
    response.headers.append('set-cookie', 'b=2');
    response.headers.set('x-latin', 'é');
    return response;
  },
}, async (server, client) => {
  assert.strictEqual(server.url.href, `https://127.0.0.1:${server.port}/`);
  const r = await client.get('/a/b?c=d', { headers: [['x-one', '1'], ['x-one', '2'], ['cookie', 'p=1'], ['cookie', 'q=2'], ['x-utf', 'é']] });
  assert.strictEqual(r.status, 201);
  assert.deepStrictEqual(r.headers.getSetCookie(), ['a=1', 'b=2']);
  assert.strictEqual(r.headers.get('x-latin'), 'é');
  assert.ok(r.headers.get('date'));
  assert.strictEqual(r.headers.get('content-length'), String(r.body.reduce((n, b) => n + b.length, 0)));
  const told = JSON.parse(r.text);
  assert.strictEqual(told.method, 'GET');
  assert.strictEqual(told.url, `https://${client.authority}/a/b?c=d`);
  assert.strictEqual(told.headers['x-one'], '1, 2');
  assert.strictEqual(told.headers.cookie, 'p=1; q=2');
  assert.strictEqual(told.headers.host, client.authority);
  assert.strictEqual(told.ip.address, '127.0.0.1');
  assert.strictEqual(told.protocol, 'h3');
}));

test('routes', async () => {
  let calls = 0;
  await withServer({
    routes: {
      '/static': new Response('always', { headers: { 'x-a': 'b' } }),
      '/redirect': Response.redirect('https://example.com/'),
      '/users/me': () => new Response('me'),
      '/users/:id': { GET: (r) => new Response(`user ${r.params.id}`), DELETE: () => new Response(null, { status: 204 }) },
      '/users/:id/posts/:post': (r) => Response.json(r.params),
      '/files/*': (r) => new Response(r.params['*']),
      '/large': new Response('x'.repeat(200_000)),
      '/only': { POST: async (r) => new Response(`posted ${await r.text()}`) },
    },
    fetch() {
      calls++;
      return new Response('fetched');
    },
  }, async (server, client) => {
    const text = async (path, more) => (await client.get(path, more)).text;
    assert.strictEqual(await text('/static'), 'always');
    assert.strictEqual((await client.get('/static', { method: 'HEAD' })).headers.get('x-a'), 'b');
    assert.strictEqual(await text('/static?query'), 'always');
    await eventually(() => server.pendingRequests === 0);
    const { status, headers } = await client.get('/redirect');
    assert.deepStrictEqual([status, headers.get('location')], [302, 'https://example.com/']);
    assert.strictEqual(await text('/users/me'), 'me');
    assert.strictEqual(await text('/users/a%20b'), 'user a b');
    assert.strictEqual((await client.get('/users/7', { method: 'DELETE' })).status, 204);
    assert.strictEqual(await text('/users/1/posts/2'), '{"id":"1","post":"2"}');
    assert.strictEqual(await text('/files/a/b'), 'a/b');
    assert.strictEqual((await text('/large')).length, 200_000);
    assert.strictEqual(await text('/only', { method: 'POST', body: Buffer.from('x') }), 'posted x');
    assert.strictEqual(calls, 0);
    assert.strictEqual(await text('/only'), 'fetched');
    assert.strictEqual(await text('/users/7', { method: 'PUT' }), 'fetched');
    server.reload({ routes: { '/users/me': new Response('other'), '/': { POST: () => new Response() } } });
    assert.strictEqual((await client.get('/static')).status, 404);
    assert.strictEqual(await text('/users/me'), 'other');
    const wrong = await client.get('/');
    assert.deepStrictEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
    assert.throws(() => server.reload({}), TypeError);
  });
});

test('bodies: up, down, and back, whole and by streams', () => withServer({
  routes: {
    '/digest': async (r) => new Response(sha(Buffer.from(await r.arrayBuffer()))),
    '/echo': (r) => new Response(r.body),
    '/zeros': (r) => new Response(Buffer.alloc(Number(new URL(r.url).searchParams.get('n')))),
    '/json': async (r) => Response.json(await r.json()),
  },
}, async (server, client) => {
  for (const size of [0, 1, 1000, 64 << 10, 10 << 20]) {
    const body = randomBytes(size);
    assert.strictEqual((await client.get('/digest', { method: 'POST', body })).text, sha(body));
    const back = await client.get('/echo', { method: 'POST', body });
    assert.strictEqual(sha(Buffer.concat(back.body)), sha(body));
    assert.strictEqual((await client.get(`/zeros?n=${size}`)).text.length, size);
  }
  assert.strictEqual((await client.get('/json', { method: 'PUT', body: Buffer.from('{"a":1}') })).text, '{"a":1}');
}));

test('1000 requests at once', () => withServer({
  fetch: async (r) => new Response(`${new URL(r.url).pathname} ${await r.text()}`),
}, async (server, client) => {
  const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => client.get(`/${i}`, i % 2 ? { method: 'POST', body: Buffer.from(`b${i}`) } : {})));
  all.forEach((r, i) => assert.strictEqual(r.text, `/${i} ${i % 2 ? `b${i}` : ''}`));
  await eventually(() => server.pendingRequests === 0);
}));

test('who does not read makes the other wait', async () => {
  let pulled = 0, release;
  const held = new Promise((resolve) => { release = resolve; });
  await withServer({
    routes: {
      '/down': () => new Response(new ReadableStream({
        pull(c) {
          if (pulled++ < 512) c.enqueue(new Uint8Array(64 << 10));
          else c.close();
        },
      })),
      '/up': async (r) => {
        await held;
        let n = 0;
        for await (const b of r.body) n += b.length;
        return new Response(String(n));
      },
    },
  }, async (server, client) => {
    const down = client.begin('/down');
    down.reads = false;
    await down.headed.promise;
    await eventually(() => down.size >= 256 << 10);
    const other = new Client(server);
    const up = other.begin('/up', { method: 'POST', whole: false }), body = Buffer.alloc(32 << 20);
    const sent = up.send(body);
    await eventually(() => up.pipe.room === 0);
    const third = new Client(server);
    for (let n = 0; n < 20; n++) await third.get('/nothing'); // meanwhile
    third.close();
    assert.ok(up.pipe.sent < 16 << 20, `${up.pipe.sent} bytes sent that nobody read`); // QUIC's window, and the credit of both ends
    assert.ok(down.size <= 256 << 10, `${down.size} bytes without credit`);
    assert.ok(pulled < 512, 'all 32 MiB were produced though nobody read them');
    down.reads = true;
    down.pipe.allow(down.size);
    await down.whole.promise;
    assert.strictEqual(down.size, 32 << 20);
    release();
    await sent;
    assert.strictEqual((await up.whole.promise).text, String(body.length));
    other.close();
  });
});

test('interim responses and trailers', () => withServer({
  async fetch(request, server) {
    assert.strictEqual(server.hint(request, { link: '</style.css>; rel=preload' }), true);
    assert.throws(() => server.hint(request, {}, 200), RangeError);
    const asked = [server.trailers(request), server.trailers(request)]; // both of which are to be settled
    const body = await request.text(), [trailers, same] = await Promise.all(asked);
    assert.deepStrictEqual([...same], [...trailers]);
    server.sendTrailers(request, () => ({ 'x-digest': sha(body) }));
    return new Response(`${body} ${trailers?.get('x-end')}`);
  },
}, async (server, client) => {
  const r = await client.get('/', { method: 'POST', body: Buffer.from('content'), trailers: ['x-end', 'yes'] });
  assert.deepStrictEqual(r.informs, [[[':status', '103'], ['link', '</style.css>; rel=preload']]]);
  assert.strictEqual(r.text, 'content yes');
  assert.deepStrictEqual(r.trailers, [['x-digest', sha('content')]]);
}));

test('what a stream has is sent before more comes', () => {
  const more = deferred();
  const chunks = async function* () {
    yield Buffer.from('first');
    await more.promise;
    yield Buffer.from(', second');
  };
  return withServer({
    fetch: () => new Response(new ReadableStream({
      start: async (c) => {
        for await (const x of chunks()) c.enqueue(x);
        c.close();
      },
    })),
  }, async (server, client) => {
    const r = client.begin('/');
    await eventually(() => String(Buffer.concat(r.body)) === 'first');
    more.resolve();
    assert.strictEqual((await r.whole.promise).text, 'first, second');
  });
});

test('a client that goes away aborts the signal', async () => {
  const seen = [], cancelled = deferred();
  await withServer({
    routes: {
      '/wait': (r) => new Promise((resolve) => {
        r.signal.addEventListener('abort', () => {
          seen.push('wait');
          resolve(new Response('too late'));
        });
      }),
      '/stream': () => new Response(new ReadableStream({
        pull: (c) => new Promise((resolve) => setTimeout(() => { c.enqueue(new Uint8Array(10)); resolve(); }, 5)),
        cancel: () => cancelled.resolve(),
      })),
      '/upload': async (r) => {
        try {
          await r.text();
        } catch (e) {
          seen.push(e instanceof GodwitError || e?.name);
        }
        return new Response();
      },
    },
  }, async (server, client) => {
    const first = client.begin('/wait'), second = client.begin('/stream');
    const upload = client.begin('/upload', { method: 'POST', whole: false });
    upload.pipe.write(Buffer.from('begun'));
    await second.headed.promise;
    await eventually(() => server.pendingRequests === 3);
    for (const r of [first, second, upload]) r.pipe.reset(0x10c);
    for (const r of [first, second, upload]) r.pipe.stop(0x10c);
    await eventually(() => seen.length === 2);
    assert.strictEqual(seen.includes('wait'), true);
    await cancelled.promise;
    await eventually(() => server.pendingRequests === 0);
    client.begin('/wait');
    await eventually(() => server.pendingRequests === 1);
    client.close();
    await eventually(() => seen.length === 3 && server.pendingRequests === 0);
  });
});

test('errors of handlers', async () => {
  const told = [];
  const failing = {
    '/throws': () => { throw new Error('thrown'); },
    '/rejects': async () => { throw new Error('rejected'); },
    '/nothing': () => undefined,
    '/number': async () => 7,
    '/late': () => new Response(new ReadableStream({
      async pull(c) {
        c.enqueue(new Uint8Array(100_000));
        await new Promise((resolve) => setTimeout(resolve, 10));
        c.error(new Error('late'));
      },
    })),
    '/used': async () => {
      const r = new Response('x');
      await r.text();
      return r;
    },
    '/large': () => new Response('x', { headers: { 'x-large': 'y'.repeat(100_000) } }),
    '/fine': () => new Response('fine'),
  };
  await withServer({
    routes: failing,
    error(e) {
      told.push(e.message);
      if (e.message === 'rejected') throw new Error('of error itself');
      return new Response(`sorry: ${e.message}`, { status: 503 });
    },
  }, async (server, client) => {
    const r = await client.get('/throws');
    assert.deepStrictEqual([r.status, r.text], [503, 'sorry: thrown']);
    const kept = console.error, logged = [];
    console.error = (e) => logged.push(e.message);
    assert.strictEqual((await client.get('/rejects')).status, 500);
    console.error = kept;
    assert.deepStrictEqual(logged, ['of error itself']);
    assert.strictEqual((await client.get('/nothing')).status, 503);
    assert.strictEqual((await client.get('/number')).status, 503);
    await assert.rejects(client.get('/late'), (e) => e.code === 0x102n);
    assert.strictEqual((await client.get('/used')).status, 500);
    assert.strictEqual((await client.get('/large')).status, 500);
    assert.strictEqual((await client.get('/fine')).text, 'fine');
    await eventually(() => told.includes('late'));
  });
});

test('requests that the platform does not have', () => withServer({
  fetch: (r) => new Response(r.url),
}, async (server, client) => {
  for (const method of ['TRACE', 'CONNECT']) assert.strictEqual((await client.get('/', { method })).status, 501);
  assert.strictEqual((await client.get('*', { method: 'OPTIONS' })).status, 400);
  assert.strictEqual((await client.get('/x', { authority: 'example.com' })).text, 'https://example.com/x');
}));

test('stop waits for what is under way, or not', async () => {
  const held = deferred(), begun = deferred();
  const server = serve({
    ...quiet,
    async fetch(r) {
      if (r.url.endsWith('/stop')) {
        server.stop();
        return new Response('stopping');
      }
      begun.resolve();
      await held.promise;
      return new Response('done');
    },
  });
  const client = new Client(server), { port } = server;
  const slow = client.get('/slow');
  await begun.promise;
  assert.strictEqual((await client.get('/stop')).text, 'stopping'); // inside a handler
  let over = false;
  const stopped = server.stop().then(() => { over = true; });
  await new Promise((resolve) => setImmediate(resolve));
  assert.strictEqual(over, false);
  held.resolve();
  assert.strictEqual((await slow).text, 'done');
  await stopped;
  await client.ended.promise;
  const again = serve({ ...quiet, port, fetch: () => new Promise(() => {}) });
  const other = new Client(again), hangs = other.begin('/');
  await eventually(() => again.pendingRequests === 1);
  await again.stop(false);
  await assert.rejects(hangs.whole.promise);
  await other.ended.promise;
  await again.stop();
});

test('an address in use', async () => {
  await withServer({ fetch: () => new Response() }, (server) => {
    assert.throws(() => serve({ ...quiet, port: server.port, fetch() {} }), { code: 'EADDRINUSE' });
  });
});

/** over2 is a request by HTTP/2. */
function over2(session, headers, body) {
  const d = deferred(), req = session.request(headers), got = [];
  const r = { informs: [] };
  req.on('response', (h) => { r.headers = h; });
  req.on('headers', (h) => r.informs.push(h));
  req.on('trailers', (h) => { r.trailers = h; });
  req.on('data', (b) => got.push(b));
  req.on('end', () => d.resolve({ ...r, body: Buffer.concat(got) }));
  req.on('error', d.reject);
  req.end(body);
  return d.promise;
}

test('HTTP/2 at the same port', async () => {
  const server = serve({
    hostname: '127.0.0.1',
    routes: { '/static': new Response('always'), '/throws': () => { throw new Error('thrown'); }, '/echo': (r) => new Response(r.body) },
    error: (e) => new Response(e.message, { status: 503 }),
    fetch: async (r, s) => new Response(`${r.method} ${r.url} ${await r.text()} ${s.protocol(r)} ${s.requestIP(r).address}`, { headers: { 'x-a': 'b' } }),
  });
  assert.strictEqual(await server.ready, server);
  const session = http2.connect(server.url.href, { rejectUnauthorized: false });
  session.on('error', () => {});
  const r = await over2(session, { ':path': '/x?y', ':method': 'POST' }, 'content');
  assert.strictEqual(String(r.body), `POST ${server.url.href}x?y content h2 127.0.0.1`);
  assert.deepStrictEqual([r.headers[':status'], r.headers['x-a'], r.headers['alt-svc']], [200, 'b', `h3=":${server.port}"; ma=86400`]);
  assert.strictEqual(String((await over2(session, { ':path': '/static' })).body), 'always');
  assert.strictEqual((await over2(session, { ':path': '/throws' })).headers[':status'], 503);
  const body = randomBytes(3 << 20);
  assert.strictEqual(sha((await over2(session, { ':path': '/echo', ':method': 'POST' }, body)).body), sha(body));
  const { fingerprint256 } = session.socket.getPeerCertificate();
  assert.strictEqual(fingerprint256.replaceAll(':', '').toLowerCase(), server.certificateHash);
  assert.strictEqual(server.development, true);
  await server.stop();
  session.close();
});

// HTTP/1.1 beside HTTP/2 is not in Bun's node:http2 before 1.4.
const [major, minor] = (process.versions.bun ?? '9.9').split('.').map(Number);
const withHTTP1 = major > 1 || minor >= 4;

test('HTTP/1.1 at the same port', async () => {
  const server = serve({ hostname: '127.0.0.1', fetch: async (r, s) => new Response(`${r.url} ${await r.text()} ${s.protocol(r)}`) });
  await server.ready;
  if (withHTTP1) {
    const got = deferred();
    const req = https.request(`${server.url.href}x`, { method: 'POST', rejectUnauthorized: false, agent: false }, (res) => {
      const parts = [];
      res.on('data', (b) => parts.push(b));
      res.on('end', () => got.resolve([res.statusCode, res.headers['alt-svc'], String(Buffer.concat(parts))]));
    });
    req.on('error', got.reject);
    req.end('content');
    assert.deepStrictEqual(await got.promise, [200, `h3=":${server.port}"; ma=86400`, `${server.url.href}x content http/1.1`]);
  }
  await server.stop();
});

await run(); // and then the process ends by itself
