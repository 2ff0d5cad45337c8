// The JavaScript package: a server of what the load client asks for, under any runtime.
//
//   node godwit.mjs CERT KEY [serve]        the routes of ../httpd, and sessions of WebTransport
//                                           whose datagrams and streams come back
//   node godwit.mjs CERT KEY echo           the same of QUIC alone, ALPN "perf"
//   node godwit.mjs CERT KEY perf           the QUIC performance protocol
//
// It prints its port. As in ../bun/http3.mjs, routes are there twice: as they are, static
// responses, and below /js, handlers in JavaScript.
import { readFileSync } from 'node:fs';
import { quic, serve } from '../../bindings/js/src/index.js';

const [cert, key] = process.argv.slice(2, 4).map((name) => readFileSync(name, 'utf8'));
const common = { port: 0, hostname: '127.0.0.1', tls: { cert, key } };
const what = process.argv[4] ?? 'serve';

function serveRoutes() {
  const medium = new Uint8Array(10 << 10), bulk = new Uint8Array(64 << 20);
  const text = { headers: { 'Content-Type': 'text/plain' } };
  return serve({
    ...common,
    http1: false,
    routes: {
      '/small': new Response('hello', text),
      '/10k': new Response(medium, text),
      '/js/small': () => new Response('hello', text),
      '/js/10k': () => new Response(medium, text),
      '/bulk': () => new Response(bulk),
    },
    fetch: () => new Response('not found\n', { status: 404 }),
    webtransport: {
      datagram: (session, data) => session.sendDatagram(data),
      data: (session, stream, bytes, last) => last ? stream.end(bytes) : stream.write(bytes),
    },
  });
}

// What a stream did not take is kept in its data until there is room.
function write(stream, bytes) {
  const kept = stream.data;
  if (kept !== undefined) {
    kept.push(bytes);
    return;
  }
  const n = stream.write(bytes);
  if (n < bytes.length) stream.data = [bytes.subarray(n)];
}

function drain(stream) {
  const kept = stream.data;
  while (kept?.length > 0) {
    const n = stream.write(kept[0]);
    if (n < kept[0].length) {
      kept[0] = kept[0].subarray(n);
      return;
    }
    kept.shift();
  }
  stream.data = undefined;
}

const echo = () => quic({
  ...common, server: true, alpn: 'perf',
  data: write, drain, end: (stream) => stream.end(), datagram: (socket, bytes) => socket.sendDatagram(bytes),
});

const zeros = new Uint8Array(256 << 10);

// send sends as much as there is room for of what a client of the performance protocol
// has asked for.
function send(stream) {
  const x = stream.data;
  while (x.left > 0) {
    const n = stream.write(x.left < zeros.length ? zeros.subarray(0, x.left) : zeros);
    x.left -= n;
    if (n < zeros.length && x.left > 0) return;
  }
  stream.end();
}

const perf = () => quic({
  ...common, server: true, alpn: 'perf',
  data(stream, bytes) {
    stream.data ??= { head: Buffer.alloc(0), left: 0 };
    if (stream.data.head.length < 8) stream.data.head = Buffer.concat([stream.data.head, bytes.subarray(0, 8)]);
  },
  end(stream) {
    stream.data.left = Number(stream.data.head.readBigUint64BE(0));
    send(stream);
  },
  drain: send,
});

console.log(({ serve: serveRoutes, echo, perf })[what]().port);
