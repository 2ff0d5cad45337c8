// WebTransport sessions with the server of this page.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// options accept the certificate by its hash if the server has given it.
function options(hash) {
  if (!hash) return {};
  const value = Uint8Array.from(hash.match(/../g), (digits) => parseInt(digits, 16));
  return { serverCertificateHashes: [{ algorithm: "sha-256", value }] };
}

// connect opens a session. The error says what may be wrong.
export async function connect(path, hash) {
  if (!("WebTransport" in globalThis)) {
    throw new Error(globalThis.isSecureContext
      ? "This browser has no WebTransport. Chrome, Edge, Firefox and, since version 26.4, Safari have it."
      : "Browsers have WebTransport only for pages that come over HTTPS.");
  }
  const session = new WebTransport(new URL(path, location.href), options(hash));
  session.closed.catch(() => {}); // whoever wants to know asks again
  try {
    await session.ready;
  } catch (e) {
    throw new Error(`The session did not open (${e.message.replace(/\.$/, "")}). Either UDP does not reach the server's port, or ${hash
      ? "the server has been started again with another certificate since this page was loaded: then a reload helps."
      : "the browser does not trust the certificate. One that godwit cert make has made needs no trust: the page would name it by its hash."}`);
  }
  return session;
}

// readAll returns the content of a stream.
async function readAll(readable) {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

async function writeAll(writable, bytes) {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

// echoBidi sends bytes by a bidirectional stream and returns what comes back.
export async function echoBidi(session, bytes) {
  const stream = await session.createBidirectionalStream();
  const [back] = await Promise.all([readAll(stream.readable), writeAll(stream.writable, bytes)]);
  return back;
}

// echoUni sends a text by a unidirectional stream and returns what comes by the
// next of the server's.
export async function echoUni(session, text) {
  await sendUni(session, text);
  return nextUni(session);
}

// nextUni returns what comes by the next unidirectional stream of the server's.
export async function nextUni(session) {
  const incoming = session.incomingUnidirectionalStreams.getReader();
  const { value: stream, done } = await incoming.read();
  incoming.releaseLock();
  if (done) throw new Error("The session has ended.");
  return decoder.decode(await readAll(stream));
}

// sendUni sends a text by a unidirectional stream.
export async function sendUni(session, text) {
  await writeAll(await session.createUnidirectionalStream(), encoder.encode(text));
}

// receiveTexts calls back with the content of every unidirectional stream of the
// server's, until the session ends.
export async function receiveTexts(session, receive) {
  const incoming = session.incomingUnidirectionalStreams.getReader();
  for (;;) {
    const { value: stream, done } = await incoming.read();
    if (done) return;
    readAll(stream).then((bytes) => receive(decoder.decode(bytes)), () => {});
  }
}

// offers are names of the browser's interface, with which of them this browser has.
export function offers(session) {
  const has = {};
  for (const name of ["getStats", "draining", "protocol", "reliability", "congestionControl", "createSendGroup", "exportKeyingMaterial", "responseHeaders"]) {
    has[name] = name in session;
  }
  for (const name of ["createWritable", "maxDatagramSize", "incomingMaxAge", "outgoingHighWaterMark"]) {
    has[`datagrams.${name}`] = name in session.datagrams;
  }
  return has;
}

// Pinger sends datagrams with numbers, which the server sends back, and keeps what
// became of the latest ones.
export class Pinger {
  static interval = 50; // milliseconds
  static lostAfter = 2000; // milliseconds
  static kept = 200; // datagrams
  static patience = 100; // datagrams without an answer

  sent = 0;
  back = 0;
  lost = 0;
  unanswered = 0; // sent since one has come back
  #timer;
  latest = []; // {sentAt, rtt}: milliseconds; rtt is undefined until it is back, and NaN when lost

  constructor(session) {
    this.session = session;
    const { datagrams } = session;
    this.writer = (datagrams.createWritable?.() ?? datagrams.writable).getWriter();
    this.reader = datagrams.readable.getReader();
  }

  // run goes on until the session ends or stop is called, and calls back after every
  // change.
  async run(changed) {
    this.#timer = setInterval(() => { this.#send(); changed(); }, Pinger.interval);
    const stop = () => this.stop(); // Firefox does not always end the reader
    this.session.closed.then(stop, stop);
    while (this.#timer) {
      const { value, done } = await this.reader.read().catch(() => ({ done: true }));
      if (done) break;
      if (!this.#timer) return;
      this.#receive(value, performance.now());
      changed();
    }
    this.stop();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #send() {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, this.sent++);
    this.unanswered++;
    this.latest.push({ sentAt: performance.now() });
    if (this.latest.length > Pinger.kept) this.latest.shift();
    this.writer.write(number).catch(() => {});
    for (const datagram of this.latest) {
      if (datagram.rtt !== undefined) continue;
      if (performance.now() - datagram.sentAt < Pinger.lostAfter) break;
      datagram.rtt = NaN;
      this.lost++;
    }
  }

  #receive(value, now) {
    if (value.byteLength !== 4) return;
    const number = new DataView(value.buffer, value.byteOffset).getUint32(0);
    const datagram = this.latest[number - (this.sent - this.latest.length)];
    if (!datagram || datagram.rtt !== undefined) return; // late, or again
    datagram.rtt = now - datagram.sentAt;
    this.back++;
    this.unanswered = 0;
  }
}
