"""From a submission to its scores: reading, running apart from the rest, judging, writing down."""
