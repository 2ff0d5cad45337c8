// The chart of round-trip times, in SVG.

const left = 52, right = 8, top = 10, bottom = 10; // margins
const height = 220; // as in the style sheet

// ceiling returns a round number that is at least as large.
function ceiling(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].find((n) => n * power >= x) * power;
}

const milliseconds = (ms) => `${ms < 10 ? +ms.toPrecision(2) : Math.round(ms)} ms`;

function element(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text) e.textContent = text;
  return e;
}

// draw shows datagrams, each with an rtt as Pinger has it, the latest at the right;
// there is room for so many.
export function draw(svg, datagrams, room) {
  const width = svg.clientWidth;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const back = datagrams.filter((d) => d.rtt >= 0);
  const max = ceiling(Math.max(0.1, ...back.map((d) => d.rtt)));
  const x = (i) => left + (width - left - right) * (i + room - datagrams.length) / (room - 1);
  const y = (ms) => height - bottom - (height - top - bottom) * ms / max;

  let line = "", dots = "", lost = "";
  datagrams.forEach(({ rtt }, i) => {
    const at = `${x(i).toFixed(1)} ${y(rtt >= 0 ? rtt : max).toFixed(1)}`;
    if (rtt >= 0) {
      line += `${line ? "L" : "M"}${at}`;
      dots += `M${at}h0`;
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
    element("path", { class: "lost", d: lost }),
  );
  if (back.length > 0) {
    const rtts = back.map((d) => d.rtt);
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
