// Buttons that copy a secret or an address.
import { tell } from "./page.js";

export function offerCopies() {
  if (!navigator.clipboard) return; // only on https and this machine
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      tell("Copied.");
    });
  }
}
