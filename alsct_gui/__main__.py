"""`python -m alsct_gui`: the command line."""

from alsct_gui.cli import main

if __name__ == "__main__":
    main()
