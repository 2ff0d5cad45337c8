// Topics: who gets what is published, what is counted, and what becomes of what does not fit.

import assert from 'node:assert';
import { serve as serveAll, serveWebTransport, WebTransport } from 'godwit';
import { deferred, eventually, run, test } from './suite.mjs';

const local = { hostname: '127.0.0.1' };
const string = (b) => new TextDecoder().decode(b);

function dial(server, path) {
  return new WebTransport(new URL(path, server.url), { serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from(server.certificateHash, 'hex') }] });
}

// heard collects the datagrams of a session.
function heard(wt) {
  const list = [];
  (async () => {
    for (const reader = wt.datagrams.readable.getReader(); ;) {
      const { value, done } = await reader.read();
      if (done) return;
      list.push(string(value));
    }
  })().catch(() => {});
  return list;
}

test('publishing by the server and by sessions, and what is counted', async () => {
  const sessions = [];
  const server = serveAll({ ...local, http1: false, webtransport: { open: (session, { path }) => { sessions.push(session); session.subscribe(path); session.subscribe('all'); } } });
  const [a, b, c] = ['/one', '/one', '/two'].map((path) => dial(server, path));
  await Promise.all([a.ready, b.ready, c.ready]);
  assert.deepStrictEqual([server.topic('/one')?.subscribers, server.topic('/two').subscribers, server.topic('all').subscribers, server.topic('none')], [2, 1, 3, null]);
  const [ofA, ofB, ofC] = [a, b, c].map(heard);
  let published = 0;
  await eventually(() => { // datagrams may be lost
    published++;
    assert.strictEqual(server.publish('/one', 'to one'), 2);
    return ofA.includes('to one') && ofB.includes('to one');
  });
  assert.deepStrictEqual(server.topic('/one'), { subscribers: 2, published, sent: 2 * published, dropped: 0 });
  assert.ok(!ofC.includes('to one'));
  const mine = sessions.find((s) => s.request.path === '/two');
  await eventually(() => {
    assert.strictEqual(mine.publish('all', new TextEncoder().encode('from two')), 2);
    return ofA.includes('from two') && ofB.includes('from two');
  });
  assert.ok(!ofC.includes('from two'));
  assert.deepStrictEqual([mine.isSubscribed('all'), mine.isSubscribed('/one')], [true, false]);
  mine.unsubscribe('all');
  assert.deepStrictEqual([mine.isSubscribed('all'), server.topic('all').subscribers], [false, 2]);
  mine.subscribe('all');
  mine.unsubscribe();
  assert.deepStrictEqual([server.topic('all').subscribers, server.topic('/two')], [2, null]);
  a.close();
  await eventually(() => server.topic('/one').subscribers === 1);
  await b.close();
  await eventually(() => server.topic('/one') === null);
  assert.strictEqual(server.publish('/one', 'nobody'), 0);
  c.close();
  await server.stop();
});

test('what does not fit is dropped and counted, or closes the session', async () => {
  const server = serveWebTransport({ ...local, webtransport: { open: (session, { path }) => session.subscribe('state', { whenFull: path.slice(1) }) } });
  const drops = dial(server, '/drop'), closes = dial(server, '/close');
  await Promise.all([drops.ready, closes.ready]);
  await eventually(() => server.topic('state')?.subscribers === 2);
  const large = new Uint8Array(70_000);
  assert.strictEqual(server.publish('state', large), 0);
  assert.deepStrictEqual(await closes.closed, { closeCode: 1, reason: 'too slow' });
  assert.deepStrictEqual(server.topic('state'), { subscribers: 1, published: 1, sent: 0, dropped: 2 });
  const [session] = server.sessions;
  assert.strictEqual(session.sendDatagram(large), false);
  assert.strictEqual((await session.getStats()).datagrams.droppedOutgoing, 2);

  // A flood within one turn, in which the engine cannot read: what is more than the ring and
  // a mebibyte is dropped, and neither kept nor sent late.
  const some = new Uint8Array(1000);
  let sent = 0;
  for (let i = 0; i < 5000; i++) sent += server.publish('state', some);
  const { dropped } = server.topic('state');
  assert.ok(sent < 5000 && sent > 100, `${sent} sent`);
  assert.strictEqual(dropped, 2 + 5000 - sent);
  await eventually(() => server.publish('state', 'room again') === 1);
  drops.close();
  await server.stop(true);
});

test('wrong arguments', async () => {
  let told = [];
  const server = serveWebTransport({ ...local, webtransport: {
    open(session) {
      for (const options of [{ whenFull: 'wait' }, { whenful: 'drop' }]) {
        try {
          session.subscribe('x', options);
        } catch (e) {
          told.push(e);
        }
      }
      session.subscribe('x');
    },
  } });
  const wt = dial(server, '/');
  await wt.ready;
  assert.ok(told.length === 2 && told.every((e) => e instanceof TypeError && /whenFull/.test(e.message)));
  assert.throws(() => server.publish('x', 7), TypeError);
  assert.throws(() => server.publish('nobody', 7), TypeError);
  wt.close();
  await server.stop();
});

test('what is published under a topic accepts no session that is still to be decided about', async () => {
  const asked = deferred(), decided = deferred(), errors = [];
  const server = serveWebTransport({
    ...local, webtransport: {
      async open(session) {
        session.subscribe('all');
        asked.resolve();
        await decided.promise;
        return new Response(null, { status: 401 });
      },
      error: (session, e) => errors.push(e),
    },
  });
  const client = dial(server, '/');
  await asked.promise;
  assert.strictEqual(server.publish('all', 'secret'), 1);
  decided.resolve();
  await assert.rejects(client.ready, /401/);
  assert.deepStrictEqual([errors, server.topic('all')], [[], null]);
  await server.stop();
});

await run();
