"""What happens inside a model while it works.

The wings of this room, each to be read alone, and in each what others stand on first:

    a trace      words, trace, listening, look, views, table, store; gazing, for an RNN
    changes      steering, interventions, substitutes, worth, comparing
    methods      segments, blocks, norms, rollout, zeroing, gradients, occlusion, heads, attribution
    trust        faithfulness, gold, alignment, roles, pronouns, swaps, hiding, antecedents
    to be seen   export, shell, documents, page, plots
"""
