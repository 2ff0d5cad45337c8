import { quic, GodwitError, QuicSocket, QuicStream } from 'godwit';

// By socket.
const server = quic({
  server: true, hostname: '127.0.0.1', port: 0, alpn: 'chat', maxConnections: 10, idleTimeout: 5000,
  tls: { cert: 'PEM', key: new Uint8Array(8) },
  data: { count: 0 },
  open(socket) { socket.data.count++; },
  connection(socket) { const n: number | undefined = socket.remotePort; void n; },
  message(socket, data) { const n: number = socket.write(data); return n + data.byteLength; },
  close(socket) { socket.data.count.toFixed(); },
  error(socket, error) { const code: string = error.code, number: bigint = error.errorCode; return [socket.port, code, number, error.remote]; },
  datagram(socket, data) { socket.sendDatagram(data); },
});
const count: number = server.data.count;
const port: number | undefined = server.port;

// By stream.
const client: QuicSocket = quic({
  hostname: 'localhost', port: '4433', reconnect: { retries: 3, minDelay: 10, maxDelay: 100 },
  socketOpen(socket) { socket.stream({ name: 'a' }).data.name.trim(); },
  open(stream) { stream.write('hello'); },
  data(stream, data) { stream.end(data.subarray(1)); },
  end(stream) { stream.close(7); },
  error(subject, error) { if (subject instanceof QuicStream) subject.close(); else subject.close(1, error.message); },
  reconnecting(socket, error, milliseconds) { console.log(socket.serverName, error.kind, milliseconds.toFixed()); },
});
quic({ port: 1, socketOpen(socket) { const s: QuicStream = socket.createStream(); s.writable.getWriter().write('x'); } });
quic({ port: 1, reconnect: true, open(socket) { socket.getStats().then((s) => s?.smoothedRTT); } });
quic({});

async function uses(stream: QuicStream): Promise<void> {
  for await (const part of stream.readable as unknown as AsyncIterable<Uint8Array>) part.byteLength.toFixed();
  const stats: number = client.stats.bytesSent + count + (port ?? 0);
  const error: Error = new GodwitError('x', { kind: 'idle', number: 3n, cause: stats });
  client.ref().unref().close();
  throw error;
}
void uses;

// @ts-expect-error there have to be options
quic();
// @ts-expect-error options are an object
quic('localhost:4433');
// @ts-expect-error a port is a number or digits
quic({ port: true });
// @ts-expect-error no such option
quic({ hostnme: 'localhost' });
// @ts-expect-error milliseconds
quic({ idleTimeout: '5 s' });
// @ts-expect-error a number of tries
quic({ reconnect: { retries: 'often' } });
// @ts-expect-error a socket is got from quic only
new QuicSocket();
// @ts-expect-error objects cannot be written
server.write({});
// @ts-expect-error it is told, not set
server.port = 4;
// @ts-expect-error the data of the user has no such member
server.data.size;
