// Whoever signs out leaves nothing in the browser of what was typed.
document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => {
  for (const key of Object.keys(localStorage)) if (key.startsWith("studio:")) localStorage.removeItem(key);
});
