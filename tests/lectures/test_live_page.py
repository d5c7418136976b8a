"""The site's live page in a real browser: its mathematics is cae_np's, and its controls work."""

import base64
import io

import numpy as np
import pytest
from browsers import at_width, boxes, requests, start
from PIL import Image

from cae_np.data import glyphs
from cae_np.models.wta import WinnerTakeAll
from cae_np.ops import (
    add_bias,
    affine,
    convolve_same,
    correlate_same,
    overlapping_max_pool,
    overlapping_max_pool_backward,
    relu,
    softmax,
    top_n,
)
from lectures.building import play

pytestmark = pytest.mark.browser
KINDS = ("trained", "random", "shuffled")
LOOKS = [(f"{maps} {kind}", 1) for maps in (128, 16) for kind in KINDS]
LOOKS += [(f"16 {n}", n) for n in play.WINNERS] + [("128 trained", 4), ("16 trained", 784)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "play"
    play.write(folder)
    session = start()
    session.page, session.folder = (folder / "index.html").as_uri(), folder
    yield session
    session.quit()


@pytest.fixture
def page(browser):
    browser.get(browser.page)
    yield browser
    assert browser.get_log("browser") == []  # errors, warnings, refused requests
    asked = requests(browser)
    assert len(asked) >= 5 and all(address.startswith("file:") for address in asked)


@pytest.fixture(scope="module")
def networks():
    return play.networks()


# --- the mathematics ------------------------------------------------------------------------------

LOOK = """
const [name, images, n, wanted] = arguments, net = NETWORKS[name];
const text = (values) => {
  const bytes = new Uint8Array(Float64Array.from(values).buffer), parts = [];
  for (let i = 0; i < bytes.length; i += 30000)
    parts.push(String.fromCharCode(...bytes.subarray(i, i + 30000)));
  return btoa(parts.join(""));
};
return images.map((image) => {
  const x = Float64Array.from(image), seen = look(net, x, n, new Set());
  const spoke = seen.p ? whatSpokeFor(net, seen, x, 3) : { pixels: [], maps: [] };
  const all = { ...seen, ...spoke, p: seen.p ?? [], winners: seen.winners.flat() };
  return wanted.map((name) => text(all[name]));
});
"""


FOUND = ["z", "winners", "x_hat", "features", "p", "pixels", "maps"]  # the last two spoke for 3


def in_the_browser(page, name, x, n, wanted=FOUND):
    """What the page finds in images, each (N, ...)."""
    found = []
    for start_at in range(0, len(x), 5):
        rows = x[start_at : start_at + 5].reshape(-1, x[0].size).tolist()
        found += page.execute_script(LOOK, name, rows, n, wanted)
    return [
        np.array([np.frombuffer(base64.b64decode(text), "<f8") for text in texts])
        for texts in zip(*found, strict=True)
    ]


def in_cae_np(layer, readout, x, n):
    """The same by the package, in double precision."""
    arrays = {name: array.astype("float64") for name, array in layer.weights().items()}
    K, C, side, _ = arrays["w_enc"].shape
    sizes = {"pool_width": layer.pool_width, "pool_stride": layer.pool_stride}
    model = WinnerTakeAll(
        C, K, side, path="dense", sparsity="top_n", amount=n, dtype="float64", **sizes
    )
    model.load_state(arrays)
    z = add_bias(correlate_same(x, arrays["w_enc"]), arrays["b"])
    kept = top_n(z, n).reshape(len(x), -1)
    winners = np.nonzero(kept)[1].reshape(len(x), -1) % z[0, 0].size
    features = model.encode(x)
    found = [z, winners, model.reconstruct(x), features]
    if not readout:
        return found
    w = readout.params["w"].astype("float64")
    scores = affine(features.reshape(len(x), -1), w, readout.params["b"].astype("float64"))
    share = (w[3] - w.mean(axis=0)).reshape(features.shape[1:])
    _, winner = overlapping_max_pool(relu(z), layer.pool_width, layer.pool_stride)
    upstream = np.ascontiguousarray(np.broadcast_to(share, features.shape))
    dz = overlapping_max_pool_backward(upstream, winner, z.shape) * (z > 0)
    maps = (share * features).sum(axis=(2, 3))
    return [*found, softmax(scores), convolve_same(dz, arrays["w_enc"]) * x, maps]


def agree(page, networks, name, x, n):
    layer, readout = networks[name]
    expected, seen = in_cae_np(layer, readout, x, n), in_the_browser(page, name, x, n)
    np.testing.assert_array_equal(seen[1], expected[1])
    for got, array in zip(seen, expected, strict=False):
        np.testing.assert_allclose(got.reshape(array.shape), array, rtol=1e-5, atol=1e-11)
    return seen, expected


@pytest.mark.parametrize(("name", "n"), LOOKS)
def test_the_page_computes_what_cae_np_computes(page, networks, name, n):
    """Fifty digits, each number to 1e-5 of itself; winners equal."""
    x = glyphs.draw(50, seed=3, part=1).images / 255
    agree(page, networks, name, x, n)


def test_colour_is_computed_as_well(page, networks):
    rng = np.random.default_rng(0)
    extra, _ = play.play_weights.load()
    x = np.concatenate([extra["whitened"], rng.standard_normal((2, 3, 32, 32))])
    agree(page, networks, "512 trained", x.astype("float64"), 1)


def test_what_spoke_for_a_class_adds_up_to_its_score(page, networks):
    """Pixels' shares and the biases' make the score over the average class."""
    x = glyphs.draw(20, seed=4, part=1).images / 255
    layer, readout = networks["16 trained"]
    (_, _, _, features, _, pixels, maps), _ = agree(page, networks, "16 trained", x, 1)
    w, b = (readout.params[key].astype("float64") for key in "wb")
    score = features @ (w[3] - w.mean(axis=0))
    np.testing.assert_allclose(maps.sum(axis=1), score, rtol=1e-9)
    share = (w[3] - w.mean(axis=0)).reshape(16, -1)
    active = features.reshape(len(x), 16, -1) > 0
    biases = (active * share * layer.weights()["b"].astype("float64")[:, None]).sum(axis=(1, 2))
    np.testing.assert_allclose(pixels.sum(axis=1) + biases, score, rtol=1e-9)


def test_all_winners_copy_where_the_filters_were_trained_so(page, networks):
    """What the page says of the copying machine, and of filters that learnt with one winner."""
    x = glyphs.draw(50, seed=5, part=1).images / 255
    light = (x**2).sum(axis=(1, 2, 3)).mean()

    def lost(name, n):
        (x_hat,) = in_the_browser(page, name, x, n, ["x_hat"])
        x_hat = x_hat.reshape(x.shape)
        return ((x_hat - x) ** 2).sum(axis=(1, 2, 3)).mean() / light

    by_winners = [lost("16 trained", 1)] + [lost(f"16 {n}", n) for n in play.WINNERS]
    assert by_winners == sorted(by_winners, reverse=True) and by_winners[-1] < 0.005
    assert lost("128 trained", 784) > 1 > 0.2 > lost("128 trained", 1)


def test_the_page_with_its_weights_is_small(browser):
    assert sum(path.stat().st_size for path in browser.folder.iterdir()) < play.LARGEST


# --- the page -------------------------------------------------------------------------------------


def chars(page, *ids):
    return [page.find_element("id", name).text for name in ids]


def pixels(page, name):
    """A canvas as the reader sees it, (H, W, 3)."""
    address = page.execute_script("return find(arguments[0]).toDataURL()", name)
    return np.array(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))[..., :3]


