//! Texts that nobody would write, made from a seed.

/// What reads the texts of a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reader {
    /// A document of this type.
    Document(&'static str),
    /// A turn of a conversation.
    Turn,
    /// A transcript, into turns.
    Transcript,
    /// Terms of memories and queries, and the normal form.
    Terms,
    /// A question, and the time that it asks for.
    Question,
    /// Two texts into one.
    Merge,
    /// A conversation, made shorter.
    Summary,
}

/// A reader, and what its texts are made of.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) reader: Reader,
    /// Parts of the format.
    fragments: &'static [&'static str],
    /// Whole texts, whose bytes are changed.
    seeds: &'static [&'static str],
}

/// Everything that is read.
pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "markdown",
        reader: Reader::Document("document"),
        fragments: MARKDOWN,
        seeds: &[
            "---\ntitle: Pay\ndate: 2026-03-04\n---\n# Pay\n\n## When\n\nWe pay monthly. This is new:\n\n- gross\n  1. net\n\n| a | b |\n|---|---|\n| 1 | |\n\n```sh\nmake\n```\n\nTerm\n: what it is\n\n[x]: http://a.example\n",
            "Travel > Cars > Mileage: We pay by the mile. We ask: - Who? - When? 1. One. 2. Two.",
        ],
    },
    Target {
        name: "html",
        reader: Reader::Document("document"),
        fragments: HTML,
        seeds: &[
            "<!doctype html><html><head><title>T</title><meta name=date content=2026-03-04></head><body><h1>A</h1><p>One &amp; two<br>three</p><ul><li>x<ul><li>y</ul></ul><table><tr><th>a<th>b<tr><td>1<td>2</table><pre><code class=language-sh>make\n</code></pre></body></html>",
        ],
    },
    Target {
        name: "chat",
        reader: Reader::Document("ai-chat-conversation"),
        fragments: CHAT,
        seeds: &["User: hi there\nAssistant: **Hello**\n- a\n- b\n[2026-01-02 10:00] Dana: yes\n"],
    },
    Target {
        name: "mail",
        reader: Reader::Document("email"),
        fragments: MAIL,
        seeds: &[
            "From: \"Kim, Dana\" <d@a.example>\nTo: Bo\nDate: Tue, 3 Mar 2026 12:00:00 +0000\nSubject: Re: Pay\n\nHi Bo,\n\nwe pay more. See below.\n\nBest,\nDana\n\nOn Tue, Mar 3, 2026 at 10:05 AM Bo <b@a.example> wrote:\n> Do we?\n>> Yes.\n\n-----Original Message-----\nFrom: X\nSent: 2026-03-01\nSubject: y\n\nz\n",
        ],
    },
    Target {
        name: "minutes",
        reader: Reader::Document("meeting-transcript"),
        fragments: MINUTES,
        seeds: &[
            "Sync\nDate: March 3, 2026\nAttendees: Dana, Bo\n\nDecisions:\n- ship\n\n[00:12:03] Dana: We ship.\nBo (10:32 AM)\nI agree.\n",
            "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Dana>We <i>ship</i></v>\n\n00:00:03.000 --> 00:00:04.000\nBo: yes\n",
        ],
    },
    Target {
        name: "json",
        reader: Reader::Document("ai-chat-conversation"),
        fragments: JSON,
        seeds: &[
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi \u00e9"}],"timestamp":1700000000},{"role":"assistant","content":"ok"}],"meta":{"a":[1,{"b":null}]}}"#,
            "{\"role\":\"user\",\"content\":\"hi\"}\n{\"role\":\"user\",\"content\":\"you\"}\n",
        ],
    },
    Target {
        name: "turn",
        reader: Reader::Turn,
        fragments: MARKDOWN,
        seeds: &["I moved to Porto. She likes it there, and so do I.\n\n- one\n- two"],
    },
    Target {
        name: "transcript",
        reader: Reader::Transcript,
        fragments: MINUTES,
        seeds: &["User: hi\nAssistant: hello\n[10:02] <dana> yes\nDana Kim  10:02 AM\nwell\n"],
    },
    Target {
        name: "terms",
        reader: Reader::Terms,
        fragments: WORDS,
        seeds: &["Who's the owner of C++ & .NET in São Paulo? 東京 3.5% user@example.com"],
    },
    Target {
        name: "dates",
        reader: Reader::Turn,
        fragments: DATES,
        seeds: &[
            "Last Tuesday I met Bo; we fly on May 3rd, 2026 at 7:30 am, from 3 to 7 June, or by the end of Q2. Every other Monday until 31/12/99.",
        ],
    },
    Target {
        name: "query",
        reader: Reader::Question,
        fragments: DATES,
        seeds: &[
            "When did Dana's sister visit us between May 2 and May 7, 2023, and how long ago was last summer?",
        ],
    },
    Target {
        name: "merge",
        reader: Reader::Merge,
        fragments: WORDS,
        seeds: &["She lives in Lisbon. She likes tea. She lives in Porto. She does not like tea."],
    },
    Target {
        name: "summary",
        reader: Reader::Summary,
        fragments: WORDS,
        seeds: &["We decided to ship.\nI prefer tea.\nOk.\nThe budget is 5 k."],
    },
];

