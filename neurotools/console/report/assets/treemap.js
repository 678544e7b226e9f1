// Where the bytes are: modules, functions, versions as areas. Each is a button, so that the keyboard,
// a finger and a screen reader can go down as well as a mouse.
"use strict";

const AGES = [[7, "within a week"], [30, "within a month"], [90, "within 90 days"], [365, "within a year"], [Infinity, "longer ago"]];

/** Return the shade of a node: how long ago its bytes were used, on average. */
const ageOf = (node) => AGES.findIndex(([bound]) => node.idle < bound * node.bytes || bound === Infinity);

/** Make the tree: caches if there are several, parts of modules, functions, versions. */
function tree() {
  const root = branch(several ? "all caches" : "all", null);
  for (const one of data.functions) {
    const names = one.function.split(".");
    if (several) names.unshift(one.cache);
    let node = root;
    for (const name of names.slice(0, -1)) node = below(node, name);
    const leaf = below(node, names[names.length - 1]);
    leaf.function = one.function;
    let rest = one.bytes_on_disk;
    for (const version of one.versions) {
      rest -= version.bytes_on_disk;
      hang(leaf, version.version, version, { function: one.function, isVersion: true });
    }
    const left = one.versions_count - one.versions.length;
    if (left > 0 && rest > 0) {
      hang(leaf, counted(left, "more version"), { bytes_on_disk: rest, entries: 0, seconds_saved: 0, mean_idle_days: one.mean_idle_days, last_used: one.last_used }, { isVersion: true, function: one.function });
    }
  }
  for (const rest of data.other_functions) {
    const names = rest.module ? rest.module.split(".") : [];
    if (several && rest.cache) names.unshift(rest.cache);
    hang(names.reduce(below, root), counted(rest.functions, "more function"), rest, { isVersion: true });
  }
  return joined(root);
}

const branch = (name, parent) => ({ name, parent, children: [], names: new Map(), bytes: 0, entries: 0, saved: 0, idle: 0, used: "" });

function below(node, name) {
  let child = node.names.get(name);
  if (!child) {
    child = branch(name, node);
    node.names.set(name, child);
    node.children.push(child);
  }
  return child;
}

/** Add a leaf, and what it takes to all that it is in. */
function hang(node, name, held, more) {
  const leaf = Object.assign(branch(name, node), more);
  node.children.push(leaf);
  for (let one = leaf; one; one = one.parent) {
    one.bytes += held.bytes_on_disk;
    one.entries += held.entries;
    one.saved += held.seconds_saved;
    one.idle += held.mean_idle_days * held.bytes_on_disk;
    if ((held.last_used || "") > one.used) one.used = held.last_used;
  }
}

/** Join modules that hold nothing but one module, and sort by size. */
function joined(node) {
  node.children = node.children.map(joined).sort((one, other) => other.bytes - one.bytes);
  const [only] = node.children;
  if (!node.parent || node.function || node.children.length !== 1 || only.isVersion) return node;
  only.name = `${node.name}.${only.name}`;
  only.parent = node.parent;
  return only;
}

/** Return places for areas in a rectangle, as near to squares as they can be. */
function squarified(nodes, x, y, width, height) {
  const places = [];
  let left = nodes.reduce((sum, node) => sum + node.bytes, 0);
  let at = 0;
  while (at < nodes.length && left > 0 && width > 0 && height > 0) {
    const side = Math.min(width, height);
    const scale = (width * height) / left;
    let taken = 0;
    let worst = Infinity;
    let end = at;
    while (end < nodes.length) {
      const sum = taken + nodes[end].bytes;
      const across = (sum * scale) / side;
      const ratio = Math.max(...[nodes[at], nodes[end]].map((node) => {
        const along = (node.bytes * scale) / across;
        return Math.max(along / across, across / along);
      }));
      if (ratio > worst) break;
      [worst, taken, end] = [ratio, sum, end + 1];
    }
    const across = (taken * scale) / side;
    let along = 0;
    for (const node of nodes.slice(at, end)) {
      const length = (node.bytes * scale) / across;
      places.push(width >= height ? [node, x, y + along, across, length] : [node, x + along, y, length, across]);
      along += length;
    }
    if (width >= height) { x += across; width -= across; } else { y += across; height -= across; }
    [left, at] = [left - taken, end];
  }
  return places;
}

