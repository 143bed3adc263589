//! The patterns by which attributes are found: data only. A change here raises `TEXT_VERSION`.
//!
//! A clause starts with the pattern. `a|b` is either word; `<i>` the user as a subject, `<my>` as an owner, `<be>` am, is or
//! are; `<kin>` and `<pet>` are relations; `<name>` a capitalised word, which may be all that the value is.

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// The words to the end of the phrase.
    Phrase,
    /// The same, where it starts with a capital letter.
    Proper,
    /// A person's name: capitalised words.
    Person,
    /// A profession, known by its last word.
    Trade,
    /// An address of e-mail.
    Email,
    /// A number of a telephone.
    Phone,
    /// A date: has a number or a month.
    Date,
    /// The word that the pattern itself ended in.
    Matched,
    /// The words to the end of the phrase, after "no".
    Without,
}

/// One pattern.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) pattern: &'static str,
    pub(super) take: Take,
    /// 0 to 1, coarse.
    pub(super) sure: f32,
    /// Holds for episodes, too.
    pub(super) of_episodes: bool,
}

const fn rule(name: &'static str, sure: f32, take: Take, pattern: &'static str) -> Rule {
    Rule {
        name,
        pattern,
        take,
        sure,
        of_episodes: false,
    }
}

/// What holds on after it happened.
const fn lasting(name: &'static str, sure: f32, take: Take, pattern: &'static str) -> Rule {
    Rule {
        of_episodes: true,
        ..rule(name, sure, take, pattern)
    }
}

/// All patterns, first match first.
pub(super) const RULES: &[Rule] = &[
    rule(
        "email",
        0.9,
        Take::Email,
        "<my> email|e-mail|mail address? <be>",
    ),
    rule(
        "email",
        0.8,
        Take::Email,
        "please? email|e-mail|mail|reach|contact|write me to? at|under",
    ),
    rule(
        "phone",
        0.9,
        Take::Phone,
        "<my> phone|mobile|cell|telephone number? <be>",
    ),
    rule("phone", 0.9, Take::Phone, "<my> number <be>"),
    rule(
        "phone",
        0.8,
        Take::Phone,
        "please? call|text|reach|phone me on|at|under",
    ),
    rule("name", 0.9, Take::Person, "<my> full|first? name <be>"),
    lasting("name", 0.9, Take::Person, "<i> <be> called|named"),
    rule("name", 0.8, Take::Person, "you? can? please? call me"),
    rule("location", 0.9, Take::Proper, "<i> live|lives in"),
    rule("location", 0.9, Take::Proper, "<i> <be> living in"),
    rule("location", 0.9, Take::Proper, "<i> <be> based|located in"),
    rule("location", 0.8, Take::Proper, "<i> reside|resides in"),
    rule("location", 0.8, Take::Proper, "based in"),
    rule(
        "location",
        0.8,
        Take::Proper,
        "<my> home|hometown|location|city <be> in?",
    ),
    lasting(
        "location",
        0.8,
        Take::Proper,
        "<i> have|has? moved|relocated to",
    ),
    rule(
        "occupation",
        0.9,
        Take::Phrase,
        "<i> work|works as a|an|the",
    ),
    rule("occupation", 0.9, Take::Trade, "<i> work|works as"),
    rule(
        "occupation",
        0.9,
        Take::Phrase,
        "<i> <be> working as a|an|the",
    ),
    rule(
        "occupation",
        0.9,
        Take::Trade,
        "<my> job|occupation|profession|role|title <be> a|an|the?",
    ),
    rule("occupation", 0.8, Take::Trade, "<i> <be> a|an|the"),
    rule("employer", 0.9, Take::Proper, "<i> work|works at|for"),
    rule("employer", 0.9, Take::Proper, "<i> <be> working at|for"),
    rule(
        "employer",
        0.9,
        Take::Proper,
        "<i> <be> employed at|by|with",
    ),
    rule(
        "employer",
        0.9,
        Take::Proper,
        "<my> employer|company <be> called|named?",
    ),
    rule("timezone", 0.9, Take::Phrase, "<my> timezone <be>"),
    rule("timezone", 0.9, Take::Phrase, "<my> time zone <be>"),
    rule("timezone", 0.8, Take::Matched, "<i> <be> in|on the? <zone>"),
    rule(
        "language",
        0.9,
        Take::Proper,
        "<my> native|first|main? language <be>",
    ),
    rule("language", 0.9, Take::Proper, "<my> mother tongue <be>"),
    rule(
        "language",
        0.8,
        Take::Proper,
        "<i> speak|speaks only|fluent?",
    ),
    rule("birthday", 0.9, Take::Date, "<my> birthday <be> on|in?"),
    rule("birthday", 0.9, Take::Date, "<my> date of birth <be>"),
    lasting("birthday", 0.9, Take::Date, "<i> was born on|in"),
    rule(
        "allergy",
        0.9,
        Take::Phrase,
        "<i> <be> very|severely|highly? allergic to",
    ),
    rule(
        "allergy",
        0.9,
        Take::Phrase,
        "<i> have|has a|an <food> allergy",
    ),
    rule(
        "diet",
        0.9,
        Take::Matched,
        "<i> <be> a|an|strictly|mostly? <diet>",
    ),
    rule("diet", 0.8, Take::Without, "<i> do|does not eat"),
    lasting("family", 0.9, Take::Person, "<my> <kin> <be> called|named"),
    rule("family", 0.9, Take::Person, "<my> <kin>'s name <be>"),
    rule("family", 0.7, Take::Person, "<my> <kin> <be>?"),
    lasting(
        "family",
        0.8,
        Take::Person,
        "<i> have|has a|an|one <kin> called|named",
    ),
    lasting("pet", 0.9, Take::Person, "<my> <pet> <be> called|named"),
    rule("pet", 0.9, Take::Person, "<my> <pet>'s name <be>"),
    rule("pet", 0.7, Take::Person, "<my> <pet> <be>?"),
    lasting(
        "pet",
        0.8,
        Take::Person,
        "<i> have|has a|an|one <pet> called|named",
    ),
];

