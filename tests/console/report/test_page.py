"""The page of a report in a browser: sorted, searched, gone down into, on a phone, at night."""

import os
import shutil
import sys

import pytest

from benchmarks import report as lab
from neurotools.console.main import main

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="paths of Chromium are those of Unix here"),
]
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-quic"]  # fmt: skip
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return where the page of a lab's cache lies, with a module of a hostile name in it."""
    folder = tmp_path_factory.mktemp("lab")
    lab.fill(folder, 1000)
    place = folder / "__neurotools_cache__" / EVIL / "run" / "version"
    place.mkdir(parents=True)
    (place / "h.k.npy").write_bytes(bytes(200_000))
    page = folder / "report.html"
    assert main(["report", str(folder), "--html", str(page)]) == 0
    return page.as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        shown = driver.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield shown
        shown.close()


@pytest.fixture
def open_page(browser, address):
    """Open the page; at the end, nothing may have been said on the console, or been loaded."""
    said, asked, contexts = [], [], []

    def opened(width=1280, height=900, where=address, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **context))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append("a dialog"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(where)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
    # Only what a page is itself, each one once.
    files = [url for url in asked if not url.startswith("data:")]
    assert len(files) == len(contexts)
    assert all(url.startswith("file:") and url.endswith(".html") for url in files)


def column(page, table, number):
    return page.locator(f"#{table} tbody tr td:nth-child({number})").all_inner_texts()


def test_tables_are_sorted_searched_and_shown_in_full(open_page):
    page = open_page()
    names = column(page, "functions-table", 1)
    head = page.locator("#functions-table thead th")
    sizes = head.filter(has_text="On disk")
    assert sizes.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Function", exact=True).click()
    assert column(page, "functions-table", 1) == sorted(names, key=str.lower)
    assert sizes.get_attribute("aria-sort") is None
    head.filter(has_text="Loads").locator("button").click()
    loads = [int(text.replace(",", "")) for text in column(page, "functions-table", 5)]
    assert loads == sorted(loads, reverse=True)
    assert loads[0] > loads[-1]
    head.filter(has_text="Loads").locator("button").press("Enter")
    assert column(page, "functions-table", 5) == [f"{n:,}" for n in sorted(loads)]

    page.get_by_label("Search functions").fill("GLM permute")
    assert column(page, "functions-table", 1) == ["lab.models.glm.permute"]
    assert page.locator("#functions-table .counted").inner_text() == "1 of 19"
    page.get_by_label("Search functions").fill("no such thing")
    assert "Nothing fits" in page.locator("#functions-table tbody").inner_text()

    rows = page.locator("#entries-table tbody tr")
    before = rows.count()
    page.locator("#entries-table .more").click()
    assert rows.count() == before + 100
    page.get_by_label("Show", exact=True).select_option("the most useful")
    assert all("most useful" in text for text in column(page, "entries-table", 9))


def test_one_goes_down_into_areas_and_up_again_with_the_keyboard_alone(open_page):
    page = open_page()
    where = page.locator("#path [aria-current]")
    area = page.locator("#map button.group", has_text="lab").first
    assert "GB" in area.get_attribute("aria-label")
    area.focus()
    page.keyboard.press("Enter")
    assert where.inner_text() == "lab"
    page.locator("#map button[aria-label*=' models: ']").press("Enter")
    page.locator("#map button[aria-label*='glm: ']").press("Enter")
    page.locator("#map button[aria-label*='permute: ']").press("Enter")
    assert where.inner_text() == "permute"
    codes = page.locator("#map button .name").all_inner_texts()
    assert codes  # the versions
    page.keyboard.press("Escape")
    assert where.inner_text() == "glm"
    page.locator("#path button", has_text="all").click()
    assert where.inner_text() == "all"


def test_an_area_or_a_dot_leads_to_the_table(open_page):
    page = open_page()
    dot = page.locator("#scatter .dot[aria-label^='lab.models.glm.fit']")
    dot.click(force=True)
    search = page.get_by_label("Search functions")
    assert search.input_value() == "lab.models.glm.fit"
    first = page.locator("#scatter .dot[tabindex='0']")
    first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('class')").startswith("dot")
    assert page.locator("#scatter .dot[tabindex='0']").count() == 1


def test_plots_have_what_they_are_to_show(open_page):
    page = open_page()
    assert page.locator("#scatter .dot").count() == 19
    heights = page.locator("#stored .bar").evaluate_all(
        "all => all.map(e => +e.getAttribute('height'))"
    )
    assert max(heights) > 50
    bars = len(heights)
    page.get_by_label("One bar is a").select_option("year")
    assert 0 < page.locator("#stored .bar").count() < bars
    page.locator("#used .hit").last.hover()
    assert "loads" in page.locator("#used-said").inner_text()
    assert page.locator("#idle .level").count() == 6
    assert page.locator("#rates .level").count() == 8


def test_names_are_shown_and_never_run(open_page):
    page = open_page()
    assert page.locator("img").count() == 0
    page.get_by_label("Search functions").fill("onerror")
    assert EVIL in page.locator("#functions-table tbody").inner_text()
    assert page.evaluate("document.scripts.length") == 2


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(width, 640, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Sort by").first.select_option("Function")
    names = column(page, "functions-table", 1)
    assert names == sorted(names, key=str.lower)
    page.locator("#map button.group").first.tap(position={"x": 20, "y": 8})
    assert page.locator("#path [aria-current]").inner_text() == "lab"
    page.set_viewport_size({"width": 640, "height": width})
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


#: The contrast of an element's text with what is behind it, by WCAG 2.
_CONTRAST = """all => all.map(element => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = color => {
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  const shade = element => getComputedStyle(element).backgroundColor;
  while (shade(behind) === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const style = getComputedStyle(element);
  const color = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
  const [a, b] = [light(color), light(shade(behind))];
  return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent];
}).filter(([ratio]) => ratio < 4.5)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(open_page, scheme):
    page = open_page(color_scheme=scheme)
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, shade[4:-1].split(","))) > 384) == (scheme == "light")
    texts = (
        "h1, h2, h3, p, dt, dd *, td, th button, label, summary, a:not(.skip), .name, .size, text"
    )
    shown = page.locator(f":is({texts}):visible")
    assert shown.count() > 200
    assert shown.evaluate_all(_CONTRAST) == []
    shades = [0, 1, 2, 3, 4]
    made = "n => { const b = document.createElement('button'); b.className = `age-${n}`;"
    made += "b.textContent = 'x'; document.querySelector('#map').append(b) }"
    for number in shades:
        page.evaluate(made, number)
    assert page.locator("#map button[class^=age]").evaluate_all(_CONTRAST) == []


def test_everything_that_can_be_used_has_a_name(open_page):
    page = open_page()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, [role=button], [role=img]')]
        .filter(e => !e.hidden && !e.getAttribute('aria-label') && !e.textContent.trim()
                     && !(e.labels && e.labels.length)).map(e => e.outerHTML)"""
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_without_scripts_the_page_still_tells_the_most(browser, address):
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(address)
        text = page.locator("main").inner_text()
        assert "scripts\nare switched off" in text or "switched off here" in text
        assert "Time saved" in text
        assert "1,000" in text
        assert page.locator("#drawn").is_hidden()
    finally:
        context.close()


def test_two_caches_and_impossible_dates_have_a_page_without_errors(open_page, tmp_path):
    for number, name in enumerate(("neurotools_cache", "__neurotools_cache__")):
        place = tmp_path / name / "study" / "run" / "version"
        place.mkdir(parents=True)
        for when in (0, 4e9, 9e11)[number:]:
            (place / f"h{when}.k.npy").write_bytes(b"x")
            os.utime(place / f"h{when}.k.npy", (when, when))
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "two.html")]) == 0
    page = open_page(where=(tmp_path / "two.html").as_uri())
    assert page.locator("#map button").count() >= 2
    assert "in the future" in page.locator("#functions-table tbody").inner_text()
    assert len(column(page, "entries-table", 1)) == 5


def test_a_cache_without_entries_has_a_page_without_errors(open_page, tmp_path):
    folder = tmp_path / "neurotools_cache"
    os.mkdir(folder)
    assert main(["report", str(folder), "--html", str(tmp_path / "empty.html")]) == 0
    page = open_page(where=(tmp_path / "empty.html").as_uri())
    assert page.locator("#functions-table").inner_text().count("Nothing is kept here") == 1
