// Saves what an editor types: to the server while somebody writes, and to this browser until the server has it.
const form = document.getElementById("program");
const told = document.getElementById("told");
const said = document.getElementById("saving");
const side = document.querySelector(".side");
const words = { ...form.dataset };
const language = document.documentElement.lang === "ar" ? "ar-SA" : "en-GB";
const DELAY_MS = 900, RETRY_MS = 2000, LONGEST_MS = 15000;
const OWN = new Set(["token", "seen", "base", "once"]);

const inputs = () => Object.fromEntries([...new FormData(form)].filter(([name]) => !OWN.has(name)));
const text = () => JSON.stringify(inputs());
const clock = (at) => new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at);
const numeral = (n) => new Intl.NumberFormat(language).format(n);
const storeKey = () => `studio:${words.key}:${form.dataset.id || "new"}`;
const field = (name) => form.elements.namedItem(name);

let sent = text();             // what the server was told last
let wrong = false;             // some of it was refused
let stale = false;             // somebody else has changed the program
let over = false;              // nothing can be saved from this page any more
let busy = null;
let creating = null;           // a new program's form that was sent and not answered
let timer = 0;
let pause = RETRY_MS;
let offered = false;           // older text is offered, so it must not be replaced

const unsaved = () => wrong || stale || text() !== sent;

function say(name, values = {}) {
  const found = Object.entries(values).reduce((line, [key, value]) => line.replace(`{${key}}`, value), words[name]);
  if (said.textContent !== found) said.textContent = found;
  said.dataset.is = name;
}

function tell(name, buttons = [], values = {}) {
  const line = document.createElement("p");
  line.className = "refusal";
  line.setAttribute("role", "alert");
  line.append(Object.entries(values).reduce((found, [key, value]) => found.replace(`{${key}}`, value), words[name]));
  for (const [label, act] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words[label] ?? label;
    button.addEventListener("click", act);
    line.append(" ", button);
  }
  told.replaceChildren(line);
}

function store() {
  if (offered) return;
  const kept = { at: Date.now(), inputs: inputs(), seen: field("seen")?.value, base: field("base")?.value };
  try { localStorage.setItem(storeKey(), JSON.stringify(kept)); } catch { /* no room: the server has it soon */ }
}

const forget = () => { if (!offered) localStorage.removeItem(storeKey()); };

function fault(faults) {
  for (const note of form.querySelectorAll("[data-fault]")) {
    const found = faults[note.dataset.fault] ?? "";
    note.textContent = found;
    note.hidden = !found;
    for (const input of form.querySelectorAll(`[aria-describedby~="${note.id}"]`)) {
      if (found) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    }
  }
}

function hidden(name, value) {
  let input = field(name);
  if (!input) {
    input = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.prepend(input);
  }
  input.value = value;
}

function later(ms) {
  clearTimeout(timer);
  timer = setTimeout(save, ms);
}

function unanswered() {
  say("offline");
  later(pause);
  pause = Math.min(pause * 1.5, LONGEST_MS);
  return false;
}

function end(name) {
  over = true;
  said.textContent = "";
  tell(name);
  return false;
}

async function send() {
  const now = creating?.now ?? text();
  if (over || stale) return false;
  if (!creating && now === sent) return !wrong;
  if (!form.dataset.id && !field("title").value.trim()) return false;
  const body = creating?.body ?? new URLSearchParams(new FormData(form)).toString();
  if (!form.dataset.id) creating = { now, body };
  say("saving");
  let answer, kept;
  try {
    answer = await fetch(form.action, {
      method: "POST", body, redirect: "manual",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
    });
    if ([408, 429].includes(answer.status) || answer.status >= 500) return unanswered();
    kept = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : null;
  } catch {
    return unanswered();
  }
  pause = RETRY_MS;
  creating = null;
  if (answer.type === "opaqueredirect" || answer.status === 403) return end("signedOut");
  if (!kept || answer.status === 404) return end("gone");
  sent = now;
  if (answer.status === 412) {
    stale = true;
    said.textContent = "";
    tell("stale", [["compare", () => { leaving = true; form.submit(); }]]);
    return false;
  }
  fault(kept.faults);
  wrong = Object.keys(kept.faults).length > 0 || answer.status !== 200;
  if (answer.status === 200) taken(kept);
  if (wrong) say("wrong"); else say("saved", { at: clock(new Date()) });
  if (!unsaved()) forget();
  return !wrong;
}

// What the server made of a field that is as it was sent.
function adopt(name, value) {
  const was = JSON.parse(sent);
  if (field(name).value !== was[name]) return;
  field(name).value = value;
  sent = JSON.stringify({ ...was, [name]: value });
}

function taken(kept) {
  if (!form.dataset.id) {
    localStorage.removeItem(storeKey());
    form.dataset.id = kept.id;
    form.action = `/studio/programs/${kept.id}`;
    field("once")?.remove();
    form.querySelector(".save button").textContent = words.save;
    form.querySelector(".save a")?.remove();
    adopt("slug", kept.base.slug);
    history.replaceState(null, "", form.action);
    if (unsaved()) store();
  }
  hidden("seen", kept.seen);
  hidden("base", JSON.stringify(kept.base));
  if (kept.series && kept.series === JSON.parse(sent).series.trim()) {
    adopt("seriesWas", kept.series);
    adopt("seriesId", String(kept.base.seriesId ?? ""));
  }
  refresh();
}

