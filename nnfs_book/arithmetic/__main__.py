"""``python -m nnfs_book.arithmetic`` compiles the arithmetic, so that no later run has to wait."""

from nnfs_book.arithmetic import backend

if __name__ == "__main__":
    if backend() == "compiled":
        from nnfs_book.arithmetic.compiled import warm_up

        warm_up()
    print(f"nnfs_book computes with the {backend()} arithmetic")
