"""The page as its text, and as a browser shows it (skipped where there is no Chromium or no selenium)."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from report_samples import BREAKS, FINDINGS, MAIN, finding, scene, small_map

from mplint.report import render

_VOID = {"meta", "input", "br", "link", "img"}


class _Checker(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if named.get("id") else []
        self.loads += [value for name, value in attrs if name in {"src", "srcset", "data"} and value]
        self.loads += [str(named["href"])] if tag == "link" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _page(findings: Any = FINDINGS, **more: Any) -> str:
    return "".join(render(findings, format="html", scene=scene(worker_map=small_map(), **more)))


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    page = _page()
    checker = _Checker()
    checker.feed(page)
    assert checker.open == [] and checker.loads == []
    assert len(checker.ids) == len(set(checker.ids))
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page)


def test_source_and_messages_cannot_break_out_of_the_page() -> None:
    evil = "</script><script>alert(1)</script><img src=x>"
    page = _page((finding(MAIN, "pool.map(parse, paths)", evil, name=evil, scope=evil),))
    assert evil not in page and "<img" not in page
    hazards = small_map().hazards[0]
    assert "</script>" not in json.dumps(hazards.message)


def test_map_data_holds_the_map() -> None:
    data = json.loads(re.search(r'id="map-data">(.*?)</script>', _page(), re.DOTALL)[1])  # type: ignore[index]
    assert [worker["name"] for worker in data["workers"]] == ["parse", "RowError.__init__", "setup", "quiet"]
    assert [worker["hot"] for worker in data["workers"]] == [True, True, False, False]
    assert data["handovers"][0]["at"] == "app/main.py:9"


def test_a_page_without_findings_or_map_says_so() -> None:
    page = "".join(render((), format="html", scene=scene()))
    assert "Nothing found" in page and "canvas" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_paths_are_seen_from_the_files_when_mplint_ran_somewhere_else() -> None:
    page = "".join(render(FINDINGS, format="html", scene=msgspec.structs.replace(scene(worker_map=small_map()), root="/elsewhere")))
    assert "<title>app · mplint</title>" in page and 'data-file="main.py"' in page and '"at":"parse.py:6"' in page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium drives the browser")
    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    switches = ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking", "force-prefers-reduced-motion")
    for switch in (*switches, f"user-data-dir={profile}", "window-size=1400,1000"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver)) as running:
        running.set_script_timeout(20)
        yield running


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    file = tmp_path / "report.html"
    file.write_text(_page(), encoding="utf-8")
    browser.get(file.as_uri())
    browser.execute_script("try { localStorage.clear() } catch {}")
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def _visible(page: Any, selector: str) -> list[str]:
    found = page.find_elements("css selector", selector)
    return [element.text.split("\n")[0] for element in found if element.is_displayed()]


def _wait(page: Any, condition: str) -> None:
    script = "const done = arguments[0]; const look = () => (" + condition + ") ? done(true) : setTimeout(look, 20); look();"
    assert page.execute_async_script(script)


def test_filters_hide_what_was_not_asked_for(page: Any) -> None:
    assert len(_visible(page, "article")) == 2
    page.find_element("css selector", "input[data-rule=MP201]").click()
    assert [text.split()[0] for text in _visible(page, "article")] == ["MP201"]
    assert _visible(page, "#shown") == ["1 of 2 shown"]
    assert len(page.find_elements("css selector", ".badge.off")) == 1
    page.find_element("id", "clear").click()
    page.find_element("css selector", "input[data-file='app/main.py']").click()
    assert [text.split()[0] for text in _visible(page, "article")] == ["MP501"]


def test_search_narrows_findings_and_opens_the_map(page: Any) -> None:
    page.find_element("id", "map-quiet").click()
    assert "quiet" not in " ".join(_visible(page, ".node .label"))
    page.find_element("id", "search").send_keys("quiet")
    _wait(page, "document.querySelector('.node.match')")
    assert _visible(page, ".node.match .label") == ["quiet"]
    assert _visible(page, "article") == []
    page.find_element("id", "clear").click()
    assert len(_visible(page, "article")) == 2


def test_the_map_folds_and_unfolds(page: Any) -> None:
    assert "quiet" in _visible(page, ".node .label")
    page.find_element("id", "map-quiet").click()
    whole = _visible(page, ".node .label")
    assert {"Pool.map", "parse", "RowError.__init__", "setup", "1 without hazards", "more, not resolved"} <= set(whole)
    page.find_element("id", "map-fold").click()
    assert _visible(page, ".node .label") == ["Pool.map"]
    page.find_element("css selector", ".node.hand").click()
    assert "parse" in _visible(page, ".node .label")
    page.find_element("id", "map-unfold").click()
    page.find_element("css selector", ".node.more").click()
    assert "quiet" in _visible(page, ".node .label")


def test_map_and_findings_lead_to_each_other(page: Any) -> None:
    page.find_element("css selector", ".badge.error").click()
    _wait(page, "location.hash === '#f1' && document.querySelector('#f1.flash')")
    page.execute_script("document.querySelector('#map-fold').click(); document.querySelector('#f1 .tomap').click()")
    assert page.switch_to.active_element.text.startswith("RowError.__init__")


def test_light_and_dark_can_be_chosen_and_differ(page: Any) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    before = page.execute_script(colour)
    page.find_element("id", "theme").click()
    assert page.execute_script(colour) != before
    page.find_element("id", "theme").click()
    assert page.execute_script(colour) == before


def test_nothing_overlaps_in_the_map(page: Any) -> None:
    page.find_element("id", "map-unfold").click()
    boxes = page.execute_script("return [...document.querySelectorAll('.node')].map((n) => [n.node.x, n.node.y, n.offsetWidth, n.offsetHeight])")
    assert len(boxes) > 5
    for index, (x, y, wide, high) in enumerate(boxes):
        for other_x, other_y, other_wide, other_high in boxes[index + 1 :]:
            assert x + wide <= other_x or other_x + other_wide <= x or y + high <= other_y or other_y + other_high <= y


def test_the_finding_of_a_fix_shows_its_diff(page: Any) -> None:
    assert BREAKS.fix is not None
    assert "def __reduce__(self):" in page.find_element("css selector", "#f1 .diff").text
