"""The network: layers, activations, losses, optimizers, metrics and the model made of them."""
