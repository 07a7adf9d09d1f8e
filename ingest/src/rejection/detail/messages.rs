//! The table of all messages: what is wrong and how to correct it, in English, Russian and Kazakh.

use super::Pointers;
use crate::rejection::Language;

details! {
    // Requests.
    SeeAddresses = "The addresses are listed at /v1/openapi.json.",
        "Список адресов: /v1/openapi.json.",
        "Мекенжайлар тізімі: /v1/openapi.json.";
    SeeMethods = "The methods are listed at /v1/openapi.json.",
        "Список методов: /v1/openapi.json.",
        "Әдістер тізімі: /v1/openapi.json.";
    OnErrorValues = "The only parameter is on_error, which is keep-good or all-or-nothing.",
        "Единственный параметр — on_error, его значения: keep-good или all-or-nothing.",
        "Жалғыз параметр — on_error, оның мәні keep-good немесе all-or-nothing.";
    StreamKeepsGood = "A stream stores every valid event. To store either all events or none, send a batch.",
        "Поток сохраняет все верные события. Чтобы сохранить либо все события, либо ни одного, отправьте пакет.",
        "Ағын барлық дұрыс оқиғаны сақтайды. Не бәрі сақталып, не бірде-бірі сақталмауы үшін топтама жіберіңіз.";
    NoParameters = "This address takes no parameters.",
        "Этот адрес не принимает параметров.",
        "Бұл мекенжай параметр қабылдамайды.";
    MediaTypes = "Send application/cloudevents+json (one event), application/cloudevents-batch+json (an array), application/x-ndjson (one event per line), or application/json (one event or an array).",
        "Отправьте application/cloudevents+json (одно событие), application/cloudevents-batch+json (массив), application/x-ndjson (по событию в строке) или application/json (одно событие или массив).",
        "application/cloudevents+json (бір оқиға), application/cloudevents-batch+json (массив), application/x-ndjson (әр жолда бір оқиға) немесе application/json (бір оқиға не массив) жіберіңіз.";
    RollMediaTypes = "Send application/x-ndjson, one roll per line.",
        "Отправьте application/x-ndjson, по одному списку в строке.",
        "application/x-ndjson жіберіңіз, әр жолда бір тізім.";
    Encodings = "Send the body as it is, or compressed with gzip or zstd.",
        "Отправьте тело запроса без сжатия или сжатым в gzip или zstd.",
        "Сұрау денесін сол күйінде немесе gzip не zstd арқылы сығып жіберіңіз.";
    EncodedTwice = "Compress the body only once.",
        "Сожмите тело запроса только один раз.",
        "Сұрау денесін бір рет қана сығыңыз.";
    HostMissing = "Send one Host header that names this service.",
        "Отправьте один заголовок Host с именем этой службы.",
        "Осы қызметтің атауы бар бір Host тақырыбын жіберіңіз.";
    HostUnknown = "The Host header gives a name that this service does not know. Its operator can add the name to http.hosts.",
        "В заголовке Host указано имя, которого служба не знает. Оператор может добавить имя в http.hosts.",
        "Host тақырыбындағы атауды бұл қызмет білмейді. Оператор атауды http.hosts тізіміне қоса алады.";
    BodyMax { bytes: usize } = "The limit is {bytes} bytes. Send less at once, or a stream of lines.",
        "Предел — {bytes} байт. Отправляйте меньшими частями или потоком строк.",
        "Шегі — {bytes} байт. Бөліп жіберіңіз немесе жолдар ағынымен жіберіңіз.";
    StreamMax { bytes: u64 } = "A stream may have at most {bytes} bytes. Send the rest in another one.",
        "В потоке может быть не больше {bytes} байт. Остальное отправьте другим потоком.",
        "Ағын ең көбі {bytes} байт болады. Қалғанын басқа ағынмен жіберіңіз.";
    GapMax { blank: usize, long: usize } = "Between two events there may be at most {blank} bytes of blank lines and {long} bytes of lines that are too long. Leave them out and send the rest again.",
        "Между двумя событиями может быть не больше {blank} байт пустых строк и {long} байт слишком длинных строк. Уберите их и отправьте остальное ещё раз.",
        "Екі оқиғаның арасындағы бос жолдар {blank} байттан, тым ұзын жолдар {long} байттан аспауы керек. Оларды алып тастап, қалғанын қайта жіберіңіз.";
    BatchMax { events: usize } = "A batch may hold at most {events} events. Send several batches, or a stream of lines.",
        "В пакете может быть не больше {events} событий. Отправьте несколько пакетов или поток строк.",
        "Топтамада ең көбі {events} оқиға болады. Бірнеше топтама немесе жолдар ағынын жіберіңіз.";
    EventMax { bytes: usize } = "One event may have at most {bytes} bytes as sent.",
        "Одно событие может занимать не больше {bytes} байт.",
        "Бір оқиға ең көбі {bytes} байт болады.";
    RecordMax { bytes: usize } = "An event may have at most {bytes} bytes in the log. Send less in one event.",
        "Событие может занимать в журнале не больше {bytes} байт. Сделайте событие меньше.",
        "Журналда оқиға ең көбі {bytes} байт болады. Оқиғаны кішірейтіңіз.";
    BodyCutOff = "The body ended before its announced end. Send it again.",
        "Тело запроса оборвалось. Отправьте его ещё раз.",
        "Сұрау денесі үзіліп қалды. Қайта жіберіңіз.";
    CompressionCutOff = "The compressed body ends before its end mark. Send all of it.",
        "Сжатое тело запроса обрывается до своего конца. Отправьте его целиком.",
        "Сығылған сұрау денесі соңына жетпей үзілген. Толық жіберіңіз.";
    CompressionDamaged = "The body cannot be decompressed to its end. Send whole gzip members or zstd frames with a window of at most 8 MiB, and nothing else.",
        "Тело запроса не удаётся распаковать до конца. Отправьте целые части gzip или кадры zstd с окном до 8 МиБ и ничего больше.",
        "Сұрау денесі соңына дейін ашылмайды. Тек толық gzip бөліктерін немесе терезесі 8 МиБ-тан аспайтын zstd кадрларын жіберіңіз.";
    PermitRevoked = "The request was interrupted because other clients were waiting. Send it again soon.",
        "Приём запроса прерван, потому что ждали другие клиенты. Отправьте его ещё раз чуть позже.",
        "Басқа клиенттер күтіп тұрғандықтан, сұрауды қабылдау үзілді. Сәл кейінірек қайта жіберіңіз.";
    TooManyRefused = "More lines are refused than an answer can list. Correct the listed ones and send the rest again.",
        "Отклонено больше строк, чем помещается в ответ. Исправьте перечисленные и отправьте остальное ещё раз.",
        "Қабылданбаған жолдар жауапқа сыймайды. Тізімдегілерін түзетіп, қалғанын қайта жіберіңіз.";
    BodySlow = "The body did not come in time. Send it again, in smaller parts if the connection is slow.",
        "Тело запроса не успело прийти. Отправьте его ещё раз; при медленной связи — меньшими частями.",
        "Сұрау денесі уақытында келмеді. Қайта жіберіңіз; байланыс баяу болса, бөліп жіберіңіз.";
    Utf8 { byte: usize } = "Byte {byte} (counted from 0) begins no UTF-8 character. Send UTF-8.",
        "Байт {byte} (счёт с 0) не начинает символ UTF-8. Отправьте текст в UTF-8.",
        "{byte}-байт (0-ден санағанда) UTF-8 таңбасын бастамайды. Мәтінді UTF-8 кодтауымен жіберіңіз.";

    // The service.
    Starting = "The service is still reading the event log. Try again soon.",
        "Служба ещё читает журнал событий. Повторите чуть позже.",
        "Қызмет оқиғалар журналын оқып жатыр. Сәл кейінірек қайталаңыз.";
    Stopping = "Send the same events, with the same ids, to the next instance of the service.",
        "Отправьте те же события с теми же идентификаторами следующему экземпляру службы.",
        "Сол оқиғаларды сол идентификаторлармен қызметтің келесі данасына жіберіңіз.";
    Overloaded = "The service is handling as many requests as it can. Try again soon.",
        "Сейчас выполняется предельное число запросов. Повторите чуть позже.",
        "Қазір сұраулардың ең көп саны орындалуда. Сәл кейінірек қайталаңыз.";
    LogRefuses = "The event log does not take events now. Send them again later, with the same ids.",
        "Журнал событий сейчас не принимает записи. Отправьте события позже с теми же идентификаторами.",
        "Оқиғалар журналы қазір жазба қабылдамайды. Оқиғаларды кейінірек сол идентификаторлармен жіберіңіз.";
    Unacknowledged = "The log has not confirmed all events. Send the same events again after a while, with the same ids.",
        "Журнал подтвердил не все события. Отправьте те же события немного позже с теми же идентификаторами.",
        "Журнал оқиғалардың бәрін растаған жоқ. Сол оқиғаларды сәл кейінірек сол идентификаторлармен қайта жіберіңіз.";
    RegisterBehind = "The register has not yet read all of the log. Send the events again later.",
        "Реестр ещё не дочитал журнал. Отправьте события позже.",
        "Тізілім журналды әлі толық оқыған жоқ. Оқиғаларды кейінірек жіберіңіз.";
    KeyMissing = "The operator of this service has to restore the campaign's key in pseudonym.key_dir or, for a new campaign, to start it once with pseudonym.create. Send the events again then.",
        "Оператор службы должен восстановить ключ кампании в pseudonym.key_dir или, если кампания новая, один раз запустить службу с pseudonym.create. После этого отправьте события ещё раз.",
        "Қызмет операторы науқан кілтін pseudonym.key_dir ішіне қайтаруы немесе науқан жаңа болса, қызметті бір рет pseudonym.create арқылы іске қосуы керек. Содан кейін оқиғаларды қайта жіберіңіз.";
    Internal = "Send the same events again later. Tell the operator the number in `instance`.",
        "Отправьте те же события позже. Сообщите оператору номер из `instance`.",
        "Сол оқиғаларды кейінірек жіберіңіз. Операторға `instance` нөмірін айтыңыз.";
    NothingStoredFrom { line: u64 } = "From line {line} on, storage is not confirmed.",
        "Начиная со строки {line} сохранение не подтверждено.",
        "{line}-жолдан бастап сақталғаны расталмаған.";

    // JSON.
    JsonEnded = "The JSON ends too early.",
        "JSON обрывается.",
        "JSON аяқталмай қалған.";
    JsonSyntax { line: usize, column: usize } = "The JSON is wrong at line {line}, byte {column}.",
        "Ошибка в JSON: строка {line}, байт {column}.",
        "JSON қатесі: {line}-жол, {column}-байт.";
    JsonValue = "The JSON holds a number or an escape that JSON does not allow.",
        "В JSON есть число или экранирование, которых JSON не допускает.",
        "JSON ішінде рұқсат етілмеген сан немесе экрандау бар.";
    JsonDeep = "No event is nested deeper than a few levels.",
        "Ни одно событие не имеет такой вложенности.",
        "Ешбір оқиға мұнша терең қабаттаспайды.";
    OneObject = "An event is one JSON object in braces.",
        "Событие — это один объект JSON в фигурных скобках.",
        "Оқиға — жүйелі жақшадағы бір JSON нысаны.";
    ArrayOfEvents = "A batch is one JSON array of events in square brackets.",
        "Пакет — это один массив JSON с событиями в квадратных скобках.",
        "Топтама — тік жақшадағы оқиғалардың бір JSON массиві.";
    GivenTwice = "The field occurs twice in its object. Keep one.",
        "Поле указано в объекте дважды. Оставьте одно.",
        "Өріс нысанда екі рет көрсетілген. Біреуін қалдырыңыз.";

    // Attributes.
    AttributeMissing { name: &'static str } = "The attribute {name} is missing.",
        "Нет атрибута {name}.",
        "{name} атрибуты жоқ.";
    AttributeName = "Attribute names have only a-z and 0-9, such as recordedtime. Fields of the event belong in data.",
        "В именах атрибутов бывают только a-z и 0-9, например recordedtime. Поля события помещаются в data.",
        "Атрибут атауында тек a-z пен 0-9 болады, мысалы, recordedtime. Оқиға өрістері data ішінде тұрады.";
    AttributeEncoding = "The header is not percent-encoded UTF-8.",
        "Заголовок не является текстом UTF-8 в процентном кодировании.",
        "Тақырып пайыздық кодталған UTF-8 мәтіні емес.";
    SpecVersion = "specversion must be 1.0.",
        "specversion должно быть 1.0.",
        "specversion 1.0 болуы керек.";
    ServerHashes = "Leave bodyhash out: the server computes it.",
        "Уберите bodyhash: его вычисляет сервер.",
        "bodyhash атрибутын алып тастаңыз: оны сервер есептейді.";
    ServerStamps = "Leave receivedtime out: the server stamps it. Only a campaign configured as synthetic may simulate the clock.",
        "Уберите receivedtime: время ставит сервер. Задавать время можно только в синтетической кампании.",
        "receivedtime атрибутын алып тастаңыз: уақытты сервер қояды. Уақытты тек синтетикалық науқанда беруге болады.";
    DataIsJson = "The data of an event is JSON: datacontenttype must be application/json or absent.",
        "Данные события — JSON: datacontenttype должно быть application/json или отсутствовать.",
        "Оқиға деректері — JSON: datacontenttype application/json болуы немесе болмауы керек.";
    DataOnce = "Send data or data_base64, not both.",
        "Отправьте data или data_base64, но не оба сразу.",
        "data немесе data_base64 жіберіңіз, екеуін бірге емес.";
    Base64 = "data_base64 must be the Base64 form of JSON.",
        "data_base64 должно содержать JSON в кодировке Base64.",
        "data_base64 ішінде Base64 түріндегі JSON болуы керек.";
    TypeUnknown = "There is no such event type. Types look like qamtu.meeting.held.v1.",
        "Такого типа события нет. Пример типа: qamtu.meeting.held.v1.",
        "Мұндай оқиға түрі жоқ. Түр мысалы: qamtu.meeting.held.v1.";
    TypeNamed { name: String } = "There is no event type {name}. Types look like qamtu.meeting.held.v1.",
        "Типа события {name} нет. Пример типа: qamtu.meeting.held.v1.",
        "{name} деген оқиға түрі жоқ. Түр мысалы: qamtu.meeting.held.v1.";
    TypeVersions { kind: &'static str, latest: u16 } = "{kind} has versions v1 to v{latest}.",
        "У {kind} есть версии от v1 до v{latest}.",
        "{kind} нұсқалары: v1–v{latest}.";
    TypeRoll = "Send other events to /v1/events.",
        "Остальные события отправляйте на /v1/events.",
        "Өзге оқиғаларды /v1/events мекенжайына жіберіңіз.";

    // Fields and values.
    FieldMissing { name: &'static str } = "The field {name} is missing.",
        "Нет поля {name}.",
        "{name} өрісі жоқ.";
    FieldUnknown { known: String } = "There is no such field. Fields here: {known}.",
        "Такого поля нет. Поля здесь: {known}.",
        "Мұндай өріс жоқ. Мұндағы өрістер: {known}.";
    WriteText = "Write text in quotes here.",
        "Здесь нужен текст в кавычках.",
        "Мұнда тырнақшадағы мәтін керек.";
    WriteBoolean = "Write true or false here, without quotes.",
        "Здесь нужно true или false без кавычек.",
        "Мұнда тырнақшасыз true немесе false керек.";
    WriteWhole { most: u32 } = "Write a whole number from 0 to {most} here, without quotes.",
        "Здесь нужно целое число от 0 до {most} без кавычек.",
        "Мұнда тырнақшасыз 0 мен {most} арасындағы бүтін сан керек.";
    WriteList = "Write a list in square brackets here.",
        "Здесь нужен список в квадратных скобках.",
        "Мұнда тік жақшадағы тізім керек.";
    WriteItems { items: usize } = "Write a list of {items} values in square brackets here.",
        "Здесь нужен список из {items} значений в квадратных скобках.",
        "Мұнда тік жақшадағы {items} мәннен тұратын тізім керек.";
    WriteObject = "Write an object in braces here.",
        "Здесь нужен объект в фигурных скобках.",
        "Мұнда жүйелі жақшадағы нысан керек.";
    WriteChoice { choices: String } = "Write one of these here: {choices}.",
        "Здесь нужно одно из значений: {choices}.",
        "Мұнда мына мәндердің бірі керек: {choices}.";
    WriteOther = "Another value belongs here. See /v1/openapi.json.",
        "Здесь нужно другое значение. См. /v1/openapi.json.",
        "Мұнда басқа мән керек. /v1/openapi.json қараңыз.";
    WholeNumbers = "Write a whole number here.",
        "Здесь нужно целое число.",
        "Мұнда бүтін сан керек.";
    NumberMax = "The number is too large. Write it in digits up to 9007199254740991.",
        "Слишком большое число. Наибольшее: 9007199254740991.",
        "Сан тым үлкен. Ең үлкені: 9007199254740991.";
    Code = "A code has 1 to 48 characters of A-Z, a-z, 0-9, '-', '_' and '.', and begins with a letter or digit.",
        "Код — от 1 до 48 символов из A-Z, a-z, 0-9, «-», «_» и «.», в начале буква или цифра.",
        "Код A-Z, a-z, 0-9, «-», «_», «.» таңбаларынан тұрады: 1–48 таңба, әріптен немесе цифрдан басталады.";
    CodeNationalId = "The code holds 12 digits, which may be a national id. Choose another code.",
        "В коде 12 цифр подряд, это может быть ИИН. Выберите другой код.",
        "Кодта қатар 12 цифр бар, ол ЖСН болуы мүмкін. Басқа код таңдаңыз.";
    Uuid = "Write a UUID such as 018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10.",
        "Нужен UUID, например 018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10.",
        "UUID керек, мысалы, 018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10.";
    Kato = "A KATO code has nine digits.",
        "Код КАТО состоит из девяти цифр.",
        "КАТО коды тоғыз цифрдан тұрады.";
    Letters = "A ready pseudonym has 32 letters from a to p. To name a person yourself, send `iin` or `phone`.",
        "Готовый псевдоним — 32 буквы от a до p. Чтобы указать человека, отправьте `iin` или `phone`.",
        "Дайын бүркеншік ат — a мен p аралығындағы 32 әріп. Адамды көрсету үшін `iin` немесе `phone` жіберіңіз.";
    TextBlank = "The text is blank. Leave the field out or write something.",
        "Текст пуст. Уберите поле или напишите что-нибудь.",
        "Мәтін бос. Өрісті алып тастаңыз немесе бірдеңе жазыңыз.";
    TextLong { most: usize } = "The text is longer than {most} characters. Shorten it.",
        "Текст длиннее {most} символов. Сократите его.",
        "Мәтін {most} таңбадан ұзын. Қысқартыңыз.";
    TextControl = "The text holds a control character, such as a line break. Send one line of plain text.",
        "В тексте есть управляющий символ, например перевод строки. Отправьте одну строку обычного текста.",
        "Мәтінде басқару таңбасы бар, мысалы, жаңа жол белгісі. Бір жол қарапайым мәтін жіберіңіз.";
    TextNationalId = "The text holds 12 digits that may be a national id. Remove them.",
        "В тексте 12 цифр, это может быть ИИН. Уберите их.",
        "Мәтінде 12 цифр бар, ол ЖСН болуы мүмкін. Оны алып тастаңыз.";
    TextPhone = "The text holds what may be a phone number. Remove it, or write the extension alone.",
        "В тексте, возможно, номер телефона. Уберите его или оставьте только добавочный номер.",
        "Мәтінде телефон нөмірі болуы мүмкін. Оны алып тастаңыз немесе тек ішкі нөмірді қалдырыңыз.";
    Instant = "Write a date and time with its UTC offset, such as 2026-02-13T15:00:00+05:00.",
        "Нужны дата и время со смещением от UTC, например 2026-02-13T15:00:00+05:00.",
        "UTC-ден ығысуы көрсетілген күн мен уақыт керек, мысалы, 2026-02-13T15:00:00+05:00.";
    Date = "Write a date such as 2026-02-13.",
        "Нужна дата, например 2026-02-13.",
        "Күн керек, мысалы, 2026-02-13.";
    Years = "Dates must be in the years 2000 to 2100.",
        "Даты должны быть в пределах 2000–2100 годов.",
        "Күндер 2000–2100 жылдар аралығында болуы керек.";
    TimeZone = "Write an IANA time zone such as Asia/Almaty.",
        "Нужен часовой пояс IANA, например Asia/Almaty.",
        "IANA уақыт белдеуі керек, мысалы, Asia/Almaty.";

    // Rules of the contract.
    PeopleMax = "At most 100,000 people can be counted here.",
        "Здесь можно указать не более 100 000 человек.",
        "Мұнда ең көбі 100 000 адам көрсетіледі.";
    QuestionCount = "The number of questions is 1 to 100,000.",
        "Число вопросов — от 1 до 100 000.",
        "Сұрақтар саны — 1-ден 100 000-ға дейін.";
    EventsRequired = "Name 1 to 1,000 events by their ids.",
        "Укажите от 1 до 1000 событий по их идентификаторам.",
        "Идентификаторы бойынша 1-ден 1000-ға дейін оқиғаны көрсетіңіз.";
    EventsMax = "Name at most 1,000 events.",
        "Укажите не более 1000 событий.",
        "Ең көбі 1000 оқиғаны көрсетіңіз.";
    MembersMax = "Name at most 20 members.",
        "Укажите не более 20 членов коалиции.",
        "Ең көбі 20 коалиция мүшесін көрсетіңіз.";
    CategoriesMax = "Name at most 10 categories.",
        "Укажите не более 10 категорий.",
        "Ең көбі 10 санатты көрсетіңіз.";
    LineMin = "Lines are counted from 1.",
        "Строки нумеруются с 1.",
        "Жолдар 1-ден бастап нөмірленеді.";
    RollMax = "A precinct's roll has at most 10,000 voters.",
        "В списке участка не более 10 000 избирателей.",
        "Учаске тізімінде ең көбі 10 000 сайлаушы болады.";
    BirthBand = "Write 0 or the first year of the five years in which the person was born, such as 1985.",
        "Укажите 0 или первый год пятилетия, в которое человек родился, например 1985.",
        "0 немесе адам туған бесжылдықтың бірінші жылын жазыңыз, мысалы, 1985.";
    OneOrTwoCounts = "Send one count or two.",
        "Отправьте один или два подсчёта.",
        "Бір немесе екі санақ жіберіңіз.";
    OtherCounter = "The second count must be made by a different counter.",
        "Второй подсчёт должен сделать другой человек.",
        "Екінші санақты басқа санаушы жасауы керек.";
    EligibleMax = "eligible_minimum must be at most the smaller count.",
        "eligible_minimum не может быть больше меньшего из подсчётов.",
        "eligible_minimum санақтардың кішісінен аспауы керек.";
    NobodyEligible = "nobody_eligible says that no voter was in the room, so leave out eligible_minimum or write 0; or leave out nobody_eligible.",
        "По nobody_eligible среди пришедших не было избирателей, поэтому уберите eligible_minimum или укажите 0; либо уберите nobody_eligible.",
        "nobody_eligible бойынша келгендер арасында сайлаушы болмаған, сондықтан eligible_minimum өрісін алып тастаңыз немесе 0 жазыңыз; әйтпесе nobody_eligible өрісін алып тастаңыз.";
    ReachedMax = "The number reached must be at most the number asked.",
        "Охваченных не может быть больше, чем опрошенных.",
        "Қамтылғандар сұралғандардан көп болмауы керек.";
    ClosesBeforeOpens = "closes must not be before opens.",
        "closes не может быть раньше opens.",
        "closes күні opens күнінен бұрын болмауы керек.";
    SilenceBeforeCloses = "silence_day must be after closes.",
        "silence_day должен быть позже closes.",
        "silence_day күні closes күнінен кейін болуы керек.";
    VoteBeforeSilence = "vote_day must be after silence_day.",
        "vote_day должен быть позже silence_day.",
        "vote_day күні silence_day күнінен кейін болуы керек.";
    OtherCampaign = "campaign in data must equal the campaign attribute.",
        "campaign в data должно совпадать с атрибутом campaign.",
        "data ішіндегі campaign мен campaign атрибуты бірдей болуы керек.";
    TileMax { most: u8 } = "The number of a map row or column is at most {most}.",
        "Номер строки или столбца карты — не более {most}.",
        "Карта қатарының не бағанының нөмірі ең көбі {most}.";

    // People.
    NamePerson = "Name the person by `iin` or by `phone`: {{\"iin\": \"…\"}} or {{\"phone\": \"+7…\"}}.",
        "Укажите человека по `iin` или `phone`: {{\"iin\": \"…\"}} или {{\"phone\": \"+7…\"}}.",
        "Адамды `iin` немесе `phone` арқылы көрсетіңіз: {{\"iin\": \"…\"}} немесе {{\"phone\": \"+7…\"}}.";
    OneIdentifier = "Name the person by `iin` or by `phone`, not by both.",
        "Укажите человека либо по `iin`, либо по `phone`, но не по обоим.",
        "Адамды `iin` немесе `phone` арқылы көрсетіңіз, екеуімен бірге емес.";
    IdentifierAlone = "Beside `iin` or `phone` nothing else belongs here: the pseudonym is made by the server.",
        "Рядом с `iin` или `phone` ничего больше не нужно: псевдоним создаёт сервер.",
        "`iin` немесе `phone` қасында басқа ештеңе керек емес: бүркеншік атты сервер жасайды.";
    IdentifierQuotes = "Write the identifier in quotes: as a number it loses its leading zeros.",
        "Напишите идентификатор в кавычках: как число он теряет нули в начале.",
        "Идентификаторды тырнақшаға алыңыз: сан түрінде басындағы нөлдер жоғалады.";
    IinDigits { digits: usize } = "An IIN has 12 digits, this has {digits}. A spreadsheet that stores it as a number drops leading zeros: format the column as text.",
        "В ИИН 12 цифр, здесь {digits}. Таблица, которая хранит его как число, теряет нули в начале: задайте столбцу текстовый формат.",
        "ЖСН-де 12 цифр болады, мұнда {digits}. Кесте оны сан ретінде сақтаса, басындағы нөлдер жоғалады: бағанға мәтін пішімін беріңіз.";
    Iin = "An IIN has 12 digits, the last of which checks the others. Compare it with the document.",
        "В ИИН 12 цифр, последняя проверяет остальные. Сверьте с документом.",
        "ЖСН 12 цифрдан тұрады, соңғысы қалғандарын тексереді. Құжатпен салыстырыңыз.";
    Phone = "Write the phone number as +7 and ten digits, or as + and the country's code.",
        "Напишите номер телефона как +7 и десять цифр или как + и код страны.",
        "Телефон нөмірін +7 және он цифр немесе + және ел коды түрінде жазыңыз.";
    NumberLong = "The number is too long. Check it.",
        "Номер слишком длинный. Проверьте его.",
        "Нөмір тым ұзын. Оны тексеріңіз.";
    RollStrong = "The roll is stated to be strong, so every line needs an `iin`.",
        "Список заявлен как strong, поэтому в каждой строке нужен `iin`.",
        "Тізім strong деп көрсетілген, сондықтан әр жолда `iin` керек.";
    RollWeak = "The roll is stated to be weak, so every line needs a `phone`. A roll of national ids is strong.",
        "Список заявлен как weak, поэтому в каждой строке нужен `phone`. Список по ИИН — strong.",
        "Тізім weak деп көрсетілген, сондықтан әр жолда `phone` керек. ЖСН тізімі — strong.";
    HeadcountsOnly = "Attendance at this meeting would reveal belief, origin or health. Send a headcount instead.",
        "Список участников этой встречи раскрыл бы вероисповедание, происхождение или состояние здоровья. Отправьте подсчёт людей.",
        "Бұл кездесуге қатысушылар тізімі олардың діни сенімін, шыққан тегін немесе денсаулығын білдіріп қояды. Оның орнына адам санын жіберіңіз.";

    // The campaign and its reference data.
    CampaignUnknown { name: String } = "There is no campaign {name}. Publish the campaign file first.",
        "Кампании {name} нет. Сначала опубликуйте файл кампании.",
        "{name} науқаны жоқ. Алдымен науқан файлын жариялаңыз.";
    CampaignHidden = "There is no such campaign. Publish the campaign file first.",
        "Такой кампании нет. Сначала опубликуйте файл кампании.",
        "Мұндай науқан жоқ. Алдымен науқан файлын жариялаңыз.";
    SyntheticFixed = "Begin another campaign instead.",
        "Начните другую кампанию.",
        "Басқа науқан бастаңыз.";
    CodeUnknown { code: String } = "The campaign does not know {code}. Correct the code, or define it first.",
        "В кампании нет кода {code}. Исправьте его или сначала добавьте.",
        "Науқанда {code} коды жоқ. Кодты түзетіңіз немесе алдымен қосыңыз.";
    CodeHidden = "The campaign does not know this code. Correct it, or define it first.",
        "В кампании нет такого кода. Исправьте его или сначала добавьте.",
        "Науқанда мұндай код жоқ. Оны түзетіңіз немесе алдымен қосыңыз.";
    Future = "This time is more than a day after the event was received. Check the date.",
        "Это время более чем на сутки позже получения. Проверьте дату.",
        "Бұл уақыт қабылданған сәттен бір тәуліктен астам кейін. Күнін тексеріңіз.";
    RecordedEarly = "This is more than a day before time. An event cannot be recorded before it happens. Check the dates.",
        "Это более чем на сутки раньше time. Событие нельзя записать до того, как оно произошло. Проверьте даты.",
        "Бұл time уақытынан бір тәуліктен астам бұрын. Оқиғаны ол болғанға дейін жазу мүмкін емес. Күндерді тексеріңіз.";
    OutsideCampaign { opens: jiff::civil::Date, vote: jiff::civil::Date } = "This lies long before {opens} or after {vote}, the day of the vote. Check the date.",
        "Это задолго до {opens} или после дня голосования {vote}. Проверьте дату.",
        "Бұл {opens} күнінен әлдеқайда бұрын немесе дауыс беру күні {vote} өткеннен кейін. Күнін тексеріңіз.";
    HeldInFuture = "A meeting that begins more than a day from now cannot have been held. Check the date, or send a plan.",
        "Встреча, которая начнётся позже чем через сутки, не могла состояться. Проверьте дату или отправьте план.",
        "Бір тәуліктен астам уақыттан кейін басталатын кездесу өткен болуы мүмкін емес. Күнін тексеріңіз немесе жоспар жіберіңіз.";
    PrecinctOf { unit: String } = "This precinct lies in {unit}. Correct the unit or the precinct.",
        "Этот участок относится к {unit}. Исправьте район (город) или участок.",
        "Бұл учаске {unit} аумағына жатады. Ауданды (қаланы) немесе учаскені түзетіңіз.";
    LooksLike { other: String } = "This looks like {other}, which is known. Write {other} if that one is meant, or choose an id that differs in more than capitals, letters of another script, or spaces.",
        "Это похоже на известный {other}. Напишите {other}, если имеется в виду он, или выберите идентификатор, который отличается не только регистром, буквами другого алфавита или пробелами.",
        "Бұл белгілі {other} идентификаторына ұқсайды. Сол керек болса, {other} деп жазыңыз; болмаса бас әріптерінен, басқа әліпби әріптерінен немесе бос орындарынан басқа да айырмашылығы бар идентификатор таңдаңыз.";
    ServerClock = "The clock of this server is wrong, and nothing is accepted until its operator has set it. Send the same events again then.",
        "Часы сервера показывают неверное время, и до их исправления оператором ничего не принимается. После этого отправьте те же события ещё раз.",
        "Сервердің сағаты қате, оператор түзеткенше ештеңе қабылданбайды. Содан кейін сол оқиғаларды қайта жіберіңіз.";
    ConflictsLimited = "Too many ids were sent again with different content, and this one is not compared now. Give every event its own id.",
        "Слишком много идентификаторов пришло повторно с другим содержанием, и этот сейчас не сравнивается. Давайте каждому событию свой идентификатор.",
        "Тым көп идентификатор басқа мазмұнмен қайта келді, сондықтан бұл қазір салыстырылмайды. Әр оқиғаға өз идентификаторын беріңіз.";
    IdTaken = "An event with this id and different content was sent before. Give the new one its own id.",
        "Событие с этим идентификатором и другим содержанием уже отправлено. Дайте новому событию свой идентификатор.",
        "Осы идентификатормен мазмұны басқа оқиға бұрын жіберілген. Жаңа оқиғаға өз идентификаторын беріңіз.";
    RaiseRevision { revision: u32, pointers: Pointers } = "Revision {revision} was sent before with different content. Raise `revision` and send it under a new id. What differs: {pointers}.",
        "Ревизия {revision} уже отправлена с другим содержанием. Увеличьте `revision` и отправьте под новым идентификатором. Отличия: {pointers}.",
        "{revision}-ревизия бұрын басқа мазмұнмен жіберілген. `revision` мәнін арттырып, жаңа идентификатормен жіберіңіз. Айырмашылығы: {pointers}.";
    RollVersionTaken { version: u32 } = "Version {version} of this precinct's roll was sent before under another id. Raise `version` for a new roll; to repeat the old one, send it under its own id.",
        "Версия {version} списка этого участка уже отправлена под другим идентификатором. Для нового списка увеличьте `version`, а прежний повторяйте под его идентификатором.",
        "Осы учаске тізімінің {version}-нұсқасы басқа идентификатормен бұрын жіберілген. Жаңа тізім үшін `version` мәнін арттырыңыз, ал бұрынғысын өз идентификаторымен қайталаңыз.";
}
