// Options that nobody knows, and those of the wrong type: a TypeError names them at once.

import assert from 'node:assert';
import { Agent, Dispatcher, fetch, quic, serve, serveWebTransport, WebTransport } from 'godwit';
import { eventually, run, test } from './suite.mjs';

const handler = () => new Response();
const wrong = (f, ...texts) => assert.throws(f, (e) => e instanceof TypeError && texts.every((t) => e.message.includes(t)), f.toString());

test('serve', () => {
  wrong(() => serve({ fetch: handler, prot: 0 }), 'serve: there is no option prot; is port meant?');
  wrong(() => serve({ fetch: handler, idletimeout: 1 }), 'idletimeout; is idleTimeout meant?');
  wrong(() => serve({ fetch: handler, websocket: {} }), 'serve: there is no option websocket');
  wrong(() => serve({ feth: handler }), 'feth; is fetch meant?');
  wrong(() => serve(() => {}, { hostnam: 'localhost' }), 'hostnam; is hostname meant?');
  wrong(() => serve(() => {}, { fetch: handler }), 'fetch');
  wrong(() => serve({ fetch: handler, tls: { cert: '', key: '', requestCert: true } }), 'serve: tls: there is no option requestCert');
  wrong(() => serve({ fetch: handler, tls: { passphrase: 'x' } }), 'passphrase');
  wrong(() => serve({ webtransport: { opened() {} } }), 'serve: webtransport: there is no option opened; is open meant?');
  wrong(() => serve({ fetch: handler, idleTimeout: {} }), 'idleTimeout');
});

test('what is undefined is not there, and what is inherited is', async () => {
  const server = serve(Object.assign(Object.create({ hostname: '127.0.0.1' }), { fetch: handler, nothing: undefined, http1: false }));
  assert.strictEqual(server.hostname, '127.0.0.1');
  wrong(() => server.reload({ fetch: handler, port: 1 }), 'server.reload: there is no option port');
  await server.stop();
  wrong(() => serve(Object.create({ fetch: handler, http2: false })), 'http2; is http1 meant?');
});

test('serveWebTransport and sessions', async () => {
  wrong(() => serveWebTransport({ webtransport: {}, http1: false }), 'serveWebTransport: there is no option http1');
  wrong(() => serveWebTransport({ webtransport: { orgins: '*' } }), 'orgins; is origins meant?');
  let told;
  const server = serveWebTransport({
    hostname: '127.0.0.1',
    webtransport: { open: (session) => session.accept({ protocols: ['a'] }), error: (session, e) => { told = e; } },
  });
  const wt = new WebTransport(server.url, { tls: { rejectUnauthorized: false } });
  await assert.rejects(wt.ready, /500/);
  assert.match(told.message, /session.accept: there is no option protocols; is protocol meant\?/);
  await server.stop();
});

test('quic', async () => {
  wrong(() => quic({ message() {}, hots: 'localhost' }), 'quic: there is no option hots');
  wrong(() => quic({ message() {}, onmessage() {} }), 'onmessage; is message meant?');
  wrong(() => quic({ message() {}, reconnect: { retry: 3 } }), 'quic: reconnect: there is no option retry');
  wrong(() => quic({ message() {}, tls: { certs: '' } }), 'quic: tls: there is no option certs; is cert meant?');
  wrong(() => quic({ data() {}, end: 1 }), 'end must be a function');
  const socket = quic({ message() {} });
  wrong(() => socket.stream(1, { unidirectionel: true }), 'unidirectionel; is unidirectional meant?');
  socket.close();
});

test('fetch, agents and dispatchers', async () => {
  wrong(() => new Agent({ keepaliveTimeout: 1 }), 'Agent: there is no option keepaliveTimeout; is keepAliveTimeout meant?');
  wrong(() => new Agent({ tls: { rejectUnauthorised: false } }), 'rejectUnauthorised; is rejectUnauthorized meant?');
  wrong(() => new Dispatcher({ patiens: 1 }), 'patiens; is patience meant?');
  const rejected = (init, ...texts) => assert.rejects(fetch('https://localhost:9/', init), (e) => e instanceof TypeError && texts.every((t) => e.message.includes(t)));
  await rejected({ header: {} }, 'fetch: there is no option header; is headers meant?');
  await rejected({ Protocol: 'http3' }, 'is protocol meant?');
  await rejected({ dispatcher: {} }, 'fetch: there is no option dispatcher');
  await rejected({ agent: {} }, 'agent must be an Agent');
  await rejected({ protocol: 'http2' }, 'protocol must be');
});

// Web IDL, 3.2.17: of a dictionary's members those that it does not have are not looked at.
test('dictionaries of the W3C have other members as well, tls is not of them', async () => {
  const server = serveWebTransport({ hostname: '127.0.0.1', webtransport: {} });
  wrong(() => new WebTransport(server.url, { tls: { rejectUnauthorised: false } }), 'WebTransport: tls: there is no option rejectUnauthorised');
  const wt = new WebTransport(server.url, { requireUnreliabel: 1, tls: { rejectUnauthorized: false } });
  await wt.ready;
  await (await wt.createUnidirectionalStream({ sendOrdr: 1 })).close();
  wt.close({ closeCod: 3 });
  assert.strictEqual((await wt.closed).closeCode, 0);
  await eventually(() => server.sessions.size === 0);
  await server.stop();
});

// Of HTTP/3 a server of WebTransport has datagrams (draft-ietf-webtrans-http3, Section 3.1).
test('requireUnreliable: a session has datagrams, or there is none', async () => {
  const server = serveWebTransport({ hostname: '127.0.0.1', webtransport: {} }), other = serve({ hostname: '127.0.0.1', http1: false, fetch: handler });
  const dial = (s) => new WebTransport(s.url, { requireUnreliable: true, tls: { rejectUnauthorized: false } });
  const wt = dial(server);
  assert.strictEqual(wt.reliability, 'pending');
  await wt.ready;
  await wt.getStats();
  assert.strictEqual(wt.reliability, 'supports-unreliable');
  assert.ok(wt.datagrams.maxDatagramSize > 1000);
  await assert.rejects(dial(other).ready, (e) => e.source === 'session' && e.cause.kind === 'unsupported');
  wt.close();
  await Promise.all([server.stop(), other.stop()]);
});

await run();
