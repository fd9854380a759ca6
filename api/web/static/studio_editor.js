// Saves what an editor types: to the server while somebody writes, and to this browser until the server has it.
import { drop, forget, isOwn, keep, left, onSignOut, records, spare } from "./studio_kept.js";
import { document_of, refresh, watch } from "./studio_beside.js";

const form = document.getElementById("program");
const told = document.getElementById("told");
const said = document.getElementById("saving");
const side = document.querySelector(".side");
const words = { ...form.dataset };
const language = document.documentElement.lang === "ar" ? "ar-SA" : "en-GB";
const DELAY_MS = 900, RETRY_MS = 2000, LONGEST_MS = 15000, TIMEOUT_MS = 20000;
// What no form may have: a word processor's breaks of lines and pages, for example.
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
const OWN = new Set(["token", "seen", "base", "once"]);

const inputs = () => Object.fromEntries([...new FormData(form)].filter(([name]) => !OWN.has(name)));
const text = () => JSON.stringify(inputs());
const clock = (at) => new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at);
const numeral = (n) => new Intl.NumberFormat(language).format(n);
const field = (name) => form.elements.namedItem(name);

let sent = text();             // what the server was told last
let wrong = false;             // some of it was refused
let stale = false;             // somebody else has changed the program
let over = false;              // nothing can be saved from this page any more
let busy = null;
let asked = null;              // a form that was sent and not answered: it is sent again as it was
let isOut = false;             // somebody has signed out, so nothing is kept any more
let wanted = false;            // somebody has pressed the button, or chosen a new series
let reused = false;            // this form has made a program, so another one is made on request alone
let edition = words.edition;   // the program, as the last answer had it
let timer = 0;
let pause = RETRY_MS;

const unsaved = () => wrong || stale || text() !== sent;

function say(name, values = {}) {
  const found = Object.entries(values).reduce((line, [key, value]) => line.replace(`{${key}}`, value), words[name]);
  if (said.textContent !== found) said.textContent = found;
  said.dataset.is = name;
}

function tell(name, buttons = [], values = {}, line_text = words[name]) {
  const line = document.createElement("p");
  line.className = "refusal";
  line.setAttribute("role", "alert");
  line.append(Object.entries(values).reduce((found, [key, value]) => found.replace(`{${key}}`, value), line_text));
  for (const [label, act] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words[label] ?? label;
    button.addEventListener("click", act);
    line.append(" ", button);
  }
  told.replaceChildren(line);
  return line;
}

const record = () => ({ inputs: inputs(), seen: field("seen")?.value, base: field("base")?.value, once: field("once")?.value });
const store = () => !isOut && keep(record());

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

function compare() {
  leaving = true;
  left();
  form.submit();
}

function collide() {
  stale = true;
  said.textContent = "";
  tell("stale", [["compare", compare]]);
  return false;
}

// Every refusal that is not about fields: the text stays, and is sent again when it changes.
function failed(kept) {
  wrong = true;
  reused = kept?.code === "idempotency_key_reused";
  if (reused) hidden("once", String(crypto.getRandomValues(new Uint32Array(4))).replaceAll(",", "-"));
  said.textContent = "";
  tell(null, [], {}, kept?.words || words.failed).dataset.passes = "true";
  return false;
}

function body() {
  const found = new URLSearchParams(new FormData(form));
  if (wanted) found.set("asked", "on");
  return found.toString();
}

async function send() {
  if (over || stale) return false;
  if (!asked && text() === sent && !(wanted && wrong)) { wanted = false; return !wrong; }
  if (!form.dataset.id && !field("title").value.trim()) { wanted = false; return false; }
  if (reused && !wanted) return false;
  asked ??= { now: text(), body: body() };
  wanted = reused = false;
  say("saving");
  let answer, kept;
  try {
    answer = await fetch(form.action, {
      method: "POST", body: asked.body, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
    });
    if ([408, 429].includes(answer.status) || answer.status >= 500) return unanswered();
    kept = answer.type === "opaqueredirect" ? {} : await answer.json();
  } catch {
    return unanswered();
  }
  pause = RETRY_MS;
  sent = asked.now;
  asked = null;
  if (answer.type === "opaqueredirect" || [401, 403].includes(answer.status)) return end("signedOut");
  if (answer.status === 404) return end("gone");
  if (answer.status === 412) return collide();
  fault(kept.faults ?? {});
  const isFault = Object.keys(kept.faults ?? {}).length > 0;
  if (answer.status !== 200 && !isFault) return failed(kept);
  wrong = isFault;
  if (answer.status === 200) taken(kept);
  if (wrong) say("wrong"); else say("saved", { at: clock(new Date()) });
  if (told.querySelector("[data-passes]")) told.replaceChildren();
  if (!unsaved()) forget();
  if (text() !== sent) {
    // Typed meanwhile.
    say("unsaved");
    later(DELAY_MS);
  }
  return !wrong;
}

