// Draw it all; plots anew when the width has changed.
"use strict";

const NOTHING = "No load was noted. Loads are noted by the processes that use the cache, when they end at the latest.";

function unitChosen() {
  const range = reach();
  const days = range ? (range[1] - range[0]) / DAY + 1 : 1;
  const lengths = { day: 1, week: 7, month: 30.4, year: 365 };
  const names = Object.keys(lengths).filter((unit) => days / lengths[unit] <= 400);
  const best = names.find((unit) => days / lengths[unit] <= 70) || names[names.length - 1];
  part("unit").replaceChildren(...names.map((unit) => make("option", { value: unit }, unit)));
  part("unit").value = best;
  part("unit").addEventListener("change", overTime);
}

function overTime() {
  const unit = part("unit").value;
  const of = { day: "", week: "week of ", month: "", year: "" }[unit];
  bars(part("stored"), part("stored-said"), data.stored, "bytes", unit, size,
    (bin) => `${of}${dated(bin.time, unit)}: ${size(bin.value)} in ${counted(bin.more, "entry", "entries")}`, "", "Nothing is kept here.");
  bars(part("used"), part("used-said"), data.used, "loads", unit, count,
    (bin) => `${of}${dated(bin.time, unit)}: ${counted(bin.value, "load")}, ${span(bin.more)} saved`, "second", NOTHING);
}

function drawAll() {
  scatter(part("scatter"), part("scatter-said"));
  overTime();
}

part("drawn").hidden = false;
functionsTable();
entriesTable();
unitChosen();
drawAll();
idle(part("idle"));
rates(part("rates"));
new Treemap(tree());

let width = part("scatter").clientWidth;
new ResizeObserver(() => {
  const now = part("scatter").clientWidth;
  // While a page is printed or photographed, it may have no width for a moment.
  if (now === width || now < LEAST_WIDTH) return;
  width = now;
  drawAll();
}).observe(part("scatter"));
