// The chart of round-trip times, in SVG.

const left = 52, right = 8, top = 10, bottom = 10; // margins
const height = 220; // as in the style sheet

// ceiling returns a round number that is at least as large.
function ceiling(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].find((n) => n * power >= x) * power;
}

// limitOf returns where the chart ends: above all round-trip times, or, when a few of them
// would flatten all others, above the rest.
function limitOf(rtts) {
  const sorted = rtts.toSorted((a, b) => a - b);
  const most = sorted[Math.floor(0.95 * (sorted.length - 1))];
  const slowest = sorted.at(-1);
  return ceiling(Math.max(0.1, slowest > 3 * most ? 1.5 * most : slowest));
}

const milliseconds = (ms) => `${ms < 10 ? +ms.toPrecision(2) : Math.round(ms)} ms`;

function element(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text) e.textContent = text;
  return e;
}

// draw shows datagrams, each with an rtt as Pinger has it, the latest at the right;
// there is room for so many. Those that are beyond the chart have a triangle at its edge.
export function draw(svg, datagrams, room) {
  const width = svg.clientWidth;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const back = datagrams.filter((d) => d.rtt >= 0);
  const rtts = back.map((d) => d.rtt);
  const max = rtts.length ? limitOf(rtts) : 0.1;
  const x = (i) => left + (width - left - right) * (i + room - datagrams.length) / (room - 1);
  const y = (ms) => height - bottom - (height - top - bottom) * ms / max;

  let line = "", dots = "", lost = "", high = "";
  datagrams.forEach(({ rtt }, i) => {
    const at = `${x(i).toFixed(1)} ${y(rtt <= max ? rtt : max).toFixed(1)}`;
    if (rtt >= 0) {
      line += `${line ? "L" : "M"}${at}`;
      dots += `M${at}h0`;
      if (rtt > max) high += `M${at}m-5 4l5-9l5 9z`;
    } else if (Number.isNaN(rtt)) {
      lost += `M${at}m-4-4l8 8m0-8l-8 8`;
    }
  });
  svg.replaceChildren(
    ...[0, max / 2, max].flatMap((ms) => [
      element("path", { class: "grid", d: `M${left} ${y(ms)}H${width - right}` }),
      element("text", { x: left - 8, y: y(ms) + 4, "text-anchor": "end" }, milliseconds(ms)),
    ]),
    element("path", { class: "line", d: line }),
    element("path", { class: "dots", d: dots }),
    element("path", { class: "high", d: high }),
    element("path", { class: "lost", d: lost }),
  );
  const beyond = rtts.filter((rtt) => rtt > max);
  if (beyond.length > 0) {
    svg.append(element("text", { class: "beyond", x: width - right, y: top + 18, "text-anchor": "end" },
      `▵ ${beyond.length} slower, up to ${milliseconds(Math.max(...beyond))}`));
  }
  if (back.length > 0) {
    svg.setAttribute("aria-label", `Round-trip times of the last ${back.length} datagrams, from ${
      milliseconds(Math.min(...rtts))} to ${milliseconds(Math.max(...rtts))}`);
  }
}

// statistics describes datagrams in words and numbers.
export function statistics(pinger) {
  const rtts = pinger.latest.map((d) => d.rtt).filter((rtt) => rtt >= 0).sort((a, b) => a - b);
  const quantile = (q) => rtts.length ? `${rtts[Math.floor(q * (rtts.length - 1))].toFixed(2)} ms` : "–";
  const settled = pinger.back + pinger.lost;
  return {
    sent: pinger.sent,
    back: pinger.back,
    lost: settled ? `${(100 * pinger.lost / settled).toFixed(1)} %` : "–",
    fastest: quantile(0),
    median: quantile(0.5),
    "90 % within": quantile(0.9),
  };
}
