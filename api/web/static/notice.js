// The line at the foot of the page that says what happened, to eyes and to screen readers.
const notice = document.getElementById("notice");
const NOTICE_MS = 6000;
let clearing = 0;

export function tell(words, stays = false) {
  clearTimeout(clearing);
  notice.replaceChildren();
  if (!words) return;
  const line = document.createElement("p");
  line.textContent = words;
  notice.append(line);
  if (!stays) clearing = setTimeout(() => notice.replaceChildren(), NOTICE_MS);
}
