"""What the benchmarks draw with, where it is installed."""


def load_pyplot():
    """matplotlib's pyplot, or None."""
    try:
        import matplotlib
    except ImportError:
        print("No plots: python3-matplotlib is not installed")
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    return pyplot
