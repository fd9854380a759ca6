// Ticking programs of a list: how many are ticked, and all of them by one click that loads no page.
const bar = document.getElementById("bulk");
const shown = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA" : "en");

if (bar) {
  const boxes = [...document.querySelectorAll("input[type=checkbox][form=bulk]")];
  const every = bar.querySelector("[data-every]");
  const count = bar.querySelector(".count");

  function tell() {
    const ticked = boxes.filter((box) => box.checked).length;
    bar.classList.toggle("any", ticked > 0);
    count.hidden = false;
    count.querySelector("output").textContent = shown.format(ticked);
    every.dataset.every = ticked === boxes.length ? "none" : "all";
    every.textContent = every.dataset[every.dataset.every];
  }

  every.addEventListener("click", (event) => {
    event.preventDefault();
    const all = every.dataset.every === "all";
    for (const box of boxes) box.checked = all;
    tell();
  });
  document.addEventListener("change", (event) => {
    if (boxes.includes(event.target)) tell();
  });
  tell();
}
