import { serveWebTransport, WebTransport, WebTransportBidirectionalStream, WebTransportError, WebTransportReceiveStream, WebTransportSession } from 'godwit';

const session = new WebTransport('https://localhost:4433/chat', {
  serverCertificateHashes: [{ algorithm: 'sha-256', value: new Uint8Array(32) }], congestionControl: 'low-latency', protocols: ['a', 'b'],
  datagramsReadableType: 'bytes', anticipatedConcurrentIncomingUnidirectionalStreams: 200, headers: { authorization: 'x' }, requireUnreliable: true, keepAlive: 1000, tls: { rejectUnauthorized: false },
});
async function client(): Promise<void> {
  await session.ready;
  const stream: WebTransportBidirectionalStream = await session.createBidirectionalStream({ sendOrder: 3, sendGroup: session.createSendGroup() });
  const writer = stream.writable.getWriter();
  await writer.write(new Uint8Array(3));
  writer.commit();
  const material: Uint8Array = await session.exportKeyingMaterial(new Uint8Array(3), new ArrayBuffer(0), 32);
  void material;
  const reader = stream.readable.getReader({ mode: 'byob' });
  const { value } = await reader.read(new Uint8Array(10));
  value?.byteLength.toFixed();
  const uni = await session.createUnidirectionalStream();
  const sent: number = (await uni.getStats()).bytesSent;
  session.datagrams.incomingMaxAge = 100;
  await session.datagrams.createWritable().getWriter().write(new ArrayBuffer(sent));
  session.sendDatagram('text');
  for (const r = session.incomingUnidirectionalStreams.getReader(); ;) {
    const { done, value } = await r.read();
    if (done) break;
    const received: WebTransportReceiveStream = value;
    await received.cancel(new WebTransportError('enough', { streamErrorCode: 5 }));
  }
  const { closeCode, reason } = await session.closed;
  console.log(closeCode.toFixed(), reason.trim(), session.protocol, session.responseHeaders?.get('x'), (await session.getStats()).smoothedRtt);
}
void client;

const server = serveWebTransport<{ name: string }>({
  hostname: '127.0.0.1', port: 0,
  webtransport: {
    protocols: ['a'], origins: '*',
    open(session, request) {
      session.data = { name: request.query.get('name') ?? request.cookies['name'] ?? '' };
      if (request.protocols.length > 1) session.accept({ protocol: request.protocols[0] });
    },
    async stream(session, { readable, writable }) { if (writable) await readable.pipeTo(writable as WritableStream<Uint8Array>); session.data.name.trim(); },
    data(session, stream, bytes, last) { const n: number = stream.write(bytes); if (last && n > 0) stream.end(session.data.name); else stream.reset(7); },
    drain(session, stream) { stream.stop(session.data.name.length); },
    abort(session, stream, error) { console.log(session.data.name, stream.data, error.streamErrorCode); },
    datagram(session, data) { session.sendDatagram(data.subarray(1)); },
    close(session, code, reason, error) { console.log(session.data.name, code.toFixed(), reason.trim(), error?.streamErrorCode); },
    error(session, error) { console.log(session.request.path, error); },
  },
});
void server.stop(true);
const errors: DOMException = new WebTransportError('x', { source: 'session' });
void errors;

// @ts-expect-error a URL
new WebTransport();
// @ts-expect-error none of the three
new WebTransport('https://a', { congestionControl: 'fast' });
// @ts-expect-error bytes
new WebTransport('https://a', { serverCertificateHashes: [{ algorithm: 'sha-256', value: 'abc' }] });
// @ts-expect-error bytes or nothing
new WebTransport('https://a', { datagramsReadableType: 'byob' });
// @ts-expect-error no session without a server
new WebTransportSession();
// @ts-expect-error there must be webtransport
serveWebTransport({ port: 0 });
// @ts-expect-error no such callback
serveWebTransport({ webtransport: { message() {} } });
// @ts-expect-error text or bytes
session.sendDatagram(5);
// @ts-expect-error a number
session.close({ closeCode: 'x' });
// @ts-expect-error not of a client's
session.subscribe('x');
