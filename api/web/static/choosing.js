// Says how many items of a dry run are chosen, on this page and on others, while somebody ticks.
const told = document.getElementById("chosen");
const boxes = [...document.querySelectorAll('.choosing input[type="checkbox"]')];
const shown = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en");

function tell() {
  told.querySelector("output").textContent = shown.format(Number(told.dataset.elsewhere) + boxes.filter((box) => box.checked).length);
}

told.hidden = false;
document.querySelector(".choosing").addEventListener("change", tell);
// A page that the browser shows once more may have ticks of its own.
addEventListener("pageshow", tell);
