// The search box: a combobox as the ARIA authoring practices describe it. htmx asks for the suggestions (debounced, and
// a newer question ends an older one); this module shows them, moves among them and chooses one.

export function searchBox(form) {
  if (form.dataset.ready) return;
  form.dataset.ready = "true";
  const input = form.querySelector("input");
  const list = form.querySelector("[role=listbox]");
  const status = form.querySelector("[data-offered]");
  let chosen = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function open() {
    const found = options();
    if (!found.length || document.activeElement !== input) return close();
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  function choose(index) {
    const found = options();
    chosen = index;
    found.forEach((option, n) => option.setAttribute("aria-selected", String(n === index)));
    if (index < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", found[index].id);
    found[index].scrollIntoView({ block: "nearest" });
  }

  function follow(option) {
    close();
    // A link that htmx knows: the page changes as it does everywhere else.
    const link = document.createElement("a");
    link.href = option.dataset.href;
    link.hidden = true;
    document.getElementById("page").append(link);
    window.htmx?.process(link);
    link.click();
  }

  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.isComposing) return;
    if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
      event.preventDefault();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      event.preventDefault();
      if (list.hidden) open();
      // Before the first and after the last stands what was typed.
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(((chosen + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      follow(options()[chosen]);
    }
  });
  form.addEventListener("submit", () => {
    close();
    input.blur();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) follow(option);
  });
  input.addEventListener("blur", close);
  input.addEventListener("focus", () => { if (input.value.trim()) open(); });
  input.addEventListener("input", () => {
    if (!input.value.trim()) {
      list.replaceChildren();
      close();
    }
  });
  input.addEventListener("htmx:after:swap", () => {
    chosen = -1;
    if (!input.value.trim()) list.replaceChildren();
    open();
    status.textContent = list.hidden ? "" : options()[0].dataset.said;
  });
}
