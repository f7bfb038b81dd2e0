"use strict";
try {
  const chosen = localStorage.getItem("mplint-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // A page opened from disk may have no storage; then it follows the system.
}
