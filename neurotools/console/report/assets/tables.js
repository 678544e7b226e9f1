// Tables that can be searched and sorted; on a phone each row is a card.
"use strict";

const tables = {};
const FIRST = matchMedia("(max-width: 46rem)").matches ? 8 : 20;
const MORE = 100;

/** A table: columns with a name, how a row is sorted by them, and what a cell shows. */
class Table {
  constructor(host, name, columns, rows, { order, choices = [] }) {
    [this.columns, this.rows, this.order, this.isUp, this.shown] = [columns, rows, order, false, FIRST];
    this.texts = new Map(rows.map((row) => [row, columns.map((one) => one.text ? one.text(row) : "").join(" ").toLowerCase()]));
    this.chosen = () => true;
    const id = host.id;
    this.box = make("input", { type: "search", id: `${id}-search`, autocomplete: "off", spellcheck: "false", oninput: () => this.again() });
    this.counted = make("p", { class: "counted", role: "status" });
    this.orders = make("select", { id: `${id}-order`, onchange: () => this.sortBy(columns[this.orders.value], !columns[this.orders.value].isNumber) },
      ...columns.map((one, at) => make("option", { value: at }, one.name)));
    const tools = make("div", { class: "tools" },
      make("p", { class: "field grow" }, make("label", { for: `${id}-search` }, `Search ${name}`), this.box),
      ...(choices.length ? [this.choice(id, choices)] : []),
      make("p", { class: "field narrow" }, make("label", { for: `${id}-order` }, "Sort by"), this.orders), this.counted);
    this.heads = columns.map((one) => make("th", { scope: "col", role: "columnheader", class: one.isNumber ? "number" : null },
      make("button", { type: "button", onclick: () => this.sortBy(one) }, one.name, make("span", { class: "arrow", "aria-hidden": "true" }))));
    this.body = make("tbody", { role: "rowgroup" });
    this.more = make("button", { type: "button", class: "more", onclick: () => this.further() });
    host.append(tools, make("div", { class: "scroll", role: "region", "aria-label": `Table of ${name}`, tabindex: 0 },
      make("table", { role: "table" }, make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...this.heads)), this.body)), this.more);
    this.host = host;
    this.draw();
  }

  choice(id, choices) {
    const select = make("select", { id: `${id}-choice`, onchange: () => { this.chosen = choices[select.value][1]; this.sortBy(this.columns.find((one) => one.name === choices[select.value][2]), choices[select.value][3]); } },
      ...choices.map(([text], at) => make("option", { value: at }, text)));
    return make("p", { class: "field" }, make("label", { for: `${id}-choice` }, "Show"), select);
  }

  /** Sort by a column; the same one again the other way round. Texts begin with the first letter. */
  sortBy(column, isUp) {
    this.isUp = isUp ?? (this.order === column.name ? !this.isUp : !column.isNumber);
    this.order = column.name;
    this.again();
  }

  /** Search for something from elsewhere on the page, and go there. */
  search(text) {
    this.box.value = text;
    this.again();
    this.host.closest("section").scrollIntoView();
    this.box.focus({ preventScroll: true });
  }

  again() {
    this.shown = FIRST;
    this.draw();
  }

  further() {
    const from = this.shown;
    this.shown += MORE;
    this.draw();
    const row = this.body.rows[from];
    row?.setAttribute("tabindex", -1);
    row?.focus();
  }

  draw() {
    const words = this.box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.rows.filter((row) => this.chosen(row) && words.every((word) => this.texts.get(row).includes(word)));
    const column = this.columns.find((one) => one.name === this.order);
    const sign = this.isUp ? 1 : -1;
    found.sort((one, other) => sign * compared(column.by(one), column.by(other)));
    this.columns.forEach((one, at) => {
      const isIt = one === column;
      if (isIt) this.heads[at].setAttribute("aria-sort", this.isUp ? "ascending" : "descending");
      else this.heads[at].removeAttribute("aria-sort");
      this.heads[at].querySelector(".arrow").textContent = isIt ? (this.isUp ? "▲" : "▼") : "";
      if (isIt) this.orders.value = at;
    });
    this.body.replaceChildren(...found.slice(0, this.shown).map((row) => make("tr", { role: "row" }, ...this.columns.map((one) => make("td",
      { role: "cell", "data-label": one.name, class: one.isNumber ? "number" : one.kind || null }, ...[one.show(row)].flat())))));
    if (!found.length) this.body.append(make("tr", { role: "row" }, make("td", { role: "cell", colspan: this.columns.length }, this.rows.length ? "Nothing fits the search." : "Nothing is kept here.")));
    const left = found.length - this.shown;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, MORE)} more`;
    this.counted.textContent = found.length === this.rows.length ? `${count(found.length)} in all` : `${count(found.length)} of ${count(this.rows.length)}`;
  }
}

function compared(one, other) {
  if (typeof one === "string" || typeof other === "string") return String(one ?? "").localeCompare(String(other ?? ""), "en", { numeric: true });
  return (one ?? -1) - (other ?? -1);
}

const number = (name, field, show) => ({ name, isNumber: true, by: (row) => row[field], show: (row) => show(row[field]) });
const when = (name, field) => ({ name, isNumber: true, by: (row) => row[field] ?? "", show: (row) => make("time", { datetime: row[field], title: row[field] }, ago(row[field])) });
const cacheColumn = { name: "Cache", by: (row) => row.cache, text: (row) => row.cache, show: (row) => row.cache };

function functionsTable() {
  tables.functions = new Table(part("functions-table"), "functions", [
    { name: "Function", kind: "text", by: (row) => row.function, text: (row) => `${row.function} ${row.versions.map((one) => one.version).join(" ")}`, show: (row) => make("code", {}, row.function) },
    ...(several ? [cacheColumn] : []),
    number("Versions", "versions_count", count),
    number("Entries", "entries", count),
    number("On disk", "bytes_on_disk", size),
    number("Loads", "loads", count),
    number("Hit rate", "hit_rate", (rate) => share(rate, 1)),
    number("Saved", "seconds_saved", span),
    number("To compute", "seconds_to_compute", span),
    when("Last used", "last_used"),
  ], data.functions, { order: "On disk" });
  const sum = (field) => data.other_functions.reduce((all, one) => all + one[field], 0);
  if (sum("functions")) part("functions-table").append(make("p", { class: "lead" }, `Not named here: ${counted(sum("functions"), "smaller function")}, ${size(sum("bytes_on_disk"))} in ${counted(sum("entries"), "entry", "entries")}.`));
}

function entriesTable() {
  const tags = (row) => [...row.kinds, ...(row.pinned ? ["pinned"] : [])];
  const worth = (row) => (row.seconds === null ? null : (row.seconds * (1 + row.loads)) / Math.max(row.bytes_on_disk, 1));
  const of = (kind) => (row) => row.kinds.includes(kind);
  tables.entries = new Table(part("entries-table"), "entries", [
    { name: "Call", kind: "text", by: (row) => row.call, text: (row) => `${row.call} ${row.function} ${row.name}`, show: (row) => [make("code", { title: row.function }, row.call), make("small", {}, make("code", {}, row.name))] },
    ...(several ? [cacheColumn] : []),
    number("On disk", "bytes_on_disk", size),
    number("Took", "seconds", span),
    number("Loads", "loads", count),
    number("Saved", "seconds_saved", span),
    { name: "Worth/MB", isNumber: true, by: worth, show: (row) => (worth(row) === null ? "?" : span(worth(row) * 1e6)) },
    when("Written", "written"),
    when("Last used", "last_used"),
    { name: "Stands out", by: (row) => tags(row).join(), text: (row) => tags(row).join(" "), show: (row) => tags(row).map((tag) => make("span", { class: "tag" }, tag)) },
  ], data.entries, {
    order: "On disk",
    choices: [["all of them", () => true, "On disk", false], ["the largest", of("largest"), "On disk", false], ["the least useful", of("least useful"), "Worth/MB", true], ["the most useful", of("most useful"), "Saved", false]],
  });
}
