//! The rules by which statements are typed: data only. How a pattern is read is in `pattern.rs`, how signs are weighed in
//! `kind.rs`: emotion, preference, episode, temporal event, else fact. A change here raises `TEXT_VERSION`.

use super::word::Class;
use synap_types::MemoryType;

/// What a pattern is a sign of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Likes, wants, avoids.
    Wish,
    /// Feels.
    Feel,
    /// Only sounds like a feeling.
    Polite,
    /// A time that is past for sure.
    Past,
    /// A time that may be past or not.
    Around,
    /// A deadline, a future or a recurring time.
    Due,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) sign: Sign,
    /// 0 to 1, coarse.
    pub(super) sure: f32,
    pub(super) pattern: &'static str,
}

const fn rule(sign: Sign, sure: f32, pattern: &'static str) -> Rule {
    Rule {
        sign,
        sure,
        pattern,
    }
}

/// All rules.
pub(super) const RULES: &[Rule] = &[
    rule(
        Sign::Wish,
        0.9,
        "prefer|prefers|preferred|preference|preferences",
    ),
    rule(
        Sign::Wish,
        0.9,
        "favourite|favorite|favourites|favorites|favours|favors",
    ),
    rule(
        Sign::Wish,
        0.9,
        "likes|loves|hates|dislikes|dislike|enjoys|adores|detests",
    ),
    rule(
        Sign::Wish,
        0.9,
        "i|we|they|<name> <adverb>|<very>? like|love|hate|enjoy|adore|detest|loved|liked|hated|enjoyed",
    ),
    rule(
        Sign::Wish,
        0.9,
        "don't|doesn't|didn't <adverb>? like|love|enjoy|want",
    ),
    rule(
        Sign::Wish,
        0.9,
        "do|does|did not <adverb>? like|love|enjoy|want",
    ),
    rule(
        Sign::Wish,
        0.9,
        "would|i'd|we'd|they'd|he'd|she'd rather|prefer",
    ),
    rule(
        Sign::Wish,
        0.6,
        "would|i'd|we'd|they'd|he'd|she'd like|love",
    ),
    rule(Sign::Wish, 0.7, "wants|want|wanted"),
    rule(Sign::Wish, 0.8, "avoid|avoids|avoiding"),
    rule(Sign::Wish, 0.8, "can't|cannot stand|bear"),
    rule(Sign::Wish, 0.8, "fan of"),
    rule(Sign::Wish, 0.8, "<be> <very>? fond|keen of|on"),
    rule(
        Sign::Wish,
        0.8,
        "always|never|please|only <adverb>? \
         use|uses|send|sends|call|calls|book|books|order|orders|drinks|eats|reply|replies|write|writes",
    ),
    rule(
        Sign::Wish,
        0.7,
        "please don't|avoid|never|always|keep|stop|do",
    ),
    rule(
        Sign::Wish,
        0.8,
        "hate|love|prefer|dislike|enjoy it|when|being|to",
    ),
    rule(Sign::Wish, 0.8, "i'm|am <very>? into"),
    rule(Sign::Wish, 0.8, "he's|she's into"),
    rule(Sign::Wish, 0.7, "<name>|he|she is <very>? into"),
    rule(
        Sign::Wish,
        0.7,
        "i|<name> always|usually|never|rarely|mostly",
    ),
    rule(Sign::Wish, 0.8, "not|isn't|aren't my|his|her|their thing"),
    rule(Sign::Wish, 0.8, "not|isn't|aren't for me|him|her|us"),
    rule(Sign::Wish, 0.7, "hope|hopes|hoping|dream|dreams to|of"),
    rule(Sign::Wish, 0.7, "my|his|her|their|our|<name> dream is"),
    rule(Sign::Wish, 0.7, "i wish"),
    rule(Sign::Wish, 0.6, "<be> looking for a|an|some"),
    rule(Sign::Wish, 0.6, "is|are the best|worst"),
    rule(Sign::Wish, 0.8, "go-to"),
    rule(Sign::Wish, 0.7, "don't|doesn't eat|drink|smoke|wear"),
    rule(
        Sign::Wish,
        0.8,
        "<be> <adverb>|<very>? passionate|crazy|enthusiastic about",
    ),
    rule(Sign::Wish, 0.8, "obsessed with"),
    rule(Sign::Feel, 0.9, "<be> <adverb>|<very>? <feel>"),
    rule(Sign::Feel, 0.9, "<be> <very> <very> <feel>"),
    rule(Sign::Feel, 0.8, "<be> not <very>? <feel>"),
    rule(Sign::Feel, 0.8, "<feel> about|with|by|that|because"),
    rule(
        Sign::Feel,
        0.8,
        "make|makes|made|making me|us|him|her|them <very>? <feel>",
    ),
    rule(
        Sign::Feel,
        0.8,
        "feel|feels|felt|feeling like|a|some <feel>",
    ),
    rule(Sign::Feel, 0.8, "my|his|her|their <feel>"),
    rule(
        Sign::Feel,
        0.7,
        "i|we|he|she|they|<name> <adverb>? miss|misses|worry|worries|regret|regrets|dread|dreads|fear|fears",
    ),
    rule(Sign::Feel, 0.7, "crying|sobbing|weeping"),
    rule(
        Sign::Feel,
        0.7,
        "i|he|she|they|we|<name> feel|feels|felt <very>|<adverb>? <past>",
    ),
    rule(Sign::Feel, 0.8, "i'm feeling <very>? <past>"),
    rule(
        Sign::Polite,
        1.0,
        "happy|glad|delighted|pleased to help|assist|hear|meet|join|do|support|answer|provide",
    ),
    rule(
        Sign::Polite,
        1.0,
        "<be> sorry|afraid to|for|but|i|we|that|you",
    ),
    rule(Sign::Past, 0.9, "yesterday|ago|earlier|previously|recently"),
    rule(Sign::Past, 0.9, "last <unit>|<weekday>|<month>"),
    rule(
        Sign::Past,
        0.9,
        "last summer|winter|spring|autumn|fall|christmas|time|night|weekend",
    ),
    rule(Sign::Past, 0.8, "this morning"),
    rule(Sign::Past, 0.8, "the other day"),
    rule(Sign::Past, 0.8, "back in"),
    rule(Sign::Past, 0.7, "have|has|i've|we've|they've been to"),
    rule(Sign::Due, 0.9, "tomorrow|tonight|upcoming"),
    rule(Sign::Due, 0.9, "next <unit>|<weekday>|<month>"),
    rule(Sign::Due, 0.9, "every|each <number>? <unit>|<units>"),
    rule(
        Sign::Due,
        0.9,
        "every|each other|second|third|first|last|single|business|working <unit>|<weekday>",
    ),
    rule(Sign::Due, 0.9, "every|each <weekday>|<month>|<quarter>"),
    rule(Sign::Due, 0.9, "<weekdays>"),
    rule(
        Sign::Due,
        0.8,
        "daily|nightly|weekly|biweekly|fortnightly|monthly|quarterly|yearly|annually|hourly",
    ),
    rule(Sign::Due, 0.8, "once|twice a|an|per <unit>"),
    rule(Sign::Due, 0.9, "deadline|deadlines"),
    rule(
        Sign::Due,
        0.9,
        "due be|by|on|in? <date>|<weekday>|<month>|<number>|<quarter>|<year>",
    ),
    rule(Sign::Due, 0.9, "due by|on|in|at|before"),
    rule(
        Sign::Due,
        0.9,
        "by|before|until|till the? end|start|beginning|middle of",
    ),
    rule(
        Sign::Due,
        0.9,
        "by|before|until|till <date>|<weekday>|<month>|<quarter>|<year>|<clock>",
    ),
    rule(Sign::Due, 0.9, "by|before|until|till <number> <month>"),
    rule(
        Sign::Due,
        0.9,
        "by|before|until|till next|the|this <unit>|<weekday>",
    ),
    rule(Sign::Due, 0.9, "<month> to|through|until|till|and <month>"),
    rule(
        Sign::Due,
        0.9,
        "<weekday> to|through|until|till|and <weekday>",
    ),
    rule(Sign::Due, 0.8, "scheduled|planned for|on|at|in"),
    rule(
        Sign::Due,
        0.8,
        "will <adverb>? <be>? <past>? on|in|at <date>|<weekday>|<month>|<quarter>|<year>|<clock>",
    ),
    rule(
        Sign::Due,
        0.8,
        "expires|expire|starts|begins|ends|closes|opens|launches|renews|resumes|happens|begin|start|end \
         on|at",
    ),
    rule(
        Sign::Due,
        0.8,
        "expires|expire|starts|begins|ends|closes|opens|launches|renews|resumes|begin|start|end \
         in <month>|<year>|<quarter>|spring|summer|autumn|fall|winter",
    ),
    rule(Sign::Due, 0.7, "in|within a? <number> <units>|<unit>"),
    rule(
        Sign::Due,
        0.7,
        "in|within a? <number> of|business|working <units>",
    ),
    rule(Sign::Due, 0.7, "in|within a|an <unit>"),
    rule(Sign::Due, 0.8, "this weekend|afternoon|evening"),
    rule(Sign::Around, 0.8, "<date>"),
    rule(Sign::Around, 0.7, "<month>"),
    rule(Sign::Around, 0.7, "<weekday>"),
    rule(Sign::Around, 0.7, "<clock>"),
    rule(Sign::Around, 0.6, "<quarter>"),
    rule(Sign::Around, 0.6, "today|now"),
    rule(Sign::Around, 0.5, "this <unit>"),
    rule(Sign::Around, 0.5, "in|since|during early|late|mid? <year>"),
];

