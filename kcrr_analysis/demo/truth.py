"""The declared truth of the synthetic data: every rate, weight and effect that an analysis is later asked to find.

Nothing here is estimated from anything. The numbers are chosen to look like a labour office's working year and to be
recoverable: the default event weights differ from the true ones, the pilot has a real effect, one region's flow shifts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EventTool:
    """A format of event and how it works on people.

    Attributes:
        tool_id: Tool of the methodology's library.
        default_weight: Weight class that the centres record (1-3).
        true_weight: Weight that generates new clients (real, 1-3).
        share: Relative frequency among events.
        participants: Median number of participants.
        reach_ratio: People reached for one participant.
        engagement: Mean of the engagement coefficient.
        review_share: Reviews for one participant.
        staff_hours: Mean staff hours.
        external_cost: Median external spend, roubles; 0 where the centre does it alone.
        topics: Themes it is held on, each with the client group it is meant for.
    """

    tool_id: str
    default_weight: int
    true_weight: float
    share: float
    participants: float
    reach_ratio: float
    engagement: float
    review_share: float
    staff_hours: float
    external_cost: float
    topics: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PromotionTool:
    """A channel of promotion: its true funnel, each rate conditional on the step before.

    Attributes:
        tool_id: Tool of the methodology's library.
        share: Relative frequency among campaigns.
        impressions: Median impressions of one campaign.
        click: Clicks per impression.
        session: Sessions per click.
        bounce: Bounced share of sessions (web bounce).
        registration: Registrations per session.
        application: Applications per registration.
        customer: Customers per application.
        cost_per_thousand: External spend per 1,000 impressions, roubles.
        campaigns: Names of the campaigns.
    """

    tool_id: str
    share: float
    impressions: float
    click: float
    session: float
    bounce: float
    registration: float
    application: float
    customer: float
    cost_per_thousand: float
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirstTouch:
    """How people whose first identified contact came through a tool go on.

    Attributes:
        tool_id: Tool of the first contact.
        channel: Channel of the contact.
        share: Relative frequency among first contacts.
        registration_90: Probability of a registration within 90 days of the first contact.
        application_90: Probability of an application within 90 days of the first contact (all of them registered).
        customer_90: Probability of a first service within 90 days of the first contact (all of them applied).
    """

    tool_id: str
    channel: str
    share: float
    registration_90: float
    application_90: float
    customer_90: float


@dataclass(frozen=True, slots=True)
class NewClients:
    """The event model: new_clients ~ Poisson(per_weight·w + per_participant·P·e[band] + per_star·stars).

    `w` is the tool's true weight, `P` the participants, `stars` the sum of the stars of all reviews.

    Attributes:
        per_weight: New clients per point of the true weight.
        per_participant: New clients per participant at engagement 1.
        per_star: New clients per star of the reviews.
        band_low: True engagement value of the low band (coefficient under 0.75).
        band_medium: True engagement value of the medium band (0.75 to 1.25).
        band_high: True engagement value of the high band (over 1.25).
    """

    per_weight: float = 1.0
    per_participant: float = 0.08
    per_star: float = 0.01
    band_low: float = 0.5
    band_medium: float = 0.9
    band_high: float = 1.5


@dataclass(frozen=True, slots=True)
class PilotTruth:
    """The pilot of a new format, randomised by centre within region.

    Attributes:
        control: Share of clients who apply in control centres.
        effect: What the format adds to that share.
        icc: Intraclass correlation of clients of one centre.
        clients: Mean number of clients of a centre in the pilot.
        before_pull: How far a centre's own level shows in its share of the half-year before (0 to 1).
        services: Mean number of services that a client asks for and is entitled to, in control centres.
        services_effect: What the format adds to it.
        services_spread: Standard deviation of that mean between centres.
        wait_minutes: Mean wait for the first meeting in either arm: the guardrail knows no effect.
        wait_spread: Standard deviation of that mean between centres, minutes.
        first_day: First day of the pilot.
        last_day: Last day of the pilot.
    """

    control: float = 0.30
    effect: float = 0.08
    icc: float = 0.05
    clients: float = 120.0
    before_pull: float = 0.7
    services: float = 1.6
    services_effect: float = 0.15
    services_spread: float = 0.15
    wait_minutes: float = 18.0
    wait_spread: float = 2.0
    first_day: str = "2025-03-03"
    last_day: str = "2025-08-29"


@dataclass(frozen=True, slots=True)
class LevelShift:
    """A lasting change of one region's flow.

    Attributes:
        region_code: The region.
        month: First month of the new level.
        factor: New level as a multiple of the old.
    """

    region_code: str = "02"
    month: str = "2025-02"
    factor: float = 1.25


@dataclass(frozen=True, slots=True)
class FlowTruth:
    """What holds of the flow beside its seasons and trends.

    Attributes:
        centre_noise: Standard deviation of the log of a centre's month.
        region_noise: Standard deviation of the log of a region's month.
        leaving_rate: Share of the registered who leave the register in a month.
        return_share: Probability that a person of a late month has already come this year, at its December value.
        two_centres: Share of a month's persons who also came to another centre of the region.
        modernised_gain: Flow of a modernised centre as a multiple of the flow before.
    """

    centre_noise: float = 0.05
    region_noise: float = 0.025
    leaving_rate: float = 0.33
    return_share: float = 0.34
    two_centres: float = 0.012
    modernised_gain: float = 1.08


@dataclass(frozen=True, slots=True)
class SurveyTruth:
    """Graded answers: P(answer > k) = logistic(slope·(θ - threshold k)).

    Attributes:
        items: Item codes.
        slopes: One a item.
        thresholds: Four ascending thresholds an item.
        centre_sd: Standard deviation of centres' mean satisfaction θ.
        youth_mean: Mean θ of the youth; of all others 0.
        svo_mean: Mean θ of СВО participants and families.
        youth_answers: How many times likelier a young client answers; corrected by `design_weight`.
        top_item: The item answered on the scale 0-10 (recommendation).
    """

    items: tuple[str, ...] = ("clarity", "speed", "courtesy", "usefulness", "comfort", "accessibility", "trust")
    slopes: tuple[float, ...] = (1.6, 1.1, 1.9, 2.2, 1.0, 1.3, 1.8)
    thresholds: tuple[tuple[float, ...], ...] = (
        (-2.8, -1.9, -0.9, 0.5),
        (-2.3, -1.3, -0.4, 0.9),
        (-3.0, -2.3, -1.3, 0.1),
        (-2.2, -1.3, -0.3, 0.8),
        (-2.9, -2.0, -1.0, 0.4),
        (-2.4, -1.6, -0.7, 0.7),
        (-2.1, -1.2, -0.2, 1.0),
    )
    centre_sd: float = 0.25
    youth_mean: float = 0.25
    svo_mean: float = -0.15
    youth_answers: float = 1.6
    top_item: str = "recommend"


@dataclass(frozen=True, slots=True)
class VoiceTruth:
    """Contacts and coding of focus groups.

    Attributes:
        disability_attempted: Share of the disability base that was called.
        disability_reached: Share of those called who were reached.
        other_attempted: Share of the other bases that was called.
        other_reached: Share of those called who were reached.
        coder_accuracy: Probability that a coder writes the fragment's true code; a wrong code is any other, equally.
    """

    disability_attempted: float = 1.0
    disability_reached: float = 0.74
    other_attempted: float = 0.55
    other_reached: float = 0.62
    coder_accuracy: float = 0.88


EVENT_TOOLS = (
    EventTool("career_day", 3, 2.4, 9, 70, 6, 1.15, 0.30, 26, 18_000, (
        ("Карьера на предприятиях региона", "students"), ("Рабочие профессии", "students"),
        ("Первая работа", "graduates"))),
    EventTool("job_fair", 3, 2.9, 11, 95, 9, 1.0, 0.22, 34, 32_000, (
        ("Вакансии промышленности", "broad"), ("Вакансии для участников СВО", "svo_participants"),
        ("Вакансии без барьеров", "disability"), ("Сезонная работа", "students"))),
    EventTool("open_day", 2, 1.4, 8, 40, 8, 0.9, 0.28, 16, 4_000, (
        ("Знакомство с кадровым центром", "broad"), ("Первый шаг к профессии", "school"),
        ("Меры поддержки семей", "svo_family"))),
    EventTool("proftour", 2, 2.7, 10, 24, 3, 1.3, 0.45, 9, 3_000, (
        ("Промышленность", "school"), ("Транспорт", "school"), ("Медицина", "school"),
        ("Сельское хозяйство", "students"))),
    EventTool("employer_visit", 3, 2.2, 7, 28, 3, 1.25, 0.35, 8, 0, (
        ("Отбор на предприятия", "graduates"), ("Работодатель для своих", "svo_participants"),
        ("Отбор на предприятия", "broad"))),
    EventTool("seminar", 2, 1.9, 11, 18, 4, 1.05, 0.40, 6, 0, (
        ("Поиск работы", "broad"), ("Своё дело", "svo_family"), ("Права работника", "disability"))),
    EventTool("webinar", 2, 1.2, 8, 45, 7, 0.72, 0.18, 5, 1_500, (
        ("Поиск работы", "broad"), ("Выбор профессии", "students"))),
    EventTool("youth_contest", 2, 2.3, 4, 32, 12, 1.38, 0.25, 18, 9_000, (
        ("Моё трудовое лето", "school"), ("Профессия в кадре", "students"))),
    EventTool("online_test", 2, 1.5, 6, 60, 5, 0.8, 0.10, 3, 0, (
        ("Выбор профессии", "school"), ("Выбор профессии", "students"))),
    EventTool("svo_club", 3, 2.6, 5, 14, 2, 1.4, 0.50, 5, 800, (
        ("Клуб для своих", "svo_participants"), ("Клуб для своих", "svo_family"))),
    EventTool("youth_club", 3, 2.0, 5, 17, 2, 1.32, 0.45, 5, 800, (
        ("Молодёжный клуб", "students"), ("Приведи друга", "graduates"))),
    EventTool("mailing", 1, 1.1, 7, 38, 60, 0.55, 0.02, 3, 2_000, (
        ("Меры поддержки", "broad"), ("Меры поддержки", "disability"), ("Меры поддержки", "svo_family"))),
    EventTool("smm", 1, 1.4, 6, 30, 90, 0.62, 0.04, 2, 0, (
        ("Истории успеха", "students"), ("Видеовакансии", "broad"))),
    EventTool("flyer", 1, 1.0, 4, 16, 40, 0.58, 0.02, 2, 5_000, (
        ("Регистрация за минуту", "broad"), ("Регистрация за минуту", "disability"))),
)  # fmt: skip

PROMOTION_TOOLS = (
    PromotionTool("online_ads", 26, 90_000, 0.012, 0.86, 0.52, 0.035, 0.46, 0.72, 190,
                  ("Работа рядом", "Новая профессия", "Лето с пользой")),
    PromotionTool("smm", 30, 34_000, 0.021, 0.90, 0.41, 0.028, 0.41, 0.70, 45,
                  ("Истории успеха", "Вакансии недели", "Клуб для своих")),
    PromotionTool("themed_site", 12, 12_000, 0.055, 0.95, 0.30, 0.060, 0.50, 0.76, 20,
                  ("Карьерный навигатор", "Выбор профессии")),
    PromotionTool("state_site", 12, 20_000, 0.034, 0.93, 0.27, 0.075, 0.58, 0.80, 0,
                  ("Меры поддержки", "Служба занятости рядом")),
    PromotionTool("partner_site", 10, 15_000, 0.026, 0.92, 0.36, 0.050, 0.52, 0.75, 12,
                  ("Партнёры советуют", "Доступная работа")),
    PromotionTool("outdoor_ads", 10, 150_000, 0.0016, 0.80, 0.48, 0.040, 0.44, 0.73, 85,
                  ("Кадровый центр открыт", "Приходи к нам")),
)  # fmt: skip

FIRST_TOUCHES = (
    FirstTouch("outbound_call", "phone", 18, 0.30, 0.22, 0.18),
    FirstTouch("inbound_request", "phone", 14, 0.46, 0.36, 0.30),
    FirstTouch("application_support", "office", 9, 0.70, 0.52, 0.45),
    FirstTouch("smev_event", "phone", 8, 0.34, 0.27, 0.22),
    FirstTouch("mobile_office", "offsite", 9, 0.28, 0.19, 0.15),
    FirstTouch("group_chat", "messenger", 8, 0.16, 0.10, 0.08),
    FirstTouch("youth_club", "office", 6, 0.38, 0.30, 0.26),
    FirstTouch("personal_meeting", "office", 6, 0.52, 0.42, 0.37),
    FirstTouch("offsite_consultation", "offsite", 7, 0.36, 0.26, 0.21),
    FirstTouch("trial_service", "office", 4, 0.48, 0.33, 0.29),
    FirstTouch("smm", "social", 11, 0.12, 0.07, 0.05),
    FirstTouch("job_fair", "event", 7, 0.40, 0.32, 0.27),
    FirstTouch("career_day", "event", 5, 0.24, 0.17, 0.13),
    FirstTouch("open_day", "event", 4, 0.30, 0.22, 0.18),
    FirstTouch("proftour", "event", 4, 0.20, 0.14, 0.12),
)


_DEFINITIONS = {
    "event_tools": "Formats of events. default_weight is what centres record; true_weight generates new_clients.",
    "promotion_tools": "True rates, each conditional on the step before; a bounce is a share of sessions.",
    "first_touches": "Share of persons with the step within 90 days of their first contact, by its tool. "
    "Steps after the last day of the data are absent: judge persons whose 90 days are whole.",
    "new_clients": "new_clients ~ Poisson(per_weight * true_weight + per_participant * participants * band "
    "+ per_star * sum of stars); band by engagement: low under 0.75, medium to 1.25, high over it.",
    "pilot": "Share of a centre's clients who apply: control, and control + effect with the new format; beta-binomial "
    "with this ICC. Table pilot_results: a row a centre; before_* is the half-year before, alike in both arms.",
    "level_shift": "All flow of the region is multiplied by the factor from the month on.",
    "flow": "Noise on the log scale; leaving the register; returns within a year; persons of two centres.",
    "survey": "P(answer > k) = logistic(slope * (theta - threshold k)); theta = mean of the group + centre + N(0, 1).",
    "voices": "Calls attempted and reached by person; accuracy of a coder.",
    "late_share": "Of those who do not apply within 90 days, the share who apply on days 91-240.",
    "campaign_concentration": "a + b of the beta distribution of a campaign's own rates.",
    "split_events": "Single events recorded as two on adjacent dates (same centre, tool, theme).",
}


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is declared about the synthetic data.

    Attributes:
        event_tools: Formats of events with true weights.
        promotion_tools: Channels with true funnels.
        first_touches: Conversion of persons by tool of the first contact.
        new_clients: The model of an event's new clients.
        pilot: The pilot's true effect.
        level_shift: The lasting change in one region.
        flow: Noise, returns and overlaps of the flow.
        survey: Model of the answers.
        voices: Contacts and coding.
        late_share: Of the persons who do not apply within 90 days, the share who apply on days 91-240.
        campaign_concentration: a + b of the beta distribution of a campaign's own rates round the tool's true rate.
    """

    event_tools: tuple[EventTool, ...] = EVENT_TOOLS
    promotion_tools: tuple[PromotionTool, ...] = PROMOTION_TOOLS
    first_touches: tuple[FirstTouch, ...] = FIRST_TOUCHES
    new_clients: NewClients = field(default_factory=NewClients)
    pilot: PilotTruth = field(default_factory=PilotTruth)
    level_shift: LevelShift = field(default_factory=LevelShift)
    flow: FlowTruth = field(default_factory=FlowTruth)
    survey: SurveyTruth = field(default_factory=SurveyTruth)
    voices: VoiceTruth = field(default_factory=VoiceTruth)
    late_share: float = 0.05
    campaign_concentration: float = 400.0

    def definitions(self) -> dict[str, str]:
        """What each part of the truth means and how an analysis can ask for it."""
        return dict(_DEFINITIONS)

    def to_dict(self) -> dict[str, Any]:
        """Nested dicts, lists and scalars, ready for YAML."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
