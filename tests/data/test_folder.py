"""Folders of images: classes, sizes, colours, and which images are for testing."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image  # matplotlib brings it

from cae_np import data
from cae_np.data import load_folder
from cae_np.errors import ConfigError, DataError


def picture(seed, size=(6, 8), mode="L"):
    """Random pixels; ``size`` is (height, width)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (*size, 3), np.uint8)
    return Image.fromarray(x).convert(mode)


def write(folder, classes=("cats", "dogs"), n=10, first=0, **options):
    for c, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture(first + 100 * c + i, **options).save(folder / name / f"{i}.png")
    return folder


def rows(split):
    """Images and labels as a set, whatever their order."""
    return {(x.tobytes(), int(y)) for x, y in zip(split.images, split.labels, strict=True)}


def test_subfolders_are_classes(tmp_path):
    write(tmp_path / "pets")
    (tmp_path / "pets/cats/.hidden.png").write_text("no image")
    (tmp_path / "pets/cats/notes.txt").write_text("no image")
    (tmp_path / "pets/dogs/more").mkdir()
    picture(999).save(tmp_path / "pets/dogs/more/below.PNG")
    pets = load_folder(tmp_path / "pets")
    assert (pets.name, pets.classes, pets.image_shape) == ("pets", ("cats", "dogs"), (1, 6, 8))
    assert len(pets.train) + len(pets.test) == 21 and len(pets.test) == 4
    everything = rows(pets.train) | rows(pets.test)
    for path in (tmp_path / "pets").rglob("*.[pP][nN][gG]"):
        if not path.name.startswith("."):
            label = pets.classes.index(path.relative_to(tmp_path / "pets").parts[0])
            assert (np.asarray(Image.open(path)).tobytes(), label) in everything
    fit, chosen_on = pets.held_out()
    assert len(chosen_on) == len(pets.train) // 5 and set(chosen_on.labels) == {0, 1}


def test_which_images_are_for_testing_depends_on_what_they_hold(tmp_path):
    """Property: other names, another order of files, another folder: the same division."""
    one = load_folder(write(tmp_path / "one"))
    write(tmp_path / "two")
    for i, path in enumerate(sorted((tmp_path / "two").rglob("*.png"))):
        path.rename(path.with_name(f"{(7 * i) % 100:03}x.png"))
    two = load_folder(tmp_path / "two")
    assert rows(one.test) == rows(two.test) and rows(one.train) == rows(two.train)
    np.testing.assert_array_equal(one.train.images, two.train.images)
    for test, n in ((0, 0), (0.5, 10), (0.1, 2)):
        assert len(load_folder(tmp_path / "one", test=test).test) == n


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing")])
def test_a_folder_that_is_divided_stays_so(tmp_path, names):
    for name, n, first in zip(names, (6, 3), (0, 1000), strict=True):
        write(tmp_path / name, n=n, first=first)
    pets = load_folder(tmp_path)
    assert (len(pets.train), len(pets.test)) == (12, 6)
    expected = load_folder(tmp_path / names[1], test=0)
    assert rows(pets.test) == rows(expected.train)
    write(tmp_path / names[1], classes=("frogs",))
    with pytest.raises(DataError, match="has the class 'frogs'"):
        load_folder(tmp_path)


def test_images_without_subfolders_are_one_class(tmp_path):
    write(tmp_path, classes=("flat",))
    flat = load_folder(tmp_path / "flat")
    assert flat.classes == ("flat",) and len(flat.train) == 8


def test_unequal_sizes_are_refused_with_what_makes_them_equal(tmp_path):
    write(tmp_path)
    picture(5, size=(40, 20)).save(tmp_path / "dogs" / "large.png")
    with pytest.raises(DataError, match=r"20 are 6×8.*1 are 40×20.*size=\(6, 8\).*mogrify -resize"):
        load_folder(tmp_path)
    assert load_folder(tmp_path, size=5).image_shape == (1, 5, 5)
    assert load_folder(tmp_path, size=(4, 6)).image_shape == (1, 4, 6)