def choose(page, name, value):
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("id", name)).select_by_value(value)


def take(page, label, times=1):
    for _ in range(times):
        page.find_element("css selector", f"#digits button:nth-of-type({label + 1})").click()


def error(page):
    return float(page.find_element("id", "error").text.split(",")[0])


def hover(page, name, map_number):
    from selenium.webdriver import ActionChains

    grid = page.find_element("id", name)
    across, rows = page.execute_script("return columnsAndRows()")
    row, column = divmod(map_number, across)
    width, height = grid.size["width"], grid.size["height"]
    dx = (column + 0.5) * width / across - width / 2
    dy = (row + 0.5) * height / rows - height / 2
    actions = ActionChains(page).scroll_to_element(grid)
    actions.move_to_element_with_offset(grid, int(dx), int(dy)).perform()


def test_a_stroke_is_scaled_centred_and_recognised(page):
    from selenium.webdriver import ActionChains

    assert chars(page, "says") == ["Draw."]
    canvas = page.find_element("id", "draw")
    actions = ActionChains(page).move_to_element_with_offset(canvas, -60, -40).click_and_hold()
    actions.move_by_offset(0, 80).release().perform()
    assert chars(page, "says")[0].startswith("It says 1,")
    image = np.array(page.execute_script("return Array.from(x)")).reshape(28, 28)
    rows, columns = np.nonzero(image > 0.2)
    assert np.ptp(rows) + 1 in (20, 21)
    mass = (
        (image * np.arange(28)).sum() / image.sum(),
        (image.T * np.arange(28)).sum() / image.sum(),
    )
    np.testing.assert_allclose(mass, 13.5, atol=0.6)
    dashed = (pixels(page, "draw") == (0x6A, 0xB0, 0xF3)).all(axis=2)
    assert dashed.sum() > 50  # the box that was scaled
    page.find_element("id", "rubber").click()
    ActionChains(page).move_to_element_with_offset(canvas, -60, 40).click().perform()
    shorter = page.execute_script("return box.height")
    assert shorter < 80 + 12
    page.find_element("id", "clear").click()
    assert chars(page, "says") == ["Draw."]


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
def test_mouse_finger_and_pen_draw(page, kind):
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    page.execute_script(
        "find('draw').addEventListener('pointerdown', (e) => { window.kind = e.pointerType; })"
    )
    canvas = page.find_element("id", "draw")
    actions = ActionBuilder(page, mouse=PointerInput(kind, kind))
    pointer = actions.pointer_action.move_to(canvas, 0, -60).pointer_down()
    for _ in range(4):
        pointer.move_by(0, 30)
    pointer.pointer_up()
    actions.perform()
    assert page.execute_script("return kind") == kind
    assert chars(page, "says")[0].startswith("It says 1,")
    assert page.execute_script("return box.height") > 120


