"""Mathematical models that two experiments or more share."""
