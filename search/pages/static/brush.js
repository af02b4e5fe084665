// Drag over the bars of a histogram to search in that period. A click on one bar is its link.

const LEAST_DRAG = 6;

export function brushHistograms() {
  for (const chart of document.querySelectorAll(".histogram svg")) brush(chart);
}

function brush(chart) {
  const bars = [...chart.querySelectorAll("[data-start]")];
  let begin = null;
  let dragged = false;

  const barAt = (x) => bars.findLast((one) => one.getBoundingClientRect().left <= x) ?? bars[0];
  const chosen = (x) => {
    const places = [bars.indexOf(barAt(begin)), bars.indexOf(barAt(x))].sort((a, b) => a - b);
    return bars.slice(places[0], places[1] + 1);
  };
  const show = (some) => {
    for (const one of bars) one.classList.toggle("brushed", some.includes(one));
  };

  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begin = event.clientX;
    dragged = false;
  });
  chart.addEventListener("pointermove", (event) => {
    if (begin === null || (!dragged && Math.abs(event.clientX - begin) < LEAST_DRAG)) return;
    if (!dragged) chart.setPointerCapture(event.pointerId);
    dragged = true;
    show(chosen(event.clientX));
  });
  chart.addEventListener("pointerup", (event) => {
    if (begin !== null && dragged) go(chosen(event.clientX));
    begin = null;
  });
  chart.addEventListener("pointercancel", () => {
    begin = null;
    show([]);
  });
  chart.addEventListener("click", (event) => {
    if (dragged) event.preventDefault();
  });
}

function go(some) {
  const [begin, end] = [some[0].dataset.start, some[some.length - 1].dataset.end];
  const link = some[0].getAttribute("href");
  if (link === null) {
    // Too long for a link: the form has the query.
    const form = document.getElementById("search");
    form.elements.since.value = begin;
    form.elements.until.value = end;
    form.requestSubmit();
    return;
  }
  const address = new URL(link, location.href);
  address.searchParams.set("since", begin);
  address.searchParams.set("until", end);
  location.assign(address.pathname + address.search);
}
