// What this browser keeps of forms until the server has it: one record for each page that was opened, of one account.
const form = document.getElementById("program");
const account = form.dataset.key;
const id = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const LEFT = "studio-left";

const place = () => `studio:${account}:${form.dataset.id || "new"}:`;
let stored = "";

export function keep(record) {
  const key = place() + id, text = JSON.stringify({ ...record, at: Date.now() });
  if (stored && stored !== key) localStorage.removeItem(stored);
  try {
    localStorage.setItem(key, text);
    stored = key;
    return true;
  } catch { return false; /* no room: the server has it soon */ }
}

// Keeps a text beside that of this page, and returns it as `records` does.
export function spare(record) {
  const key = `${place()}${id}-${Date.now()}`, kept = { ...record, at: Date.now() };
  try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* no room */ }
  return { key, kept };
}

export function forget() {
  if (stored) localStorage.removeItem(stored);
  stored = "";
}

export const isOwn = (key) => stored !== "" && key === stored;

// The page is left for one that saves its text: the next page says whether that has happened.
export function left() {
  try { sessionStorage.setItem(LEFT, JSON.stringify({ key: stored, at: Date.now() })); } catch { /* it is offered again */ }
}

function takeLeft() {
  try {
    const found = JSON.parse(sessionStorage.getItem(LEFT));
    sessionStorage.removeItem(LEFT);
    return found;
  } catch { return null; }
}

function read(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; /* not ours */ }
}

// Pages that are open hold a lock, so their text is not offered to others. Without locks (http), it is.
const hold = navigator.locks ? new Promise((resolve) => {
  navigator.locks.request(`studio:${id}`, () => { resolve(); return new Promise(() => {}); });
}) : null;

// Returns the records that no open page has, the newest first.
export async function records(isSaved) {
  const was = takeLeft();
  if (isSaved && was?.key && (read(was.key)?.at ?? Infinity) <= was.at) localStorage.removeItem(was.key);
  await hold;
  const open = new Set((await navigator.locks?.query())?.held.map((lock) => lock.name) ?? []);
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(place()) && !open.has(`studio:${key.slice(place().length)}`))
    .map((key) => ({ key, kept: read(key) }))
    .filter(({ kept }) => kept?.inputs)
    .sort((one, other) => other.kept.at - one.kept.at);
}

export const drop = (key) => localStorage.removeItem(key);

// Somebody signs out of this account in another tab.
export function onSignOut(act) {
  addEventListener("storage", (event) => { if (event.key === `signed-out:${account}` && event.newValue) act(); });
}