def test_the_middle_is_cut_out(tmp_path):
    """Oracle: 12 × 24 made of three squares; at 6 × 6 the middle one is left, at half its size."""
    x = np.zeros((12, 24), np.uint8)
    x[:, 6:18] = 200
    (tmp_path / "a").mkdir()
    Image.fromarray(x).save(tmp_path / "a" / "x.png")
    image = load_folder(tmp_path, size=6).train.images[0, 0]
    np.testing.assert_allclose(image[:, 2:-2], 200, atol=2)
    assert image.min() > 150  # it is smooth where the square ends


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "CMYK"])
def test_modes_of_pillow(mode, tmp_path):
    (tmp_path / "a").mkdir()
    end = "tif" if mode == "CMYK" else "png"
    original = picture(0, mode=mode)
    original.save(tmp_path / "a" / f"x.{end}")
    grey = mode in ("1", "L", "LA")
    x = load_folder(tmp_path).train.images[0]
    expected = np.asarray(original.convert("L" if grey else "RGB")).reshape(6, 8, -1)
    np.testing.assert_array_equal(x.transpose(1, 2, 0), expected)
    assert load_folder(tmp_path, channels=3).image_shape[0] == 3
    assert load_folder(tmp_path, channels=1).image_shape[0] == 1


def test_transparent_parts_are_white_and_pictures_stand_upright(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (4, 4), (9, 9, 9, 0)).save(tmp_path / "a" / "x.png")
    assert (load_folder(tmp_path).train.images == 255).all()
    (tmp_path / "b").mkdir()
    lying = Image.new("L", (8, 6))
    exif = lying.getexif()
    exif[0x0112] = 6  # turn by 90 degrees
    lying.save(tmp_path / "b" / "x.jpg", exif=exif)
    assert load_folder(tmp_path / "b").image_shape == (1, 8, 6)


def test_what_is_wrong_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, message in (("none", "cannot be read"), ("empty", "holds no images; expected sub")):
        with pytest.raises(DataError, match=message):
            load_folder(tmp_path / folder)
    write(tmp_path / "pets")
    for options, message in (
        ({"size": 0}, "size=0: expected a number of pixels"),
        ({"size": (5, 2.5)}, r"size=\(5, 2.5\): expected"),
        ({"size": "5"}, "size='5': expected"),
        ({"channels": 2}, "channels=2: choose 1 for grey"),
        ({"test": 1}, "test=1: expected a share"),
    ):
        with pytest.raises(ConfigError, match=message):
            load_folder(tmp_path / "pets", **options)
    (tmp_path / "pets/mice").mkdir()
    with pytest.raises(DataError, match="no images of the class 'mice'"):
        load_folder(tmp_path / "pets")
    picture(0).save(tmp_path / "pets/mice/a.png")
    whole = (tmp_path / "pets/mice/a.png").read_bytes()
    for damaged in (b"", b"no image", whole[: len(whole) // 2]):
        (tmp_path / "pets/mice/a.png").write_bytes(damaged)
        with pytest.raises(DataError, match="a.png cannot be read as an image"):
            load_folder(tmp_path / "pets")
    Image.fromarray(np.full((6, 8), 60000, np.uint16)).save(tmp_path / "pets/mice/a.png")
    with pytest.raises(DataError, match="more than 8 bits.*magick mogrify -depth 8"):
        load_folder(tmp_path / "pets")


def test_without_pillow_it_says_what_to_install(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match=r"pip install 'cae_np\[images\]'"):
        load_folder(tmp_path)


def test_ten_classes_take_the_place_of_a_data_set(tmp_path):
    ten = tuple("0123456789")
    write(tmp_path / "digits", classes=ten, n=5, size=(30, 40), mode="RGB")
    for name, shape in (("mnist", (1, 28, 28)), ("cifar10", (3, 32, 32))):
        found, notice = data.load_or_stand_in(name, tmp_path / "digits")
        assert (found.name, found.source, found.classes) == ("digits", "--data-dir", ten)
        assert found.image_shape == shape and "take its place" in notice
    with pytest.raises(DataError, match="norb is not in"):
        data.load_or_stand_in("norb", tmp_path / "digits")
    with pytest.raises(DataError, match="mnist is not in"):
        data.load("mnist", tmp_path / "digits")
    write(tmp_path / "pets")
    with pytest.raises(DataError, match="of 2 classes.*load_folder reads any number"):
        data.load_or_stand_in("mnist", tmp_path / "pets")


def test_an_experiment_runs_on_a_folder(tmp_path, capsys):
    from cae_np.experiments.main import main

    write(tmp_path / "digits", classes=tuple("0123456789"), n=8)
    arguments = ["masci2011-fig1", "--preset", "smoke", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--data-dir", str(tmp_path / "digits")]) == 0
    assert "data: digits (--data-dir)" in capsys.readouterr().out
    report = Path(tmp_path / "out" / "report.md").read_text("utf-8")
    assert "These numbers are from digits, not from mnist" in report
