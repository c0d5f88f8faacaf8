"""Benchmarks, run by hand: `python -m tests.benchmarks`, or one question: `python -m tests.benchmarks delivering`.

They need PostgreSQL and Redis (`AEGIS_BENCH_POSTGRES`, `AEGIS_BENCH_REDIS`; the defaults are this machine's) and the
extra `bench`. They make databases of their own and drop them. Figures of one machine at one hour say little, so what
is compared runs side by side, in turns, and the ratio is the median of the rounds' ratios.
"""
