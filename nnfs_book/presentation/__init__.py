"""What the pages show: figures, players and listings of the code that runs."""

from nnfs_book.presentation.diagrams import Diagram, network_diagram
from nnfs_book.presentation.explore import explore
from nnfs_book.presentation.figures import (
    BLUE,
    CLASS_COLOURS,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    STYLE,
    plot_dots,
    plot_pictures,
    plot_points,
    plot_probability,
    plot_regions,
    plot_reruns,
    setup,
)
from nnfs_book.presentation.html import data_address
from nnfs_book.presentation.listings import show_code, without_docstrings
from nnfs_book.presentation.player import PLAYER_SCRIPT, player
from nnfs_book.presentation.retrain import points_of, retrain, start_of
from nnfs_book.presentation.trials import trial

__all__ = [
    "BLUE",
    "CLASS_COLOURS",
    "Diagram",
    "GREEN",
    "GREY",
    "ORANGE",
    "PLAYER_SCRIPT",
    "PURPLE",
    "STYLE",
    "data_address",
    "explore",
    "network_diagram",
    "player",
    "plot_dots",
    "plot_pictures",
    "plot_points",
    "plot_probability",
    "plot_regions",
    "plot_reruns",
    "points_of",
    "retrain",
    "setup",
    "show_code",
    "start_of",
    "trial",
    "without_docstrings",
]
