"""Learning: episodes of decisions, the counterfactual critic, the policy gradient, and what keeps them apart.

Needs torch, which the extra ``simoffload[train]`` brings; episodes are played in numpy alone.
"""
