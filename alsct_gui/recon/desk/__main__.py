"""`python -m alsct_gui.recon.desk`: answers the window's questions until its stdin closes."""

from __future__ import annotations

from alsct_gui.model.blas import blas_on_one_thread

if __name__ == "__main__":
    blas_on_one_thread()  # before numpy is imported for the first time

    from alsct_gui.recon.desk.server import main

    main()