def test_the_keyboard_draws(page):
    canvas = page.find_element("id", "draw")
    up, down, space = "\ue013", "\ue015", " "
    page.execute_script("arguments[0].focus()", canvas)
    canvas.send_keys(up * 10, space, down * 20, space)
    assert chars(page, "says")[0].startswith("It says 1,")
    before = page.execute_script("return box.height")
    canvas.send_keys(down * 3)  # the pen is lifted
    assert page.execute_script("return box.height") == before


def test_the_keyboard_reaches_everything(page):
    from selenium.webdriver import ActionChains

    reached, wanted = (
        set(),
        page.execute_script(
            "return [...document.querySelectorAll('a, button, select, input, [tabindex]')]"
            ".filter((one) => !one.disabled).length"
        ),
    )
    for _ in range(wanted):
        ActionChains(page).send_keys("\ue004").perform()
        reached.add(page.switch_to.active_element.id)
    assert len(reached) == wanted


def test_the_prediction_is_spoken_once_the_pen_rests(page):
    from selenium.webdriver.support.ui import WebDriverWait

    spoken = page.find_element("id", "spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    take(page, 7)
    assert "7" not in spoken.get_attribute("textContent")
    WebDriverWait(page, 5).until(lambda _: "It says 7" in spoken.get_attribute("textContent"))


def test_five_of_each_digit_and_four_pictures(page):
    images = set()
    for _ in range(play.SAMPLES):
        take(page, 4)
        images.add(tuple(page.execute_script("return Array.from(x)")))
    assert len(images) == play.SAMPLES
    for button in page.find_elements("css selector", "#pictures button"):
        button.click()
        assert chars(page, "mapTitle", "says") == ["Map 1 of 512", "No classes here."]
        shown = pixels(page, "draw")
        assert (shown[..., 0] != shown[..., 2]).mean() > 0.2  # in colour
        assert error(page) < page.execute_script("return x.reduce((s, v) => s + v * v, 0)")
    take(page, 2)
    assert chars(page, "mapTitle") == ["Map 1 of 128"]


def test_noise_reaches_the_network_and_the_error_is_to_the_clean_image(page):
    take(page, 8)
    clean = error(page)
    page.execute_script("find('noise').value = 0.5; find('noise').oninput()")
    off = np.array(page.execute_script("return Array.from(x, (v, i) => v > 0 && noisy[i] === 0)"))
    lit = np.array(page.execute_script("return Array.from(x, (v) => v > 0)"))
    assert 0.35 < off.sum() / lit.sum() < 0.65
    assert chars(page, "amount") == ["50 % off"] and error(page) > clean + 5
    page.find_element("css selector", "#pictures button").click()
    assert chars(page, "amount") == ["σ 0.50"]
    spread = page.execute_script("return Array.from(x, (v, i) => noisy[i] - v)")
    assert abs(np.std(spread) - 0.5) < 0.05


@pytest.mark.parametrize("maps", ["128", "16"])
def test_each_kind_of_filters_shows_what_the_page_says(page, maps):
    choose(page, "network", maps)
    take(page, 3)
    errors, hints = {}, {}
    for kind in ("trained", "random", "shuffled"):
        choose(page, "filters", kind)
        errors[kind], hints[kind] = error(page), chars(page, "hint")[0]
        classified = page.find_elements("css selector", "#classes button:enabled")
        assert len(classified) == (10 if maps == "16" or kind == "trained" else 0)
    assert errors["random"] > 2 * errors["trained"] and errors["shuffled"] > errors["trained"]
    assert len(set(hints.values())) == 3


def test_the_copying_machine_and_back(page):
    take(page, 3)
    one = error(page)
    choose(page, "n", "all")
    assert error(page) > 10 * one and "Copying machine" in chars(page, "hint")[0]
    page.find_element("id", "copying").click()
    assert error(page) < 0.3 and chars(page, "mapTitle") == ["Map 1 of 16"]
    page.find_element("id", "reset").click()
    assert error(page) == one and chars(page, "mapTitle") == ["Map 1 of 128"]


@pytest.mark.parametrize("grid", ["maps", "free", "features"])
def test_pointing_at_a_map_shows_its_kernels_and_clicking_switches_it_off(page, grid):
    from selenium.webdriver import ActionChains

    take(page, 5)
    assert pixels(page, grid).max() > 200
    before = pixels(page, "encoder"), pixels(page, "decoder")
    hover(page, grid, 37)
    assert chars(page, "mapTitle") == ["Map 38 of 128"]
    after = pixels(page, "encoder"), pixels(page, "decoder")
    assert all((a != b).any() for a, b in zip(before, after, strict=True))
    ActionChains(page).click().perform()
    assert page.execute_script("return [...off]") == [37]
    assert chars(page, "map") == ["is off."]
    element = page.find_element("id", grid)
    element.send_keys("\ue014")  # right
    assert chars(page, "mapTitle") == ["Map 39 of 128"]
    element.send_keys("\ue015")  # down
    assert chars(page, "mapTitle") == ["Map 55 of 128"]
    element.send_keys("\ue007")  # Enter
    assert sorted(page.execute_script("return [...off]")) == [37, 54]
    page.find_element("id", "allOn").click()
    assert page.execute_script("return off.size") == 0


def test_constraint_and_none_are_side_by_side(page):
    take(page, 6)
    lit = {grid: (pixels(page, grid)[..., 2] > 40).sum() for grid in ("maps", "free")}
    assert lit["free"] > 2 * lit["maps"] > 0
    choose(page, "n", "all")
    assert (pixels(page, "maps") == pixels(page, "free")).all()


def test_why_asks_for_the_prediction_or_for_any_class(page):
    assert "nothing" in chars(page, "whyText")[0]
    take(page, 3)
    assert chars(page, "whyTitle") == ["Why does it say 3?"]
    picture = pixels(page, "why")
    orange = (picture[..., 0] > picture[..., 2].astype(int) + 60).mean()
    blue = (picture[..., 2] > picture[..., 0].astype(int) + 60).mean()
    assert orange > blue
    page.find_element("css selector", "#classes li:nth-of-type(10) button").click()
    assert chars(page, "whyTitle") == ["What speaks for 9?"]
    assert (pixels(page, "why") != picture).any()


STEADY = "main canvas, main button, main select, h2, dt"


@pytest.mark.parametrize("width", [390, 480, 640, 768, 1024, 1280, 1920])
def test_nothing_jumps_and_nothing_is_wider_than_the_window(page, width):
    """Whatever is operated, in whatever order."""
    with at_width(page, width):
        page.get(page.page)
        before = boxes(page, STEADY)
        for operate in (
            lambda: take(page, 3),
            lambda: choose(page, "n", "4"),
            lambda: choose(page, "filters", "random"),
            lambda: choose(page, "filters", "shuffled"),
            lambda: choose(page, "n", "all"),
            lambda: choose(page, "filters", "trained"),
            lambda: hover(page, "maps", 20),
            lambda: page.find_element("id", "free").click(),
            lambda: page.execute_script("find('noise').value = 0.9; find('noise').oninput()"),
            lambda: page.find_element("css selector", "#classes li button").click(),
            lambda: choose(page, "network", "16"),
            lambda: choose(page, "filters", "same"),
            lambda: choose(page, "n", "16"),
            lambda: choose(page, "filters", "random"),
            lambda: choose(page, "n", "1"),
            lambda: page.find_element("css selector", "#pictures button").click(),
            lambda: page.find_element("id", "copying").click(),
            lambda: page.find_element("id", "reset").click(),
            lambda: page.find_element("id", "clear").click(),
        ):
            operate()
            assert boxes(page, STEADY) == before
            assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.execute_script("return shifted") == 0


def test_sixteen_maps_leave_two_cells_empty(page):
    choose(page, "network", "16")
    hover(page, "maps", 4)
    hover(page, "maps", 17)
    assert chars(page, "mapTitle") == ["Map 5 of 16"]


def test_a_dark_scheme_is_dark_and_reduced_motion_moves_nothing(page):
    features = [
        {"name": "prefers-color-scheme", "value": "dark"},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    moving = page.execute_script("return document.getAnimations().length")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert ground == "rgb(22, 24, 27)" and moving == 0
