// What the tests of all runtimes need: tests run one after the other, and the process ends
// by itself when they are over, which the caller bounds in time.

import assert from 'node:assert';

const tests = [];
const lost = []; // rejections that nobody has handled
process.on('unhandledRejection', (e) => lost.push(e));

/** test adds one, which may take limit milliseconds. */
export function test(name, f, limit = 60_000) {
  tests.push([name, f, limit]);
}

/** run runs them, and fails the process if one fails, or if a rejection is handled by nobody. */
export async function run() {
  let failed = 0;
  for (const [name, f, limit] of tests) {
    try {
      await withLimit(name, f(), limit);
      console.log(`ok ${name}`);
    } catch (e) {
      failed++;
      console.log(`FAILED ${name}: ${e?.stack ?? e}`);
    }
  }
  await new Promise((resolve) => setImmediate(resolve)); // what is unhandled is told of after a turn
  for (const e of lost) {
    failed++;
    console.log(`NOT HANDLED: ${e?.stack ?? e}`);
  }
  console.log(`${tests.length} tests, ${failed} failed`);
  if (failed > 0) process.exit(1);
}

function withLimit(name, promise, limit) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} hangs`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** deferred returns a promise with what settles it. */
export function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  return d;
}

/** eventually waits until f returns something true. */
export async function eventually(f, what = String(f)) {
  for (let n = 0; n < 1500; n++) {
    const v = f();
    if (v) return v;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`never: ${what}`);
}