/// Headings that type what stands below them, when no rule does.
pub(super) const HEADINGS: &[(&str, MemoryType)] = &[
    ("preference", MemoryType::Preference),
    ("likes", MemoryType::Preference),
    ("deadline", MemoryType::TemporalEvent),
    ("key dates", MemoryType::TemporalEvent),
    ("calendar", MemoryType::TemporalEvent),
    ("milestones", MemoryType::TemporalEvent),
];

/// What statements are about, first match first.
pub(super) const TOPICS: &[(&str, &str)] = &[
    (
        "communication",
        "email emails e mail slack call calls phone message messages chat text texts reply \
        replies tone concise formal informal meeting meetings sms newsletter notifications \
        language answers summaries bullet",
    ),
    (
        "interface",
        "dark light mode theme font fonts layout ui dashboard screen colour color keyboard",
    ),
    (
        "food",
        "coffee tea food vegetarian vegan pizza restaurant restaurants lunch dinner breakfast \
        wine beer sushi spicy chocolate fruit pasta meat fish cooking",
    ),
    (
        "travel",
        "flight flights hotel hotels seat seats aisle window trip trips train trains airline \
        travel traveling travelling beach mountains",
    ),
    (
        "schedule",
        "morning mornings afternoon afternoons evening evenings monday mondays tuesday tuesdays \
        wednesday wednesdays thursday thursdays friday fridays weekend weekends early late",
    ),
    (
        "tools",
        "python rust java javascript typescript go editor vim emacs vscode ide database postgres \
        postgresql mysql framework library git docker kubernetes linux mac windows tabs api \
        tests code",
    ),
    (
        "entertainment",
        "music film films movie movies book books novel novels game games podcast podcasts jazz \
        chess series",
    ),
    (
        "sport",
        "football soccer tennis running hiking swimming yoga gym cycling climbing",
    ),
    (
        "health",
        "doctor dentist hospital medication medicine prescription therapy therapist allergy \
        allergic asthma surgery clinic vaccine dosage nurse diet physiotherapy pills symptoms",
    ),
    (
        "family",
        "wife husband son daughter mother father mum mom dad parents brother sister grandmother \
        grandfather kids child children baby uncle aunt cousin twins wedding married",
    ),
    (
        "finance",
        "invoice invoices payment payments refund refunds budget price prices salary tax taxes rent \
        bank insurance loan fee fees payroll",
    ),
    (
        "orders",
        "order orders delivery shipping parcel warranty return returns courier",
    ),
    (
        "education",
        "school university college exam exams thesis degree class student students teacher homework",
    ),
    (
        "home",
        "house flat apartment landlord lease kitchen furniture neighbours neighbors",
    ),
    ("pets", "dog dogs cat cats puppy kitten pet pets"),
    (
        "work",
        "remote office work working team deadline project projects deploy deploying \
        meeting standup sprint release colleague colleagues boss manager job",
    ),
];

