// Says to colleagues that this page is open, and shows who else has it open. A page that nobody sees is silent.
const form = document.getElementById("program");
const line = document.getElementById("presence");
const EVERY_MS = 15000, TIMEOUT_MS = 10000;
const page = crypto.getRandomValues(new Uint32Array(3)).reduce((all, part) => all + part.toString(36), "");
let newest = 0;

const address = () => `/studio/programs/${form.dataset.id}/presence`;
const body = (more) => new URLSearchParams({ token: form.elements.namedItem("token").value, page, ...more });

function show(text) {
  if (line.textContent !== text) line.textContent = text;
}

async function beat() {
  // A program that is not made yet has no address.
  if (document.hidden || !form.dataset.id) return;
  const mine = ++newest;
  let text = "";
  try {
    const options = { method: "POST", body: body(), redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) };
    const answer = await fetch(address(), options);
    if (answer.ok) text = (await answer.json()).text;
  } catch { /* nobody is seen */ }
  if (mine === newest) show(text);
}

setInterval(beat, EVERY_MS);
document.addEventListener("visibilitychange", beat);
addEventListener("pageshow", (event) => { if (event.persisted) beat(); });
addEventListener("pagehide", () => {
  newest += 1;
  if (form.dataset.id) navigator.sendBeacon(address(), body({ leaving: "on" }));
});
beat();
