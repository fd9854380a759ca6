// The command palette (the combobox of ARIA 1.2 in a dialog) and the shortcuts of the keyboard.
// An action is a link or a button of the page itself, which is clicked: the palette can do nothing that the page cannot.
const palette = document.getElementById("palette");
const keys = document.getElementById("keys");
const input = palette.querySelector("input");
const list = palette.querySelector('[role="listbox"]');
const told = palette.querySelector('[role="status"]');
const opener = document.querySelector("[data-palette]");
const words = palette.dataset;
const WAIT_MS = 150;
const QUIET = "letters-off";
// Links and buttons of a whole page stand in these; those of one row of many are left out.
const ACTIONS = "[data-command], main :is(.heading, .ways, .acts, .steps, .save) :is(a[href], button), main section > .act button";
const OF_A_ROW = "table, li, article, dl";
const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
const shown = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en-GB");

const filled = (text, value) => text.replace(/\{\w+\}/, () => value);
const plain = (text) => text.replace(/\s+/g, " ").trim();
// What differs in spelling alone is the same: marks, the forms of alef, yeh and teh marbuta.
const folded = (text) => plain(text.normalize("NFKD").replace(/[\p{M}ـ]/gu, "").toLowerCase().replaceAll("ى", "ي").replaceAll("ة", "ه"));

const led = [...palette.querySelectorAll("[data-href]")];
const places = led.map((one) => ({
  label: one.textContent.trim(), detail: one.dataset.within ?? "", more: one.dataset.words, keys: one.dataset.keys, run: () => lead(one.dataset.href),
}));

function lead(href) { location.assign(href); }

function actions() {
  const found = [...document.querySelectorAll(ACTIONS)].filter((one) =>
    one.checkVisibility() && !one.disabled && !one.closest("dialog") && ("command" in one.dataset || !one.closest(OF_A_ROW))
    && !led.some((place) => place.dataset.href === one.getAttribute("href")));
  // What every page has stands behind what this one has.
  return found.sort((one, other) => Boolean(one.closest(".top")) - Boolean(other.closest(".top"))).map((one) => {
    const around = one.closest("section, form")?.querySelector("h1, h2, h3");
    return { label: plain(one.getAttribute("aria-label") ?? one.textContent), detail: plain(around?.textContent ?? ""), more: "", keys: one.dataset.command, element: one, run: () => one.click() };
  });
}

// Programs that were found for `typed`.
let found = [];
let typed = "";
let asked = null;
let timer = 0;
let rows = [];
let at = -1;

function entries() {
  const wanted = folded(input.value).split(" ").filter(Boolean);
  const fits = (one) => { const text = folded(`${one.label} ${one.detail} ${one.more}`); return wanted.every((word) => text.includes(word)); };
  const q = plain(input.value);
  const programs = found.map((one) => ({ label: one.name, detail: one.told, run: () => lead(`${words.list}/${one.id}`) }));
  const searches = [];
  if (q && words.list) searches.push({ label: filled(words.listed, q), detail: "", run: () => lead(`${words.list}?q=${encodeURIComponent(q)}`) });
  if (q && words.why) searches.push({ label: filled(words.asked, q), detail: "", run: () => lead(`${words.why}?q=${encodeURIComponent(q)}`) });
  return [
    [words.here, actions().filter(fits)], [words.go, places.filter(fits)], [words.programs, [...programs, ...searches]],
  ].filter(([, group]) => group.length);
}

function kbds(shortcut) {
  const all = Object.assign(document.createElement("span"), { className: "presses" });
  const inside = Object.assign(document.createElement("bdi"), { dir: "ltr" });
  all.append(inside);
  inside.append(...shortcut.split(/[ +]/).flatMap((key, n) => [n ? " " : "", Object.assign(document.createElement("kbd"), { textContent: key === "mod" ? MOD : key.toUpperCase() })]));
  return all;
}

function option(one, n) {
  const row = Object.assign(document.createElement("div"), { id: `palette-${n}` });
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  row.append(Object.assign(document.createElement("span"), { textContent: one.label, dir: "auto" }));
  if (one.detail && one.detail !== one.label) row.append(" ", Object.assign(document.createElement("small"), { textContent: one.detail, dir: "auto" }));
  if (one.keys) row.append(" ", kbds(one.keys));
  return row;
}

function select(n) {
  at = n;
  rows.forEach(({ row }, m) => row.setAttribute("aria-selected", String(m === n)));
  if (!rows[n]) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", rows[n].row.id);
  rows[n].row.scrollIntoView({ block: "nearest" });
}

// Without words nothing is chosen yet, so that Enter alone does nothing. What somebody went to with the arrows stays.
function show() {
  const before = rows[at]?.one.label;
  const wasMoved = at > 0;
  rows = [];
  list.replaceChildren(...entries().map(([name, group], g) => {
    const head = Object.assign(document.createElement("div"), { id: `palette-of-${g}`, textContent: name });
    head.setAttribute("role", "presentation");
    const part = document.createElement("div");
    part.setAttribute("role", "group");
    part.setAttribute("aria-labelledby", head.id);
    part.append(head, ...group.map((one) => { const row = option(one, rows.length); rows.push({ row, one }); return row; }));
    return part;
  }));
  list.hidden = !rows.length;
  input.setAttribute("aria-expanded", String(rows.length > 0));
  const same = wasMoved ? rows.findIndex(({ one }) => one.label === before) : -1;
  select(same >= 0 ? same : plain(input.value) && rows.length ? 0 : -1);
  told.textContent = rows.length ? filled(words.count, shown.format(rows.length)) : words.none;
}

