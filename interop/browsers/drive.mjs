// Runs checks.js in a browser: drive.mjs PUPPETEER BROWSER EXECUTABLE PAGE CONTEXT,
// the last being JSON for the checks. Prints one line of JSON for each check:
// {"name", "value"} or {"name", "error"}.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [library, browserName, executablePath, page, context] = process.argv.slice(2);
const { default: puppeteer } = await import(pathToFileURL(library).href);

const args = browserName === "chrome"
  ? ["--no-sandbox", "--enable-experimental-web-platform-features"]
  : [];
const browser = await puppeteer.launch({ browser: browserName, executablePath, headless: true, args });
try {
  const tab = await browser.newPage();
  await tab.goto(page);
  await tab.evaluate(await readFile(new URL("checks.js", import.meta.url), "utf8"));
  for (const name of await tab.evaluate(() => Object.keys(checks))) {
    // ONLY=name,name runs some of them.
    if (process.env.ONLY && !process.env.ONLY.split(",").includes(name)) continue;
    const run = tab.evaluate((name, ctx) => Promise.race([
      checks[name](ctx).then((value) => ({ value }), (e) => ({ error: String(e) })),
      new Promise((resolve) => setTimeout(resolve, 60_000, { error: "took longer than a minute" })),
    ]), name, JSON.parse(context));
    const started = performance.now();
    const result = await run.catch((e) => ({ error: String(e) }));
    console.log(JSON.stringify({ name, ...result, ms: Math.round(performance.now() - started) }));
  }
} finally {
  await browser.close();
}
