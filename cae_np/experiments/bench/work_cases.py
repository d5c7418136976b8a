"""The whole pieces of work that ``bench-work`` times, each beside what a user would pick instead.

A case is a function of the number of images (or patches).  It returns ``{who: prepare}``;
``prepare()`` imports what it needs and returns ``(work, judge)``.  ``work()`` is timed and returns
what was computed, ``judge(that)`` the one number by which contenders are compared.  All of a case
start from the same arrays, which are drawn, so that anybody can repeat it.
"""

import numpy

from ...backend import to_device, to_numpy
from ...data import load
from ...data.batches import ImageArray
from ...data.patches import sample_patches
from ...data.preprocess import ZCA, contrast_normalise
from ...models.cae import ConvAutoEncoder
from ...models.clustering import kmeans, squared_distances
from ...models.cnn import ConvNet
from ...models.linear import LinearSVM, SoftmaxRegression
from ...models.wta import WinnerTakeAll
from ...training.loop import Plan, train
from . import torch_steps

OURS = "cae_np"
RATE = 1e-3
PENALTY, TOLERANCE, ITERATIONS = 1e-3, 1e-4, 200
READOUT_MAPS = 32  # features: 32 maps of digits, pooled to 10×10
CENTROIDS, PATCH, ROUNDS_OF_LLOYD = 400, 6, 10
EPSILON = 0.1


def _images(name, n):
    split = load(name, n_train=n, n_test=1).train
    return split.batch(), split.labels


# --- one epoch of training ------------------------------------------------------------------------


def _epoch(x, labels, make, torch_loss, batch_size):
    """An epoch of Adam: ours, and PyTorch's with its own loader.

    ``make()`` is our model; ``torch_loss(arrays, config)`` gives PyTorch's parameters and loss.
    """

    def ours():
        model, plan = make(), Plan(1, batch_size, RATE, "constant", "adam")
        return lambda: train(model, ImageArray(x), plan, 0, labels=labels)[0]["loss"], float

    def pytorch():
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        parameters, loss_of = torch_loss(*make().state())
        optimizer = torch.optim.Adam(parameters, lr=RATE)
        tensors = [torch.from_numpy(a) for a in (x, labels) if a is not None]
        loader = DataLoader(TensorDataset(*tensors), batch_size, shuffle=True)

        def work():
            total = 0.0
            for batch in loader:
                optimizer.zero_grad()
                loss = loss_of(*(tensor.to(torch_steps.device()) for tensor in batch))
                loss.backward()
                optimizer.step()
                total += loss.detach()
            return total / len(loader)

        return work, float

    return {OURS: ours, "PyTorch": pytorch}


def epoch_wta_mnist(n):
    """Epoch of winner-take-all, 128 maps of 7×7 on 28×28, batch 100."""
    return _epoch_wta("glyphs", n, 128, 7, 100)


def epoch_wta_cifar(n):
    """Epoch of winner-take-all, 512 maps of 9×9 on 3×32×32, batch 32."""
    return _epoch_wta("shapes", n, 512, 9, 32)


def _epoch_wta(name, n, maps, kernel, batch_size):
    x, _ = _images(name, n)

    def torch_loss(arrays, config):
        return torch_steps.winner_take_all(arrays["w_enc"], arrays["w_dec"])

    return _epoch(x, None, lambda: _wta(x, maps, kernel), torch_loss, batch_size)


def _wta(x, maps, kernel):
    return WinnerTakeAll(x.shape[1], maps, kernel)


def epoch_cae(n):
    """Epoch of M11's first auto-encoder, 20 maps of 7×7, pooled, on 28×28, batch 100."""
    x, _ = _images("glyphs", n)

    def torch_loss(arrays, config):
        return torch_steps.cae(arrays["w"], config["pool"])

    return _epoch(x, None, lambda: ConvAutoEncoder(1, 20, 7, pool=2), torch_loss, 100)


def epoch_network(n):
    """Epoch of M11's network on 28×28, batch 100."""
    x, labels = _images("glyphs", n)

    def torch_loss(arrays, config):
        return torch_steps.network(list(arrays.values()), config["pools"])

    return _epoch(x, labels.astype("int64"), lambda: ConvNet((1, 28, 28)), torch_loss, 100)