function save() {
  clearTimeout(timer);
  busy ??= send().finally(() => { busy = null; });
  return busy;
}

// What the page says beside the form is asked for again; what somebody uses is left alone.
const inUse = (part) => part.contains(document.activeElement) || [...part.querySelectorAll("textarea")].some((one) => one.value.trim());

async function refresh() {
  let fresh;
  try {
    const answer = await fetch(form.action, { redirect: "manual" });
    if (!answer.ok) return;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { return; }
  const parts = [...fresh.querySelectorAll(".side > section")];
  for (const part of [...side.children]) {
    if (!parts.some((one) => one.id === part.id) && !inUse(part)) part.remove();
  }
  let before = null;
  for (const part of parts) {
    const old = document.getElementById(part.id);
    if (!old) { if (before) before.after(part); else side.prepend(part); } else if (!inUse(old)) old.replaceWith(part);
    before = document.getElementById(part.id);
  }
  const title = fresh.querySelector(".editor h1");
  if (title) document.querySelector(".editor h1").textContent = title.textContent;
  document.title = fresh.title;
  watch();
}

// Asks until listeners find the program.
async function watch() {
  const line = document.querySelector("#found[data-ask]");
  if (!line || line.dataset.asked) return;
  line.dataset.asked = "true";
  while (line.isConnected) {
    try {
      const answer = await fetch(line.dataset.ask, { redirect: "manual" });
      if (!answer.ok) return;
      const found = await answer.json();
      line.textContent = found.text;
      line.className = `found ${found.state}`;
      if (found.state !== "waiting") return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function addPerson() {
  const list = form.querySelector(".people");
  const rows = list.children.length;
  if (rows >= Number(list.dataset.most)) return null;
  const row = list.lastElementChild.cloneNode(true);
  const [name, role] = row.querySelectorAll("input, select");
  Object.assign(name, { name: `person.${rows}`, value: "" });
  role.name = `role.${rows}`;
  const labels = row.querySelectorAll(".unseen");
  labels[0].textContent = list.dataset.name.replace("{n}", numeral(rows + 1));
  labels[1].textContent = list.dataset.role.replace("{n}", numeral(rows + 1));
  list.append(row);
  row.dispatchEvent(new CustomEvent("added", { bubbles: true }));
  return name;
}

function putBack(kept) {
  while (!field("person." + (Object.keys(kept.inputs).filter((name) => name.startsWith("person.")).length - 1)) && addPerson());
  for (const input of form.elements) {
    if (!input.name || OWN.has(input.name)) continue;
    if (input.type === "checkbox") input.checked = kept.inputs[input.name] === "on";
    else input.value = kept.inputs[input.name] ?? "";
  }
  // Whoever has changed it since is not written over.
  if (kept.seen) { hidden("seen", kept.seen); hidden("base", kept.base); }
  form.dispatchEvent(new CustomEvent("put-back"));
}

function offer() {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(storeKey())); } catch { /* not ours */ }
  if (!kept?.inputs) return;
  if (["saved", "merged"].includes(words.done) || JSON.stringify(kept.inputs) === text()) return localStorage.removeItem(storeKey());
  offered = true;
  const at = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(kept.at);
  tell("restore", [
    ["kept", () => { putBack(kept); offered = false; tell("restored"); store(); save(); field("title").focus(); }],
    ["forget", () => { offered = false; forget(); told.replaceChildren(); field("title").focus(); }],
  ], { at });
}

// Times are shown by the clocks of this browser, unless somebody has chosen others.
function zone() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here || /(?:^|; )zone=/.test(document.cookie)) return;
  document.cookie = `zone=${encodeURIComponent(here)}; path=/studio; max-age=31536000; samesite=lax`;
  if (field("zone").value === here) return;
  if (form.dataset.id && !told.children.length) location.reload(); else if (!field("releaseDate").value && !field("expireAt").value) field("zone").value = here;
}

let leaving = false;
form.addEventListener("input", () => {
  store();
  if (!busy) say("unsaved");
  later(DELAY_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (stale) { leaving = true; form.submit(); } else save();
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
});
// A step is about what the server has, so it waits until the server has everything.
side.addEventListener("submit", async (event) => {
  const sentForm = event.target, step = sentForm.dataset.step;
  if (sentForm.dataset.ready || (!busy && !unsaved())) return;
  event.preventDefault();
  while (busy) await busy;
  if (unsaved() && !(await save())) return;
  let next = sentForm;
  if (step) {
    document.activeElement?.blur();
    await refresh();
    next = side.querySelector(`form[data-step="${step}"]`);
  }
  if (next?.isConnected) { next.dataset.ready = "true"; next.requestSubmit(); }
});
addEventListener("beforeunload", (event) => { if (!leaving && unsaved()) event.preventDefault(); });
addEventListener("online", () => { if (unsaved()) save(); });
field("thumbnailUrl").addEventListener("change", () => {
  const picture = form.querySelector("[data-thumb]"), address = field("thumbnailUrl").value.trim();
  picture.hidden = !/^https?:\/\//.test(address);
  if (!picture.hidden) picture.src = address;
});
const add = form.querySelector("[data-add-person]");
add.hidden = false;
add.addEventListener("click", () => addPerson()?.focus());

zone();
sent = text();
// A page that says that nothing was saved has what was typed.
if (told.querySelector('[role="alert"]')) { wrong = true; store(); }
offer();
watch();
