// The player: one media element outside the part of the page that changes, so it plays on while pages come and go.
import { tell } from "./notice.js";

const BACK = 15, FORWARD = 30;
const COUNTED_AFTER = 10; // seconds that were really played before a view counts
const KEPT_EVERY = 5; // seconds between two notes of the position
const ALMOST = 0.97; // a program heard this far begins anew
const deck = document.getElementById("deck");
const range = deck.querySelector("input"), speed = deck.querySelector("select"), screen = deck.querySelector(".screen");
const arabic = document.documentElement.lang === "ar";
let media = null, now = null, ended = null, played = 0, last = null, counted = false, kept = 0, seeking = false;

function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds || 0)), pad = (n) => String(n).padStart(2, "0");
  const text = s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor((s % 3600) / 60))}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
  return arabic ? text.replace(/\d/g, (digit) => "٠١٢٣٤٥٦٧٨٩"[digit]) : text;
}

// Where a listener stopped: in this browser alone, and gone when storage is not to be had.
function remembered(id) {
  if (!id) return 0;
  try { return Number(localStorage.getItem(`position:${id}`)) || 0; } catch { return 0; }
}
function remember(id, seconds) {
  if (!id) return;
  try { seconds > 0 ? localStorage.setItem(`position:${id}`, String(Math.floor(seconds))) : localStorage.removeItem(`position:${id}`); } catch { /* private browsing */ }
}

function linked() {
  const found = /^#t=(\d{1,6})$/.exec(location.hash);
  return found ? Number(found[1]) : 0;
}

const total = () => (Number.isFinite(media?.duration) ? media.duration : now?.duration || 0);

function show() {
  const at = media ? media.currentTime : 0, of = total();
  range.max = Math.floor(of);
  if (!seeking) range.value = Math.floor(at);
  range.setAttribute("aria-valuetext", deck.dataset.at.replace("{at}", clock(seeking ? range.value : at)).replace("{of}", clock(of)));
  deck.querySelector("[data-clock=at]").textContent = clock(seeking ? range.value : at);
  deck.querySelector("[data-clock=of]").textContent = clock(of);
  const paused = !media || media.paused;
  deck.classList.toggle("is-paused", paused);
  deck.querySelector("[data-do=toggle]").setAttribute("aria-label", paused ? deck.dataset.play : deck.dataset.pause);
}

// A preview has no number: it is counted for no program, and no position of it is remembered.
const keyOf = (program) => program.id ?? program.src;

function count() {
  counted = true;
  if (!now.id) return;
  fetch(`/discovery/programs/${now.id}/views`, { method: "POST", keepalive: true }).catch(() => { counted = false; });
}

function tick() {
  const at = media.currentTime;
  // What was jumped over was not played.
  const step = last === null ? 0 : at - last;
  if (!media.paused && step > 0 && step < 2 * media.playbackRate) played += step / media.playbackRate;
  last = at;
  if (!counted && played >= COUNTED_AFTER) count();
  if (Math.abs(at - kept) >= KEPT_EVERY) keep();
  show();
  refresh();
}

function keep() {
  if (!media || !now) return;
  kept = media.currentTime;
  remember(now.id, total() && kept > total() * ALMOST ? 0 : kept);
}

function jump(seconds) {
  if (!media) return;
  media.currentTime = Math.min(Math.max(0, seconds), total() || seconds);
  show();
}

function close() {
  keep();
  // What the element still has to say is nobody's business any more.
  ended?.abort();
  media?.pause();
  media?.remove();
  media = now = null;
  deck.hidden = true;
  screen.hidden = true;
  document.body.classList.remove("has-deck");
  refresh();
}

