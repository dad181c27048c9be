"""The lecture's claims, tried: each module is one experiment, and `run` in it is what it does.

finding         what an experiment is asked, how far it is, and what it found: a table, a figure, a sentence
lesson          a small model, taught for an experiment, and kept
figure          the frame that all figures share
interval        95 %, of a few seeds, or of seeds and sentences
spoiling        sentences with words missing, or not in their order
resilience      what missing and order share: who is taught what, and how much each keeps
length          N words at once, or N steps
missing, order  words that are missing, or not in their order
scale           the division by the root of d_k
values          a value of any width
antecedent      what "it" is
pronouns_told   its tables, conclusion and figure
heads           how many are needed, and what for
"""
