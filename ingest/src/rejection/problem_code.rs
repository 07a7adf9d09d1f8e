//! The closed list of problem codes: HTTP status, and title in English, Russian and Kazakh.
//!
//! Clients and dashboards depend on the codes: their meaning never changes.

use axum::http::{HeaderMap, StatusCode, header};

/// A language of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, which is the default.
    En,
    /// Russian, language code `ru`.
    Ru,
    /// Kazakh, language code `kk`.
    Kk,
}

impl Language {
    /// The preferred language of a request, from its headers.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        Self::of(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
    }

    /// The supported language with the highest weight in an `Accept-Language` header; the first of equal ones.
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

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $en:literal, $ru:literal, $kk:literal;)*) => {
        /// Machine-readable code of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemCode {
            /// All codes, in declaration order.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$variant),*];

            /// The code as it appears in responses and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(ProblemCode::$variant => $code,)* }
            }

            /// HTTP status of a request that is refused with this code.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(ProblemCode::$variant => $status,)* };
                // INVARIANT: the table below holds three-digit codes only (a test reads all of them).
                StatusCode::from_u16(status).expect("a status code")
            }

            /// Short title, the same for every occurrence.
            pub const fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((ProblemCode::$variant, Language::En) => $en, (ProblemCode::$variant, Language::Ru) => $ru, (ProblemCode::$variant, Language::Kk) => $kk,)*
                }
            }
        }
    };
}

