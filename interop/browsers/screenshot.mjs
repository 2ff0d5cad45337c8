// Uses the demo's page as a person would:
// screenshot.mjs PUPPETEER BROWSER EXECUTABLE URL SPKI [PNG]. Prints a line of JSON
// for each thing done: {"did", ...what the page shows}. With a file name, it takes a
// picture of the upper part of the page when the chart is full.
import { pathToFileURL } from "node:url";

const [library, browserName, executablePath, url, spki, picture] = process.argv.slice(2);
const { default: puppeteer } = await import(pathToFileURL(library).href);

const patience = { timeout: 30_000 }; // for each condition
const width = 780; // of the page, in CSS pixels
const points = picture ? 200 : 30; // in the chart: all there is room for, or some

const args = browserName === "chrome"
  ? ["--no-sandbox", "--disable-lcd-text", `--ignore-certificate-errors-spki-list=${spki}`, `--origin-to-force-quic-on=${new URL(url).host}`]
  : [];
const browser = await puppeteer.launch({ browser: browserName, executablePath, headless: true, acceptInsecureCerts: true, args });

async function open(prepare) {
  const tab = await browser.newPage();
  await tab.setViewport({ width, height: 800, deviceScaleFactor: picture ? 1.25 : 1 });
  if (prepare) await tab.evaluateOnNewDocument(prepare);
  await tab.goto(url);
  return tab;
}

// until waits until the page is in one of some states.
const until = (tab, ...states) => tab.waitForFunction(
  (states) => states.includes(document.querySelector("main").dataset.state), patience, states);

async function report(tab, did) {
  const shown = await tab.evaluate(() => ({
    state: document.querySelector("main").dataset.state,
    message: document.getElementById("message").textContent,
    button: document.getElementById("go").textContent,
    steps: [...document.querySelectorAll("#steps li")].map((li) => (
      { title: li.firstChild.textContent, outcome: li.lastChild.textContent, class: li.className })),
    points: (document.querySelector("#chart .dots")?.getAttribute("d").match(/M/g) ?? []).length,
    label: document.getElementById("chart").getAttribute("aria-label"),
    stats: Object.fromEntries([...document.querySelectorAll("#stats div")].map((div) => (
      [div.querySelector("dt").textContent, div.querySelector("dd").textContent]))),
    about: Object.fromEntries([...document.querySelectorAll("#about dt")].map((dt) => [dt.textContent, dt.nextSibling.textContent])),
    commands: [...document.querySelectorAll("#commands li")].map((li) => li.textContent),
    talked: [...document.querySelectorAll("#talked li")].map((li) => `${li.className}: ${li.textContent}`),
  }));
  console.log(JSON.stringify({ did, ...shown }));
}

async function tryAll(tab) {
  await tab.click("#go");
  await until(tab, "running", "failed");
  await tab.waitForFunction((points) => document.querySelector("main").dataset.state !== "running"
    || document.querySelector("#chart .dots")?.getAttribute("d").split("M").length > points, patience, points);
}

async function takePicture(tab) {
  await tab.evaluate(() => document.fonts.ready);
  const height = await tab.evaluate(() => document.getElementById("figure").getBoundingClientRect().bottom + scrollY + 12);
  await tab.screenshot({ path: picture, clip: { x: 0, y: 0, width, height: Math.ceil(height) } });
}

async function chat(tab, other) {
  for (const t of [tab, other]) {
    await t.bringToFront();
    await t.click("#join");
    await t.waitForSelector("#say:not([hidden])", patience);
  }
  await other.type("#words", "from the other tab");
  await other.keyboard.press("Enter");
  for (const t of [tab, other]) {
    await t.bringToFront();
    await t.waitForSelector("#talked li", patience);
  }
}

try {
  const tab = await open();
  await report(tab, "open");
  await tryAll(tab);
  await report(tab, "try");
  if (picture) await takePicture(tab);
  await tab.click("#go");
  await until(tab, "closed", "failed");
  await report(tab, "close");
  await tryAll(tab);
  await report(tab, "again");

  const other = await open();
  await chat(tab, other);
  await report(tab, "listen");
  await report(other, "talk");

  const old = await open(() => { delete globalThis.WebTransport; });
  await old.click("#go");
  await until(old, "running", "failed");
  await report(old, "without WebTransport");
} finally {
  await browser.close();
}
