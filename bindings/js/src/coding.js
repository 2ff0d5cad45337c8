// Codings of content (RFC 9110, Section 8.4), undone as the platform's fetch undoes them.

import zlib from 'node:zlib';
import { closeBytes } from './stream.js';

const CODINGS = 5; // one on the other, at most: each costs memory

const lenient = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }; // as browsers are with what is cut short
const lenientBrotli = { flush: zlib.constants.BROTLI_OPERATION_FLUSH, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

const decoders = {
  gzip: () => zlib.createGunzip(lenient),
  'x-gzip': () => zlib.createGunzip(lenient),
  // zlib's format, or what is left of it: some servers leave its header out.
  deflate: (first) => (first[0] & 15) === 8 ? zlib.createInflate(lenient) : zlib.createInflateRaw(lenient),
  br: () => zlib.createBrotliDecompress(lenientBrotli),
};
if (zlib.createZstdDecompress) decoders.zstd = () => zlib.createZstdDecompress();

/** codings is what fetch asks for. */
export const codings = 'br, gzip, deflate';

/** decoded returns a stream of a body's content without its codings; what has one that nobody knows is left as it is. */
export function decoded(body, encoding) {
  if (body === null || encoding === null) return body;
  const list = encoding.toLowerCase().split(',').map((c) => c.trim()).filter((c) => c !== '' && c !== 'identity');
  if (list.length > CODINGS) throw new TypeError(`${list.length} codings of content`);
  if (list.some((c) => !(c in decoders))) return body;
  return list.reduceRight((stream, coding) => through(stream, decoders[coding]), body);
}

// through returns what a decoder makes of a stream, which it reads as far as it is read.
function through(stream, make) {
  const reader = stream.getReader();
  let decoder = null, over = false;
  const end = () => {
    over = true;
    decoder?.destroy();
  };
  const begin = (first, c) => {
    decoder = make(first);
    decoder.on('data', (b) => {
      if (over) return;
      c.enqueue(new Uint8Array(b)); // a copy: the decoder's memory is shared
      if (c.desiredSize <= 0) decoder.pause();
    });
    decoder.on('end', () => {
      if (!over) closeBytes(c);
      over = true;
    });
    decoder.on('error', (e) => {
      if (over) return;
      end();
      c.error(new TypeError('the content cannot be decoded', { cause: e }));
      reader.cancel(e).catch(() => {});
    });
  };
  const feed = async (c) => {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (over) return;
        if (done) break;
        if (value.byteLength === 0) continue;
        if (decoder === null) begin(value, c);
        if (!decoder.write(value)) await new Promise((resolve) => decoder.once('drain', resolve).once('close', resolve));
        if (over) return;
      }
      if (decoder !== null) decoder.end();
      else closeBytes(c);
    } catch (e) {
      if (over) return;
      end();
      c.error(e);
    }
  };
  let feeding = false;
  return new ReadableStream({
    type: 'bytes',
    pull(c) {
      decoder?.resume();
      if (feeding) return;
      feeding = true;
      feed(c);
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