export function play(program, at) {
  if (!now || keyOf(now) !== keyOf(program)) {
    if (media) close();
    now = program;
    [played, last, counted, kept] = [0, null, false, 0];
    media = document.createElement(program.kind === "video" ? "video" : "audio");
    media.src = program.src;
    media.playbackRate = media.defaultPlaybackRate = Number(speed.value);
    media.playsInline = true;
    screen.replaceChildren(media);
    screen.hidden = program.kind !== "video";
    deck.querySelector("[data-do=full]").hidden = program.kind !== "video";
    ended = new AbortController();
    const on = (name, handler) => media.addEventListener(name, handler, { signal: ended.signal });
    for (const name of ["timeupdate", "play", "pause", "durationchange", "seeked"]) on(name, tick);
    on("seeking", () => { last = null; });
    on("pause", keep);
    on("ended", () => remember(now.id, 0));
    on("error", () => tell(deck.dataset.failed));
    if (at > 0) media.addEventListener("loadedmetadata", () => jump(at), { once: true, signal: ended.signal });
    const title = deck.querySelector("[data-title]");
    title.textContent = program.name;
    title.href = program.href;
    deck.querySelector("[data-series]").textContent = program.series;
    if ("mediaSession" in navigator) {
      navigator.mediaSession.metadata = new MediaMetadata({ title: program.name, artist: program.series });
      const handlers = { play: toggle, pause: toggle, seekbackward: () => jump(media.currentTime - BACK), seekforward: () => jump(media.currentTime + FORWARD) };
      for (const [name, handler] of Object.entries(handlers)) navigator.mediaSession.setActionHandler(name, handler);
    }
    deck.hidden = false;
    document.body.classList.add("has-deck");
  }
  media.play().catch((error) => { if (error.name !== "AbortError") tell(deck.dataset.failed); });
  show();
}

function toggle() {
  if (!media) return;
  if (media.paused) media.play().catch(() => tell(deck.dataset.failed));
  else media.pause();
}

async function share() {
  const address = `${new URL(now.href, location.href).href}#t=${Math.floor(media.currentTime)}`;
  try {
    await navigator.clipboard.writeText(address);
    tell(deck.dataset.shared);
  } catch {
    // Without leave to write there, the address can be copied by hand.
    tell(address, true);
  }
}

const does = {
  toggle,
  share,
  close,
  back: () => jump(media.currentTime - BACK),
  forward: () => jump(media.currentTime + FORWARD),
  full: () => media.requestFullscreen?.(),
};
deck.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) does[button.dataset.do]();
});
range.addEventListener("input", () => { seeking = true; show(); });
range.addEventListener("change", () => { seeking = false; jump(Number(range.value)); });
speed.addEventListener("change", () => { if (media) media.playbackRate = media.defaultPlaybackRate = Number(speed.value); });
addEventListener("pagehide", keep);

let refresh = () => {};

// The button on the page of a program: it plays, pauses, and says where it would go on.
export function playable(holder) {
  if (holder.dataset.ready) return;
  holder.dataset.ready = "true";
  const { id, src, name, series, href } = holder.dataset;
  const program = { id, src, name, series, href, kind: holder.dataset.media, duration: Number(holder.dataset.duration) };
  const button = holder.querySelector("button"), words = button.querySelector("span"), begin = words.textContent;
  holder.querySelector("audio, video")?.remove();
  button.hidden = false;
  const chapters = [...(holder.closest("article")?.querySelectorAll("a[data-at]") ?? [])];
  const mine = () => now !== null && keyOf(now) === keyOf(program);
  const from = () => linked() || remembered(id);
  function say() {
    const playing = mine() && !media.paused;
    button.classList.toggle("is-playing", playing);
    const current = mine() ? chapters.findLast((link) => Number(link.dataset.at) <= media.currentTime) : undefined;
    for (const link of chapters) if (link === current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    words.textContent = playing ? deck.dataset.pause : mine() ? deck.dataset.play : from() ? deck.dataset.resume.replace("{clock}", clock(from())) : begin;
  }
  button.addEventListener("click", () => (mine() && !media.paused ? media.pause() : play(program, from())));
  for (const link of chapters) {
    const at = Number(link.dataset.at);
    // What is copied is a link to the page at this moment.
    link.href = `${href}#t=${at}`;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (mine()) jump(at);
      play(program, at);
    });
  }
  refresh = () => { if (button.isConnected) say(); };
  say();
}
