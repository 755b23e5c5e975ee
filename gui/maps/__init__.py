"""Maps of an experiment: a page of its own beside the plots, and the panel that asks for them."""
