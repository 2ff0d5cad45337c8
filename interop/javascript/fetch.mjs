// Our fetch in JavaScript against the routes of the tests.
// Usage: fetch.mjs BASE BYTES CA; prints a line of JSON.
import { readFileSync } from "node:fs";
import { Agent, fetch } from "godwit";
import { content } from "./content.mjs";

const [base, size, ca] = process.argv.slice(2);
const agent = new Agent({ tls: { ca: readFileSync(ca) } });
console.log(JSON.stringify(await content(fetch, { protocol: "http3", agent }, base, Number(size))));
await agent.close();
