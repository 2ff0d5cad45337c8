// Loads a page again and again until it comes over HTTP/3:
// altsvc.mjs PUPPETEER EXECUTABLE URL SPKI. Prints a line of JSON for each load:
// {"protocol", "shown"}, what the browser says and what the page does.
import { pathToFileURL } from "node:url";

const [library, executablePath, url, spki] = process.argv.slice(2);
const { default: puppeteer } = await import(pathToFileURL(library).href);

const loads = 20;

const browser = await puppeteer.launch({
  browser: "chrome",
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    `--ignore-certificate-errors-spki-list=${spki}`,
    // Over QUIC that is not enough: Chromium wants a public root there, except
    // for the host of an origin that is forced to use QUIC. Ours is another
    // origin, having another port, and is not forced.
    `--origin-to-force-quic-on=${new URL(url).hostname}:1`,
  ],
});
try {
  const tab = await browser.newPage();
  await tab.goto(url);
  for (let i = 0; i < loads; i++) {
    const load = await tab.evaluate(() => ({
      protocol: performance.getEntriesByType("navigation")[0].nextHopProtocol,
      shown: document.querySelector(".proto b").textContent,
    }));
    console.log(JSON.stringify(load));
    if (load.protocol === "h3") break;
    await new Promise((resolve) => setTimeout(resolve, 100)); // HTTP/3 is tried beside HTTP/2
    await tab.reload();
  }
} finally {
  await browser.close();
}
