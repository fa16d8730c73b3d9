"""Client attraction index (индекс привлечения клиентов, ИПК)."""

from kcrr_analysis.ipk.bursts import Bursts
from kcrr_analysis.ipk.compare import Comparison, compare
from kcrr_analysis.ipk.drivers import Drivers
from kcrr_analysis.ipk.overview import Overview, overview
from kcrr_analysis.ipk.reward import RewardBasis, reward, reward_basis
from kcrr_analysis.ipk.scheme import Scheme, read_scheme
from kcrr_analysis.ipk.score import Score, score

__all__ = [
    "Bursts",
    "Comparison",
    "Drivers",
    "Overview",
    "RewardBasis",
    "Scheme",
    "Score",
    "compare",
    "overview",
    "read_scheme",
    "reward",
    "reward_basis",
    "score",
]