/// Feelings and the words for them.
pub(super) const FEELINGS: &[(&str, &str)] = &[
    (
        "frustration",
        "frustrated annoyed irritated fed-up exasperated frustration",
    ),
    (
        "anger",
        "angry furious mad outraged livid anger enraged irate bitter resentful offended rage",
    ),
    (
        "happiness",
        "happy glad delighted joyful cheerful pleased thrilled ecstatic overjoyed joy elated joyous \
        merry happiness",
    ),
    ("excitement", "excited enthusiastic pumped excitement"),
    (
        "sadness",
        "sad unhappy depressed heartbroken miserable devastated upset sadness grief gloomy sorrowful tearful hopeless desperate \
        dejected",
    ),
    (
        "disappointment",
        "disappointed dissatisfied unsatisfied discouraged disappointment",
    ),
    (
        "anxiety",
        "worried anxious nervous afraid scared frightened uneasy concerned terrified anxiety panicked alarmed fearful tense \
        worry fear",
    ),
    (
        "stress",
        "stressed overwhelmed burned-out burnt-out pressured exhausted tired overworked",
    ),
    (
        "confusion",
        "confused puzzled perplexed baffled bewildered confusion",
    ),
    ("gratitude", "grateful thankful appreciative gratitude"),
    ("pride", "proud pride"),
    (
        "hope",
        "hopeful optimistic encouraged inspired motivated confident",
    ),
    (
        "satisfaction",
        "satisfied content relieved relief impressed calm relaxed peaceful",
    ),
    (
        "surprise",
        "surprised shocked amazed astonished stunned speechless surprise",
    ),
    (
        "loneliness",
        "lonely homesick isolated loneliness nostalgic",
    ),
    (
        "embarrassment",
        "embarrassed ashamed guilty jealous envious humiliated insecure shame guilt jealousy",
    ),
    ("boredom", "bored indifferent unmotivated boredom"),
];

