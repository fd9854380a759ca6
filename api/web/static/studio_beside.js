// What stands beside the form: it is asked for again after saving, what somebody uses is left alone.
const form = document.getElementById("program");
const side = document.querySelector(".side");
const TIMEOUT_MS = 20000, FIRST_MS = 1000, LONGEST_MS = 8000;
const inUse = (part) => part.contains(document.activeElement) || [...part.querySelectorAll("textarea")].some((one) => one.value.trim());
const page = new AbortController();
let newest = 0;

export async function get(path) {
  const signal = AbortSignal.any([page.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await fetch(path, { redirect: "manual", signal });
  return answer.ok ? answer : null;
}

export async function document_of(path) {
  try {
    const answer = await get(path);
    return answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { return null; }
}

// What is said of this revision already is not asked for again.
function keepFound(part) {
  const old = document.getElementById("found"), fresh = part.querySelector("#found");
  if (old && fresh && old.dataset.rev === fresh.dataset.rev) fresh.replaceWith(old);
}

// Returns whether the newest answer has come and is shown.
export async function refresh() {
  const mine = ++newest;
  const fresh = await document_of(`${form.getAttribute("action")}/side`);
  const beside = fresh?.querySelector(".side");
  if (!beside || mine !== newest) return false;
  const parts = [...beside.children];
  for (const part of [...side.children]) {
    if (!parts.some((one) => one.id === part.id) && !inUse(part)) part.remove();
  }
  let before = null;
  for (const part of parts) {
    const old = document.getElementById(part.id);
    if (!old) { if (before) before.after(part); else side.prepend(part); } else if (!inUse(old)) { keepFound(part); old.replaceWith(part); }
    before = document.getElementById(part.id);
  }
  side.dataset.edition = beside.dataset.edition;
  document.querySelector(".editor h1").textContent = beside.dataset.title;
  document.title = fresh.title;
  watch();
  return true;
}

const shown = () => document.hidden ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true })) : null;

// Asks until listeners find the program, as long as somebody can see it.
export async function watch() {
  const line = document.querySelector("#found[data-ask]");
  if (!line || line.dataset.asked) return;
  line.dataset.asked = "true";
  for (let pause = FIRST_MS; line.isConnected && !page.signal.aborted; pause = Math.min(pause * 1.5, LONGEST_MS)) {
    while (document.hidden) await shown();
    try {
      const answer = await get(line.dataset.ask);
      if (!answer) return;
      const found = await answer.json();
      line.textContent = found.text;
      line.className = `found ${found.state}`;
      if (found.state !== "waiting") return;
    } catch { /* asked again */ }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

addEventListener("pagehide", (event) => { if (!event.persisted) page.abort(); });