const MARKDOWN: &[&str] = &[
    "# ",
    "## a\n",
    "###### ",
    "- ",
    "  - ",
    "* a\n",
    "1. ",
    "12) x\n",
    "> ",
    ">",
    "| a ",
    "|---",
    "|\n",
    "\n",
    "\n\n",
    "```\n",
    "~~~\n",
    "`",
    "**",
    "*",
    "__",
    "_a",
    "[",
    "](",
    "]: ",
    "![",
    "[^1]",
    "[^1]: ",
    "<b>",
    "</p>",
    "<!--",
    "-->",
    "&amp;",
    "\\",
    "---\n",
    "+++\n",
    "===\n",
    "    ",
    "\t",
    ": ",
    "a\n: b\n",
    "Dana is here. ",
    "She ",
    "It ",
    "word ",
    "A > B: ",
    " - Who",
    "1. One. ",
    "CAPITALS HERE\n\n",
    "2.1 Title\n\n",
    "Decisions:\n",
    "🎉",
    "e\u{301}",
    "\u{202e}אב",
    "\u{0}",
    "\u{7}",
    "\r\n",
    "猫。",
    "http://a.example ",
    "[x] ",
    "…",
    "'",
    "\"",
];
const HTML: &[&str] = &[
    "<div>",
    "</div>",
    "<p>",
    "<b",
    "<table>",
    "<tr>",
    "<td>",
    "<th>",
    "</table>",
    "</tr>",
    "<ul>",
    "<ol>",
    "<li>",
    "</ul>",
    "</li>",
    "<h1>",
    "</h1>",
    "<dl><dt>",
    "<dd>",
    "<pre>",
    "</pre>",
    "<code class=\"language-x\">",
    "<blockquote>",
    "<a href=\"http://a.example\">",
    "</a>",
    "<img alt='x y'>",
    "<br>",
    "<hr>",
    "<script>",
    "</script>",
    "<style>",
    "<svg>",
    "</svg>",
    "<!--",
    "-->",
    "<!doctype html>",
    "<html>",
    "<head>",
    "</head>",
    "<title>",
    "&amp;",
    "&#x41;",
    "&",
    "<",
    ">",
    "\"",
    "=\"",
    "'",
    "word ",
    "It is. ",
    "\n",
    "\u{0}",
    "🎉",
    "</",
    "<caption>",
    "<o:p>",
    "<html><body>",
];
const CHAT: &[&str] = &[
    "User: ",
    "Assistant: ",
    "Dana: ",
    "**User:** ",
    "## User\n",
    "[10:02] ",
    "10:02 AM - ",
    "<dana> ",
    "\n",
    "\n\n",
    "word ",
    "I like tea. ",
    "- a\n",
    "```\n",
    "System: ",
    "Dana Kim  10:02\n",
    "3/4/26, 10:02 - ",
    "[2026-01-02 10:00] ",
    "：",
    ": ",
    "\u{0}",
    "🎉",
    "Q: ",
    ">> ",
    "AI:",
    "From a to b: ",
];
const MAIL: &[&str] = &[
    "From: Dana <d@a.example>\n",
    "To: Bo\n",
    "Subject: Re: Pay\n",
    "Date: Tue, 3 Mar 2026 12:00:00 +0100\n",
    "Sent: x\n",
    "\n",
    "\n\n",
    "> ",
    ">",
    ">>> ",
    "On 2026-03-03 Bo wrote:\n",
    "On ",
    " wrote:\n",
    "Dana wrote:\n",
    "Am 03.03.2026 schrieb Bo:\n",
    "-----Original Message-----\n",
    "________\n",
    "Begin forwarded message:\n",
    "-- \n",
    "--\n",
    "Best regards,\n",
    "Dana\n",
    "Sent from my phone\n",
    "This is confidential, notify the sender. ",
    "word ",
    "It is late. ",
    "- a\n",
    "# Pay\n",
    "\r\n",
    "\u{0}",
    "🎉",
    " folded\n",
    "X-A: b\n",
    "*From:* a\n",
];
const MINUTES: &[&str] = &[
    "[00:12:03] ",
    "Dana: ",
    "Bo (10:32 AM)\n",
    "Dana Kim  0:03\n",
    "WEBVTT\n\n",
    "00:00:01.000 --> 00:00:02.000\n",
    "00:00:01,000 --> 00:00:02,000\n",
    "1\n",
    "<v Dana>",
    "</v>",
    "<",
    ">> ",
    "Attendees: Dana, Bo\n",
    "Date: March 3, 2026\n",
    "Decisions:\n",
    "Action items:\n",
    "- Dana: send it\n",
    "\n",
    "\n\n",
    "word ",
    "We ship. ",
    "User: ",
    "## User\n",
    "NOTE x\n",
    "12:30",
    "--- ",
    "\u{0}",
    "🎉",
    "|a|b|\n|-|-|\n",
    "\r\n",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\"role\":\"user\"",
    "\"content\":",
    "\"text\"",
    "\"messages\":[",
    "null",
    "1",
    "-1.5e9",
    "true",
    "\\u00e9",
    "\\ud800",
    "\\\\",
    "{\"a\":",
    "{\"role\":\"user\",\"content\":\"hi\"}",
    "\n",
    " ",
    "\"k\":{",
    "\"timestamp\":17",
    "🎉",
    "\u{0}",
    "\"type\":\"image\"",
    "[]",
    "{}",
];
const WORDS: &[&str] = &[
    "word ",
    "words ",
    "She ",
    "lives in Porto. ",
    "does not ",
    "like tea. ",
    "C++ ",
    "a-b_c.d",
    "user@a.example ",
    "東京",
    "猫。",
    "e\u{301}",
    "\u{202e}אב ",
    "كيف",
    "🎉",
    "👩\u{200d}👩\u{200d}👧",
    "\u{0}",
    "\n",
    "\n- ",
    "...",
    "!?",
    "'",
    "’s ",
    "3.5% ",
    "10,000 ",
    "ﬁ",
    "İ",
    "ß",
    "ǆ",
    "Dr. ",
    "e.g. ",
    "every ",
    "We decided to ",
    "I prefer ",
    "\u{feff}",
    "\u{ad}",
];
const DATES: &[&str] = &[
    "last ",
    "next ",
    "this ",
    "every ",
    "every other ",
    "ago ",
    "in ",
    "on ",
    "by ",
    "until ",
    "since ",
    "from ",
    "to ",
    "between ",
    "and ",
    "around ",
    "early ",
    "the end of ",
    "Tuesday ",
    "Mon",
    "May ",
    "February ",
    "30 ",
    "29th ",
    "3rd",
    "31/12/99 ",
    "2026-02-30 ",
    "0000-00-00",
    "9999-12-31T23:59:60Z ",
    "12:60 ",
    "7am ",
    "noon ",
    "Q2 ",
    "Q9 ",
    "2024 ",
    "99999999999 ",
    "a few ",
    "two ",
    "hundred ",
    "million ",
    "days ",
    "weeks ",
    "fortnight ",
    "months ",
    "years ",
    "centuries ",
    "weekend ",
    "summer ",
    "yesterday ",
    "today ",
    "the day before ",
    "Easter ",
    "when ",
    "how long ",
    "what date ",
    "word ",
    ", ",
    ". ",
    "-",
    "/",
    "'s ",
    "明日",
    "🎉",
    "\u{0}",
    "\n",
];

