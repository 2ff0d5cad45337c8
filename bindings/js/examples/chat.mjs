// A chat over WebTransport, whose messages are lines of a stream.
//
//   node chat.mjs serve [PORT]    prints its address, with the certificate's hash behind #
//   node chat.mjs ADDRESS NAME    sends what is typed, and shows what all have said

import { createInterface } from 'node:readline';
import { serve, WebTransport } from 'godwit';

const [where, argument] = process.argv.slice(2);
if (where === 'serve') serveChat(Number(argument ?? 0));
else await chat(new URL(where), argument);

function serveChat(port) {
  const members = new Map(); // sessions to the streams that they have opened

  function tell(text) {
    const line = `${text}\n`;
    for (const [session, stream] of members) {
      // Who reads so slowly that there is no room for a line is sent away: nothing piles up.
      if (stream.write(line) < Buffer.byteLength(line)) session.close({ closeCode: 1, reason: 'too slow' });
    }
  }

  const server = serve({
    port,
    webtransport: {
      open(session, request) {
        const name = request.query.get('name');
        if (!name) return new Response('a name is missing', { status: 400 });
        session.data = { name };
      },
      stream(session, stream) {
        stream.data = { decoder: new TextDecoder(), text: '' };
        members.set(session, stream);
        tell(`${session.data.name} has come`);
      },
      data(session, stream, bytes, last) {
        const d = stream.data;
        const lines = (d.text + d.decoder.decode(bytes, { stream: !last })).split('\n');
        d.text = lines.pop();
        for (const line of lines) tell(`${session.data.name}: ${line}`);
        if (d.text.length > 1000) session.close({ closeCode: 2, reason: 'a line is too long' });
        if (last) stream.end();
      },
      close(session) {
        if (members.delete(session)) tell(`${session.data.name} has left`);
      },
    },
  });
  process.once('SIGTERM', () => server.stop());
  console.log(`${server.url}#${server.certificateHash}`);
}

async function chat(url, name) {
  const value = Buffer.from(url.hash.slice(1), 'hex');
  url.hash = '';
  url.searchParams.set('name', name);
  const session = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
  const { readable, writable } = await session.createBidirectionalStream();

  const writer = writable.getWriter(), encoder = new TextEncoder();
  const keyboard = createInterface({ input: process.stdin });
  keyboard.on('line', (line) => writer.write(encoder.encode(`${line}\n`)).catch(() => {}));
  keyboard.on('close', () => writer.close().catch(() => {}));

  const decoder = new TextDecoder();
  try {
    for await (const bytes of readable) process.stdout.write(decoder.decode(bytes, { stream: true }));
    session.close();
  } catch (error) {
    console.error(error.message);
  }
  keyboard.close();
}
