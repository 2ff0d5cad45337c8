// What the page's buttons do.
import { connect, echoBidi, echoUni, nextUni, offers, Pinger } from "./transport.js";
import { draw, statistics } from "./chart.js";
import { prepareChat } from "./chat.js";

const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const hash = main.dataset.certHash;
const MiB = 1 << 20;

let session; // the one under way

const nameOf = (protocol) => ({ h3: "HTTP/3", h2: "HTTP/2", "http/1.1": "HTTP/1.1" })[protocol] ?? protocol;
const ms = (since) => `${(performance.now() - since).toFixed(1)} ms`;

// step shows what is being done, and what came of it.
async function step(title, work) {
  const item = document.createElement("li");
  const outcome = document.createElement("span");
  item.append(title, outcome);
  $("steps").append(item);
  try {
    outcome.textContent = await work();
    item.className = "done";
  } catch (e) {
    item.className = "failed";
    outcome.textContent = "did not work";
    throw e;
  }
}

// download fetches the content of a URL, and says over which protocol it came.
async function download(path) {
  const response = await fetch(path, { cache: "no-store" }).catch((e) => {
    throw new Error(`GET ${path} did not work (${e.message}). Is the server still there?`);
  });
  if (!response.ok) throw new Error(`GET ${path}: the server answered ${response.status}.`);
  const content = await response.arrayBuffer();
  await new Promise((resolve) => setTimeout(resolve)); // the entry follows the content
  const entry = performance.getEntriesByName(new URL(path, location.href).href).at(-1);
  return { content, protocol: nameOf(entry?.nextHopProtocol || "h?") };
}

async function tryHTTP() {
  await step("This page", async () => {
    const [entry] = performance.getEntriesByType("navigation");
    return `came over ${nameOf(entry.nextHopProtocol)}`;
  });
  await step("GET /info", async () => {
    const start = performance.now();
    const { content } = await download("/info");
    const { protocol, tls } = JSON.parse(new TextDecoder().decode(content));
    return `${protocol.replace(/\.0$/, "")}, ${tls.version}, ${tls.group}, in ${ms(start)}`;
  });
  await step("GET /bytes/1048576", async () => {
    const start = performance.now();
    const { content, protocol } = await download("/bytes/1048576");
    return `${content.byteLength / MiB} MiB over ${protocol} in ${ms(start)}`;
  });
}

async function tryWebTransport() {
  await step("WebTransport", async () => {
    const start = performance.now();
    session = await connect("/wt/echo?about", hash);
    const time = ms(start);
    const about = JSON.parse(await nextUni(session));
    showPairs($("about"), describeSession(about));
    $("about").hidden = false;
    return `session open over HTTP/3 in ${time}, ${about.draft}`;
  });
  await step("A stream both ways", async () => {
    const bytes = new Uint8Array(MiB).map((_, i) => i * 7 + (i >> 8));
    const start = performance.now();
    const back = await echoBidi(session, bytes);
    const time = ms(start);
    if (back.length !== MiB || back.some((b, i) => b !== bytes[i])) throw new Error("The stream came back damaged.");
    return `1 MiB there and back in ${time}`;
  });
  await step("Two streams one way", async () => {
    const start = performance.now();
    return `“${await echoUni(session, "hello")}” there, and back by the server’s, in ${ms(start)}`;
  });
  await step("Datagrams", async () => `one every ${Pinger.interval} ms, until the session is closed`);
  showPings(session);
}

// describeSession says in words what the server has told of a session, and what the
// browser has of WebTransport's interface.
function describeSession(about) {
  const has = offers(session);
  const named = (wanted) => Object.keys(has).filter((name) => has[name] === wanted).join(", ") || "nothing of this";
  return {
    "WebTransport’s draft": about.draft,
    TLS: [about.tls?.version, about.tls?.group, about.tls?.cipher].filter(Boolean).join(", "),
    Datagrams: `up to ${about.max_datagram} bytes from the server, ${session.datagrams.maxDatagramSize ?? "?"} from here`,
    "Flow control of sessions": about.flow_controlled ? "yes" : "no, as in older drafts",
    "This browser has": named(true),
    "It has not": named(false),
  };
}

// showPairs fills a description list.
function showPairs(list, pairs) {
  list.replaceChildren(...Object.entries(pairs).flatMap(([name, value]) => {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
}

// showPings measures and draws until the session ends.
function showPings(session) {
  const pinger = new Pinger(session);
  $("figure").hidden = false;
  let drawing = false;
  pinger.run(() => {
    if (pinger.unanswered > Pinger.patience) giveUp(pinger);
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      show(pinger);
    });
  });
}

function show(pinger) {
  draw($("chart"), pinger.latest, Pinger.kept);
  const stats = statistics(pinger);
  $("now").textContent = `median ${stats.median}`;
  $("stats").replaceChildren(...Object.entries(stats).map(([name, value]) => {
    const pair = document.createElement("div");
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = value;
    pair.append(term, text);
    return pair;
  }));
}

// giveUp ends a session of which nothing is heard. Firefox does not tell when a server
// has closed the connection.
function giveUp(pinger) {
  pinger.stop();
  become("closed", "Nothing comes back any more: the server has gone, or the way to it.");
  pinger.session.close();
}

// become shows a state: idle, busy, running, closed or failed.
function become(state, message = "") {
  main.dataset.state = state;
  $("message").hidden = !message;
  $("message").textContent = message;
  $("go").disabled = state === "busy";
  $("go").classList.toggle("quiet", state === "running");
  $("go").textContent = { idle: "Try HTTP/3 and WebTransport", busy: "Trying…", running: "Close the session" }[state] ?? "Try again";
}

async function start() {
  become("busy");
  for (const id of ["steps", "chart", "stats"]) $(id).replaceChildren();
  $("figure").hidden = $("about").hidden = true;
  try {
    await tryHTTP();
    await tryWebTransport();
    become("running");
    const mine = session;
    const ended = (message) => {
      if (session === mine && main.dataset.state === "running") become("closed", message);
    };
    session.closed.then(
      ({ closeCode, reason }) => ended(closeCode ? `The server closed the session with code ${closeCode}: ${reason}` : ""),
      (e) => ended(`The session was cut off: ${e.message}`),
    );
  } catch (e) {
    session?.close();
    become("failed", e.message);
  }
}

// addCopyButtons gives each command a button that copies it, or selects it where that is not
// allowed.
function addCopyButtons() {
  for (const item of document.querySelectorAll("#commands li")) {
    const code = item.querySelector("code");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${code.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
    item.append(button);
  }
}

$("go").addEventListener("click", () => {
  if (main.dataset.state === "running") session.close({ closeCode: 0, reason: "seen enough" });
  else start();
});
prepareChat(hash);
addCopyButtons();
