// Keyboard shortcuts: / searches, j and k walk through the list, o opens, s stars, ? explains.
import { tell } from "./page.js";

export function listenToKeys() {
  const dialog = document.getElementById("keys");
  const button = document.getElementById("keys-button");
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const act = ACTIONS[event.key];
    if (act && act(dialog)) event.preventDefault();
  });
}

const ACTIONS = {
  "/": search,
  j: () => walk(1),
  k: () => walk(-1),
  o: open,
  s: star,
  "?": (dialog) => {
    dialog.showModal();
    return true;
  },
};

function search() {
  const field = document.getElementById("q");
  if (field) field.select();
  else location.assign("/");
  return true;
}

const current = () => document.querySelector(".entry.at");

function walk(step) {
  const entries = [...document.querySelectorAll(".entry")];
  if (!entries.length) return false;
  const place = entries.indexOf(current());
  const next = entries[Math.min(Math.max(place + step, 0), entries.length - 1)];
  current()?.classList.remove("at");
  next.classList.add("at");
  next.querySelector("a")?.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function open() {
  const link = current()?.querySelector("a");
  if (link) link.click();
  return Boolean(link);
}

function star() {
  const place = current() ?? document.querySelector(".whole");
  const button = place?.querySelector("[data-star]");
  if (button) button.click();
  else tell("There is nothing to star here.");
  return true;
}
