"""The same mistakes as changes of one line, made in the readable loops of ``ops.reference``.

A bug hunt is made of these.  A test says that each answers like the mistake it stands for.
"""

from dataclasses import dataclass

from . import convolution, elementwise, selection, training
from .mistake import Mistake


@dataclass(frozen=True)
class Patch:
    """One line changed.

    Attributes
    ----------
    mistake : Mistake
        Of the catalogue.
    old, new : str
        What stands in the source of the operation's loops, everywhere, and what replaces it.
    """

    mistake: Mistake
    old: str
    new: str


FLIPPED_OFFSETS = "w[k, c, kh - 1 - i, kw - 1 - j]"

PATCHES = (
    Patch(convolution.one_place_short, "H - kh + 1, W - kw + 1", "H - kh, W - kw"),
    Patch(convolution.last_patch_wins, "q + j] += col", "q + j] = col"),
    Patch(convolution.flipped_kernel, "w[k, c, i, j]", FLIPPED_OFFSETS),
    Patch(convolution.first_channel_only, "ndindex(C, kh, kw)", "ndindex(1, kh, kw)"),
    Patch(convolution.kernel_not_flipped, "w[k, c, i, j]", FLIPPED_OFFSETS),
    Patch(convolution.mean_over_batch, "q + j]\n", "q + j] / N\n"),
    Patch(convolution.first_image_only, "ndindex(N, OH, OW)", "ndindex(1, OH, OW)"),
    Patch(convolution.upstream_ignored, "dy[n, k, p, q] * ", ""),
    Patch(convolution.gradients_in_the_wrong_order, "return dx, dw", "return dw, dx"),
    Patch(
        convolution.dw_flipped,
        "dw[k, c, i, j] +=",
        "dw[k, c, w.shape[2] - 1 - i, w.shape[3] - 1 - j] +=",
    ),
    Patch(convolution.all_below, "(kh - 1) // 2, (kw - 1) // 2", "0, 0"),
    Patch(elementwise.db_of_the_first_image, "ndindex(*dy.shape)", "ndindex(1, *dy.shape[1:])"),
    Patch(elementwise.slope_left_out, "tanh(2 * x / 3)", "tanh(x)"),
    Patch(
        elementwise.derivative_of_the_plain_tanh,
        "dy * 2 / 3 * 1.7159 * (1 - (y / 1.7159) ** 2)",
        "dy * (1 - y**2)",
    ),
    Patch(elementwise.mask_inverted, "x if keep else 0", "0 if keep else x"),
    Patch(elementwise.draw_always_added, "x if keep else 0", "x + keep"),
    Patch(selection.largest_in_size_wins, "_first_maximum(h[n, k]", "_first_maximum(abs(h[n, k])"),
    Patch(selection.position_with_height, "p * W + q", "p * H + q"),
    Patch(training.no_encoder_term, "dw_encoder + dw_decoder", "dw_decoder"),
    Patch(training.no_decoder_term, "dw_encoder + dw_decoder", "dw_encoder"),
    Patch(training.decoder_term_subtracted, "dw_encoder + dw_decoder", "dw_encoder - dw_decoder"),
    Patch(training.sigma_derivative_left_out, "scaled_tanh_backward(dh, h)", "dh"),
    Patch(training.uphill, "- rate * dp", "+ rate * dp"),
    Patch(training.momentum_ignored, "momentum * v - rate * dp, v", "0 * v - rate * dp, v"),
    Patch(training.rate_missing, "- rate * dp, v", "- dp, v"),
    Patch(training.running_mean, "- rate * dp, v", "- rate * (1 - momentum) * dp, v"),
    Patch(training.mean_over_winners, "image_shape), w)", "image_shape), w) / a.shape[1]"),
    Patch(training.square_root_missing, "+ epsilon) ** 0.5", "+ epsilon)"),
    Patch(training.covariance_not_divided, "s**2 / len(rows)", "s**2"),
    Patch(training.one_mean_for_all, "sum(rows) / len(rows)", "rows.mean()"),
)
