// The plots: time saved against room, bars by day, shares.
"use strict";

const LEAST_WIDTH = 150;
const WIDE = { left: 58, right: 14, top: 12, bottom: 40 };

/** Return the powers of ten in a range. */
function decades(least, most) {
  const found = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most * 1.0001; power += 1) found.push(10 ** power);
  return found;
}

const TIMES = [1e-6, 1e-3, 1, 10, 60, 600, 3600, 36000, 86400, 864000, 8640000, 31557600, 315576000, 3155760000];

/** Return a round figure as one writes it: 1 h, not 1.0 h. */
const round = (text) => text.replace(".0 ", " ");

/** Draw what each function has saved against its room. */
function scatter(host, line) {
  const points = data.functions.filter((one) => one.bytes_on_disk > 0);
  if (!points.length) return void host.replaceChildren(make("p", { class: "empty" }, "Nothing is kept here."));
  const width = Math.max(LEAST_WIDTH, host.clientWidth);
  const height = Math.max(300, Math.min(460, width * 0.55));
  const rooms = points.map((one) => one.bytes_on_disk);
  const saved = points.map((one) => one.seconds_saved).filter((seconds) => seconds > 0);
  const [x0, x1] = [Math.min(...rooms) / 1.6, Math.max(...rooms) * 1.6];
  const [y0, y1] = saved.length ? [Math.min(...saved) / 1.6, Math.max(...saved) * 1.6] : [0.5, 2];
  const floor = height - WIDE.bottom - 26; // below it stand those that have saved nothing
  const x = (value) => WIDE.left + ((width - WIDE.left - WIDE.right) * Math.log(value / x0)) / Math.log(x1 / x0);
  const y = (value) => floor - ((floor - WIDE.top) * Math.log(value / y0)) / Math.log(y1 / y0);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": "Time saved by each function against its room on the disk, both logarithmic" });
  axes(svg, x, y, [x0, x1, y0, y1], width, height);
  if (width > 480) guides(svg, x, y, [x0, x1, y0, y1]);
  const dots = dotted(points, line, x, (one) => (one.seconds_saved > 0 ? y(one.seconds_saved) : height - WIDE.bottom - 12));
  rove(dots);
  svg.append(...dots);
  labels(svg, points, x, y, width);
  host.replaceChildren(svg);
  line.textContent = "Larger dots were loaded more often; rings have saved nothing yet. Choose one to find it in the table.";
}

/** Draw the axes, both logarithmic, and the place of those that have saved nothing below. */
function axes(svg, x, y, [x0, x1, y0, y1], width, height) {
  const ticks = decades(x0, x1).filter((value) => value >= x0);
  const step = Math.ceil(ticks.length / Math.max(2, width / 90));
  ticks.forEach((value, at) => {
    svg.append(draw("line", { class: "grid", x1: x(value), x2: x(value), y1: WIDE.top, y2: height - WIDE.bottom }));
    if (at % step === 0) svg.append(draw("text", { x: x(value), y: height - WIDE.bottom + 16, "text-anchor": "middle" }, round(size(value))));
  });
  const marks = TIMES.filter((value) => value >= y0 && value <= y1);
  for (const value of marks.length > 1 ? marks : decades(y0, y1).filter((one) => one >= y0)) {
    svg.append(draw("line", { class: "grid", x1: WIDE.left, x2: width - WIDE.right, y1: y(value), y2: y(value) }));
    svg.append(draw("text", { x: WIDE.left - 8, y: y(value) + 4, "text-anchor": "end" }, round(span(value))));
  }
  svg.append(draw("text", { x: WIDE.left - 8, y: height - WIDE.bottom - 8, "text-anchor": "end" }, "none"));
  svg.append(draw("line", { class: "grid", x1: WIDE.left, x2: width - WIDE.right, y1: height - WIDE.bottom, y2: height - WIDE.bottom }));
  svg.append(draw("text", { x: (WIDE.left + width - WIDE.right) / 2, y: height - 4, "text-anchor": "middle" }, "room on the disk"));
}