/// Pseudo-random numbers (`SplitMix64`, public domain): the same from the same seed on every machine.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}

/// The text of a seed.
pub(super) fn text(target: &Target, random: &mut Random) -> String {
    let bytes_max = match random.below(60) {
        0 => 64 * 1024,
        1..=6 => 8 * 1024,
        _ => 1 + random.below(1_000),
    };
    match random.below(6) {
        0 => repeated(target, random, bytes_max),
        1 => nested(target, random, bytes_max),
        2 | 3 => changed(target, random),
        4 => {
            let head = random.pick(target.seeds).to_owned();
            head + &mixed(target, random, bytes_max)
        }
        _ => mixed(target, random, bytes_max),
    }
}

fn mixed(target: &Target, random: &mut Random, bytes_max: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes_max {
        text.push_str(random.pick(target.fragments));
    }
    text
}

/// One or two fragments, again and again.
fn repeated(target: &Target, random: &mut Random, bytes_max: usize) -> String {
    let mut unit = String::new();
    for _ in 0..=random.below(3) {
        unit.push_str(random.pick(target.fragments));
    }
    let head = random.pick(target.fragments);
    let tail = random.pick(target.fragments);
    format!("{head}{}{tail}", unit.repeat(bytes_max / unit.len().max(1)))
}

/// Lines that go deeper and deeper.
fn nested(target: &Target, random: &mut Random, bytes_max: usize) -> String {
    let opens = random.pick(target.fragments).trim_end_matches('\n');
    let said = random.pick(target.fragments);
    let mut text = String::new();
    let mut depth = 1;
    while text.len() < bytes_max {
        text.push_str(&opens.repeat(depth));
        text.push_str(said);
        text.push('\n');
        depth += 1 + random.below(3);
    }
    text
}

/// A seed with bytes changed, taken out, doubled, and fragments put in.
fn changed(target: &Target, random: &mut Random) -> String {
    let mut bytes = random.pick(target.seeds).as_bytes().to_vec();
    for _ in 0..=random.below(12) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 => {
                let byte = u8::try_from(random.below(256)).unwrap_or(0);
                bytes.insert(at, byte);
            }
            1 => bytes.truncate(at.max(1)),
            2 => {
                let end = (at + random.below(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                let part: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let part = random.pick(target.fragments).bytes();
                bytes.splice(at..at, part);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
