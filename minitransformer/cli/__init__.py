"""The `minitransformer` command. main.py finds the commands: each is the module of its name here, as `command`."""
