// Opens a session with JavaScript that somebody has pasted into a page:
// paste.mjs PUPPETEER BROWSER EXECUTABLE PAGE URL JAVASCRIPT. Prints "ready", or what
// went wrong.
import { pathToFileURL } from "node:url";

const [library, browserName, executablePath, page, url, javaScript] = process.argv.slice(2);
const { default: puppeteer } = await import(pathToFileURL(library).href);

const args = browserName === "chrome" ? ["--no-sandbox"] : [];
const browser = await puppeteer.launch({ browser: browserName, executablePath, headless: true, args });
try {
  const tab = await browser.newPage();
  await tab.goto(page);
  console.log(await tab.evaluate(`(async (url) => {
    const session = ${javaScript};
    session.closed.catch(() => {});
    await session.ready;
    session.close();
    return "ready";
  })(${JSON.stringify(url)}).catch(String)`));
} finally {
  await browser.close();
}
