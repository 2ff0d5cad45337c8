// An upload with progress: the server says how much it has stored, not the client how much
// it has sent.
//
//   node upload.mjs serve FOLDER [PORT]   prints its address, with the certificate's hash behind #
//   node upload.mjs ADDRESS FILE          sends a file, and shows the progress and the SHA-256

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { serve, WebTransport } from 'godwit';

const STEP = 1 << 20; // bytes between two messages about the progress

const [where, argument, port] = process.argv.slice(2);
if (where === 'serve') serveUploads(argument, Number(port ?? 0));
else await upload(new URL(where), argument);

function serveUploads(folder, port) {
  const server = serve({
    port,
    webtransport: {
      async stream(session, { readable, writable }) {
        const writer = writable.getWriter(), encoder = new TextEncoder(), hash = createHash('sha256');
        const file = await open(join(folder, basename(decodeURIComponent(session.request.path))), 'wx'); // a new one
        try {
          let stored = 0, told = 0;
          for await (const bytes of readable) { // the client waits while this does
            hash.update(bytes);
            await file.writeFile(bytes);
            stored += bytes.byteLength;
            if (stored - told < STEP) continue;
            told = stored;
            await writer.write(encoder.encode(`${stored}\n`));
          }
          await writer.write(encoder.encode(`${stored}\nsha256 ${hash.digest('hex')}\n`));
          await writer.close();
        } finally {
          await file.close();
        }
      },
      error(session, error) {
        session.close({ closeCode: 1, reason: error.message });
      },
    },
  });
  process.once('SIGTERM', () => server.stop());
  console.log(`${server.url}#${server.certificateHash}`);
}

async function upload(url, name) {
  const value = Buffer.from(url.hash.slice(1), 'hex');
  url.hash = '';
  url.pathname = `/${encodeURIComponent(basename(name))}`;
  const session = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
  const { size } = await stat(name);
  const { readable, writable } = await session.createBidirectionalStream();
  const sent = send(name, writable);
  try {
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of readable) {
      const lines = (text + decoder.decode(bytes, { stream: true })).split('\n');
      text = lines.pop();
      for (const line of lines) console.log(line.startsWith('sha256') ? line : `${Math.floor(100 * line / (size || 1))} %`);
    }
    await sent;
    session.close();
  } catch (error) {
    const { reason } = await session.closed.catch((e) => ({ reason: e.message }));
    console.error(`it has failed: ${reason || error.message}`);
    process.exitCode = 1;
  }
}

async function send(name, writable) {
  const writer = writable.getWriter();
  writer.closed.catch(() => {}); // which write tells as well
  for await (const bytes of createReadStream(name)) await writer.write(bytes);
  await writer.close();
}