function put(input, value) {
  if (input.type === "checkbox") input.checked = value === "on"; else input.value = value;
}

// What the server made of a field that is as it was sent. Returns whether it is.
function adopt(name, value) {
  const was = JSON.parse(sent), input = field(name);
  if (!input) return true;
  if ((inputs()[name] ?? "") !== (was[name] ?? "")) return false;
  put(input, value);
  const now = inputs()[name];
  if (now === undefined) delete was[name]; else was[name] = now;
  // In the order in which the form has them.
  const order = [...Object.keys(inputs()).filter((key) => key in was), ...Object.keys(was).filter((key) => !(key in inputs()))];
  sent = JSON.stringify(Object.fromEntries(order.map((key) => [key, was[key]])));
  return true;
}

function taken(kept) {
  const isNew = !form.dataset.id, old = JSON.parse(field("base")?.value ?? "{}");
  if (isNew) {
    form.dataset.id = kept.id;
    form.action = `/studio/programs/${kept.id}`;
    field("once")?.remove();
    form.querySelector(".save button").textContent = words.save;
    form.querySelector(".save a")?.remove();
    history.replaceState(null, "", form.action);
    settle();
  }
  for (const [name, texts] of Object.entries(kept.taken)) {
    for (const part of Object.keys(texts)) while (part.startsWith("person.") && !field(part) && addPerson());
    const all = Object.entries(texts).filter(([part, value]) => field(part) || value);
    // Of what is being written, both are compared when it is saved.
    if (!all.every(([part, value]) => adopt(part, value)) && !isNew) kept.base[name] = old[name];
  }
  edition = kept.edition;
  hidden("seen", kept.seen);
  hidden("base", JSON.stringify(kept.base));
  if (kept.series && kept.series === JSON.parse(sent).series.trim()) {
    adopt("seriesWas", kept.series);
    adopt("seriesId", String(kept.base.seriesId ?? ""));
    adopt("series.new", "");
  }
  if (unsaved()) store();
  refresh();
}

// What only the page of a program has, for one that was just made: its ways, its locks, and its address in the other language.
async function settle() {
  const whole = await document_of(form.action);
  if (!whole) return;
  const heading = document.querySelector(".editor .heading"), language = document.querySelector("header.top a[hreflang]");
  if (!heading.querySelector(".ways")) heading.replaceWith(whole.querySelector(".editor .heading"));
  const locks = whole.querySelector('details[data-field="lockedFields"]');
  if (locks && !form.querySelector('details[data-field="lockedFields"]')) field("isExplicit").closest("fieldset").append(locks);
  const other = whole.querySelector("header.top a[hreflang]");
  if (language && other) language.setAttribute("href", other.getAttribute("href"));
}

async function save() {
  clearTimeout(timer);
  busy ??= send().finally(() => { busy = null; });
  return busy;
}

// Somebody asks for it: what is made on request alone is made now, and a request that is on its way is waited for.
async function saveNow() {
  wanted = true;
  while (busy) await busy;
  return save();
}

function addPerson() {
  const list = form.querySelector(".people");
  const rows = list.children.length;
  if (rows >= Number(list.dataset.most)) return null;
  const row = list.lastElementChild.cloneNode(true);
  for (const name of ["role", "aria-autocomplete", "aria-expanded", "aria-controls", "aria-activedescendant", "aria-invalid"]) row.querySelector("input").removeAttribute(name);
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
    put(input, kept.inputs[input.name] ?? "");
  }
  // Whoever has changed it since is not written over.
  if (kept.seen) { hidden("seen", kept.seen); hidden("base", kept.base); }
  // What has made a program before the crash makes no second one.
  if (kept.once && !form.dataset.id) hidden("once", kept.once);
  form.dispatchEvent(new CustomEvent("put-back"));
}

