// Certificates of servers: by authorities of one's own, by names and dates.

import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { Agent, quic, serve, WebTransport } from 'godwit';
import { deferred, run, test } from './suite.mjs';

const pem = (name) => ({ cert: readFileSync(`${name}cert.pem`, 'utf8'), key: readFileSync(`${name}key.pem`, 'utf8') });
const good = pem(''), expired = pem('expired-');

// asked says how each kind of client finds a server: "ok", or what is wrong with its certificate.
async function asked(port, tls, host = 'localhost') {
  const url = `https://${host}:${port}/`;
  const wt = new WebTransport(url, { tls });
  const ofSession = await wt.ready.then(() => 'ok', (e) => `${e.cause.kind}: ${e.cause.message}`);
  wt.close();
  const agent = new Agent({ tls });
  const ofFetch = await agent.fetch(url, { protocol: 'http3' }).then((r) => r.text(), (e) => `${e.cause.kind}: ${e.cause.message}`);
  await agent.destroy();
  return [ofSession, ofFetch];
}

async function askedByQUIC(port, tls) {
  const d = deferred();
  const client = quic({ hostname: 'localhost', port, tls, message() {}, open: () => d.resolve('ok'), error: (socket, e) => d.resolve(`${e.kind}: ${e.message}`) });
  const answer = await d.promise;
  client.close();
  return answer;
}

for (const [name, tls, ca, host, want] of [
  ['one of an authority of one\'s own', good, good.cert, 'localhost', /^ok$/],
  ['one that has expired', expired, expired.cert, 'localhost', /^certificate: .*expired/],
  ['one of another authority', good, expired.cert, 'localhost', /^certificate: .*unknown authority/],
  ['one of another name', good, good.cert, '127.0.0.2', /^certificate: .*127\.0\.0\.2/],
]) {
  test(name, async () => {
    const server = serve({ hostname: host, http1: false, tls, fetch: () => new Response('ok'), webtransport: {} });
    for (const answer of await asked(server.port, { ca }, host)) assert.match(answer, want);
    for (const answer of await asked(server.port, { ca, rejectUnauthorized: false }, host)) assert.strictEqual(answer, 'ok');
    await server.stop(false);
    if (host !== 'localhost') return;
    const raw = quic({ server: true, hostname: 'localhost', port: 0, tls, message() {}, error() {} });
    assert.match(await askedByQUIC(raw.port, { ca }), want);
    raw.close();
  });
}

await run();
