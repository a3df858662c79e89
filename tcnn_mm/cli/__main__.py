"""`python -m tcnn_mm.cli` is `tcnn`, where the console command is not on the path."""

from tcnn_mm.cli.main import main

if __name__ == '__main__':
    main()
