// Offers tags, people and series while somebody types their names (the combobox of ARIA 1.2 with a list).
const form = document.getElementById("program");
const words = form.dataset;
const WAIT_MS = 150;
const SEPARATOR = /[,،\n]/;
const list = Object.assign(document.createElement("ul"), { id: "offers", className: "picks", hidden: true });
list.setAttribute("role", "listbox");
const told = Object.assign(document.createElement("p"), { className: "unseen" });
told.setAttribute("role", "status");
// Outside of labels, which it would rename, and of rows, which are copied.
form.append(told, list);

let input = null;
let timer = 0;
let asked = null;

const filled = (name, value) => words[name].replace(/\{\w+\}/, value);
const options = () => [...list.children];
const chosen = () => list.querySelector('[aria-selected="true"]');

// Of several names, the one at the caret: where it begins and ends. A separator in quotation marks is none.
function span() {
  if (input.dataset.pick !== "tags") return [0, input.value.length];
  const at = input.selectionStart ?? input.value.length;
  let begin = 0, isQuoted = false;
  for (const [n, letter] of [...input.value.split("")].entries()) {
    if (letter === '"' && (isQuoted || !input.value.slice(begin, n).trim())) isQuoted = !isQuoted;
    else if (!isQuoted && SEPARATOR.test(letter)) {
      if (n >= at) return [begin, n];
      begin = n + 1;
    }
  }
  return [begin, input.value.length];
}

const part = () => input.value.slice(...span());

function close() {
  clearTimeout(timer);
  asked?.abort();
  list.hidden = true;
  list.replaceChildren();
  input?.setAttribute("aria-expanded", "false");
  input?.removeAttribute("aria-activedescendant");
}

function select(option) {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

function take(option) {
  const { name, id } = option.dataset;
  if (input.dataset.pick === "tags") {
    const [begin, end] = span(), before = input.value.slice(0, begin);
    const written = `${before.trim() ? " " : ""}${/^\s*"|[,،\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name}`;
    input.value = before + written + input.value.slice(end);
    input.setSelectionRange(begin + written.length, begin + written.length);
  } else input.value = name;
  if (input.dataset.pick === "series") {
    form.elements["seriesId"].value = id ?? "";
    form.elements["seriesWas"].value = id ? name : "";
    form.elements["series.new"].checked = !id;
  }
  told.textContent = filled("pickAdded", name);
  close();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (input.dataset.pick === "series" && !id) form.dispatchEvent(new CustomEvent("wanted"));
  close();
}

function show(found, typed) {
  const same = found.some((one) => one.name.trim().toLowerCase() === typed.toLowerCase());
  const rows = found.map(({ id, name }) => ({ id, name, label: name }));
  if (!same) rows.push({ name: typed, label: filled("pickNew", typed) });
  list.replaceChildren(...rows.map(({ id, name, label }, n) => {
    const row = Object.assign(document.createElement("li"), { id: `offer-${n}`, textContent: label, dir: "auto" });
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.dataset.name = name;
    if (id) row.dataset.id = id;
    return row;
  }));
  const box = input.getBoundingClientRect(), around = form.getBoundingClientRect();
  list.style.top = `${box.bottom - around.top + 4}px`;
  list.style.left = `${box.left - around.left}px`;
  list.style.width = `${box.width}px`;
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  told.textContent = found.length ? filled("pickFound", new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en-GB").format(found.length)) : words.pickNone;
}

async function look() {
  const typed = part().trim().replace(/^"|"$/g, "");
  if (!typed) return close();
  asked?.abort();
  asked = new AbortController();
  const of = input;
  try {
    const answer = await fetch(`/studio/programs/pick/${of.dataset.pick}?q=${encodeURIComponent(typed)}`, { signal: asked.signal, redirect: "manual" });
    if (answer.ok && of === input && document.activeElement === of) show(await answer.json(), typed);
  } catch { /* it can be written without an offer */ }
}

form.addEventListener("focusin", (event) => {
  if (!event.target.dataset?.pick) return;
  input = event.target;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);
  list.setAttribute("aria-label", input.labels[0].textContent.trim());
});
form.addEventListener("focusout", (event) => { if (event.target === input) close(); });
form.addEventListener("input", (event) => {
  if (event.target !== input || !event.isTrusted) return;
  clearTimeout(timer);
  timer = setTimeout(look, WAIT_MS);
});
form.addEventListener("keydown", (event) => {
  if (event.target !== input || event.isComposing) return;
  const rows = options(), at = rows.indexOf(chosen());
  if (event.key === "ArrowDown" && list.hidden) { look(); event.preventDefault(); }
  else if (event.key === "ArrowDown") { select(rows[at + 1] ?? rows[0]); event.preventDefault(); }
  else if (event.key === "ArrowUp" && !list.hidden) { select(rows.at(at < 0 ? -1 : at - 1)); event.preventDefault(); }
  else if (event.key === "Enter" && chosen()) { take(chosen()); event.preventDefault(); }
  else if (event.key === "Escape" && !list.hidden) { close(); event.preventDefault(); }
});
// Before the input loses the focus.
list.addEventListener("mousedown", (event) => {
  event.preventDefault();
  const row = event.target.closest("li");
  if (row) take(row);
});
