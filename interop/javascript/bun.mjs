// Bun's fetch over HTTP/3 against the routes of the tests.
// Usage: bun bun.mjs BASE BYTES; prints a line of JSON.
import { content } from "./content.mjs";

const [base, size] = process.argv.slice(2);
console.log(JSON.stringify(await content(fetch, { protocol: "h3", tls: { rejectUnauthorized: false } }, base, Number(size))));
process.exit(0);
