// Times in the reader's zone: the server is told in a cookie, this page is mended at once.

const YEAR_SECONDS = 31536000;

export function ownZone() {
  const shown = document.getElementById("zone");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || !shown || shown.textContent === zone) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `zone=${zone}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Strict${secure}`;
  const field = document.getElementById("zone-name");
  if (field && field.value === shown.textContent && field.dataset.given === undefined) field.value = zone;
  shown.textContent = zone;
  for (const one of document.querySelectorAll("time[datetime]")) {
    one.textContent = written(new Date(one.dateTime));
  }
}

/** A time as the server writes it: today's hour and minute, else with its day. */
export function written(moment) {
  const now = new Date();
  const hour = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (moment.toDateString() === now.toDateString()) return hour;
  const day = { day: "numeric", month: "short" };
  if (moment.getFullYear() !== now.getFullYear()) day.year = "numeric";
  return `${moment.toLocaleDateString("en-GB", day)}, ${hour}`;
}
