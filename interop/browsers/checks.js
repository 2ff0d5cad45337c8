// Checks that run in a page. Each gets {url, hash, recorder, recorderHash} and returns what the
// test judges: the page itself decides nothing but what it cannot do.

const options = (ctx, more) => ({
  serverCertificateHashes: [ctx.hash, ctx.recorderHash].map((hash) => (
    { algorithm: "sha-256", value: Uint8Array.from(hash.match(/../g), (h) => parseInt(h, 16)) })),
  ...more,
});

async function open(ctx, path, more) {
  const wt = new WebTransport((path.startsWith("https:") ? "" : ctx.url) + path, options(ctx, more));
  wt.closed.catch(() => {});
  await wt.ready;
  return wt;
}

async function readAll(readable) {
  const reader = readable.getReader();
  const chunks = [];
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

// pattern differs from offset to offset.
function pattern(size) {
  const b = new Uint8Array(size);
  let x = size + 1;
  for (let i = 0; i < size; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0;
    b[i] = x >>> 16;
  }
  return b;
}

const equal = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);
const text = (b) => new TextDecoder().decode(b);
const within = (ms, promise, otherwise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms, otherwise))]);

// stopStream stops reading a stream that is echoed, and returns the code with which
// the server stops reading it; null if there is an error without a code.
async function stopStream(wt) {
  const stream = await wt.createBidirectionalStream();
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  await writer.write(new Uint8Array(1));
  await reader.read();
  const closed = writer.closed.then(() => "no error", (e) => e.streamErrorCode ?? null);
  reader.cancel(streamError(43)).catch(() => {});
  await roundTrip(wt, 1); // by now the server knows
  writer.write(new Uint8Array(1)).catch(() => {}); // it notices when it has something to send back
  return within(5000, closed, "none");
}

async function send(writable, data) {
  const writer = writable.getWriter();
  for (let at = 0; at < data.length; at += 65536) {
    await writer.ready;
    writer.write(data.subarray(at, at + 65536)).catch(() => {});
  }
  await writer.close();
}

async function roundTrip(wt, size) {
  const data = pattern(size);
  const stream = await wt.createBidirectionalStream();
  const [got] = await Promise.all([readAll(stream.readable), send(stream.writable, data)]);
  return equal(got, data);
}

async function uniRoundTrip(wt, incoming, size) {
  const data = pattern(size);
  const sending = send(await wt.createUnidirectionalStream(), data);
  const { value } = await incoming.read();
  const [got] = await Promise.all([readAll(value), sending]);
  return equal(got, data);
}

// streamError makes the error that carries a code; browsers disagree about how.
function streamError(streamErrorCode) {
  try {
    return new WebTransportError("as the check wants it", { streamErrorCode });
  } catch {
    return new WebTransportError({ streamErrorCode });
  }
}

const datagramWriter = (wt) =>
  (wt.datagrams.writable ?? wt.datagrams.createWritable()).getWriter();

