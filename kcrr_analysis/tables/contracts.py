"""The data contracts: every table that the kit reads, with its columns, Russian headers, bounds and key.

What centres are, whom they serve, what they do to attract clients, what it costs and what comes of it.
`registered_stock` is a stock at the end of the period; the other counts of `flow` are flows of the period. Groups
overlap: a total comes only from the row `client_group = all`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from kcrr_analysis.tables.columns import ColumnContract, Dictionary, Kind, TableContract

ALL = "all"
"""Client group of rows that count everybody once."""

REGION_PATTERN = r"\d{2}"


def _column(
    name: str,
    title: str,
    kind: Kind,
    *aliases: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    dictionary: Dictionary | None = None,
    doc: str = "",
) -> ColumnContract:
    if kind in {"count", "money", "share"} and low is None:
        low = 0
    if kind == "share" and high is None:
        high = 1
    return ColumnContract(name, title, kind, aliases, low=low, high=high, dictionary=dictionary, unit=unit, doc=doc)


def _choice(name: str, title: str, choices: Mapping[str, tuple[str, ...]], *aliases: str, default: str | None = None,
            doc: str = "") -> ColumnContract:  # fmt: skip
    return ColumnContract(
        name, title, "choice", aliases, choices=MappingProxyType(dict(choices)), default=default, doc=doc
    )


def _must(column: ColumnContract) -> ColumnContract:
    """The file must have the column and no cell of it may be empty."""
    return replace(column, required=True, nullable=False)


def _filled(column: ColumnContract) -> ColumnContract:
    """The column may be absent (its default applies), but where it is present no cell may be empty."""
    return replace(column, nullable=False)


def _count(name: str, title: str, *aliases: str, unit: str = "чел.", doc: str = "") -> ColumnContract:
    return _column(name, title, "count", *aliases, unit=unit, doc=doc)


def _money(name: str, title: str, *aliases: str, doc: str = "") -> ColumnContract:
    return _column(name, title, "money", *aliases, unit="руб.", doc=doc)


_REGION = ColumnContract(
    "region_code", "Код региона", "code",
    ("Регион (код)", "Код субъекта", "Код субъекта РФ", "Код субъекта Российской Федерации", "Субъект РФ (код)"),
    pattern=REGION_PATTERN, dictionary="regions", doc="Two-digit code of the federal subject; `01` stays `01`.",
)  # fmt: skip
_REGION_NAME = _column(
    "region_name", "Регион", "text", "Название региона", "Наименование региона", "Субъект РФ",
    "Субъект Российской Федерации", "Наименование субъекта РФ",
)  # fmt: skip
_CENTER = _column(
    "center_id", "Код центра", "code", "Код КЦ", "ID центра", "Идентификатор центра", "Код ЦЗН", "Центр (код)",
    "Код кадрового центра",
)  # fmt: skip
_MONTH = _column("month", "Месяц", "month", "Отчётный месяц", "Отчетный период", "Месяц, год")
_GROUP = _column(
    "client_group", "Клиентская группа", "code", "Группа", "КГ", "Группа клиентов", "Код клиентской группы",
    dictionary="groups",
)  # fmt: skip
_TOOL = _column(
    "tool_id", "Инструмент", "code", "Код инструмента", "Формат", "Формат мероприятия", "Инструмент (код)",
    dictionary="tools",
)  # fmt: skip
_PERSON = _column(
    "person_id", "Код гражданина", "code", "ID гражданина", "Псевдоним", "Код клиента", "ID клиента",
    doc="A pseudonym; never a name, document number or telephone.",
)  # fmt: skip
_SERVICE = _column("service_id", "Код сервиса", "code", "Сервис", "Код услуги", "Услуга", "Код меры", "Сервис (код)")
_PARTNER = _column("partner_id", "Код партнёра", "code", "Партнёр", "ID партнёра")
_DATE = _column("date", "Дата", "date", "Дата проведения", "День")
_TIME = _column("time", "Время", "time", "Дата и время", "Момент", doc="A moment with its zone.")
_CAMPAIGN = _column("campaign", "Кампания", "text", "Рекламная кампания", "Название кампании")
_COSTS = (
    _money("external_cost", "Внешние расходы", "Внешние затраты", "Расходы на подрядчиков", "Внешние расходы, руб."),
    _money("direct_cost", "Прямые расходы", "Прямые затраты", "Прямые расходы, руб."),
    _column("staff_hours", "Часы сотрудников", "number", "Трудозатраты", "Трудозатраты, ч", "Часы персонала",
            unit="ч", low=0),
)  # fmt: skip


def _table(
    name: str,
    title: str,
    key: tuple[str, ...],
    *columns: ColumnContract,
    one_of: tuple[tuple[str, ...], ...] = (),
    doc: str = "",
) -> TableContract:
    return TableContract(name, title, key, MappingProxyType({column.name: column for column in columns}), one_of, doc)


_PLACE = (("center_id", "region_code"),)

_CENTERS = _table(
    "centers", "Кадровые центры", ("center_id",),
    _must(_CENTER),
    _must(_column("center_name", "Название центра", "text", "Наименование центра", "Центр", "КЦ", "Кадровый центр",
                  "Наименование КЦ")),
    _must(_REGION),
    _must(_REGION_NAME),
    _column("modernised_from", "Модернизирован с", "date", "Дата модернизации", "Дата открытия после модернизации",
            doc="Empty for a centre that is not modernised yet."),
    doc="One employment centre.",
)  # fmt: skip

_CENTER_MONTHS = _table(
    "center_months", "Центры по месяцам", ("month", "center_id"),
    _must(_MONTH),
    _must(_CENTER),
    _column("floor_area_m2", "Общая площадь", "number", "Общая площадь, кв. м", "Площадь", "Площадь, кв. м",
            "Общая площадь, м2", unit="кв. м", low=0),
    _column("client_area_m2", "Площадь клиентской зоны", "number", "Клиентская площадь", "Клиентская площадь, кв. м",
            "Площадь клиентской зоны, кв. м", "Площадь клиентской зоны, м2", unit="кв. м", low=0),
    _column("staff_fte", "Численность сотрудников", "number", "Ставки", "Штат", "Сотрудников, ставок",
            "Численность сотрудников, ставок", unit="ставок", low=0),
    _column("capacity_visits_day", "Пропускная способность", "number", "Пропускная способность, посещений в день",
            "Вместимость, посещений в день", unit="посещений в день", low=0),
    _column("open_days", "Дней работы", "count", "Рабочих дней", "Число дней работы", unit="дней", high=31),
    doc="Premises, staff and capacity of one centre in one month; denominators change with modernisation.",
)  # fmt: skip

_POPULATION = _table(
    "population", "Население", ("region_code", "client_group", "year", "center_id"),
    _must(_REGION),
    _must(_GROUP),
    _must(_column("year", "Год", "year", "Отчётный год", low=1990, high=2100)),
    _must(_count("population", "Численность", "Численность населения", "Население", "Численность, чел.")),
    _CENTER,
    doc="Persons of one group in a region (or in a centre's catchment) in one year: the denominator of coverage.",
)  # fmt: skip

_FLOW = _table(
    "flow", "Клиентопоток", ("month", "period", "scope", "center_id", "region_code", "client_group"),
    _must(_MONTH),
    _filled(_choice("period", "Период", {
        "month": ("месяц", "за месяц", "мес.", "помесячно"),
        "year_to_date": ("с начала года", "нарастающим итогом", "накопленным итогом", "нарастающий итог", "ytd"),
    }, "Вид периода", default="month", doc="A month alone, or from January to that month.")),
    _filled(_choice("scope", "Уровень", {
        "center": ("центр", "кц", "кадровый центр", "по центру"),
        "region": ("регион", "субъект", "субъект рф", "по региону"),
    }, "Охват", "Разрез", doc="Absent: `center` where the row has a centre, else `region`.")),
    _CENTER,
    _REGION,
    _must(_GROUP),
    _count("registered_stock", "Зарегистрировано на конец периода", "Состоит на учёте",
           "Зарегистрировано в целях поиска подходящей работы", "Состоит на учёте на конец периода",
           doc="Indicator 1, a stock at the end of the period."),
    _count("registered_new", "Зарегистрировано за период", "Поставлено на учёт", "Поставлено на учёт за период"),
    _count("applied", "Обратилось за содействием", "Обратилось",
           "Обратилось за содействием в поиске подходящей работы", "Обратилось, чел.", doc="Indicator 2."),
    _count("measure_applicants", "Обратилось за мерами поддержки", "Обратилось за МГП", doc="Indicators 3 and 5."),
    _count("measure_recipients", "Получили меры поддержки", "Получили МГП", "Получатели мер поддержки"),
    _count("measures_delivered", "Оказано мер поддержки", "Оказано МГП", "Количество оказанных мер поддержки",
           unit="ед.", doc="Indicator 4."),
    _count("guidance_recipients", "Получили профориентацию", "Охвачено профориентацией", doc="Indicator 6."),
    _count("visits", "Посещения", "Количество посещений", "Численность посетителей", "Посещений", unit="посещений",
           doc="Indicator 9 counts visits."),
    _count("services_delivered", "Оказано сервисов", "Количество оказанных сервисов", "Оказано услуг", unit="ед.",
           doc="Indicator 10."),
    _count("clients_served", "Обслужено граждан", "Обслужено клиентов", "Обслужено"),
    one_of=_PLACE,
    doc="Counts of one group at one centre or in one region, for a month or since January.",
)  # fmt: skip

_PLAN = _table(
    "plan", "План", ("month", "center_id", "client_group"),
    _must(_MONTH),
    _must(_CENTER),
    _must(_GROUP),
    _count("planned_clients", "План по клиентам", "Плановое число клиентов", "План, чел."),
    _count("planned_services", "План по сервисам", "Плановое число сервисов", "План, ед.", unit="ед."),
    doc="Planned clients and services of one group at one centre in one month.",
)  # fmt: skip

_EVENTS = _table(
    "events", "Мероприятия", ("event_id",),
    _must(_column("event_id", "Код мероприятия", "code", "ID мероприятия", "Номер мероприятия")),
    _must(_DATE),
    _REGION,
    _CENTER,
    _must(_TOOL),
    _column("theme", "Тема", "text", "Тема мероприятия", "Тематика"),
    _GROUP,
    _PARTNER,
    _must(_count("participants", "Участники", "Количество участников", "Число участников", "Участников")),
    _count("reach", "Охват аудитории", "Охват, чел."),
    _column("weight", "Вес мероприятия", "number", "Вес", "Класс мероприятия", low=1, high=3,
            doc="Weight class: 3 high, 2 medium, 1 low; a calibrated weight is any number in [1, 3]."),
    _column("engagement", "Коэффициент вовлечённости", "number", "Вовлечённость", low=0.5, high=1.5),
    _count("reviews", "Отзывы", "Количество отзывов", "Число отзывов", "Отзывов", unit="ед."),
    _column("mean_rating", "Средняя оценка", "number", "Средняя оценка по отзывам", "Средний балл", low=1, high=5),
    *(_count(f"rating_{n}", f"Оценок «{n}»", f"Оценка {n}", f"Отзывов с оценкой {n}", f"Число оценок {n}", unit="ед.")
      for n in range(1, 6)),
    _count("new_clients", "Новые клиенты", "Стали клиентами", "Новых клиентов", doc="As the centre declares."),
    *_COSTS,
    _column("chain_id", "Код цепочки", "code", "Цепочка мероприятий", "Серия", doc="Events scored as one chain."),
    _column("active_share", "Доля активных участников", "share", "Доля активных"),
    _column("minutes_share", "Доля времени участия", "share", "Доля досидевших"),
    _count("interactions", "Взаимодействия", "Число взаимодействий", unit="ед."),
    one_of=_PLACE,
    doc="One event or campaign; a campaign is one event whose participants are unique identified actions.",
)  # fmt: skip

_PROMOTION = _table(
    "promotion", "Продвижение", ("promotion_id",),
    _must(_column("promotion_id", "Код размещения", "code", "ID размещения", "Код объявления", "Код продвижения")),
    _must(_column("period_start", "Начало периода", "date", "Дата начала", "Начало")),
    _must(_column("period_end", "Конец периода", "date", "Дата окончания", "Окончание", "Конец")),
    _REGION,
    _CENTER,
    _must(_TOOL),
    _CAMPAIGN,
    _GROUP,
    _count("impressions", "Показы", "Количество показов", "Число показов", unit="ед."),
    _count("clicks", "Переходы", "Клики", "Число переходов", unit="ед."),
    _count("sessions", "Визиты на сайт", "Визиты", "Сеансы", "Сессии", unit="ед."),
    _count("bounces", "Отказы", "Отказы на сайте", unit="ед.",
           doc="Web bounces; a refusal in a call is another measure."),
    _column("time_s", "Время на сайте", "number", "Время на странице, с", "Среднее время, с", unit="с", low=0),
    _column("scroll_share", "Глубина прокрутки", "share", "Доля прокрутки"),
    _count("video_starts", "Запуски видео", "Начали смотреть видео", unit="ед."),
    _count("full_views", "Полные просмотры", "Досмотры видео", "Полные просмотры видео", unit="ед."),
    _count("calls", "Звонки", "Обращения по телефону", unit="ед."),
    _count("detail_views", "Просмотры подробностей", "Просмотры карточки", unit="ед."),
    _count("downloads", "Скачивания", "Загрузки", unit="ед."),
    _count("subscriptions", "Подписки", "Подписались", unit="ед."),
    _count("leads", "Лиды", "Первые контакты", doc="First contacts with an identifiable person."),
    _count("registrations", "Регистрации на ЕЦП", "Регистрации"),
    _count("applications", "Заявления", "Заявления на МГП", "Поданные заявления", unit="ед."),
    _count("customers", "Клиенты", "Стали клиентами", "Новые клиенты"),
    *_COSTS,
    doc="One placement of advertising or information in one period.",
)  # fmt: skip

_ACTIONS = _table(
    "actions", "Действия граждан", ("action_id",),
    _must(_column("action_id", "Код действия", "code", "ID действия")),
    _must(_PERSON),
    _must(_TIME),
    _must(_column("action", "Действие", "code", "Вид действия")),
    _TOOL,
    _column("channel", "Канал", "code", "Канал привлечения"),
    _CAMPAIGN,
    _column("event_id", "Код мероприятия", "code", "ID мероприятия"),
    _PARTNER,
    _REGION,
    _CENTER,
    _GROUP,
    _SERVICE,
    _column("requested", "Запрошено", "flag", "По запросу клиента"),
    _column("eligible", "Имеет право", "flag", "Положено", "Право на услугу"),
    doc="One step of one person: a contact, a registration, an application, a service.",
)  # fmt: skip

_SERVICES = _table(
    "services", "Сервисы", ("service_id",),
    _must(_SERVICE),
    _must(_column("service_name", "Название сервиса", "text", "Наименование сервиса", "Название услуги",
                  "Наименование услуги")),
    _choice("kind", "Вид сервиса", {
        "federal_measure": ("федеральная мера", "мгп", "мера государственной поддержки"),
        "federal_service": ("федеральный сервис", "федеральная услуга"),
        "regional_service": ("региональный сервис", "региональная услуга"),
    }, "Вид"),
    _choice("pilot_state", "Состояние апробации", {
        "developed": ("разработан", "разработка"),
        "tested": ("апробирован", "апробация", "тестируется"),
        "promoted": ("внедрён", "внедрен", "тиражируется", "продвигается"),
    }, "Стадия", "Апробация"),
    doc="One measure of support or service; the two dictionaries differ.",
)  # fmt: skip

_EXTERNAL = _table(
    "external_series", "Внешние ряды", ("region_code", "month", "series_id"),
    _must(_REGION),
    _REGION_NAME,
    _must(_MONTH),
    _must(_column("series_id", "Код ряда", "code", "Показатель (код)", "Код показателя")),
    _column("series_name", "Показатель", "text", "Название ряда", "Наименование показателя"),
    replace(_column("value", "Значение", "number", "Величина"), required=True),
    _must(_column("unit", "Единица измерения", "text", "Ед. изм.", "Единица")),
    _must(_column("source", "Источник", "text", "Источник данных")),
    doc="One value of one background series of Rosstat or a department; never mixed with `flow`.",
)  # fmt: skip

_SURVEYS = _table(
    "survey_responses", "Ответы на опросы", ("respondent_id", "item"),
    _must(_column("respondent_id", "Код респондента", "code", "ID респондента", "Респондент")),
    _must(_column("item", "Вопрос", "code", "Код вопроса")),
    _column("survey_id", "Код опроса", "code", "Опрос"),
    _column("date", "Дата", "date", "Дата опроса"),
    _CENTER,
    _SERVICE,
    _GROUP,
    _column("scale", "Шкала", "code"),
    replace(_column("answer", "Ответ", "text"), required=True),
    _column("weight", "Вес респондента", "number", "Вес", low=0, doc="Survey weight."),
    _column("sex", "Пол", "code", doc="Weighting variable."),
    _column("age_group", "Возрастная группа", "code", "Возраст", doc="Weighting variable."),
    _column("settlement", "Тип поселения", "code", "Город или село", doc="Weighting variable."),
    doc="One answer of one respondent to one item.",
)  # fmt: skip

_FOCUS = _table(
    "focus_coding", "Кодирование интервью", ("session_id", "fragment_id", "coder_id"),
    _must(_column("session_id", "Код встречи", "code", "Код фокус-группы", "Код интервью")),
    _must(_column("fragment_id", "Код фрагмента", "code", "Фрагмент")),
    _must(_column("coder_id", "Кодировщик", "code", "Код кодировщика")),
    _must(_column("code", "Смысловой код", "code", "Код")),
    _choice("valence", "Окраска", {
        "negative": ("негативная", "отрицательная", "-1"), "neutral": ("нейтральная", "0"),
        "positive": ("позитивная", "положительная", "1"), "mixed": ("смешанная",),
    }, "Тональность"),
    _SERVICE,
    _GROUP,
    doc="One fragment of a focus group or an in-depth interview as one coder coded it.",
)  # fmt: skip

_PILOTS = _table(
    "pilots", "Апробации", ("pilot_id",),
    _must(_column("pilot_id", "Код апробации", "code", "Код пилота", "ID пилота")),
    _column("pilot_name", "Название апробации", "text", "Название пилота"),
    _must(_column("protocol_file", "Файл протокола", "text", "Протокол")),
    _choice("unit", "Единица назначения", {
        "region": ("регион",), "center": ("центр", "кц"), "person": ("гражданин", "клиент"), "event": ("мероприятие",),
    }, "Единицы", doc="What is assigned to an arm."),
    _column("units", "Участники апробации", "text", "Список единиц", doc="Identifiers of the units, joined by `;`."),
    _column("assignment", "Назначение", "text", "Распределение по группам",
            doc="Arm of each unit, in order, joined by `;`."),
    _column("outcomes", "Показатели результата", "text", "Исходы", doc="Outcome columns, joined by `;`."),
    _column("period_start", "Начало апробации", "date", "Начало периода", "Начало"),
    _column("period_end", "Конец апробации", "date", "Конец периода", "Окончание"),
    doc="One experiment with a service or an event format.",
)  # fmt: skip

_PILOT_RESULTS = _table(
    "pilot_results", "Результаты апробаций", ("pilot_id", "center_id", "person_id", "month", "level"),
    _must(_column("pilot_id", "Код апробации", "code", "Код пилота", "ID пилота")),
    _REGION,
    _CENTER,
    _PERSON,
    _MONTH,
    _column("arm", "Группа апробации", "text", "Опытная или контрольная группа", "Группа назначения",
            doc="Arm as assigned, as the protocol names it."),
    _column("level", "Уровень ответа", "number", "Ступень шкалы",
            doc="Level of an ordinal outcome, in a table of sums."),
    one_of=(("center_id", "person_id"),),
    doc="What a pilot measured: a row a person, or a row a centre (and month) with sums over its clients, never means; "
        "further columns are outcomes that the protocol names.",
)  # fmt: skip

_PARTNERS = _table(
    "partners", "Партнёры", ("partner_id", "client_group"),
    _must(_PARTNER),
    _must(_GROUP),
    _column("partner_name", "Название партнёра", "text", "Наименование партнёра"),
    _choice("kind", "Вид партнёра", {
        "employer": ("работодатель",), "education": ("образовательная организация", "образование"),
        "government": ("орган власти", "госорган", "государственный орган"),
        "nonprofit": ("нко", "некоммерческая организация"), "media": ("сми",), "other": ("другое", "прочее", "иное"),
    }, "Вид"),
    _REGION,
    _CENTER,
    _column("priority_employer", "Приоритетный работодатель", "flag"),
    _column("since", "Партнёр с", "date", "Дата начала партнёрства", "Начало"),
    _column("until", "Партнёр до", "date", "Дата окончания партнёрства", "Окончание"),
    _column("loyalty", "Лояльность", "number", "Оценка лояльности", low=0, high=10, doc="Answer from 0 to 10."),
    doc="One partner and one client group that it helps to reach.",
)  # fmt: skip

_CLIENT_STATUS = _choice("client_status", "Статус клиента", {
    "potential": ("потенциальный",), "current": ("текущий", "действующий"), "former": ("бывший",),
}, "Статус")  # fmt: skip

_CONTACTS = _table(
    "contacts", "Обзвон и контакты", ("contact_id",),
    _must(_column("contact_id", "Код контакта", "code", "ID контакта", "Код попытки")),
    _must(_PERSON),
    _must(_TIME),
    _column("reason", "Повод", "code", "Причина контакта",
            doc="Work event or life situation that prompts the contact."),
    _column("source", "Источник", "code", "Источник сведений",
            doc="Where the notice came from: own data, a partner, СМЭВ."),
    _column("channel", "Канал", "code", "Канал связи"),
    _must(_column("attempted", "Попытка", "flag", "Пытались связаться")),
    _must(_column("reached", "Дозвон", "flag", "Связались", "Контакт состоялся")),
    _CLIENT_STATUS,
    _REGION,
    _CENTER,
    _GROUP,
    doc="One attempt to contact a person; «100 % call» needs both attempted and reached.",
)  # fmt: skip

_OUTCOMES = _table(
    "outcomes", "Результаты после услуг", ("person_id", "date", "kind"),
    _must(_PERSON),
    _must(_DATE),
    _must(_column("kind", "Вид результата", "code", "Результат",
                  doc="Employment, training, a work event, a move to another group, accompanied placement.")),
    _REGION,
    _CENTER,
    _GROUP,
    _SERVICE,
    _column("priority_employer", "Приоритетный работодатель", "flag"),
    _column("new_client_group", "Новая клиентская группа", "code", dictionary="groups",
            doc="Group after the transition, where the outcome is one."),
    doc="What happened to a person after a service.",
)  # fmt: skip

_VACANCIES = _table(
    "vacancies", "База вакансий", ("month", "region_code", "center_id"),
    _must(_MONTH),
    _must(_REGION),
    _CENTER,
    _must(_count("vacancies", "Вакансии", "Число вакансий", "Количество вакансий", unit="ед.")),
    _column("quality", "Качество вакансий", "share", "Доля качественных вакансий",
            doc="Share of vacancies that meet the region's standard."),
    doc="The vacancy base of a region (or centre) at the end of a month.",
)  # fmt: skip

_CHANGES = _table(
    "changes", "Журнал изменений", ("change_id",),
    _must(_column("change_id", "Код изменения", "code", "Номер изменения")),
    _must(_DATE),
    _REGION,
    _CENTER,
    _choice("object", "Что изменено", {
        "service": ("сервис", "услуга"), "material": ("материал", "материал продвижения", "рекламный материал"),
    }, "Объект"),
    _SERVICE,
    _must(_column("description", "Описание", "text", "Описание изменения", "Суть изменения")),
    _column("reason", "Причина", "text", "Основание"),
    doc="One change of a service or of a promotion material.",
)  # fmt: skip

TABLES: Mapping[str, TableContract] = MappingProxyType({
    table.name: table
    for table in (
        _CENTERS, _CENTER_MONTHS, _POPULATION, _FLOW, _PLAN, _EVENTS, _PROMOTION, _ACTIONS, _SERVICES, _EXTERNAL,
        _SURVEYS, _FOCUS, _PILOTS, _PILOT_RESULTS, _PARTNERS, _CONTACTS, _OUTCOMES, _VACANCIES, _CHANGES,
    )
})  # fmt: skip
"""Every table by its name, in the order in which reports list them."""
