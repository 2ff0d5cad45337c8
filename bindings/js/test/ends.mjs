// How programs end that use the package: none crashes or hangs, and all end by themselves.
// Each runs twice, or GODWIT_ENDS times.

import assert from 'node:assert';
import { spawn } from 'node:child_process';
import process from 'node:process';
import { run, test } from './suite.mjs';

const flags = process.versions.bun ? [] : process.versions.deno ? ['run', '-A', '--node-modules-dir=manual', '--v8-flags=--expose-gc'] : ['--expose-gc'];
const times = Number(process.env.GODWIT_ENDS ?? 2), LIMIT = 20_000;

/** end runs a program, and returns its code or signal, and what it has written. */
function end(name) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, 'ends/child.mjs', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    const out = [];
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      child.kill('SIGKILL');
    }, LIMIT);
    child.stdout.on('data', (b) => out.push(b));
    child.stderr.on('data', (b) => out.push(b));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve([hangs ? 'hangs' : signal ?? code, String(Buffer.concat(out))]);
    });
  });
}

const wanted = { exit: 5, throws: 7, killed: 'SIGTERM', sigterm: 0, workers: 0, collected: 0, inside: 0, exceptions: 0 };

for (const [name, want] of Object.entries(wanted)) {
  test(`${name}, ${times} times`, async () => {
    for (let i = 0; i < times; i++) {
      const [got, text] = await end(name);
      assert.strictEqual(got, want, `run ${i + 1} of ${times}: ${got}\n${text}`);
    }
  }, times * LIMIT);
}

await run();
