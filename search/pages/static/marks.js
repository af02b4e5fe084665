// Stars are set without leaving the page, and an article that is opened counts as read.
import { formToken, tell } from "./page.js";

export function markInPlace() {
  for (const form of document.querySelectorAll("form[data-mark]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      toggle(form);
    });
  }
  const article = document.querySelector(".whole[data-unread]");
  if (article) change(article.dataset.id, { read: true });
}

async function toggle(form) {
  const button = form.querySelector("[data-star]");
  const starred = button.getAttribute("aria-pressed") !== "true";
  if (!(await change(form.dataset.mark, { starred }))) {
    form.submit(); // the server says what is wrong
    return;
  }
  button.setAttribute("aria-pressed", String(starred));
  form.querySelector("[name=starred]").value = String(!starred);
  tell(starred ? "Starred." : "Not starred any more.");
}

async function change(id, changes) {
  try {
    const reply = await fetch(`/api/articles/${encodeURIComponent(id)}/mark`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "X-Form-Token": formToken() },
      body: JSON.stringify(changes),
    });
    return reply.ok;
  } catch {
    return false;
  }
}
