//! The closed list of reasons for a refusal: label, status and title of each in English, Russian and Kazakh.
//!
//! The label is a promise to clients and to dashboards: it never changes its meaning.

use axum::http::{HeaderMap, StatusCode, header};

/// A language titles exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, the default.
    En,
    /// Russian.
    Ru,
    /// Kazakh.
    Kk,
}

impl Language {
    /// The language that the headers of a request ask for.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        Self::of(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
    }

    /// The language of an `Accept-Language` header that exists here and is wanted most; of equals the first.
    pub fn of(accept: Option<&str>) -> Self {
        let mut best = (0.0, Self::En);
        for part in accept.unwrap_or_default().split(',') {
            let (range, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse::<f32>().ok()).unwrap_or(0.0);
            let language = match range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "en" => Self::En,
                "ru" => Self::Ru,
                "kk" => Self::Kk,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $en:literal, $ru:literal, $kk:literal;)*) => {
        /// Why a request or a submission is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];

            /// Closed label for answers and metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code,)* }
            }

            /// HTTP status when a whole request is refused for this.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Reason::$variant => $status,)* };
                // INVARIANT: the table below holds three-digit codes only (a test reads all of them).
                StatusCode::from_u16(status).expect("a status code")
            }

            /// A short title, the same for every occurrence.
            pub const fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Reason::$variant, Language::En) => $en, (Reason::$variant, Language::Ru) => $ru, (Reason::$variant, Language::Kk) => $kk,)*
                }
            }
        }
    };
}

