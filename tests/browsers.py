"""What the tests in a browser share."""

import json
import shutil
from contextlib import contextmanager

import pytest

REQUEST = "Network.requestWillBeSent"
# Counts what the browser itself calls a shift that nobody asked for.
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def start():
    """A Chromium without a window; the test is skipped, with the reason, where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs pip install selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = webdriver.Chrome(options, webdriver.ChromeService(driver))
    session.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    return session


def requests(session):
    """Addresses that were asked for since the last call, whatever became of them."""
    events = [json.loads(entry["message"])["message"] for entry in session.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == REQUEST]


@contextmanager
def at_width(session, width):
    """The window as wide as that for a while."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    session.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        session.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def boxes(session, selector):
    """Where elements lie on the page, by what they are."""
    return session.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((one) => {"
        "const box = one.getBoundingClientRect(); return [one.id,"
        "...[box.left + scrollX, box.top + scrollY, box.width, box.height].map(Math.round)]; })",
        selector,
    )
