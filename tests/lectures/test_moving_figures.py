"""The lectures' figures that a reader moves: every control, and the numbers are those of cae_np."""

import re
from pathlib import Path

import numpy as np
import pytest
from browsers import at_width, boxes, requests, start

from cae_np import ops

LECTURES = Path(__file__).parents[2] / "lectures"
WEB = LECTURES / "building" / "web"
FIGURES = {
    "im2col": "01_convolution",
    "flip": "01_convolution",
    "kink": "02_backpropagation",
    "pooling": "05_max_pooling",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    page = tmp_path_factory.mktemp("figures") / "figures.html"
    calls = "".join(f"<p>Before.</p><script>movingFigure({name!r})</script>" for name in FIGURES)
    page.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'><title>Figures</title>"
        f"<style>{(WEB / 'course.css').read_text('utf-8')}</style>"
        f"<script>{(WEB / 'figures.js').read_text('utf-8')}</script>{calls}<p id=end>After.</p>",
        "utf-8",
    )
    session = start()
    session.page = page.as_uri()
    yield session
    session.quit()


@pytest.fixture
def page(browser):
    browser.get(browser.page)
    yield browser
    assert browser.get_log("browser") == []
    assert all(address.startswith("file:") for address in requests(browser))


def says(page, name):
    return page.find_element("css selector", f"#moving-{name} .says").text


def slide(page, name, label, value):
    """Move a slider as a reader does: its event, and the number of its new place."""
    moved = page.execute_script(
        "const [name, label, value] = arguments;"
        "for (const one of document.querySelectorAll(`#moving-${name} label`))"
        "  if (one.textContent.trim().startsWith(label)) {"
        "    const input = one.querySelector('input'); input.value = value;"
        "    input.dispatchEvent(new Event('input')); return Number(input.value); }",
        name, label, value,
    )  # fmt: skip
    assert moved == value


def numbers(page, name, title):
    """The numbers of a grid (SVG) or of a table, by its title; NaN where there is none yet."""
    texts = page.execute_script(
        "const [name, title] = arguments;"
        "for (const one of document.querySelectorAll(`#moving-${name} svg > g`))"
        "  if (one.querySelector('.title').textContent === title)"
        "    return [...one.querySelectorAll('.cell text')].map((t) => t.textContent);"
        "for (const one of document.querySelectorAll(`#moving-${name} .panels > div`))"
        "  if (one.querySelector('h4').textContent === title)"
        "    return [...one.querySelectorAll('td')].map((t) => t.querySelector('input')?.value"
        "      ?? t.textContent);",
        name, title,
    )  # fmt: skip
    return np.array([float(text.replace("−", "-")) if text else np.nan for text in texts])


def marked(page, name, style):
    """How many cells are marked."""
    return len(page.find_elements("css selector", f"#moving-{name} .cell.{style}"))


@pytest.mark.browser
def test_the_window_and_its_column(page):
    x = numbers(page, "im2col", "image x").reshape(1, 1, 5, 5)
    columns = numbers(page, "im2col", "im2col(x): a patch a column").reshape(9, 9)
    np.testing.assert_array_equal(columns, ops.im2col(x, 3, 3).reshape(9, 9))
    for window in range(1, 10):
        slide(page, "im2col", "Window", window)
        assert marked(page, "im2col", "one") == 9 + 9
        where = (
            f"Window {window} of 9, at row {(window - 1) // 3 + 1}, column {(window - 1) % 3 + 1}"
        )
        assert says(page, "im2col").startswith(where)


@pytest.mark.browser
def test_a_pixel_lights_every_place_it_came_to(page):
    times = ops.col2im(np.ones((1, 3, 3, 1, 3, 3)), (1, 1, 5, 5)).ravel().astype(int)
    for pixel in range(25):
        slide(page, "im2col", "Pixel", pixel + 1)
        assert f"came to {times[pixel]} place" in says(page, "im2col")
        assert marked(page, "im2col", "two") == times[pixel] + 1
    cells = page.find_elements("css selector", "#moving-im2col .cell")
    cells[12].click()  # in the image: the pixel in the middle
    assert "row 3, column 3 came to 9 places" in says(page, "im2col")
    page.find_elements("css selector", "#moving-im2col .cell")[25 + 4].click()  # in the matrix
    assert says(page, "im2col").startswith("Window 5 of 9")


@pytest.mark.browser
def test_the_kernel_is_laid_on_step_by_step(page):
    from selenium.webdriver.support.ui import Select

    x = numbers(page, "flip", "image x").reshape(1, 1, 3, 3)
    w = numbers(page, "flip", "kernel").reshape(1, 1, 2, 2)
    slide(page, "flip", "Step", 2)
    y = numbers(page, "flip", "map y")
    assert np.isnan(y).sum() == 2
    slide(page, "flip", "Step", 4)
    y = numbers(page, "flip", "map y").reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(y, ops.correlate_valid(x, w))
    what = Select(page.find_element("css selector", "#moving-flip select"))
    what.select_by_value("full")
    h = numbers(page, "flip", "code h").reshape(1, 1, 2, 2)
    expected = ops.convolve_full(h, w)
    laid = np.zeros_like(expected)
    for step in range(4):
        slide(page, "flip", "Step", step + 1)
        one = np.zeros_like(h)
        one.flat[step] = h.flat[step]
        laid += ops.convolve_full(one, w)
        np.testing.assert_array_equal(numbers(page, "flip", "what lies there"), laid.ravel())
        factor = f"{h.flat[step]:.0f}".replace("-", "−")
        kernel = numbers(page, "flip", f"{factor} · kernel")
        np.testing.assert_array_equal(kernel, h.flat[step] * w.ravel())
    np.testing.assert_array_equal(laid, expected)
    what.select_by_value("collect")
    np.testing.assert_array_equal(numbers(page, "flip", "flip(kernel)"), ops.flip(w).ravel())
    slide(page, "flip", "Step", 9)
    np.testing.assert_array_equal(numbers(page, "flip", "full convolution"), expected.ravel())
    assert "The same nine numbers" in says(page, "flip")


