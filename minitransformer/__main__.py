"""python -m minitransformer is the `minitransformer` command."""

from minitransformer.cli.main import main

if __name__ == "__main__":
    main()
