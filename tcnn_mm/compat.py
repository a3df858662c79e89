"""Every private name of the toolbox that we must touch: one function each."""
