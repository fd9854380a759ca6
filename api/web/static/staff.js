// Whoever has signed out leaves nothing in the browser of what was typed. Somebody else's texts stay.
const { account } = document.querySelector("script[data-account]").dataset;
const OUT = "studio-out";

document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => sessionStorage.setItem(OUT, account));

// The next page shows whether it has happened: somebody may have stayed to save what was typed.
const gone = sessionStorage.getItem(OUT);
sessionStorage.removeItem(OUT);
if (gone && gone !== account) {
  // Other tabs of the account hear of it.
  localStorage.setItem(`signed-out:${gone}`, String(Date.now()));
  localStorage.removeItem(`signed-out:${gone}`);
  for (const key of Object.keys(localStorage)) if (key.startsWith(`studio:${gone}:`)) localStorage.removeItem(key);
}
