// The theme that was chosen in this browser, or else the system's. src/ui/theme.ts takes over from here.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("toru.theme");
  } catch {
    // Storage may be closed to us; the system's theme it is.
  }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", dark);
})();
