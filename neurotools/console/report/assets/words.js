// Figures as people write them, and elements of the page. Texts are only ever set as text.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const MADE = Date.parse(data.made);
const DAY = 86400e3;
const several = data.caches.length > 1;

const part = (id) => document.getElementById(id);

/** Make an element: its attributes, and what is in it, elements or texts. */
function make(tag, attributes = {}, ...content) {
  return filled(document.createElement(tag), attributes, content);
}

/** Make an element of a drawing. */
function draw(tag, attributes = {}, ...content) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, content);
}

function filled(element, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...content);
  return element;
}

const count = (n) => n.toLocaleString("en-US");
const counted = (n, one, many) => `${count(n)} ${n === 1 ? one : many || `${one}s`}`;
const short = (value) => (value < 9.95 ? value.toFixed(1) : value.toFixed(0));

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let power = 0;
  while (bytes >= 999.5 && power < units.length - 1) { bytes /= 1000; power += 1; }
  return `${power ? short(bytes) : bytes.toFixed(0)} ${units[power]}`;
}

const SPANS = [["y", 31557600], ["d", 86400], ["h", 3600], ["min", 60], ["s", 1], ["ms", 1e-3], ["µs", 1e-6]];

function span(seconds) {
  if (seconds === null || seconds === undefined) return "?";
  if (!(seconds > 0)) return "0 s";
  const [unit, length] = SPANS.find(([, one]) => seconds >= 0.9995 * one) || SPANS[SPANS.length - 1];
  return `${short(seconds / length)} ${unit}`;
}

const day = (time) => new Date(time).toISOString().slice(0, 10);

function ago(stamp) {
  if (!stamp) return "?";
  const passed = (MADE - Date.parse(stamp)) / 1000;
  if (!(passed > -60)) return "in the future"; // so far ahead, perhaps, that there is no such date
  if (passed < 60) return "just now";
  if (passed > 45 * 86400) return stamp.slice(0, 10);
  const [unit, length] = SPANS.slice(1, 4).find(([, one]) => passed >= one);
  return `${(passed / length).toFixed(0)} ${unit} ago`;
}

function share(part, whole) {
  if (!whole || part === null) return "?";
  const percent = (100 * part) / whole;
  if (percent > 99 && percent < 100) return "> 99 %";
  return part && percent < 1 ? "< 1 %" : `${percent.toFixed(0)} %`;
}

/** Show what is under the pointer, or has the focus, in a line below a plot. */
function tell(line, element, text) {
  const show = () => { line.textContent = text; };
  element.addEventListener("pointerenter", show);
  element.addEventListener("focus", show);
}

/** Let one of some elements have the focus, and arrow keys move it. */
function rove(elements) {
  elements.forEach((element, at) => {
    element.setAttribute("tabindex", at ? -1 : 0);
    element.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const ends = { Home: 0, End: elements.length - 1 }[event.key];
      const next = elements[ends ?? at + step];
      if (!next) return;
      event.preventDefault();
      element.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    });
  });
}
