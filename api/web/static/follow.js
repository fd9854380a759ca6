// Keeps the page of an import up to date while the run goes on: a stream says when it has changed, and the page is asked again.
const news = document.getElementById("news");
const stream = new EventSource(document.getElementById("run").dataset.events);
const LEAST_MS = 1000;
let busy = false;
let again = false;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// What somebody uses just now stays as it is: the part with the focus, and what was opened.
const used = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

function exchange(page, over) {
  for (const old of document.querySelectorAll("section[data-live]")) {
    const part = page.getElementById(old.id);
    if (!part || part.outerHTML === old.outerHTML || (used(old) && !over)) continue;
    const focused = old.contains(document.activeElement);
    old.replaceWith(part);
    if (focused) { part.tabIndex = -1; part.focus(); }
  }
}

async function ask() {
  const answer = await fetch(location.href);
  if (answer.redirected) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const run = page.getElementById("run");
  const over = !run.dataset.events;
  exchange(page, over);
  if (!over) return;
  stream.close();
  news.textContent = run.querySelector(".said").textContent;
}

async function look() {
  again = true;
  if (busy) return;
  busy = true;
  try {
    while (again) {
      again = false;
      await ask();
      await pause(LEAST_MS);
    }
  } finally {
    busy = false;
  }
}

stream.addEventListener("progress", look);
stream.addEventListener("end", look);
