// Says how many items of a dry run are chosen, on this page and on others, while somebody ticks. The table of a run that has
// just ended comes later than this script.
const shown = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en");

function tell() {
  const told = document.getElementById("chosen");
  if (!told) return;
  const ticked = document.querySelectorAll('.choosing input[type="checkbox"]:checked').length;
  told.querySelector("output").textContent = shown.format(Number(told.dataset.elsewhere) + ticked);
  told.hidden = false;
}

document.addEventListener("change", tell);
// A page that the browser shows once more may have ticks of its own.
addEventListener("pageshow", tell);
tell();
