//! The rules of the contract that types cannot express: a closed list, so that programs can match on them.

use std::fmt;

macro_rules! rules {
    ($($variant:ident = $text:literal;)*) => {
        /// A rule of the contract that types cannot express.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the text of each variant documents it")]
        pub enum Rule {
            $($variant,)*
        }

        impl Rule {
            /// All rules of the contract.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),*];

            /// The rule in English, to be printed after the JSON pointer.
            pub const fn text(self) -> &'static str {
                match self { $(Rule::$variant => $text,)* }
            }
        }
    };
}

rules! {
    PeopleMax = "must be at most 100,000";
    QuestionCount = "must be 1 to 100,000";
    EventsRequired = "must name 1 to 1,000 events";
    EventsMax = "must name at most 1,000 events";
    MembersMax = "must name at most 20 members";
    CategoriesMax = "must name at most 10 categories";
    SheetLineMin = "must be 1 or more";
    RollMax = "a precinct's roll has at most 10,000 voters";
    BirthBand = "must be 0 or the first year of a five-year band, such as 1985";
    OneOrTwoCounts = "must contain one count or two";
    OtherCounter = "must be another counter than the first";
    EligibleMax = "must be at most the smaller count";
    NobodyEligible = "must be absent or 0 if nobody_eligible is true";
    ReachedMax = "must be at most the number asked";
    ClosesBeforeOpens = "must not be before opens";
    SilenceBeforeCloses = "must be after closes";
    VoteBeforeSilence = "must be after silence_day";
    TimeZone = "must be an IANA time zone such as Asia/Almaty";
    OtherCampaign = "must equal the campaign attribute";
    OneChoice = "must have one field only";
    PlainChoice = "must be written as a string, not as an object";
    NumberFraction = "number must be whole";
    NumberSize = "number is too large";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
