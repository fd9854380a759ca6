// Keeps the page of an import up to date while the run goes on: a stream says when it has changed, and the page is asked again.
const news = document.getElementById("news");
const LEAST_MS = 1000;
let busy = false;
let waits = false;
let last = 0;
let ended = false;

// What somebody uses just now stays as it is: the part with the focus, and what was opened.
const used = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

async function look() {
  if (busy) { waits = true; return; }
  busy = true;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, last + LEAST_MS - Date.now())));
  last = Date.now();
  const over = ended;
  const answer = await fetch(location.href);
  busy = false;
  if (answer.redirected) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("section[data-live]")) {
    const part = page.getElementById(old.id);
    if (!part || part.outerHTML === old.outerHTML || (used(old) && !over)) continue;
    const focused = old.contains(document.activeElement);
    old.replaceWith(part);
    if (focused) { part.tabIndex = -1; part.focus(); }
  }
  const state = page.querySelector("#run .said");
  if (over && state) news.textContent = state.textContent;
  if (waits) { waits = false; look(); }
}

const stream = new EventSource(document.getElementById("run").dataset.events);
stream.addEventListener("progress", look);
stream.addEventListener("end", () => { stream.close(); ended = true; look(); });