const HEAD = 24;
const GAP = 3;

class Treemap {
  constructor(root) {
    this.root = this.node = root;
    this.host = part("map");
    this.said = part("map-said");
    part("map-key").append(...AGES.map(([, text], at) => make("li", {}, make("span", { class: `age-${at}` }), text)));
    this.host.addEventListener("keydown", (event) => {
      if ((event.key === "Escape" || event.key === "Backspace") && this.node.parent) {
        event.preventDefault();
        this.go(this.node.parent, this.node);
      }
    });
    new ResizeObserver(() => { if (this.host.clientWidth !== this.width) this.draw(); }).observe(this.host);
    this.draw();
  }

  /** Show what is in a node; the focus goes to where one has come from, or to the first in it. */
  go(node, from) {
    this.node = node;
    this.draw();
    const buttons = [...this.host.querySelectorAll("button")];
    (buttons.find((button) => button.node === from) || buttons[0])?.focus();
  }

  draw() {
    this.width = this.host.clientWidth;
    this.host.replaceChildren();
    this.said.textContent = this.told(this.node);
    const way = [];
    for (let one = this.node; one; one = one.parent) way.unshift(one);
    part("path").replaceChildren(...way.flatMap((one, at) => [
      ...(at ? [make("span", { "aria-hidden": "true" }, "›")] : []),
      one === this.node ? make("span", { "aria-current": "location" }, one.name)
        : make("button", { type: "button", onclick: () => this.go(one, way[at + 1]) }, one.name),
    ]));
    for (const place of squarified(this.node.children, 0, 0, this.width, this.host.clientHeight)) this.area(...place);
  }

  area(node, x, y, width, height) {
    // Versions are seen where one has gone down to their function.
    const isGroup = !node.function && node.children.length > 1 && width > 90 && height > 70;
    this.button(node, x, y, width, height, isGroup);
    if (!isGroup) return;
    const inner = squarified(node.children, x + GAP, y + HEAD, width - 2 * GAP, height - HEAD - GAP);
    for (const place of inner) if (place[3] > 7 && place[4] > 7) this.area(...place);
  }

  button(node, x, y, width, height, isGroup) {
    if (width < 3 || height < 3) return;
    const button = make("button", {
      type: "button", "aria-label": this.told(node), class: isGroup ? "group" : `age-${ageOf(node)}`, onclick: () => this.choose(node),
    });
    button.node = node;
    const place = { left: x + 1, top: y + 1, width: width - 2, height: height - 2 };
    for (const [name, value] of Object.entries(place)) button.style[name] = `${value}px`;
    const texts = [make("span", { class: "name" }, node.name)];
    if (isGroup || height > 40) texts.push(make("span", { class: "size" }, size(node.bytes)));
    if (isGroup) button.append(...texts);
    else if (width > 34 && height > 20) button.append(...texts);
    tell(this.said, button, this.told(node));
    this.host.append(button);
  }

  choose(node) {
    if (node.children.length) this.go(node);
    else if (node.function) tables.functions?.search(node.function);
  }

  told(node) {
    const names = [];
    for (let one = node; one.parent; one = one.parent) names.unshift(one.name);
    const entries = node.entries ? `, ${counted(node.entries, "entry", "entries")}` : "";
    const used = node.used ? `, last used ${ago(node.used)}` : "";
    return `${names.join(" › ") || node.name}: ${size(node.bytes)} (${share(node.bytes, this.root.bytes)})${entries}, ${span(node.saved)} saved${used}`;
  }
}
