"""The site's live page in a real browser: its mathematics is cae_np's, and its controls work."""

import shutil

import numpy as np
import pytest

from cae_np import pretrained
from cae_np.data import glyphs
from cae_np.ops import add_bias, correlate_same, softmax, top_n
from lectures.building import play

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs pip install selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    folder = tmp_path_factory.mktemp("site") / "play"
    play.write(folder)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    session = webdriver.Chrome(options, webdriver.ChromeService(driver))
    session.page = (folder / "index.html").as_uri()
    yield session
    session.quit()


@pytest.fixture
def page(browser):
    browser.get(browser.page)
    yield browser
    assert browser.get_log("browser") == []  # errors, warnings, refused requests


LOOK = """
const [name, images, n] = arguments;
return images.map((image) => {
  const seen = look(NETWORKS[name], Float32Array.from(image), n, new Set());
  const plain = (values) => Array.from(values);
  return [plain(seen.z), seen.winners, plain(seen.x_hat), plain(seen.features), seen.p];
});
"""


@pytest.mark.parametrize("name", play.NETWORKS)
@pytest.mark.parametrize("n", [1, 4])
def test_the_page_computes_what_cae_np_computes(page, name, n):
    x = glyphs.draw(50, seed=3, part=1).images.astype("float32") / 255
    network = pretrained.load(name).network
    layer, K = network.layers[0], network.layers[0].params["b"].size
    z = add_bias(correlate_same(x, layer.params["w_enc"]), layer.params["b"])
    layer.path, layer.sparsity, layer.amount = "dense", "top_n", n
    features = layer.encode(x).reshape(len(x), -1)
    expected = [z, None, layer.reconstruct(x), features, softmax(network.readout.scores(features))]
    mask = top_n(z, n).reshape(len(x), K, -1)
    for start in range(0, len(x), 10):
        part = slice(start, start + 10)
        seen = page.execute_script(LOOK, name, x[part].reshape(-1, 784).tolist(), n)
        for i, array in enumerate(expected):
            if array is not None:
                got = np.array([image[i] for image in seen], float).reshape(array[part].shape)
                scale = np.abs(array[part]).max()
                np.testing.assert_allclose(got, array[part], rtol=1e-5, atol=1e-5 * scale)
        winners = np.array([image[1] for image in seen])
        expected_winners = [[np.flatnonzero(row) for row in image] for image in mask[part]]
        np.testing.assert_array_equal(winners, expected_winners)


def test_strokes_are_read_and_maps_switched_off_by_pointer_and_keyboard(page):
    from selenium.webdriver import ActionChains

    says = page.find_element("id", "says")
    assert says.text == "Draw." and says.get_attribute("aria-live") == "polite"
    canvas = page.find_element("id", "draw")
    actions = ActionChains(page).move_to_element_with_offset(canvas, 0, -90).click_and_hold()
    actions.move_by_offset(0, 180).release().perform()
    assert says.text.startswith("It says 1,")
    image = np.array(page.execute_script("return Array.from(x)")).reshape(28, 28)
    rows = np.flatnonzero(image.sum(axis=1) > 0.5)
    assert np.ptp(rows) + 1 in (20, 21)
    maps = page.find_element("id", "maps")
    maps.click()
    assert page.execute_script("return off.size") == 1
    maps.send_keys("\ue007")  # Enter
    assert page.execute_script("return off.size") == 0
    page.find_element("id", "clear").click()
    assert says.text == "Draw."


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_no_layout_shift_nothing_wider_than_the_window_no_request(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    before = page.execute_script("return document.documentElement.scrollHeight")
    page.find_element("css selector", "#samples button:nth-of-type(4)").click()
    after = page.execute_script(
        "return [document.documentElement.scrollHeight, document.documentElement.scrollWidth,"
        "performance.getEntriesByType('resource').map((e) => e.name)]"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert after[0] == before and after[1] <= width
    assert all(name.startswith(("file:", "data:")) for name in after[2])