reasons! {
    /// No route of this name.
    NotFound = "not-found", 404, "There is nothing at this address", "По этому адресу ничего нет", "Бұл мекенжайда ештеңе жоқ";
    /// The route does not know this method.
    MethodNotAllowed = "method-not-allowed", 405, "This address does not take this method", "Этот адрес не принимает такой метод", "Бұл мекенжай мұндай әдісті қабылдамайды";
    /// A Host header with another name than the service's.
    UnknownHost = "unknown-host", 421, "This service has another name", "У этой службы другое имя", "Бұл қызметтің атауы басқа";
    /// A query parameter that does not exist, or a value it does not take.
    InvalidParameter = "invalid-parameter", 400, "A query parameter is wrong", "Неверный параметр запроса", "Сұрау параметрі қате";
    /// A media type that is no form of events.
    UnsupportedMediaType = "unsupported-media-type", 415, "The media type is not supported", "Тип содержимого не поддерживается", "Мазмұн түріне қолдау жоқ";
    /// A content encoding other than gzip and zstd.
    UnsupportedEncoding = "unsupported-encoding", 415, "The content encoding is not supported", "Кодирование содержимого не поддерживается", "Мазмұнды кодтауға қолдау жоқ";
    /// More bytes than allowed, after decompression.
    BodyTooLarge = "body-too-large", 413, "The body is too large", "Тело запроса слишком велико", "Сұрау денесі тым үлкен";
    /// More events in one batch than allowed.
    TooManyEvents = "too-many-events", 413, "The batch holds too many events", "В пакете слишком много событий", "Топтамада оқиға тым көп";
    /// A stream of which too many lines are refused to list them.
    TooManyRefused = "too-many-refused", 413, "Too many lines are refused", "Отклонено слишком много строк", "Тым көп жол қабылданбады";
    /// The body did not arrive in time.
    SlowBody = "slow-body", 408, "The body came too slowly", "Тело запроса пришло слишком медленно", "Сұрау денесі тым баяу келді";
    /// The compression of the body is damaged, or something follows its end.
    InvalidCompression = "invalid-compression", 400, "The compressed body is damaged", "Сжатое тело запроса повреждено", "Сығылған сұрау денесі бүлінген";
    /// The body broke off.
    IncompleteBody = "incomplete-body", 400, "The body is incomplete", "Тело запроса неполное", "Сұрау денесі толық емес";
    /// Bytes that are no UTF-8.
    InvalidUtf8 = "invalid-utf8", 400, "The text is not UTF-8", "Текст не в кодировке UTF-8", "Мәтін UTF-8 кодтауында емес";
    /// Bytes that are no JSON.
    InvalidJson = "invalid-json", 400, "This is not valid JSON", "Это не правильный JSON", "Бұл дұрыс JSON емес";
    /// JSON nested deeper than any event.
    TooDeep = "too-deep", 400, "The JSON is nested too deeply", "Слишком большая вложенность JSON", "JSON тым терең қабаттасқан";
    /// A field given twice.
    DuplicateField = "duplicate-field", 400, "A field is given twice", "Поле указано дважды", "Өріс екі рет көрсетілген";
    /// One event is too large.
    EventTooLarge = "event-too-large", 413, "The event is too large", "Событие слишком велико", "Оқиға тым үлкен";
    /// A CloudEvents attribute is missing.
    MissingAttribute = "missing-attribute", 422, "An attribute is missing", "Не хватает атрибута", "Атрибут жетіспейді";
    /// An attribute that does not exist.
    UnknownAttribute = "unknown-attribute", 422, "An attribute is unknown", "Неизвестный атрибут", "Белгісіз атрибут";
    /// An attribute that only the server sets.
    ForbiddenAttribute = "forbidden-attribute", 422, "Only the server sets this attribute", "Этот атрибут ставит только сервер", "Бұл атрибутты тек сервер қояды";
    /// An attribute that cannot be read.
    InvalidAttribute = "invalid-attribute", 422, "An attribute is wrong", "Неверный атрибут", "Атрибут қате";
    /// No such event type.
    UnknownType = "unknown-type", 422, "The event type is unknown", "Неизвестный тип события", "Оқиға түрі белгісіз";
    /// A version that the type does not have.
    UnknownVersion = "unknown-version", 422, "This version of the event type is unknown", "Неизвестная версия типа события", "Оқиға түрінің нұсқасы белгісіз";
    /// The bulk path takes rolls only.
    RollOnly = "roll-only", 422, "This address takes precinct rolls only", "Этот адрес принимает только списки участков", "Бұл мекенжай тек учаске тізімдерін қабылдайды";
    /// A clock of the client's own, in a campaign that is real.
    SimulatedClock = "simulated-clock", 422, "Only synthetic campaigns may simulate the clock", "Часы можно задавать только в синтетической кампании", "Сағатты тек синтетикалық науқанда беруге болады";
    /// A time that has not come yet.
    FutureTime = "future-time", 422, "The time lies in the future", "Время ещё не наступило", "Уақыт әлі келген жоқ";
    /// Times that contradict each other.
    WrongOrder = "wrong-order", 422, "The times are in the wrong order", "Неверный порядок времени", "Уақыт реті қате";
    /// A meeting long before its campaign, or after the vote.
    OutsideCampaign = "outside-campaign", 422, "The time lies outside the campaign", "Время вне срока кампании", "Уақыт науқан мерзімінен тыс";
    /// A field that the payload does not have.
    UnknownField = "unknown-field", 422, "A field is unknown", "Неизвестное поле", "Белгісіз өріс";
    /// A field that the payload needs.
    MissingField = "missing-field", 422, "A field is missing", "Не хватает поля", "Өріс жетіспейді";
    /// A value that cannot be.
    InvalidPayload = "invalid-payload", 422, "A value is wrong", "Неверное значение", "Мән қате";
    /// Twelve digits where text belongs.
    NationalId = "national-id", 422, "A text holds what may be a national id", "В тексте, возможно, есть ИИН", "Мәтінде ЖСН болуы мүмкін";
    /// A phone number where text belongs.
    PhoneNumber = "phone-number", 422, "A text holds what may be a phone number", "В тексте, возможно, есть номер телефона", "Мәтінде телефон нөмірі болуы мүмкін";
    /// An id that people would take for another one.
    LookAlikeId = "look-alike-id", 422, "The id looks like another one", "Идентификатор похож на уже известный", "Идентификатор бұрыннан белгілісіне ұқсайды";
    /// Digits that are no national id.
    InvalidIin = "invalid-iin", 422, "The national id is wrong", "Неверный ИИН", "ЖСН қате";
    /// Digits that are no phone number.
    InvalidPhone = "invalid-phone", 422, "The phone number is wrong", "Неверный номер телефона", "Телефон нөмірі қате";
    /// A person named in no way that is known.
    InvalidPerson = "invalid-person", 422, "The person is named in a wrong way", "Человек указан неверно", "Адам қате көрсетілген";
    /// Attendance at a meeting whose audience reveals belief, origin or health.
    HeadcountsOnly = "headcounts-only", 422, "This meeting takes headcounts only", "Для этой встречи принимаются только подсчёты людей", "Бұл кездесуге тек адам санағы қабылданады";
    /// The campaign was never configured.
    UnknownCampaign = "unknown-campaign", 422, "The campaign is unknown", "Неизвестная кампания", "Науқан белгісіз";
    /// Not in the campaign's reference data.
    UnknownUnit = "unknown-unit", 422, "The unit is unknown", "Неизвестный район или город", "Аудан не қала белгісіз";
    /// Not in the campaign's reference data.
    UnknownPrecinct = "unknown-precinct", 422, "The precinct is unknown", "Неизвестный участок", "Учаске белгісіз";
    /// A precinct that lies in another unit than the one that is named beside it.
    ForeignPrecinct = "foreign-precinct", 422, "The precinct lies in another unit", "Участок относится к другому району или городу", "Учаске басқа аудан не қалаға жатады";
    /// Not in the campaign's reference data.
    UnknownVenue = "unknown-venue", 422, "The venue is unknown", "Неизвестное место встречи", "Кездесу орны белгісіз";
    /// Not in the campaign's reference data.
    UnknownCoalition = "unknown-coalition", 422, "The coalition is unknown", "Неизвестная коалиция", "Коалиция белгісіз";
    /// Not in the campaign's reference data.
    UnknownMember = "unknown-member", 422, "The member is unknown", "Неизвестный член коалиции", "Коалиция мүшесі белгісіз";
    /// Not in the campaign's lists.
    UnknownParty = "unknown-party", 422, "The party is unknown", "Неизвестная партия", "Партия белгісіз";
    /// Not in the campaign's lists.
    UnknownCategory = "unknown-category", 422, "The category is unknown", "Неизвестная категория", "Санат белгісіз";
    /// Not in the campaign's lists.
    UnknownFormat = "unknown-format", 422, "The format is unknown", "Неизвестный формат", "Формат белгісіз";
    /// Not in the campaign's lists.
    UnknownLanguage = "unknown-language", 422, "The language is unknown", "Неизвестный язык", "Тіл белгісіз";
    /// A campaign stays real, or stays synthetic.
    SyntheticFixed = "synthetic-fixed", 422, "A campaign stays synthetic or real", "Кампания остаётся синтетической или настоящей", "Науқан синтетикалық не нақты күйінде қалады";
    /// The id already stands for another body.
    ConflictingId = "conflicting-id", 409, "The id already stands for another event", "Этот идентификатор уже занят другим событием", "Бұл идентификатор басқа оқиғаға берілген";
    /// More conflicting ids than are compared.
    TooManyConflicts = "too-many-conflicts", 429, "Too many conflicting ids", "Слишком много повторных идентификаторов", "Қайталанған идентификатор тым көп";
    /// The service has just started and reads the log.
    Starting = "starting", 503, "The service is starting", "Служба запускается", "Қызмет іске қосылуда";
    /// The service is being stopped.
    Stopping = "stopping", 503, "The service is stopping", "Служба останавливается", "Қызмет тоқтатылуда";
    /// More requests at once than allowed.
    Overloaded = "overloaded", 503, "Too many requests at once", "Слишком много запросов одновременно", "Бір мезгілде сұрау тым көп";
    /// The log does not take the events now.
    LogUnavailable = "log-unavailable", 503, "The event log does not answer", "Журнал событий не отвечает", "Оқиғалар журналы жауап бермейді";
    /// The register is too far behind the log.
    RegisterBehind = "register-behind", 503, "The register is behind the log", "Реестр отстаёт от журнала", "Тізілім журналдан қалып келеді";
    /// The server's own clock is wrong.
    ServerClock = "server-clock", 503, "The clock of the server is wrong", "Часы сервера показывают неверное время", "Сервердің сағаты қате";
    /// The campaign has no key for pseudonyms.
    KeyMissing = "key-missing", 503, "The campaign has no key", "У кампании нет ключа", "Науқанның кілті жоқ";
    /// A fault of ours.
    Internal = "internal", 500, "Something went wrong here", "Внутренняя ошибка", "Ішкі қате";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code_an_error_status_and_three_titles() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(reason.status().is_client_error() || reason.status().is_server_error());
            for language in [Language::En, Language::Ru, Language::Kk] {
                assert!(!reason.title(language).is_empty() && !reason.title(language).ends_with(['.', '!']));
            }
        }
    }

    #[test]
    fn the_language_that_is_wanted_most_is_taken() {
        assert_eq!(Language::of(Some("uz, kk-KZ;q=0.9, ru;q=0.8")), Language::Kk);
        assert_eq!(Language::of(Some("en;q=0.1, ru-KZ;q=0.9, kk;q=0.9")), Language::Ru);
        assert_eq!(Language::of(Some("kk;q=0, en;q=x")), Language::En);
        assert_eq!(Language::of(Some("ru")), Language::Ru);
        assert_eq!(Language::of(Some("é")), Language::En);
        assert_eq!(Language::of(None), Language::En);
    }
}
