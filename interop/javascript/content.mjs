// What a fetch of any kind gets of the routes of the tests.
import { createHash } from "node:crypto";

async function digest(body) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of body) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** content uses the routes of base with a fetch and its options, and moves size bytes each way. */
export async function content(fetch, options, base, size) {
  const hello = await (await fetch(base + "/hello", options)).text();
  const answer = await fetch(base + "/info", options);
  const info = answer.ok ? await answer.json() : (await answer.text(), {});
  const download = await digest((await fetch(`${base}/bytes/${size}`, options)).body);
  let left = size;
  const body = new ReadableStream({
    pull(controller) {
      const n = Math.min(left, 256 * 1024);
      if (n === 0) return controller.close();
      left -= n;
      controller.enqueue(new Uint8Array(n));
    },
  });
  const upload = await (await fetch(base + "/digest", { ...options, method: "POST", body, duplex: "half" })).json();
  const data = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) >> 3);
  const echoed = await digest((await fetch(base + "/echo", { ...options, method: "POST", body: data })).body);
  const sent = await digest([data]);
  const echo = echoed.bytes === sent.bytes && echoed.sha256 === sent.sha256;
  const many = await Promise.all(Array.from({ length: 200 }, async (_, i) => (await (await fetch(`${base}/bytes/${1000 + i}`, options)).arrayBuffer()).byteLength === 1000 + i));
  return { hello, info, download, upload, echo, many: many.every(Boolean) };
}
