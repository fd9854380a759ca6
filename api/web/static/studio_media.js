// Asks what is behind the addresses of a program's files, and shows it: the picture, the player with its duration.
const form = document.getElementById("program");
const TIMEOUT_MS = 30000, UPLOAD_MS = 300000;
const field = (name) => form.elements.namedItem(name);
const words = (name) => field(name).closest("[data-file]").dataset;
const numeral = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en-GB", { useGrouping: false, minimumIntegerDigits: 2 });

async function send(path, body, ms = TIMEOUT_MS) {
  const answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(ms) });
  if (answer.type === "opaqueredirect") throw new Error("signed out");
  return answer;
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (!parts[0]) parts.shift();
  return parts;
}

class File {
  constructor(name, use) {
    Object.assign(this, { name, use, newest: 0, said: "" });
    this.part = field(name).closest("[data-file]");
    this.line = this.part.querySelector("[data-checked]");
    this.button = this.part.querySelector("[data-check]");
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.check());
    field(name).addEventListener("change", () => this.changed());
  }

  address() { return field(this.name).value.trim(); }

  say(text, state = "") {
    this.line.textContent = text;
    this.line.dataset.is = state;
  }

  changed() {
    this.newest += 1;
    this.say("");
    this.show("");
    if (/^https?:\/\//.test(this.address())) this.check();
  }

  async check() {
    const mine = ++this.newest, url = this.address();
    this.show("");
    if (!url) return this.say("");
    this.say(words(this.name).checking);
    let found = null;
    try {
      const answer = await send("/studio/programs/check-file", new URLSearchParams({ token: field("token").value, use: this.use, url }));
      if (answer.ok) found = await answer.json();
    } catch { /* said below */ }
    if (mine !== this.newest) return;
    if (!found) return this.say(words(this.name).unchecked, "bad");
    this.say(found.text, found.good ? "good" : "bad");
    this.show(found.good ? found.kind : "");
  }
}

class Picture extends File {
  constructor(name, use) {
    super(name, use);
    const label = this.part.querySelector("[data-upload]"), chosen = label?.querySelector("input");
    if (!label) return;
    label.hidden = false;
    chosen.addEventListener("change", () => { if (chosen.files[0]) this.upload(chosen); });
  }

  async upload(chosen) {
    const mine = ++this.newest, body = new FormData();
    if (chosen.files[0].size > Number(chosen.dataset.most)) {
      chosen.value = "";
      return this.say(chosen.dataset.large, "bad");
    }
    body.set("token", field("token").value);
    body.set("file", chosen.files[0]);
    this.say(words(this.name).uploading);
    let kept = null;
    try {
      const answer = await send("/studio/programs/picture", body, UPLOAD_MS);
      kept = await answer.json();
    } catch { /* said below */ }
    chosen.value = "";
    if (mine !== this.newest) return;
    this.say(kept?.text || words(this.name).notUploaded, kept?.url ? "good" : "bad");
    if (!kept?.url) return;
    field(this.name).value = kept.url;
    field(this.name).dispatchEvent(new Event("input", { bubbles: true }));
    this.show("picture");
  }

  show(kind) {
    const picture = form.querySelector("[data-thumb]");
    if (kind) picture.src = this.address();
    picture.hidden = !kind;
  }
}

class Media extends File {
  show(kind) {
    const place = this.part.querySelector("[data-play]");
    for (const old of place.querySelectorAll("audio, video")) { old.removeAttribute("src"); old.load(); }
    place.replaceChildren();
    if (!kind) return;
    const player = document.createElement(kind), mine = this.newest;
    Object.assign(player, { controls: true, preload: "metadata", playsInline: true });
    player.setAttribute("aria-label", words(this.name).player);
    player.addEventListener("loadedmetadata", () => { if (mine === this.newest) this.lasts(player.duration); });
    player.addEventListener("error", () => { if (mine === this.newest) this.say(`${this.line.textContent} ${words(this.name).unplayable}`, "bad"); });
    player.src = this.address();
    place.append(player);
  }

  // What the browser has read of the file; a stream has no end.
  lasts(seconds) {
    if (!Number.isFinite(seconds) || seconds < 1) return;
    const parts = clock(Math.round(seconds)), shown = parts.map((part, n) => n ? numeral.format(part) : numeral.format(part).replace(/^[0٠](?=.)/, "")).join(":");
    const typed = parts.map((part, n) => n ? String(part).padStart(2, "0") : String(part)).join(":");
    this.say(`${this.line.textContent} ${words(this.name).lasts.replace("{duration}", shown)}`, "good");
    const duration = field("durationSec");
    if (duration.value.trim()) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words(this.name).take.replace("{duration}", shown) });
    button.addEventListener("click", () => {
      duration.value = typed;
      duration.dispatchEvent(new Event("input", { bubbles: true }));
      duration.focus();
      button.remove();
    });
    this.part.querySelector("[data-play]").append(button);
  }
}

new Media("mediaUrl", "media");
new Picture("thumbnailUrl", "picture");