globalThis.checks = {
  async ready(ctx) {
    (await open(ctx, "/wt/echo")).close();
    return true;
  },

  async datagram(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const reader = wt.datagrams.readable.getReader();
    await datagramWriter(wt).write(new TextEncoder().encode("ping"));
    const { value } = await reader.read();
    wt.close();
    return text(value);
  },

  // burst returns the share of 500 datagrams that came back.
  async burst(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const seen = new Set();
    const reader = wt.datagrams.readable.getReader();
    const receive = (async () => {
      while (seen.size < 500) {
        const { value, done } = await reader.read();
        if (done) return;
        seen.add(new DataView(value.buffer, value.byteOffset).getUint32(0));
      }
    })();
    const writer = datagramWriter(wt);
    for (let i = 0; i < 500; i++) {
      const b = new Uint8Array(100);
      new DataView(b.buffer).setUint32(0, i);
      await writer.ready;
      writer.write(b).catch(() => {});
    }
    await within(3000, receive.catch(() => {}));
    wt.close();
    return seen.size / 500;
  },

  // datagramsInBursts returns how many of 200 datagrams arrive that a server sends in bursts,
  // three times.
  async datagramsInBursts(ctx) {
    const counts = [];
    for (let run = 0; run < 3; run++) {
      const wt = await open(ctx, ctx.recorder + "bursts");
      const reader = wt.datagrams.readable.getReader();
      const seen = new Set();
      const receive = (async () => {
        while (seen.size < 200) {
          const { value, done } = await reader.read();
          if (done) return;
          seen.add((value[0] << 8) | value[1]);
        }
      })();
      await datagramWriter(wt).write(new Uint8Array(1));
      await within(2000, receive.catch(() => {}));
      wt.close();
      counts.push(seen.size);
    }
    return counts;
  },

  // closedWithStream returns how many of 50 sessions end with the server's code and
  // reason, which closes them while a stream is open.
  async closedWithStream(ctx) {
    let right = 0;
    for (let run = 0; run < 50; run++) {
      const wt = await open(ctx, ctx.recorder + "closing");
      const stream = await wt.createBidirectionalStream();
      stream.readable.getReader().read().catch(() => {});
      const writer = stream.writable.getWriter();
      writer.closed.catch(() => {});
      writer.write(new Uint8Array(1)).catch(() => {});
      const { closeCode, reason } = await wt.closed.catch(() => ({}));
      if (closeCode === 4000000001 && reason === "that was all") right++;
    }
    return right;
  },

  async bidirectional(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const whole = [];
    for (const size of [1, 64 << 10, 8 << 20]) whole.push(await roundTrip(wt, size));
    wt.close();
    return whole;
  },

  async unidirectional(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const incoming = wt.incomingUnidirectionalStreams.getReader();
    const whole = [];
    for (const size of [1, 64 << 10, 8 << 20]) whole.push(await uniRoundTrip(wt, incoming, size));
    wt.close();
    return whole;
  },

  // emptyStream: a unidirectional stream without content, and the session after it.
  async emptyStream(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const incoming = wt.incomingUnidirectionalStreams.getReader();
    const empty = await uniRoundTrip(wt, incoming, 0);
    const after = await roundTrip(wt, 10);
    wt.close();
    return [empty, after];
  },

  async fiftyStreams(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const whole = await Promise.all(Array.from({ length: 50 }, (_, i) => roundTrip(wt, 1000 + i)));
    wt.close();
    return whole.filter(Boolean).length;
  },

  async serverStreams(ctx) {
    const wt = await open(ctx, "/wt/push");
    const first = async (readable) => (await readable.getReader().read()).value;
    const [bidi, uni, datagram] = await Promise.all([
      first(wt.incomingBidirectionalStreams).then((s) => readAll(s.readable)),
      first(wt.incomingUnidirectionalStreams).then(readAll),
      first(wt.datagrams.readable),
    ]);
    wt.close();
    return [bidi, uni, datagram].map(text);
  },

  // resetCode returns the code of the reset that answers a reset, null for none.
  async resetCode(ctx) {
    const wt = await open(ctx, "/wt/echo");
    const stream = await wt.createBidirectionalStream();
    const reader = stream.readable.getReader();
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array(1));
    await reader.read();
    writer.abort(streamError(42)).catch(() => {});
    const code = await reader.read().then(() => "no error", (e) => e.streamErrorCode);
    wt.close();
    return code ?? null;
  },

  // stopCode returns the code of the STOP_SENDING that answers a STOP_SENDING.
  // Chromium's pages hear of a stream's end in two ways, of which only one tells
  // the code: when the other was faster, another stream is tried.
  async stopCode(ctx) {
    const wt = await open(ctx, "/wt/echo");
    let code = null;
    for (let tries = 0; tries < 20 && code === null; tries++) {
      code = await stopStream(wt);
    }
    wt.close();
    return code;
  },

  async closedByServer(ctx) {
    const wt = await open(ctx, "/wt/close?code=4000000007&reason=so%20long");
    const { closeCode, reason } = await wt.closed;
    return [closeCode, reason];
  },

  // closedByClient resets a stream with a code, ends another, and closes the
  // session with a code soon after, for a server that records all of it.
  async closedByClient(ctx) {
    const wt = await open(ctx, ctx.recorder);
    const stream = await wt.createBidirectionalStream();
    const reader = stream.readable.getReader();
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array(1));
    await reader.read();
    writer.abort(streamError(44)).catch(() => {});
    await reader.read().catch(() => {}); // the server has seen it
    await send(await wt.createUnidirectionalStream(), new TextEncoder().encode("last words"));
    // Firefox on a busy machine sends the end of the session before what it has been
    // given for the stream, which is no use then.
    await new Promise((resolve) => setTimeout(resolve, 200));
    wt.close({ closeCode: 123456, reason: "goodbye" });
    await wt.closed;
    return true;
  },

  async rejected(ctx) {
    const wt = new WebTransport(ctx.url + "/wt/reject?status=404", options(ctx));
    wt.closed.catch(() => {});
    return wt.ready.then(() => "accepted", () => "refused");
  },

  async twoSessions(ctx) {
    const both = await Promise.all([open(ctx, "/wt/echo"), open(ctx, "/wt/echo")]);
    const whole = await Promise.all(both.map((wt, i) => roundTrip(wt, 100_000 + i)));
    both.forEach((wt) => wt.close());
    return whole;
  },

  async fiftySessions(ctx) {
    let whole = 0;
    for (let i = 0; i < 50; i++) {
      const wt = await open(ctx, "/wt/echo");
      if (await roundTrip(wt, 10)) whole++;
      wt.close();
      await wt.closed.catch(() => {});
    }
    return whole;
  },

  async draining(ctx) {
    const wt = await open(ctx, "/wt/drain");
    const drained = "draining" in wt ? await within(5000, wt.draining.then(() => "drained"), "nothing") : "unknown";
    const after = await roundTrip(wt, 10);
    wt.close();
    return [drained, after];
  },

  async chat(ctx) {
    const [a, b] = await Promise.all([open(ctx, "/wt/chat"), open(ctx, "/wt/chat")]);
    const incoming = b.incomingUnidirectionalStreams.getReader();
    const first = incoming.read();
    let heard;
    while (heard === undefined) { // b may be in the room a moment after it has its session
      await send(await a.createUnidirectionalStream(), new TextEncoder().encode("hi"));
      heard = await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    const got = text(await readAll(heard.value));
    a.close();
    b.close();
    return got;
  },
};