/** Make a dot for each function, the smallest first. */
function dotted(points, line, x, y) {
  const most = Math.max(...points.map((one) => one.loads), 1);
  return points.map((one) => {
    const isNone = !(one.seconds_saved > 0);
    const told = `${one.function}: ${size(one.bytes_on_disk)}, ${span(one.seconds_saved)} saved in ${counted(one.loads, "load")}`;
    const dot = draw("circle", {
      class: isNone ? "dot none" : "dot", cx: x(one.bytes_on_disk), cy: y(one),
      r: 4 + 7 * Math.sqrt(one.loads / most), role: "button", "aria-label": told, onclick: () => tables.functions.search(one.function),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); tables.functions.search(one.function); } },
    });
    tell(line, dot, told);
    return [one.bytes_on_disk, dot];
  }).sort((one, other) => one[0] - other[0]).map(([, dot]) => dot);
}

/** Draw lines of equal worth: so much time saved for a gigabyte. */
function guides(svg, x, y, [x0, x1, y0, y1]) {
  for (const [text, rate] of [["1 min per GB", 60], ["1 h per GB", 3600], ["1 d per GB", 86400]].map(([text, s]) => [text, s / 1e9])) {
    const from = Math.max(x0, y0 / rate);
    const to = Math.min(x1, y1 / rate);
    if (to / from < 4) continue;
    svg.append(draw("line", { class: "guide", x1: x(from), y1: y(from * rate), x2: x(to), y2: y(to * rate) }));
    svg.append(draw("text", { x: x(from) + 10, y: y(from * rate) - 2 }, text));
  }
}

/** Name the dots that stand out, where there is room. */
function labels(svg, points, x, y, width) {
  const taken = [];
  const dots = points.map((one) => [one, [x(one.bytes_on_disk) - 6, (one.seconds_saved > 0 ? y(one.seconds_saved) : -99) - 6, 12, 12]]);
  const best = points.filter((one) => one.seconds_saved > 0).sort((one, other) => other.seconds_saved - one.seconds_saved);
  for (const one of best.slice(0, 24)) {
    const text = one.function.split(".").pop();
    const long = text.length * 6.6;
    const [px, py] = [x(one.bytes_on_disk), y(one.seconds_saved)];
    const isLeft = px + 14 + long > width;
    const box = [isLeft ? px - 14 - long : px + 14, py - 8, long, 16];
    if (long > width / 2 || taken.some((other) => overlap(box, other)) || dots.some(([other, dot]) => other !== one && overlap(box, dot)) || taken.length > width / 120) continue;
    taken.push(box);
    svg.append(draw("text", { class: "label", x: isLeft ? px - 14 : px + 14, y: py + 4, "text-anchor": isLeft ? "end" : "start", "aria-hidden": "true" }, text));
  }
}

const overlap = (one, other) => one[0] < other[0] + other[2] && other[0] < one[0] + one[2] && one[1] < other[1] + other[3] && other[1] < one[1] + one[3];

/** The lengths that a bar can stand for: where the one begins that a day is in, and the next one. */
const UNITS = {
  day: [(time) => time, (time) => time + DAY],
  week: [(time) => time - ((Math.floor(time / DAY) + 3) % 7) * DAY, (time) => time + 7 * DAY],
  month: [(time) => Date.parse(`${day(time).slice(0, 7)}-01`), (time) => { const d = new Date(time); return Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1); }],
  year: [(time) => Date.parse(`${day(time).slice(0, 4)}-01-01`), (time) => Date.UTC(new Date(time).getUTCFullYear() + 1, 0)],
};

/** Return from when to when something was stored or used, on all days. */
function reach() {
  const days = [...data.stored, ...data.used].map((one) => Date.parse(one.day));
  return days.length ? [days.reduce((a, b) => Math.min(a, b)), Math.max(days.reduce((a, b) => Math.max(a, b)), Math.floor(MADE / DAY) * DAY)] : null;
}