problem_codes! {
    /// The path is no route of the service.
    NotFound = "not-found", 404, "There is nothing at this address", "По этому адресу ничего нет", "Бұл мекенжайда ештеңе жоқ";
    /// The route does not know this method.
    MethodNotAllowed = "method-not-allowed", 405, "This address does not accept this method", "Этот адрес не принимает такой метод", "Бұл мекенжай мұндай әдісті қабылдамайды";
    /// A Host header with another name than the service's.
    UnknownHost = "unknown-host", 421, "This service has another name", "У этой службы другое имя", "Бұл қызметтің атауы басқа";
    /// A query parameter that does not exist, or a value it does not take.
    InvalidParameter = "invalid-parameter", 400, "A query parameter is wrong", "Неверный параметр запроса", "Сұрау параметрі қате";
    /// A media type that is no form of events.
    UnsupportedMediaType = "unsupported-media-type", 415, "The media type is not supported", "Тип содержимого не поддерживается", "Мазмұнның бұл түріне қолдау көрсетілмейді";
    /// A content encoding other than gzip and zstd.
    UnsupportedEncoding = "unsupported-encoding", 415, "The content encoding is not supported", "Кодирование содержимого не поддерживается", "Мазмұнды бұлай кодтауға қолдау көрсетілмейді";
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
    /// The body ended before its announced end.
    IncompleteBody = "incomplete-body", 400, "The body is incomplete", "Тело запроса неполное", "Сұрау денесі толық емес";
    /// Bytes that are no UTF-8.
    InvalidUtf8 = "invalid-utf8", 400, "The text is not UTF-8", "Текст не в кодировке UTF-8", "Мәтін UTF-8 кодтауында емес";
    /// Bytes that are no JSON.
    InvalidJson = "invalid-json", 400, "This is not valid JSON", "В JSON есть ошибка", "JSON ішінде қате бар";
    /// JSON nested deeper than any event.
    TooDeep = "too-deep", 400, "The JSON is nested too deeply", "Слишком большая вложенность JSON", "JSON тым терең қабаттасқан";
    /// A field occurs twice in an object.
    DuplicateField = "duplicate-field", 400, "A field is given twice", "Поле указано дважды", "Өріс екі рет көрсетілген";
    /// One event has more bytes than allowed.
    EventTooLarge = "event-too-large", 413, "The event is too large", "Событие слишком велико", "Оқиға тым үлкен";
    /// A CloudEvents attribute is missing.
    MissingAttribute = "missing-attribute", 422, "An attribute is missing", "Не хватает атрибута", "Атрибут жетіспейді";
    /// An attribute that does not exist.
    UnknownAttribute = "unknown-attribute", 422, "An attribute is unknown", "Неизвестный атрибут", "Белгісіз атрибут";
    /// An attribute that only the server sets.
    ForbiddenAttribute = "forbidden-attribute", 422, "Only the server sets this attribute", "Этот атрибут ставит только сервер", "Бұл атрибутты тек сервер қояды";
    /// An attribute that cannot be read.
    InvalidAttribute = "invalid-attribute", 422, "An attribute is wrong", "Неверный атрибут", "Атрибут қате";
    /// The event type does not exist.
    UnknownType = "unknown-type", 422, "The event type is unknown", "Неизвестный тип события", "Оқиға түрі белгісіз";
    /// A version that the type does not have.
    UnknownVersion = "unknown-version", 422, "This version of the event type is unknown", "Неизвестная версия типа события", "Оқиға түрінің нұсқасы белгісіз";
    /// `/v1/roll` accepts rolls only.
    RollOnly = "roll-only", 422, "This address accepts precinct rolls only", "Этот адрес принимает только списки участков", "Бұл мекенжай тек учаске тізімдерін қабылдайды";
    /// `receivedtime` was sent for a campaign that is not synthetic.
    SimulatedClock = "simulated-clock", 422, "Only synthetic campaigns may simulate the clock", "Время можно задавать только в синтетической кампании", "Уақытты тек синтетикалық науқанда беруге болады";
    /// A time that has not come yet.
    FutureTime = "future-time", 422, "The time lies in the future", "Время ещё не наступило", "Уақыт әлі келген жоқ";
    /// Times that contradict each other.
    WrongOrder = "wrong-order", 422, "The times are in the wrong order", "Даты и время в неверном порядке", "Уақыт реті қате";
    /// A meeting long before its campaign, or after the vote.
    OutsideCampaign = "outside-campaign", 422, "The time lies outside the campaign", "Время вне срока кампании", "Уақыт науқан мерзімінен тыс";
    /// A field that the payload does not have.
    UnknownField = "unknown-field", 422, "A field is unknown", "Неизвестное поле", "Белгісіз өріс";
    /// A field that the payload needs.
    MissingField = "missing-field", 422, "A field is missing", "Не хватает поля", "Өріс жетіспейді";
    /// A value that its field does not allow.
    InvalidPayload = "invalid-payload", 422, "A value is wrong", "Неверное значение", "Мән қате";
    /// Twelve digits where text belongs.
    NationalId = "national-id", 422, "A text holds what may be a national id", "В тексте, возможно, есть ИИН", "Мәтінде ЖСН болуы мүмкін";
    /// A phone number where text belongs.
    PhoneNumber = "phone-number", 422, "A text holds what may be a phone number", "В тексте, возможно, есть номер телефона", "Мәтінде телефон нөмірі болуы мүмкін";
    /// An id that is confusable with a known one.
    LookAlikeId = "look-alike-id", 422, "The id looks like another one", "Идентификатор похож на уже известный", "Идентификатор бұрыннан белгілісіне ұқсайды";
    /// Digits that are no national id.
    InvalidIin = "invalid-iin", 422, "The national id is wrong", "Неверный ИИН", "ЖСН қате";
    /// Digits that are no phone number.
    InvalidPhone = "invalid-phone", 422, "The phone number is wrong", "Неверный номер телефона", "Телефон нөмірі қате";
    /// A person without a usable identifier.
    InvalidPerson = "invalid-person", 422, "The person is not named correctly", "Человек указан неверно", "Адам қате көрсетілген";
    /// Attendance at a meeting whose audience reveals belief, origin or health.
    HeadcountsOnly = "headcounts-only", 422, "This meeting accepts headcounts only", "Для этой встречи принимаются только подсчёты людей", "Бұл кездесуге тек адам санағы қабылданады";
    /// The campaign was never configured.
    UnknownCampaign = "unknown-campaign", 422, "The campaign is unknown", "Неизвестная кампания", "Науқан белгісіз";
    /// Not in the campaign's reference data.
    UnknownUnit = "unknown-unit", 422, "The unit is unknown", "Неизвестный район или город", "Аудан не қала белгісіз";
    /// Not in the campaign's reference data.
    UnknownPrecinct = "unknown-precinct", 422, "The precinct is unknown", "Неизвестный участок", "Учаске белгісіз";
    /// A precinct of another unit than the one given beside it.
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
    /// `synthetic` of a campaign cannot change.
    SyntheticFixed = "synthetic-fixed", 422, "A campaign cannot change between synthetic and real", "Синтетическую кампанию нельзя сделать настоящей и наоборот", "Синтетикалық науқанды нақты науқанға не керісінше өзгертуге болмайды";
    /// Another event body has this id.
    ConflictingId = "conflicting-id", 409, "The id already belongs to another event", "Этот идентификатор уже занят другим событием", "Бұл идентификатор басқа оқиғаға берілген";
    /// Another event has this version of the precinct's roll.
    ConflictingRoll = "conflicting-roll", 409, "This version of the roll was sent before", "Эта версия списка уже отправлена", "Тізімнің бұл нұсқасы бұрын жіберілген";
    /// More conflicting ids per minute than are reported.
    TooManyConflicts = "too-many-conflicts", 429, "Too many conflicting ids", "Слишком много повторных идентификаторов", "Қайталанған идентификатор тым көп";
    /// The register does not hold the whole log yet.
    Starting = "starting", 503, "The service is starting", "Служба запускается", "Қызмет іске қосылуда";
    /// The service is being stopped.
    Stopping = "stopping", 503, "The service is stopping", "Служба останавливается", "Қызмет тоқтатылуда";
    /// More requests at once than allowed.
    Overloaded = "overloaded", 503, "Too many requests at once", "Слишком много запросов одновременно", "Бір мезгілде сұрау тым көп";
    /// The log does not accept or acknowledge events now.
    LogUnavailable = "log-unavailable", 503, "The event log does not answer", "Журнал событий не отвечает", "Оқиғалар журналы жауап бермейді";
    /// The register is too far behind the log.
    RegisterBehind = "register-behind", 503, "The register is behind the log", "Реестр отстаёт от журнала", "Тізілім журналдан қалып келеді";
    /// The server's own clock is wrong.
    ServerClock = "server-clock", 503, "The clock of the server is wrong", "Часы сервера показывают неверное время", "Сервердің сағаты қате";
    /// The campaign has no key for pseudonyms.
    KeyMissing = "key-missing", 503, "The campaign has no key", "У кампании нет ключа", "Науқанның кілті жоқ";
    /// An error of this service.
    Internal = "internal", 500, "Something went wrong here", "Внутренняя ошибка", "Ішкі қате";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_has_an_error_status_and_three_titles() {
        let mut codes: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            for language in [Language::En, Language::Ru, Language::Kk] {
                assert!(!code.title(language).is_empty() && !code.title(language).ends_with(['.', '!']));
            }
        }
    }

    #[test]
    fn the_language_with_the_highest_weight_is_selected() {
        assert_eq!(Language::of(Some("uz, kk-KZ;q=0.9, ru;q=0.8")), Language::Kk);
        assert_eq!(Language::of(Some("en;q=0.1, ru-KZ;q=0.9, kk;q=0.9")), Language::Ru);
        assert_eq!(Language::of(Some("kk;q=0, en;q=x")), Language::En);
        assert_eq!(Language::of(Some("ru")), Language::Ru);
        assert_eq!(Language::of(Some("é")), Language::En);
        assert_eq!(Language::of(None), Language::En);
    }
}
