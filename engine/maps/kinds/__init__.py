"""The kinds of maps, a module each; `engine.maps.catalogue` loads the one that is asked for."""
