"""How long the steps of training take, beside PyTorch and beside the bare matrix products."""
