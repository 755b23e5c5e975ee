"""Stories: scenes played one after the other beside the plots."""