async function offer() {
  const isSaved = ["saved", "merged"].includes(words.done);
  // The page says once that something was saved.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }
  const found = await records(isSaved);
  for (const { key } of found.filter(({ kept }) => JSON.stringify(kept.inputs) === text())) drop(key);
  const older = found.filter(({ kept }) => JSON.stringify(kept.inputs) !== text());
  if (older.length) propose(older);
}

function propose([first, ...rest]) {
  const at = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(first.kept.at);
  const next = () => { if (rest.length) propose(rest); };
  tell("restore", [
    ["kept", () => {
      // What was typed meanwhile is offered once more.
      if (unsaved()) rest.unshift(spare(record()));
      putBack(first.kept);
      drop(first.key);
      tell("restored");
      store();
      saveNow();
      next();
      field("title").focus();
    }],
    ["forget", () => { drop(first.key); told.replaceChildren(); next(); field("title").focus(); }],
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
form.addEventListener("input", (event) => {
  const { value, type } = event.target;
  if (!event.isComposing && typeof value === "string" && value.search(CONTROLS) >= 0) {
    const at = event.target.selectionStart;
    event.target.value = value.replace(/[\x0b\x0c]/g, type === "textarea" ? "\n" : " ").replace(CONTROLS, "");
    event.target.setSelectionRange?.(at, at);
  }
  store();
  if (over || stale) return;
  if (!busy) say("unsaved");
  later(DELAY_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (stale) compare(); else saveNow();
});
form.addEventListener("wanted", saveNow);

// Says why a click did nothing.
function held(name, buttons = []) {
  if (!stale && !over) tell(name, buttons).dataset.passes = "true";
  told.scrollIntoView({ block: "nearest" });
  told.querySelector("button")?.focus();
}

// What a form asks for: the same one of a newer part may be sent in its place.
const meaning = (one) => JSON.stringify([one.getAttribute("action"), ...[...new FormData(one)].filter(([name]) => !OWN.has(name))]);

// A step is about what the server has, so it waits until the server has everything, and is about what the form shows.
side.addEventListener("submit", async (event) => {
  const sentForm = event.target, meant = meaning(sentForm);
  if (sentForm.dataset.ready) { delete sentForm.dataset.ready; return; }
  const isTalk = sentForm.closest("#talk") !== null;
  if (!busy && !unsaved() && (isTalk || side.dataset.edition === edition)) return;
  event.preventDefault();
  while (busy) await busy;
  const isSaved = !unsaved() || await save();
  if (isTalk) {
    // What could not be saved is kept, and offered by the next page.
    if (unsaved() && store()) leaving = true;
  } else {
    if (!isSaved) return held("held");
    document.activeElement?.blur();
    const isFresh = await refresh();
    if (!isFresh) return held("unasked");
    if (side.dataset.edition !== edition) return held("changed", [["reload", () => location.reload()]]);
  }
  const next = sentForm.isConnected ? sentForm : [...side.querySelectorAll("form")].find((one) => meaning(one) === meant);
  if (!next) return held("changed", [["reload", () => location.reload()]]);
  next.dataset.ready = "true";
  // A form that is being submitted is not submitted once more before that is over.
  setTimeout(() => next.requestSubmit());
});
addEventListener("beforeunload", (event) => { if (!leaving && unsaved()) event.preventDefault(); });
addEventListener("online", () => { if (unsaved()) save(); });
onSignOut(() => { isOut = true; forget(); clearTimeout(timer); end("signedOutHere"); });
addEventListener("storage", (event) => { if (isOwn(event.key) && event.newValue === null && unsaved() && !over) store(); });
const add = form.querySelector("[data-add-person]");
add.hidden = false;
add.addEventListener("click", () => addPerson()?.focus());

zone();
sent = text();
// A page that says that nothing was saved has what was typed.
if ("refused" in words) { wrong = true; store(); }
offer();
watch();
