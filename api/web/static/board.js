// Keeps an open board up to date: a stream says when to look, the page itself is asked for, and what has changed is exchanged.
const board = document.querySelector(".board");
const news = document.getElementById("news");
const dark = matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll("#hour figure[data-of]")];
const KEPT_S = 3600;
let points = [];
let drawn = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shown = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en", { maximumFractionDigits: 1 });

function values(figure) {
  const scale = figure.dataset.unit === "%" ? 100 : 1;
  return points.map((point) => (point[figure.dataset.of] === null ? null : point[figure.dataset.of] * scale));
}

function tell(figure) {
  const last = values(figure).findLast((value) => value !== null);
  figure.querySelector("output").textContent = last === undefined ? "—" : shown.format(last) + (figure.dataset.unit ?? "");
}

function draw() {
  for (const chart of drawn) chart.destroy();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  drawn = figures.map((figure) => {
    const place = figure.querySelector("[data-chart]");
    const chart = new uPlot({
      width: Math.max(160, place.clientWidth), height: 130, legend: { show: false }, cursor: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1)] } },
      axes: [{ ...axis, values: [["60 * 10", "{HH}:{mm}"]].map(() => (_, ticks) => ticks.map((at) => new Date(at * 1000).toISOString().slice(11, 16)))[0] }, { ...axis, size: 44 }],
      series: [{}, { stroke: colour("--accent"), width: 2, spanGaps: false, points: { show: false } }],
    }, [points.map((point) => point.at), values(figure)], place);
    tell(figure);
    return chart;
  });
}

function add(point) {
  if (!point || point.at === points.at(-1)?.at) return;
  points = [...points.filter((old) => old.at > point.at - KEPT_S), point];
  drawn.forEach((chart, n) => chart.setData([points.map((one) => one.at), values(figures[n])]));
  figures.forEach(tell);
}

// What somebody uses just now stays as it is: the part with the focus, and an open traceback.
const used = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

async function look() {
  const answer = await fetch("/ops/board");
  if (answer.redirected) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of board.querySelectorAll("section[data-live]")) {
    const part = page.getElementById(old.id);
    if (!part || part.outerHTML === old.outerHTML || used(old)) continue;
    if (old.id === "wrong" && old.querySelector("h2").textContent !== part.querySelector("h2").textContent) news.textContent = part.querySelector("h2").textContent;
    const at = old.querySelector(".wide")?.scrollLeft;
    old.replaceWith(part);
    if (at) part.querySelector(".wide").scrollLeft = at;
  }
}

const stream = new EventSource("/ops/board/live");
stream.addEventListener("look", (event) => {
  add(JSON.parse(event.data)[0]);
  if (!document.hidden) look();
});
const answer = await fetch("/ops/board/hour");
if (answer.ok) points = (await answer.json()).data;
draw();
addEventListener("resize", draw);
dark.addEventListener("change", draw);
