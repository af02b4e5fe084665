// Says how a query is understood while it is being typed.
import { element } from "./page.js";

const PAUSE_MS = 300;
const BEFORE = 40;
const BEHIND = 24;

export function checkWhileTyping() {
  for (const field of document.querySelectorAll("[data-check]")) {
    const region = document.getElementById(field.id === "q" ? "check" : "check-query");
    let timer = 0;
    let asked = 0;
    const check = async () => {
      const turn = ++asked;
      const found = await answer(field.value, field.dataset.check);
      if (turn === asked && found) show(region, field, found);
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(check, PAUSE_MS);
    });
    if (field.value.trim() && field.dataset.check === "subscription") check();
  }
}

async function answer(query, use) {
  if (!query.trim()) return { empty: true };
  try {
    const reply = await fetch(`/query/check?${new URLSearchParams({ q: query, use })}`);
    return await reply.json();
  } catch {
    return null; // offline: the server will say it when the form is sent
  }
}

function show(region, field, found) {
  const earlier = document.getElementById(`fault-${field.id}`);
  if (earlier) earlier.hidden = true;
  field.toggleAttribute("aria-invalid", false);
  if (found.empty) {
    region.replaceChildren();
  } else if (found.error) {
    field.setAttribute("aria-invalid", "true");
    region.replaceChildren(element("p", found.error, { class: "warning" }));
    if (Number.isInteger(found.caret)) region.append(pointed(field.value, found.caret));
    if (found.hint) region.append(element("p", found.hint));
  } else {
    region.replaceChildren(element("p", summary(found)));
    for (const one of found.warnings) region.append(element("p", one, { class: "warning" }));
    const lines = element("pre", found.explanation.join("\n"), { dir: "auto" });
    const whole = element("details");
    whole.append(element("summary", "How this is understood"), lines);
    region.append(whole);
  }
}

function summary(found) {
  const a_day = found.hits_a_day;
  if (a_day === null) return `Understood; ${found.cost}.`;
  const count = a_day === 0 ? "no article so far" : a_day < 1 ? "less than one article a day" :
    `about ${Math.round(a_day).toLocaleString("en")} article${Math.round(a_day) === 1 ? "" : "s"} a day`;
  return `Understood; ${found.cost}; ${count}.`;
}

/** The part of the query around the caret, and a line below it that points. */
function pointed(query, caret) {
  const characters = [...query].map((one) => (/\s/u.test(one) ? " " : one));
  const start = Math.max(0, caret - BEFORE);
  const shown = characters.slice(start, caret + BEHIND).join("");
  const lead = start ? "…" : "";
  const made = element("pre", `${lead}${shown}\n${" ".repeat(lead.length + caret - start)}^`);
  made.className = "caret";
  made.dir = "ltr";
  return made;
}
