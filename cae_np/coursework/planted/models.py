"""Mistakes in the gradients of whole models."""

from ...models.autoencoder import AutoEncoder
from ...models.cae import ConvAutoEncoder
from ...models.cnn import ConvNet
from ...training.layers import Activation, MaxPool2d
from .mistake import planted_in


@planted_in("ConvAutoEncoder", "The encoder's term x ∗ δh is missing from the tied gradient.")
class encoder_term_missing(ConvAutoEncoder):
    def _encoder_kernel_gradient(self, x, delta_h):
        return 0 * super()._encoder_kernel_gradient(x, delta_h)


@planted_in("ConvAutoEncoder", "The decoder's term h̃ ∗ δy is missing from the tied gradient.")
class decoder_term_missing(ConvAutoEncoder):
    def _decode_backward(self, delta_y, h):
        dh, dw = super()._decode_backward(delta_y, h)
        return dh, 0 * dw


@planted_in("ConvAutoEncoder", "The decoder's term is flipped before it is added: both have W's.")
class decoder_term_flipped(ConvAutoEncoder):
    def _decode_backward(self, delta_y, h):
        dh, dw = super()._decode_backward(delta_y, h)
        return dh, dw[:, :, ::-1, ::-1]


@planted_in("ConvAutoEncoder", "σ' is left out on the way back: δh is dh times σ'(h).")
class derivative_left_out(ConvAutoEncoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._sigma_backward = lambda dh, h: dh


@planted_in("AutoEncoder", "The encoder's term is missing from the gradient of the tied W.")
class tied_encoder_term_missing(AutoEncoder):
    def loss_and_gradients(self, x, target=None):
        loss, gradients = super().loss_and_gradients(x, target)
        if self.tied:
            gradients["w"] = self._as_untied().loss_and_gradients(x, target)[1]["w_dec"].T
        return loss, gradients

    def _as_untied(self):
        untied = AutoEncoder(**(self.config | {"tied": False}))
        untied.params = self.params | {"w_dec": self.params["w"].T}
        return untied


@planted_in("AutoEncoder", "The decoder's term is missing from the gradient of the tied W.")
class tied_decoder_term_missing(tied_encoder_term_missing.mutant):
    def loss_and_gradients(self, x, target=None):
        loss, gradients = AutoEncoder.loss_and_gradients(self, x, target)
        if self.tied:
            gradients["w"] = self._as_untied().loss_and_gradients(x, target)[1]["w"]
        return loss, gradients


@planted_in("AutoEncoder", "Units that the k-sparse constraint sets to zero still get a gradient.")
class sparse_gradient_not_masked(AutoEncoder):
    def _constrained(self, h):
        return super()._constrained(h)[0], 1


@planted_in("ConvNet", "A window's gradient goes to all of its pixels; only the winner has any.")
class gradient_to_whole_windows(ConvNet):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        for layer in self._network.layers:
            if isinstance(layer, MaxPool2d):
                layer.backward = lambda dy, mask, layer=layer: (
                    MaxPool2d.backward(layer, dy, mask | True)[0],
                    {},
                )


@planted_in("ConvNet", "σ' of the fully connected layer is left out on the way back.")
class hidden_derivative_left_out(ConvNet):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        last = [layer for layer in self._network.layers if isinstance(layer, Activation)][-1]
        last.backward = lambda dy, y: (dy, {})


@planted_in("ConvNet", "The first kernels' gradient is flipped, as if the network convolved.")
class first_gradient_flipped(ConvNet):
    def loss_and_gradients(self, x, labels):
        loss, gradients = super().loss_and_gradients(x, labels)
        return loss, gradients | {"0/w": gradients["0/w"][:, :, ::-1, ::-1]}


@planted_in("ConvNet", "The loss is averaged over the batch and its gradient is not.")
class gradient_summed_over_the_batch(ConvNet):
    def loss_and_gradients(self, x, labels):
        loss, gradients = super().loss_and_gradients(x, labels)
        return loss, {name: len(x) * gradient for name, gradient in gradients.items()}
