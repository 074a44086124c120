"""What is logged of a run."""

LogRow = dict[str, float]
"""step (done), images (drawn so far), learning_rate (of the last step), each loss by name: its mean over the steps
since the row before; and, in rows at which the encoders were watched, what the watch measured."""