/// Words by the slots that name them.
pub(super) const SLOTS: &[(&str, &str)] = &[
    ("<be>", "am is are"),
    (
        "<kin>",
        "wife husband partner spouse fiancé fiancée girlfriend boyfriend son daughter mother father mom mum dad \
        brother sister grandmother grandfather",
    ),
    ("<pet>", "dog cat puppy kitten rabbit parrot hamster horse"),
    (
        "<zone>",
        "pst pdt pt est edt et cst cdt mst mdt gmt utc cet cest bst ist jst aest",
    ),
    (
        "<diet>",
        "vegetarian vegan pescatarian pescetarian flexitarian celiac coeliac halal kosher keto gluten-free lactose-intolerant \
        dairy-free diabetic",
    ),
    (
        "<food>",
        "nut peanut shellfish gluten lactose milk egg soy wheat pollen dust cat dog penicillin latex fish",
    ),
];

/// The last words of professions.
pub(super) const TRADES: &str = "accountant actor analyst architect artist attorney baker barista biologist carpenter chef chemist \
    cleaner clerk coach consultant contractor cook dentist designer developer director doctor driver economist editor \
    electrician engineer entrepreneur farmer firefighter freelancer gardener geologist guide hairdresser historian \
    journalist judge lawyer lecturer librarian manager mathematician mechanic musician nurse officer painter paramedic \
    pharmacist photographer physicist physiotherapist pilot plumber policeman producer professor programmer psychologist \
    publisher recruiter researcher salesman scientist secretary singer statistician student surgeon teacher technician \
    therapist trader trainer translator tutor vet veterinarian waiter waitress writer";

/// Words at which a value ends.
pub(super) const ENDS: &str = "a although and as at because but by for from here if i in it it's my nowadays now on or please right since \
    so that these this though to together too until we when where which while who with you";

/// Words that are no value though they stand where one does.
pub(super) const NO_VALUES: &str = "free fun him her myself a an anyone anything back constant everything fear home hope house it later me my night nobody \
    nothing our peace people someone something that the them there this tomorrow us weekends you your yourself";
