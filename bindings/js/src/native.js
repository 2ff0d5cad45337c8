// The engine: an addon of Node-API, the same for Node, Bun and Deno.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

function load() {
  const named = process.env.GODWIT_ADDON;
  if (named) return require(named);
  const at = `${process.platform}-${process.arch}`;
  const tried = [];
  for (const name of process.platform === 'linux' ? [`@godwit/${at}-gnu`, `@godwit/${at}-musl`] : [`@godwit/${at}`]) {
    try {
      return require(name);
    } catch (e) {
      tried.push(`${name}: ${e.message.split('\n')[0]}`);
    }
  }
  throw new Error(`godwit has no engine for ${at}: ${tried.join('; ')}. Name one that was built from bindings/js/addon in GODWIT_ADDON.`);
}

export const native = load();

/** development returns a new certificate for localhost and its key, as PEM. */
export function development() {
  const pem = native.developmentCertificate();
  const key = pem.indexOf('-----BEGIN PRIVATE KEY');
  return { cert: pem.slice(0, key), key: pem.slice(key) };
}