function binned(rows, field, unit, [from, to]) {
  const [begin, next] = UNITS[unit];
  const bins = new Map();
  for (let time = begin(from); time <= to; time = next(time)) bins.set(time, { time, value: 0, more: 0 });
  for (const row of rows) {
    const bin = bins.get(begin(Date.parse(row.day)));
    bin.value += row[field];
    bin.more += row.entries ?? row.seconds_saved;
  }
  return [...bins.values()];
}

/** Draw bars over time. */
function bars(host, line, rows, field, unit, format, told, kind, nothing) {
  const range = reach();
  line.textContent = "";
  if (!rows.length) return void host.replaceChildren(make("p", { class: "empty" }, nothing));
  const bins = binned(rows, field, unit, range);
  const [width, height] = [Math.max(LEAST_WIDTH, host.clientWidth), 190];
  const most = Math.max(...bins.map((bin) => bin.value));
  const [inner, high] = [width - WIDE.left - WIDE.right, height - 12 - 26];
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-labelledby": host.id + "-h" });
  for (const value of ticked(most)) {
    const at = 12 + high * (1 - value / most);
    svg.append(draw("line", { class: "grid", x1: WIDE.left, x2: width - WIDE.right, y1: at, y2: at }));
    svg.append(draw("text", { x: WIDE.left - 8, y: at + 4, "text-anchor": "end" }, round(format(value))));
  }
  const step = inner / bins.length;
  const areas = bins.map((bin, at) => {
    const left = WIDE.left + at * step;
    const tall = bin.value ? Math.max(1.5, (high * bin.value) / most) : 0;
    const wide = Math.min(60, Math.max(step * 0.8, step - 3));
    svg.append(draw("rect", { class: `bar ${kind}`, x: left + (step - wide) / 2, y: 12 + high - tall, width: wide, height: tall }));
    const area = draw("rect", { class: "hit", x: left, y: 12, width: step, height: high, role: "img", "aria-label": told(bin, unit) });
    tell(line, area, told(bin, unit));
    return area;
  });
  const every = Math.ceil(bins.length / Math.max(2, Math.floor(inner / 92)));
  bins.forEach((bin, at) => {
    if (at % every === 0) svg.append(draw("text", { x: WIDE.left + (at + 0.5) * step, y: height - 8, "text-anchor": at ? "middle" : "start" }, dated(bin.time, unit)));
  });
  rove(areas);
  svg.append(...areas);
  host.replaceChildren(svg);
}

const dated = (time, unit) => day(time).slice(0, { day: 10, week: 10, month: 7, year: 4 }[unit]);

/** Return some round values up to the largest. */
function ticked(most) {
  const raw = most / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw);
  const found = [];
  for (let value = 0; value <= most; value += step) found.push(value);
  return found;
}

/** Draw one bar across, with its name before it and its figure below. */
function level(name, part, whole, note) {
  const fill = make("div", { class: "fill" });
  fill.style.width = `${whole ? (100 * part) / whole : 0}%`;
  return make("div", { class: "level" }, make("div", { class: "what", title: name }, name), make("div", { class: "track" }, ...(part ? [fill] : [])), make("div", { class: "note" }, note));
}

function idle(host) {
  const most = Math.max(...data.idle.map((one) => one.bytes_on_disk), 1);
  let before = 0;
  host.replaceChildren(...data.idle.map((one) => {
    const name = one.days === null ? "more than a year" : before ? `${before} to ${one.days} days` : "less than a day";
    before = one.days;
    return level(name, one.bytes_on_disk, most, one.entries ? `${size(one.bytes_on_disk)} in ${counted(one.entries, "entry", "entries")}` : "none");
  }));
}

function rates(host) {
  const known = data.functions.filter((one) => one.hit_rate !== null);
  const busiest = known.sort((one, other) => other.loads + other.computed - one.loads - one.computed).slice(0, 8);
  if (!busiest.length) return void host.replaceChildren(make("p", { class: "empty" }, "No use was noted."));
  host.replaceChildren(...busiest.map((one) => level(one.function.split(".").slice(-2).join("."), one.hit_rate, 1, `${share(one.hit_rate, 1)}: ${counted(one.loads, "load")}, ${count(one.computed)} computed`)));
}
