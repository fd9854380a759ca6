// What every page does beside being read: the search box, navigation without a full load, notices.
import { playable } from "./player.js";
import { searchBox } from "./search.js";
import { tell } from "./notice.js";

const notice = document.getElementById("notice");
const WIDE = matchMedia("(min-width: 60.01rem)");
const SLOW_MS = 3000;

function ready(root) {
  root.querySelectorAll("[data-search]").forEach(searchBox);
  root.querySelectorAll("[data-media]").forEach(playable);
  if (WIDE.matches) root.querySelectorAll("[data-open-wide]").forEach((details) => { details.open = true; });
}

// The language that / leads to from now on.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-language]");
  if (link) document.cookie = `language=${link.dataset.language}; path=/; max-age=31536000; samesite=lax`;
});

// What is opened of the results of a search: its words and the place, nothing of who opens it.
document.addEventListener("click", (event) => {
  const row = event.target.closest("#list[data-query] > .row");
  if (!row || !event.target.closest("a.whole")) return;
  const { query, before } = row.parentElement.dataset;
  const position = Number(before) + [...row.parentElement.children].indexOf(row) + 1;
  const body = JSON.stringify({ events: [{ type: "click", query, position }] });
  const headers = { "Content-Type": "application/json" };
  fetch("/discovery/events", { method: "POST", keepalive: true, headers, body }).catch(() => {});
});

// A page that took the place of another: the reader begins at its heading, as after a full load.
document.addEventListener("htmx:after:swap", (event) => {
  const ctx = event.detail.ctx;
  const page = document.getElementById("page");
  ready(page);
  const arrived = ctx?.swap?.includes("show:top");
  if (arrived) document.getElementById("content").focus({ preventScroll: true });
});
document.addEventListener("htmx:history:cache:after:restore", () => ready(document.getElementById("page")));

const waits = new Map();
document.addEventListener("htmx:before:request", (event) => {
  const ctx = event.detail.ctx;
  waits.set(ctx, setTimeout(() => tell(notice.dataset.slow, true), SLOW_MS));
});
document.addEventListener("htmx:finally:request", (event) => {
  clearTimeout(waits.get(event.detail.ctx));
  waits.delete(event.detail.ctx);
  if (notice.textContent === notice.dataset.slow) tell("");
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && navigator.onLine) tell(notice.dataset.failed);
});
addEventListener("offline", () => tell(notice.dataset.offline, true));
addEventListener("online", () => tell(""));
if (!navigator.onLine) tell(notice.dataset.offline, true);

ready(document);
