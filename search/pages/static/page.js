// Small things that the other modules share.

/** An element with a text (never HTML: what feeds say is text) and attributes. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Says something to those who listen to the page instead of looking at it. */
export function tell(text) {
  document.getElementById("told").textContent = text;
}

/** The token that proves to the server that a request comes from this page. */
export function formToken() {
  return document.querySelector("meta[name=form-token]").content;
}
