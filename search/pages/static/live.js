// Alerts as they happen, on the page of alerts; and that there is news, on the page of the search.
import { element } from "./page.js";
import { written } from "./zone.js";

const MOST_ROWS = 100;

export function follow() {
  const line = document.querySelector("[data-stream]");
  if (!line) return;
  const stream = new EventSource(line.dataset.stream);
  const list = document.getElementById("alerts");
  let stories = 0;
  stream.addEventListener("open", () => {
    if (list) line.textContent = "Alerts appear here as they happen.";
  });
  stream.addEventListener("error", () => {
    if (!list) return;
    // Browsers try again after a lost connection, but not after a refusal, as that of a logout.
    const isOver = stream.readyState === EventSource.CLOSED;
    line.textContent = isOver ? "The connection has ended. Load this page again." : "The connection is lost; it is being made again.";
  });
  stream.addEventListener("alert", (event) => list && arrived(list, JSON.parse(event.data)));
  stream.addEventListener("story", (event) => {
    stories += JSON.parse(event.data).new;
    const again = element("a", "search again", { href: location.href });
    line.replaceChildren(`${stories.toLocaleString("en")} article${stories === 1 ? " has" : "s have"} arrived since: `, again, ".");
  });
  addEventListener("pagehide", () => stream.close());
}

function arrived(list, row) {
  const known = [...list.children].find((one) => one.dataset.id === row.alert_id);
  if (known) {
    const state = known.querySelector(".state");
    state.className = `state ${row.state}`;
    state.textContent = row.state;
    return;
  }
  const wanted = new URLSearchParams(location.search);
  const differs = (name, value) => wanted.get(name) && wanted.get(name) !== value;
  if (wanted.get("after") || differs("state", row.state) || differs("subscription", row.subscription) || differs("digest", row.digest)) return;
  list.prepend(entry(row));
  if (list.children.length > MOST_ROWS) list.lastElementChild.remove();
}

function entry(row) {
  const made = element("li", "", { class: "entry new", "data-id": row.alert_id });
  const article = element("article");
  const heading = element("h2", "", { dir: "auto" });
  // A digest is about no single article: it leads to the alerts that it lists.
  const href = row.article_id ? `/articles/${encodeURIComponent(row.article_id)}` : `/alerts?digest=${encodeURIComponent(row.alert_id)}`;
  heading.append(element("a", row.title || "(no title)", { href }));
  const facts = element("p", "", { class: "facts" });
  const subscription = element("a", "", { href: `/subscriptions/${encodeURIComponent(row.subscription)}` });
  subscription.append(element("bdi", row.subscription_name));
  const time = element("time", written(new Date(row.created)), { datetime: row.created });
  facts.append(element("span", row.state, { class: `state ${row.state}` }), " ", subscription, " ", time);
  article.append(heading, facts);
  made.append(article);
  return made;
}