@pytest.mark.browser
def test_a_changed_number_changes_the_mask_and_where_the_gradient_goes(page):
    def is_right():
        h = numbers(page, "pooling", "map h (change a number)").reshape(1, 1, 4, 4)
        y, mask = ops.max_pool(h, 2)
        dy = numbers(page, "pooling", "gradient of y").reshape(1, 1, 2, 2)
        dh = ops.max_pool_backward(dy, mask, 2)
        for title, expected in (
            ("mask m", mask),
            ("pooled y", y),
            ("unpooled", ops.unpool(y, mask, 2)),
            ("gradient of h", dh),
        ):
            np.testing.assert_array_equal(numbers(page, "pooling", title), expected.ravel())
        return h

    first = is_right()
    assert "Equal ones" in says(page, "pooling")  # the two 2s beside each other in the lower left
    field = page.find_element("css selector", "#moving-pooling input")
    field.clear()
    field.send_keys("42")
    assert is_right()[0, 0, 0, 0] == 42
    other, again = page.find_elements("css selector", "#moving-pooling button")
    other.click()
    assert (is_right() != first).any()
    again.click()
    np.testing.assert_array_equal(is_right(), first)


@pytest.mark.browser
def test_both_difference_quotients_on_the_way_over_the_kink(page):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.ui import Select

    slide(page, "kink", "x", -0.6)
    assert "from the left 0.000, from the right 0.000" in says(page, "kink")
    slide(page, "kink", "x", 0)
    assert "from the left 0.000, from the right 1.000, both sides together 0.500" in (
        says(page, "kink")
    )
    assert "a kink" in says(page, "kink")
    slide(page, "kink", "x", -0.1)
    assert "halving helps" in says(page, "kink")
    slide(page, "kink", "Step halved", 3)  # 0.05: the kink lies no longer within the step
    assert "They agree" in says(page, "kink")
    Select(page.find_element("css selector", "#moving-kink select")).select_by_value("curve")
    slide(page, "kink", "Step halved", 0)
    for x in (-0.5, 0.25):
        slide(page, "kink", "x", x)
        found = re.findall(r"(?:left|right|together) ([−\d.]+\d)", says(page, "kink"))
        left, right, both = (float(text.replace("−", "-")) for text in found)
        slope = x + 0.5  # of x² / 2 + x / 2; the quotients of one side are off by half the step
        assert (left, right, both) == pytest.approx((slope - 0.2, slope + 0.2, slope), abs=6e-4)
        assert "halving helps" in says(page, "kink")
    svg = page.find_element("css selector", "#moving-kink svg")
    ActionChains(page).click_and_hold(svg).move_by_offset(60, 0).release().perform()
    assert not says(page, "kink").startswith("x = 0.25")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_nothing_jumps_and_nothing_is_wider_than_the_window(page, width):
    with at_width(page, width):
        page.get(page.page)
        before = boxes(page, "p:not(.says), svg, label, button")
        for name, label, value in (
            ("im2col", "Window", 7),
            ("im2col", "Pixel", 13),
            ("flip", "Step", 4),
            ("kink", "x", 0),
            ("kink", "x", -0.1),
        ):
            slide(page, name, label, value)
            assert boxes(page, "p:not(.says), svg, label, button") == before, (name, value)
        page.find_element("css selector", "#moving-pooling button").click()
        assert boxes(page, "p:not(.says), svg, label, button") == before
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.execute_script("return shifted") == 0


@pytest.mark.browser
def test_the_keyboard_reaches_every_control_and_screen_readers_hear_what_is_seen(page):
    from selenium.webdriver import ActionChains

    wanted = page.find_elements("css selector", "figure input, figure select, figure button")
    reached = set()
    for _ in wanted:
        ActionChains(page).send_keys("\ue004").perform()
        reached.add(page.switch_to.active_element.id)
    assert len(reached) == len(wanted) > 20
    for name in FIGURES:
        assert page.find_element("css selector", f"#moving-{name} [role=status]").text
        pictures = page.find_elements("css selector", f"#moving-{name} svg")
        assert all(picture.get_attribute("aria-label") for picture in pictures)


@pytest.mark.parametrize("name", FIGURES)
def test_the_notebook_has_a_picture_where_the_site_has_one_that_moves(name):
    text = (LECTURES / f"{FIGURES[name]}.md").read_text("utf-8")
    before, _, _ = text.partition(f"<!-- moving figure: {name} -->")
    assert before != text
    last_cell = before.rpartition("```{code-cell}")[2]
    assert "show(" in last_cell and 'alt="' in last_cell
