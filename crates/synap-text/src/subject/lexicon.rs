//! Choices that exclude each other: data only. Who prefers one of a dimension's values does not prefer another of it.

/// One thing that is chosen.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: &'static str,
    /// What the choice is for anyhow, as stems: "email" and "email for updates" are one choice.
    pub(super) native: &'static str,
    /// The values, each with its spellings: `a|b` are one value, `_` stands between two words.
    pub(super) values: &'static [&'static str],
}

const fn dimension(
    name: &'static str,
    native: &'static str,
    values: &'static [&'static str],
) -> Dimension {
    Dimension {
        name,
        native,
        values,
    }
}

/// Stems of what answers are called.
const ANSWERS: &str = "answer repli respons explan messag text write style output";

/// All dimensions; longer spellings of a value stand first.
pub(super) const DIMENSIONS: &[Dimension] = &[
    dimension(
        "channel",
        "updat contact commun messag notif correspond news repli respons status channel",
        &[
            "email|emails|e-mail|e-mails|mail",
            "slack",
            "microsoft_teams|ms_teams|teams",
            "phone_calls|phone_call|phone|calls|telephone",
            "text_messages|text_message|sms|texts|texting",
            "whatsapp",
            "telegram",
            "discord",
            "letter|letters|post",
        ],
    ),
    dimension(
        "theme",
        "interfac ui app applic dashboard theme screen display appear",
        &[
            "dark_mode|dark_theme|dark_themes|dark_ui|dark_interface",
            "light_mode|light_theme|light_themes|light_ui|light_interface",
        ],
    ),
    dimension(
        "hot drink",
        "drink beverag",
        &["coffee|espresso", "tea|teas"],
    ),
    dimension(
        "seat",
        "seat flight plane fli",
        &[
            "aisle_seats|aisle_seat|aisle",
            "window_seats|window_seat|window",
        ],
    ),
    dimension(
        "time of day",
        "",
        &[
            "morning|mornings",
            "afternoon|afternoons",
            "evening|evenings",
            "night|nights",
        ],
    ),
    dimension(
        "weekday",
        "",
        &[
            "monday|mondays",
            "tuesday|tuesdays",
            "wednesday|wednesdays",
            "thursday|thursdays",
            "friday|fridays",
            "saturday|saturdays",
            "sunday|sundays",
        ],
    ),
    dimension(
        "language",
        "languag answer repli respons commun messag speak write support convers email",
        &[
            "english",
            "german",
            "french",
            "spanish",
            "italian",
            "portuguese",
            "dutch",
            "polish",
            "russian",
            "chinese|mandarin",
            "japanese",
            "korean",
            "arabic",
            "hindi",
        ],
    ),
    dimension(
        "units",
        "unit measur distanc system",
        &["metric", "imperial"],
    ),
    dimension(
        "temperature",
        "temperatur degre unit",
        &["celsius", "fahrenheit"],
    ),
    dimension(
        "clock",
        "time clock format",
        &["24-hour|24h|24_hour", "12-hour|12h|12_hour"],
    ),
    dimension(
        "length",
        ANSWERS,
        &[
            "short|concise|brief|terse",
            "long|detailed|verbose|thorough|in-depth",
        ],
    ),
    dimension(
        "tone",
        "tone languag answer repli respons messag write style commun",
        &["formal", "informal|casual"],
    ),
    dimension(
        "format",
        ANSWERS,
        &[
            "bullet_points|bullet_lists|bullets|bulleted_lists",
            "paragraphs|prose|full_sentences|plain_text",
            "tables",
        ],
    ),
    dimension(
        "presence",
        "",
        &[
            "remote|remotely|online|virtual|virtually|video_calls",
            "in-person|in_person|onsite|on-site|face-to-face",
        ],
    ),
    dimension("indentation", "indent code", &["tabs", "spaces"]),
    dimension(
        "editor",
        "editor code ide",
        &["vim|neovim", "emacs", "vscode|vs_code", "intellij"],
    ),
    dimension(
        "database",
        "databas",
        &["postgresql|postgres", "mysql", "sqlite", "mongodb"],
    ),
    dimension(
        "programming language",
        "languag code program",
        &[
            "python",
            "rust",
            "java",
            "javascript",
            "typescript",
            "golang",
            "kotlin",
            "ruby",
        ],
    ),
    dimension(
        "operating system",
        "oper system laptop os",
        &["linux|ubuntu", "macos|mac", "windows"],
    ),
    dimension(
        "frequency",
        "",
        &[
            "daily",
            "weekly",
            "monthly",
            "quarterly",
            "yearly|annual|annually",
        ],
    ),
    dimension(
        "payment",
        "pay payment",
        &[
            "credit_card|credit_cards|card",
            "bank_transfer|wire_transfer",
            "paypal",
            "cash",
        ],
    ),
    dimension(
        "transport",
        "travel trip transport",
        &[
            "train|trains",
            "plane|planes|flying|flights",
            "car|cars|driving",
            "bus|buses",
        ],
    ),
    dimension(
        "lodging",
        "stay accommod lodg",
        &[
            "hotel|hotels",
            "hostel|hostels",
            "apartment|apartments|airbnb",
        ],
    ),
    dimension(
        "landscape",
        "holiday vacat",
        &["beach|beaches|seaside", "mountains|mountain"],
    ),
];

/// Countries: who lives in one may live in a city of it.
pub(super) const COUNTRIES: &str = "argentina australia austria belgium brazil canada chile china colombia denmark egypt england finland \
    france germany greece hungary india indonesia ireland israel italy japan kenya korea malaysia mexico morocco \
    netherlands nigeria norway pakistan peru philippines poland portugal romania russia scotland singapore spain sweden \
    switzerland taiwan thailand tunisia turkey uk ukraine usa us vietnam wales europe asia africa america california \
    texas bavaria catalonia ontario florida";