async function look() {
  const q = plain(input.value);
  asked?.abort();
  if (!q || !words.find || q === typed) return;
  asked = new AbortController();
  try {
    const answer = await fetch(`${words.find}?q=${encodeURIComponent(q)}`, { signal: asked.signal, redirect: "manual" });
    if (!answer.ok) return;
    found = await answer.json();
    typed = q;
    show();
  } catch { /* the list of programs can still be asked */ }
}

function run(n) {
  const chosen = rows[n];
  if (!chosen) return;
  palette.close();
  // Who chose it here is led to it; a shortcut leaves the focus where it is.
  chosen.one.element?.focus();
  chosen.one.run();
}

function open() {
  if (keys.open) keys.close();
  if (palette.open) return input.select();
  input.value = typed = "";
  found = [];
  at = -1;
  show();
  palette.showModal();
  input.focus();
}

function help() {
  if (palette.open) palette.close();
  if (keys.open) return;
  const rows_of = [...actions(), ...places].filter((one) => one.keys);
  for (const old of keys.querySelectorAll("[data-made]")) old.remove();
  keys.querySelector("dl").append(...rows_of.map((one) => {
    const row = document.createElement("div"), name = document.createElement("dt"), pressed = document.createElement("dd");
    row.dataset.made = "";
    if (!one.keys.includes("+")) row.dataset.letter = "";
    name.textContent = one.label;
    pressed.append(kbds(one.keys));
    row.append(name, pressed);
    return row;
  }));
  keys.showModal();
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  at = -1;
  if (!plain(input.value)) { found = []; typed = ""; asked?.abort(); }
  show();
  timer = setTimeout(look, WAIT_MS);
});
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") select(at + 1 < rows.length ? at + 1 : 0);
  else if (event.key === "ArrowUp") select(at > 0 ? at - 1 : rows.length - 1);
  else if (event.key === "Enter") run(at);
  else return;
  event.preventDefault();
});
// Before the input loses the focus.
list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const row = event.target.closest('[role="option"]');
  if (row) run(rows.findIndex((one) => one.row === row));
});
palette.addEventListener("close", () => { clearTimeout(timer); asked?.abort(); });
for (const dialog of [palette, keys]) dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
palette.querySelector('[data-open="keys"]').addEventListener("click", help);

const box = Object.assign(document.createElement("input"), { type: "checkbox" });
keys.querySelector("label").prepend(box);
function told_letters() {
  box.checked = !localStorage.getItem(QUIET);
  keys.classList.toggle("quiet", !box.checked);
}
box.addEventListener("change", () => {
  if (box.checked) localStorage.removeItem(QUIET); else localStorage.setItem(QUIET, "yes");
  told_letters();
});
told_letters();
keys.querySelector("[data-mod]").textContent = MOD;
if (opener) {
  opener.hidden = false;
  opener.querySelector("kbd").textContent = `${MOD} K`;
  opener.addEventListener("click", open);
}

// The Latin letter of a key, whatever the keyboard writes with it: Arabic ones have both on their keys.
function letter(event) {
  if (/^[!-~]$/.test(event.key)) return event.key.toLowerCase();
  if (event.key === "؟") return "?";
  if (event.code === "Slash") return event.shiftKey ? "?" : "/";
  return /^Key[A-Z]$/.test(event.code) ? event.code.at(-1).toLowerCase() : "";
}

const notice = document.createElement("div");
notice.className = "notice";
notice.setAttribute("aria-live", "polite");
document.body.append(notice);
let isGoing = false;
function going(now) {
  isGoing = now;
  notice.replaceChildren(...(now ? [Object.assign(document.createElement("p"), { textContent: words.then })] : []));
}

// A field of a dialog that was closed has the focus until the page is drawn once more.
const isField = (element) => element?.closest?.("input, textarea, select, [contenteditable]") && !element.closest("dialog:not([open])");

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const key = letter(event), isMod = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (isMod && key === "k") {
    event.preventDefault();
    open();
    return;
  }
  if (palette.open || keys.open || !key) return going(false);
  const found_by = (wanted) => [...actions(), ...places].find((one) => one.keys === wanted);
  if (isMod) {
    const saves = found_by(`mod+${key}`);
    if (saves) { event.preventDefault(); saves.run(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target) || !box.checked) return going(false);
  const was = isGoing;
  going(!was && key === "g");
  if (isGoing) return event.preventDefault();
  const field = document.querySelector("main :is([type=search], [name=q])");
  if (key === "?") help();
  else if (key === "/" && field) field.focus();
  else {
    const one = found_by(was ? `g ${key}` : key);
    if (!one) return;
    one.run();
  }
  event.preventDefault();
});
