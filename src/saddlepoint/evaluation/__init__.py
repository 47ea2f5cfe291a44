"""Measuring: a subject against data, by chosen scores, each with its whole recipe.

sides         what is compared: a data set, or what a game makes
sight         what a feature network sees in them, kept on disk for data sets
comparison    the two side by side; and what a score is
families      every score by name
labeled       those that classes are needed for
by_class      scores of each class by itself
activations   what a discriminator sees
translation   games that translate
exam          pictures to learn labels from, and others to be asked about
probe         how much its features know of classes
subject       from the user's words to sides
evaluate      all of it, as an `Evaluation`
"""
