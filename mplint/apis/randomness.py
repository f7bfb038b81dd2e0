"""What draws random numbers, and from which state."""

from __future__ import annotations

NUMPY = frozenset({
    "rand", "randn", "randint", "random", "random_sample", "random_integers", "ranf", "sample", "choice", "bytes", "shuffle", "permutation", "beta", "binomial",
    "chisquare", "dirichlet", "exponential", "gamma", "geometric", "gumbel", "laplace", "logistic", "lognormal", "multinomial", "multivariate_normal",
    "negative_binomial", "normal", "pareto", "poisson", "power", "rayleigh", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal",
    "standard_t", "triangular", "uniform", "vonmises", "wald", "weibull", "zipf", "hypergeometric", "logseries", "noncentral_chisquare", "f",
})  # fmt: skip
"""The functions of `numpy.random` that draw from its global state."""

DRAWING = NUMPY | {
    "integers", "permuted", "getrandbits", "randrange", "randbytes", "choices", "betavariate", "expovariate", "gammavariate", "gauss", "lognormvariate",
    "normalvariate", "vonmisesvariate", "paretovariate", "weibullvariate",
}  # fmt: skip
"""The methods of generators that draw."""

GENERATORS = ("random.Random", "numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.Generator")
"""What makes a generator with a state of its own."""
