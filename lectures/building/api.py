"""The page that describes every public name, made from the docstrings by Sphinx."""

import inspect

from cae_np import ops

OPERATIONS = [name for name, one in vars(ops).items() if inspect.isfunction(one)]
LEARNER = "fit transform reconstruct encode filters plot_filters history_csv save load"
NETWORK = "fit predict predict_proba score history_csv save load"
READOUT = "fit scores predict save load"
TITLE = """# Reference

Every public name of `cae_np`, from its docstring; the examples run in the tests.
"""
# Heading; names, each with the methods that its user calls: the others are for other code.
PARTS = {
    "Models that learn from images alone": {
        "WinnerTakeAll": LEARNER,
        "ConvAutoEncoder": LEARNER,
        "AutoEncoder": LEARNER,
        "CaeStack": LEARNER,
        "Stack": LEARNER,
        "PatchKMeans": LEARNER,
    },
    "Classifiers": {
        "ConvNet": NETWORK,
        "ShallowConvNet": NETWORK,
        "SoftmaxRegression": READOUT + " predict_proba",
        "LinearSVM": READOUT,
    },
    "Training": {"Plan": "", "train": "", "history_csv": "", "LearningWarning": ""},
    "Images": {
        "read_images": "",
        "ImageArray": "batch take",
        "contrast_normalise": "",
        "ZCA": "fit whiten unwhiten",
        "data.load": "",
        "data.load_folder": "",
        "data.Dataset": "labelled held_out",
        "data.Split": "batch take views",
    },
    "Trained networks": {
        "pretrained.load": "",
        "models.classifier.ImageClassifier": NETWORK + " transform prepare",
    },
    "Pictures": {
        "plotting.filter_grid": "",
        "plotting.image_grid": "",
        "plotting.map_grid": "",
        "plotting.curves": "",
    },
    "Checks": {"check_gradients": "", "check_adjoint": "", "check_model": ""},
    "The array module": {"use": "", "to_device": "", "to_numpy": ""},
    "The operations, in pairs of forward and backward": {f"ops.{name}": "" for name in OPERATIONS},
    "Exchange with PyTorch": {"exchange.to_torch": "", "exchange.from_torch": ""},
    "scikit-learn": {
        "sklearn.WinnerTakeAllFeatures": "",
        "sklearn.ConvAutoEncoderFeatures": "",
        "sklearn.AutoEncoderFeatures": "",
        "sklearn.PatchKMeansFeatures": "",
        "sklearn.SoftmaxClassifier": "",
        "sklearn.LinearSVMClassifier": "",
    },
}


def page():
    """The page as MyST Markdown, which names what Sphinx shall describe."""
    lines = [TITLE]
    for heading, names in PARTS.items():
        lines += [f"## {heading}", "", "```{eval-rst}"]
        for name, methods in names.items():
            kind = "class" if name.rpartition(".")[2][0].isupper() else "function"
            lines += [f".. auto{kind}:: cae_np.{name}"]
            if methods:
                lines += [f"   :members: {', '.join(methods.split())}"]
            lines += [""]
        lines += ["```", ""]
    return "\n".join(lines)