# --- features -------------------------------------------------------------------------------------


def features(n):
    """Pooled features of 128 maps of 7×7 on 28×28."""
    x, _ = _images("glyphs", n)
    model = _wta(x, 128, 7)

    def ours():
        return lambda: model.transform(x), lambda rows: float(rows.mean(dtype="float64"))

    def pytorch():
        import torch
        import torch.nn.functional as F

        arrays, config = model.state()
        width, stride = config["pool_width"], config["pool_stride"]
        w = torch.from_numpy(arrays["w_enc"].copy(order="C")).to(torch_steps.device())
        H = x.shape[2]
        windows = -(-H // stride)
        missing = max(0, (windows - 1) * stride + width - H)  # the windows are centred
        border = (missing // 2, missing - missing // 2) * 2

        @torch.no_grad()
        def work():
            rows = torch.empty(len(x), len(w) * windows**2)
            for start in range(0, len(x), 100):
                some = torch.from_numpy(x[start : start + 100]).to(w.device)
                h = F.pad(torch.relu(F.conv2d(some, w, padding=w.shape[2] // 2)), border)
                rows[start : start + 100] = F.max_pool2d(h, width, stride).flatten(1)
            return rows

        return work, lambda rows: float(rows.double().mean())

    return {OURS: ours, "PyTorch": pytorch}


# --- classifiers ----------------------------------------------------------------------------------


def _readout_features(n):
    """Standardised features, so that nobody has to scale them: (n, 3200), and labels."""
    x, labels = _images("glyphs", n)
    rows = to_numpy(_wta(x, READOUT_MAPS, 7).transform(x))
    rows = (rows - rows.mean(axis=0)) / rows.std()
    return rows, labels.astype("int64")


def _readout(kind, rows, labels):
    """Ours, and the number by which all are judged: what ours minimises."""
    model = kind(rows.shape[1], 10, penalty=PENALTY, scaling="none")
    on_device = to_device(rows), to_device(labels)

    def ours():
        def work():
            model.fit(*on_device, max_iterations=ITERATIONS, tolerance=TOLERANCE)
            return model.state()[0]

        return work, lambda found: objective(found["w"], found["b"])

    def objective(w, b):
        mean, std = numpy.zeros(rows.shape[1]), numpy.ones(rows.shape[1])
        found = {"w": numpy.asarray(w, "float64"), "b": numpy.asarray(b, "float64")}
        return model.objective(found, *on_device, mean, std)[0]

    return ours, objective


def softmax_readout(n):
    """Softmax regression, 3,200 features, 10 classes, to a gradient of 1e-4."""
    rows, labels = _readout_features(n)
    ours, objective = _readout(SoftmaxRegression, rows, labels)

    def scikit_learn():
        from sklearn.linear_model import LogisticRegression

        theirs = LogisticRegression(
            C=1 / (PENALTY * len(rows)), solver="lbfgs", tol=TOLERANCE, max_iter=ITERATIONS
        )
        return lambda: theirs.fit(rows, labels), lambda t: objective(t.coef_, t.intercept_)

    def pytorch():
        import torch
        import torch.nn.functional as F

        on = torch_steps.device()
        features, classes = torch.from_numpy(rows).to(on), torch.from_numpy(labels).to(on)

        def work():
            w = torch.zeros(10, rows.shape[1], device=on, requires_grad=True)
            b = torch.zeros(10, device=on, requires_grad=True)
            optimizer = torch.optim.LBFGS(
                [w, b],
                max_iter=ITERATIONS,
                tolerance_grad=TOLERANCE,
                tolerance_change=0,
                history_size=10,
                line_search_fn="strong_wolfe",
            )

            def closure():
                optimizer.zero_grad()
                loss = F.cross_entropy(F.linear(features, w, b), classes)
                loss = loss + PENALTY / 2 * (w * w).sum()
                loss.backward()
                return loss

            optimizer.step(closure)
            return w.detach().cpu().numpy(), b.detach().cpu().numpy()

        return work, lambda found: objective(*found)

    return {OURS: ours, "scikit-learn": scikit_learn, "PyTorch": pytorch}


def svm_readout(n):
    """Linear SVM with squared hinge, 3,200 features, 10 classes."""
    rows, labels = _readout_features(n)
    ours, objective = _readout(LinearSVM, rows, labels)

    def scikit_learn():
        from sklearn.svm import LinearSVC

        # Their penalty is on half the sum, and on the bias too, here with a hundredth of it.
        theirs = LinearSVC(C=1 / (PENALTY * len(rows)), intercept_scaling=10, random_state=0)
        return lambda: theirs.fit(rows, labels), lambda t: objective(t.coef_, t.intercept_)

    return {OURS: ours, "scikit-learn": scikit_learn}


# --- clustering and whitening ---------------------------------------------------------------------


def patch_kmeans(n):
    """K-means of patches of 3×6×6, 400 centroids, 10 iterations."""
    images = ImageArray(_images("shapes", max(100, n // 50))[0])
    x = sample_patches(images, n, PATCH, 0).reshape(n, -1)
    x = contrast_normalise(x)
    k = min(CENTROIDS, n // 10)
    first = x[numpy.random.default_rng(0).choice(n, k, replace=False)]
    on_device = to_device(x)

    def judge(centroids):
        blocks = (x[start : start + 10_000] for start in range(0, n, 10_000))
        return float(sum(squared_distances(b, centroids).min(axis=1).sum() for b in blocks)) / n

    def ours():
        return lambda: kmeans(on_device, k, ROUNDS_OF_LLOYD, 0)[0], lambda c: judge(to_numpy(c))

    def scikit_learn():
        from sklearn.cluster import KMeans

        theirs = KMeans(k, init=first, n_init=1, max_iter=ROUNDS_OF_LLOYD, tol=0)
        return lambda: theirs.fit(x).cluster_centers_, judge

    def mini_batch():
        from sklearn.cluster import MiniBatchKMeans

        theirs = MiniBatchKMeans(k, init=first, n_init=1, random_state=0)
        return lambda: theirs.fit(x).cluster_centers_, judge

    return {OURS: ours, "scikit-learn": scikit_learn, "scikit-learn, mini-batches": mini_batch}


def zca(n):
    """ZCA of images of 3×32×32: fit and whiten."""
    x = contrast_normalise(_images("shapes", n)[0]).reshape(n, -1)
    on_device = to_device(x)

    def judge(y):
        return float((to_numpy(y).astype("float64") ** 2).mean())

    def ours():
        def work():
            return ZCA(EPSILON).fit(on_device).whiten(on_device)

        return work, judge

    def scipy():
        from scipy.linalg import svd

        def work():
            centred = x - x.mean(axis=0)
            _, s, vt = svd(centred, full_matrices=False)
            return (centred @ vt.T) / numpy.sqrt(s**2 / len(x) + EPSILON) @ vt

        return work, judge

    return {OURS: ours, "SciPy": scipy}


CASES = {  # how many images or patches each takes, what is compared, who stands beside us
    "epoch, wta-mnist": (epoch_wta_mnist, 10_000, "mean loss", ["PyTorch"]),
    "epoch, wta-cifar": (epoch_wta_cifar, 2000, "mean loss", ["PyTorch"]),
    "epoch, cae-fig1": (epoch_cae, 10_000, "mean loss", ["PyTorch"]),
    "epoch, cnn-mnist": (epoch_network, 5000, "mean loss", ["PyTorch"]),
    "features": (features, 10_000, "mean feature", ["PyTorch"]),
    "softmax": (softmax_readout, 5000, "objective", ["scikit-learn", "PyTorch"]),
    "linear SVM": (svm_readout, 5000, "objective", ["scikit-learn"]),
    "k-means": (
        patch_kmeans,
        50_000,
        "mean squared distance",
        ["scikit-learn", "scikit-learn, mini-batches"],
    ),
    "ZCA": (zca, 4000, "mean square", ["SciPy"]),
}
# What has to be installed for whom.
NEEDS = {"PyTorch": "torch", "scikit-learn": "sklearn", "SciPy": "scipy"}
