// A game's state at 60 Hz, by datagrams: what gets lost is not sent again, since the next
// one says more.
//
//   node game.mjs serve [PORT]          prints its address, with the certificate's hash behind #
//   node game.mjs ADDRESS [PLAYERS]     plays by itself until the input ends; it says so when it
//                                       has seen so many players, and itself in another place
//
// From the server, at each tick: u32 tick; for each player u32 number, f32 x, f32 y.
// From a player: u32 count, i8 in which direction x and y are to change.

import { serve, WebTransport } from 'godwit';

const RATE = 60, SPEED = 5; // ticks, and how far one comes, in a second
const PLAYERS = 90; // so many fit into a datagram that any path takes

const [where, argument] = process.argv.slice(2);
if (where === 'serve') serveGame(Number(argument ?? 0));
else await play(new URL(where), Number(argument ?? 1));

function serveGame(port) {
  let tick = 0, players = 0;

  const server = serve({
    port,
    webtransport: {
      open(session) {
        if (server.sessions.size >= PLAYERS) return new Response('full', { status: 503 });
        session.data = { number: ++players, x: 0, y: 0, dx: 0, dy: 0, count: 0 };
        session.subscribe('state');
      },
      datagram(session, bytes) {
        if (bytes.byteLength !== 6) return;
        const view = new DataView(bytes.buffer, bytes.byteOffset, 6), p = session.data;
        if (view.getUint32(0) <= p.count) return; // it has been overtaken
        p.count = view.getUint32(0);
        p.dx = Math.sign(view.getInt8(4));
        p.dy = Math.sign(view.getInt8(5));
      },
    },
  });

  const timer = setInterval(() => {
    const state = new DataView(new ArrayBuffer(4 + 12 * server.sessions.size));
    state.setUint32(0, ++tick);
    let at = 4;
    for (const { data: p } of server.sessions) {
      p.x += p.dx * SPEED / RATE;
      p.y += p.dy * SPEED / RATE;
      state.setUint32(at, p.number);
      state.setFloat32(at + 4, p.x);
      state.setFloat32(at + 8, p.y);
      at += 12;
    }
    server.publish('state', state);
  }, 1000 / RATE);

  process.once('SIGTERM', () => {
    clearInterval(timer);
    server.stop();
  });
  console.log(`${server.url}#${server.certificateHash}`);
}

async function play(url, wanted) {
  const value = Buffer.from(url.hash.slice(1), 'hex');
  url.hash = '';
  const session = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
  await session.ready;
  session.datagrams.incomingMaxBufferedDatagrams = 2; // older ones are of no interest
  process.stdin.on('end', () => session.close()).resume();

  let last = 0, count = 0, said = false;
  const first = new Map(); // where players were when they were seen first
  try {
    for await (const bytes of session.datagrams.readable) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (view.getUint32(0) <= last) continue;
      last = view.getUint32(0);
      let moved = false;
      for (let at = 4; at < view.byteLength; at += 12) {
        const number = view.getUint32(at), x = view.getFloat32(at + 4);
        if (!first.has(number)) first.set(number, x);
        moved ||= x > first.get(number);
      }
      const move = new DataView(new ArrayBuffer(6));
      move.setUint32(0, ++count);
      move.setInt8(4, 1);
      session.sendDatagram(move);
      if (said || !moved || first.size < wanted) continue;
      said = true;
      console.log(`${first.size} players, and they move`);
    }
  } catch (error) {
    console.error(error.message);
  }
  console.log('over');
}
