"""Is this backward the gradient of that forward?  Numerical checks for anybody's layer.

:mod:`.check` compares, :mod:`.probe` steps along one argument, :mod:`.report` says what was found,
and :mod:`.picture` draws it.
"""

from .check import check_adjoint, check_gradients, check_model, numerical_gradient
from .report import AdjointReport, ArgumentReport, GradientReport, Kink
