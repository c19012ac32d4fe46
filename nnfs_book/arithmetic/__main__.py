"""``python -m nnfs_book.arithmetic`` compiles the arithmetic, so that no later run has to wait."""

from nnfs_book.arithmetic import backend, warm_up

if __name__ == "__main__":
    warm_up()
    print(f"nnfs_book computes with the {backend()} arithmetic")