/// Turns of phrase that say a feeling, in small letters.
pub(super) const IDIOMS: &[(&str, &str)] = &[
    ("breaks my heart", "sadness"),
    ("broke my heart", "sadness"),
    ("feeling down", "sadness"),
    ("feel down", "sadness"),
    ("it hurts that", "sadness"),
    ("it hurts to", "sadness"),
    ("fed up with", "frustration"),
    ("sick of", "frustration"),
    ("at peace", "satisfaction"),
    ("on cloud nine", "happiness"),
    ("on edge", "anxiety"),
];

/// Words by class. A word may be in several.
pub(super) const CLASSES: &[(Class, &str)] = &[
    (
        Class::Be,
        "am are be became become becomes been being feel feeling feels felt get gets getting got \
        is isn't aren't wasn't weren't look looked looks remain remained remains seem seemed \
        seems sound sounded sounds was were",
    ),
    (Class::Have, "have has had i've we've they've"),
    (
        Class::Very,
        "so very really quite pretty extremely rather too super a bit little deeply totally \
        completely incredibly more most increasingly somewhat terribly truly",
    ),
    (
        Class::Adverb,
        "also already always just finally recently really usually often still then never now \
        generally absolutely definitely successfully quickly both all sometimes once currently \
        kind truly even only",
    ),
    (
        Class::Pronoun,
        "i we he she they you who everyone somebody someone",
    ),
    (Class::Determiner, "the our my his her their a an"),
    (
        Class::Month,
        "january february april june july august september october november december",
    ),
    // Months only when capitalised.
    (
        Class::MonthShort,
        "jan feb apr jun jul aug sep sept oct nov dec",
    ),
    // Months only when capitalised inside of a sentence, or before a number.
    (Class::MonthVerb, "march may mar"),
    (
        Class::Weekday,
        "monday tuesday wednesday thursday friday saturday sunday",
    ),
    // Weekdays only when capitalised.
    (Class::WeekdayShort, "mon tue tues wed thu thur thurs fri"),
    (
        Class::Weekdays,
        "weekdays weekends mornings evenings afternoons nights mondays tuesdays wednesdays \
        thursdays fridays saturdays sundays",
    ),
    (
        Class::Unit,
        "day week month quarter year morning afternoon evening night weekend sprint summer winter \
        spring autumn season semester hour weekday birthday",
    ),
    (
        Class::Units,
        "days weeks months quarters years mornings afternoons evenings nights weekends sprints \
        summers winters springs autumns seasons semesters hours weekdays birthdays minutes \
        seconds",
    ),
    (
        Class::Number,
        "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty \
        couple few several",
    ),
    // Words in "-ed" that are mostly no verbs in the past.
    (
        Class::NotPast,
        "advanced automated based biased detailed distributed expected hundred kindred limited \
        named needed related required sacred shared supposed wicked naked united interested \
        located embed",
    ),
    // Irregular verbs in the past; those in "-ed" need no list.
    (
        Class::Past,
        "ate began became bought broke brought built came caught chose did drank drew drove fell flew \
        forgot fought found gave gone got grew held hired hit kept knew left lost made met moved \
        paid put quit ran rang rode said sang sat saw sent sold spent spoke stole swam slept stood stung swore taught threw \
        told took tried used went won wore wrote",
    ),
    // Words that start sentences with a capital and are no names.
    (
        Class::Opener,
        "a after all also always an and any as at avoid because before both but by can check do \
        does don't each every everything few finally for from given her here his how however if \
        in is it its last later let many most my never next no not note now of on once only or \
        our over please see since so some that the their then there these this those to today \
        tomorrow under until use when where which while with yes yesterday your",
    ),
    // Speakers whose likes and feelings are manners.
    (
        Class::Assistant,
        "ai assistant bot chatbot chatgpt claude gpt model system tool",
    ),
];
