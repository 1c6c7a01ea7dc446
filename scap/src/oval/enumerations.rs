//! The enumerations of OVAL, and how results combine (OVAL 5.11 specification, 5.3.6).

use crate::enumeration::enumeration;

enumeration! {
    /// `ClassEnumeration`: what a true definition says.
    Class, "OVAL class" {
        /// The system complies.
        Compliance => "compliance",
        /// The software is there.
        Inventory => "inventory",
        /// Anything else.
        Miscellaneous => "miscellaneous",
        /// A patch is missing.
        Patch => "patch",
        /// The system is vulnerable.
        Vulnerability => "vulnerability",
    }
}

enumeration! {
    /// `OperatorEnumeration`.
    Operator, "OVAL operator" {
        /// All are true.
        And => "AND",
        /// Exactly one is true.
        One => "ONE",
        /// At least one is true.
        Or => "OR",
        /// An odd number is true.
        Xor => "XOR",
    }
}

enumeration! {
    /// `CheckEnumeration`.
    Check, "OVAL check" {
        /// All satisfy.
        All => "all",
        /// At least one satisfies.
        AtLeastOne => "at least one",
        /// None satisfies.
        NoneSatisfy => "none satisfy",
        /// Exactly one satisfies.
        OnlyOne => "only one",
    }
}

enumeration! {
    /// What kind of file a `unix:file_item` is, in OpenSCAP's words.
    FileType, "type of a file" {
        /// A file with content.
        Regular => "regular",
        /// A directory.
        Directory => "directory",
        /// A symbolic link.
        Link => "symbolic link",
        /// A character device.
        CharacterSpecial => "character special",
        /// A block device.
        BlockSpecial => "block special",
        /// A named pipe.
        Fifo => "fifo",
        /// A socket.
        Socket => "socket",
    }
}

enumeration! {
    /// `SetOperatorEnumeration`.
    SetOperator, "OVAL set_operator" {
        /// What the first has and the second has not.
        Complement => "COMPLEMENT",
        /// What both have.
        Intersection => "INTERSECTION",
        /// What either has.
        Union => "UNION",
    }
}

enumeration! {
    /// `FilterActionEnumeration`.
    FilterAction, "OVAL filter action" {
        /// What satisfies the state does not count.
        Exclude => "exclude",
        /// Only what satisfies the state counts.
        Include => "include",
    }
}

enumeration! {
    /// `ArithmeticEnumeration`.
    ArithmeticOperation, "OVAL arithmetic_operation" {
        /// The sum.
        Add => "add",
        /// The product.
        Multiply => "multiply",
    }
}

enumeration! {
    /// `DateTimeFormatEnumeration`.
    DateTimeFormat, "OVAL date-time format" {
        /// `yyyymmdd`, `yyyy-mm-dd hh:mm:ss` and the like.
        YearMonthDay => "year_month_day",
        /// `mm/dd/yyyy`, `NameOfMonth, dd yyyy` and the like.
        MonthDayYear => "month_day_year",
        /// `dd/mm/yyyy` and the like.
        DayMonthYear => "day_month_year",
        /// Windows' file times.
        WinFileTime => "win_filetime",
        /// Seconds since 1970.
        SecondsSinceEpoch => "seconds_since_epoch",
        /// The Common Information Model's times.
        CimDateTime => "cim_datetime",
    }
}

enumeration! {
    /// `ExistenceEnumeration`.
    Existence, "OVAL check_existence" {
        /// All that the object names exist.
        AllExist => "all_exist",
        /// Any number, none included.
        AnyExist => "any_exist",
        /// One or more.
        AtLeastOneExists => "at_least_one_exists",
        /// None.
        NoneExist => "none_exist",
        /// Exactly one.
        OnlyOneExists => "only_one_exists",
    }
}

enumeration! {
    /// `OperationEnumeration`.
    Operation, "OVAL operation" {
        /// The same.
        Equals => "equals",
        /// Not the same.
        NotEqual => "not equal",
        /// The same, whatever the case.
        CaseInsensitiveEquals => "case insensitive equals",
        /// Not the same, whatever the case.
        CaseInsensitiveNotEqual => "case insensitive not equal",
        /// Greater.
        GreaterThan => "greater than",
        /// Less.
        LessThan => "less than",
        /// Greater or the same.
        GreaterThanOrEqual => "greater than or equal",
        /// Less or the same.
        LessThanOrEqual => "less than or equal",
        /// All bits of the one are set in the other.
        BitwiseAnd => "bitwise and",
        /// The bits of both together.
        BitwiseOr => "bitwise or",
        /// A regular expression matches.
        PatternMatch => "pattern match",
        /// A subset of a set.
        SubsetOf => "subset of",
        /// A superset of a set.
        SupersetOf => "superset of",
    }
}

enumeration! {
    /// `DatatypeEnumeration`: as what values compare.
    Datatype, "OVAL datatype" {
        /// Hexadecimal.
        Binary => "binary",
        /// `true`, `1`, `false`, `0`.
        Boolean => "boolean",
        /// `epoch:version-release` of an RPM.
        EvrString => "evr_string",
        /// `epoch:version-release` of a Debian package.
        DebianEvrString => "debian_evr_string",
        /// Version of a fileset in HP-UX.
        FilesetRevision => "fileset_revision",
        /// A number with a fraction.
        Float => "float",
        /// Version of Cisco IOS.
        IosVersion => "ios_version",
        /// A whole number.
        Int => "int",
        /// An IPv4 address or range.
        Ipv4Address => "ipv4_address",
        /// An IPv6 address or range.
        Ipv6Address => "ipv6_address",
        /// Named fields.
        Record => "record",
        /// A text.
        String => "string",
        /// Numbers with separators.
        Version => "version",
    }
}

enumeration! {
    /// `ResultEnumeration`: what came of a definition, a test or an item.
    OvalResult, "OVAL result" {
        /// It holds.
        True => "true",
        /// It does not hold.
        False => "false",
        /// Not enough was collected to tell.
        Unknown => "unknown",
        /// It went wrong.
        Error => "error",
        /// Nobody looked.
        NotEvaluated => "not evaluated",
        /// It has no meaning on this system.
        NotApplicable => "not applicable",
    }
}

impl From<bool> for OvalResult {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl OvalResult {
    /// True and false change places; all else stays.
    pub fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            other => other,
        }
    }

    /// Turns the result round where `negate` says so.
    pub fn negate_if(self, negate: bool) -> Self {
        if negate { self.negate() } else { self }
    }
}

/// How often each result occurs.
#[derive(Default)]
struct Tally([usize; 6]);

impl Tally {
    fn of(results: impl IntoIterator<Item = OvalResult>) -> Self {
        let mut tally = Self::default();
        for result in results {
            tally.0[result as usize] += 1;
        }
        tally
    }

    fn has(&self, result: OvalResult) -> bool {
        self.count(result) > 0
    }

    fn count(&self, result: OvalResult) -> usize {
        self.0[result as usize]
    }

    /// The first of error, unknown and not evaluated that occurs: what keeps a combination from being decided.
    fn undecided(&self) -> Option<OvalResult> {
        [OvalResult::Error, OvalResult::Unknown, OvalResult::NotEvaluated].into_iter().find(|r| self.has(*r))
    }

    /// Nothing decided the result either way: `decided` where anything was evaluated, else not applicable.
    fn or_not_applicable(&self, decided: OvalResult) -> OvalResult {
        if self.has(OvalResult::True) || self.has(OvalResult::False) {
            decided
        } else if self.has(OvalResult::NotApplicable) {
            OvalResult::NotApplicable
        } else {
            OvalResult::Unknown
        }
    }
}

impl Operator {
    /// Combines results (OVAL 5.11 specification, tables of `OperatorEnumeration`). Nothing to combine is unknown.
    pub fn combine(self, results: impl IntoIterator<Item = OvalResult>) -> OvalResult {
        let tally = Tally::of(results);
        match self {
            Self::And => all(&tally),
            Self::Or => at_least_one(&tally),
            Self::One => only_one(&tally),
            Self::Xor => match tally.undecided() {
                Some(undecided) => undecided,
                None => tally.or_not_applicable((tally.count(OvalResult::True) % 2 == 1).into()),
            },
        }
    }
}

impl Check {
    /// Combines the results of several items or values (OVAL 5.11 specification, tables of `CheckEnumeration`).
    /// Nothing to combine is unknown.
    pub fn combine(self, results: impl IntoIterator<Item = OvalResult>) -> OvalResult {
        let tally = Tally::of(results);
        match self {
            Self::All => all(&tally),
            Self::AtLeastOne => at_least_one(&tally),
            Self::OnlyOne => only_one(&tally),
            Self::NoneSatisfy => at_least_one(&tally).negate(),
        }
    }
}

fn all(tally: &Tally) -> OvalResult {
    if tally.has(OvalResult::False) {
        return OvalResult::False;
    }
    tally.undecided().unwrap_or_else(|| tally.or_not_applicable(OvalResult::True))
}

fn at_least_one(tally: &Tally) -> OvalResult {
    if tally.has(OvalResult::True) {
        return OvalResult::True;
    }
    tally.undecided().unwrap_or_else(|| tally.or_not_applicable(OvalResult::False))
}

fn only_one(tally: &Tally) -> OvalResult {
    if tally.count(OvalResult::True) > 1 {
        return OvalResult::False;
    }
    tally.undecided().unwrap_or_else(|| tally.or_not_applicable((tally.count(OvalResult::True) == 1).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use OvalResult::{
        Error as E, False as F, NotApplicable as NA, NotEvaluated as NE, True as T, Unknown as U,
    };

    /// The tables of the specification for two operands; rows and columns in the order T F E U NE NA.
    const ORDER: [OvalResult; 6] = [T, F, E, U, NE, NA];
    const AND: [[OvalResult; 6]; 6] = [
        [T, F, E, U, NE, T],
        [F, F, F, F, F, F],
        [E, F, E, E, E, E],
        [U, F, E, U, U, U],
        [NE, F, E, U, NE, NE],
        [T, F, E, U, NE, NA],
    ];
    const OR: [[OvalResult; 6]; 6] = [
        [T, T, T, T, T, T],
        [T, F, E, U, NE, F],
        [T, E, E, E, E, E],
        [T, U, E, U, U, U],
        [T, NE, E, U, NE, NE],
        [T, F, E, U, NE, NA],
    ];
    const ONE: [[OvalResult; 6]; 6] = [
        [F, T, E, U, NE, T],
        [T, F, E, U, NE, F],
        [E, E, E, E, E, E],
        [U, U, E, U, U, U],
        [NE, NE, E, U, NE, NE],
        [T, F, E, U, NE, NA],
    ];
    const XOR: [[OvalResult; 6]; 6] = [
        [F, T, E, U, NE, T],
        [T, F, E, U, NE, F],
        [E, E, E, E, E, E],
        [U, U, E, U, U, U],
        [NE, NE, E, U, NE, NE],
        [T, F, E, U, NE, NA],
    ];

    #[test]
    fn operators_follow_the_tables() {
        for (operator, table) in
            [(Operator::And, AND), (Operator::Or, OR), (Operator::One, ONE), (Operator::Xor, XOR)]
        {
            for (i, a) in ORDER.into_iter().enumerate() {
                for (j, b) in ORDER.into_iter().enumerate() {
                    assert_eq!(operator.combine([a, b]), table[i][j], "{a} {operator} {b}");
                }
            }
        }
        assert_eq!(Operator::Xor.combine([T, T, T]), T);
        assert_eq!(Operator::One.combine([T, T, T]), F);
        assert_eq!(Operator::One.combine([T, E, T]), F);
    }

    #[test]
    fn checks_follow_the_tables() {
        for (i, a) in ORDER.into_iter().enumerate() {
            for (j, b) in ORDER.into_iter().enumerate() {
                assert_eq!(Check::All.combine([a, b]), AND[i][j]);
                assert_eq!(Check::AtLeastOne.combine([a, b]), OR[i][j]);
                assert_eq!(Check::OnlyOne.combine([a, b]), ONE[i][j]);
                assert_eq!(Check::NoneSatisfy.combine([a, b]), OR[i][j].negate());
            }
        }
        for check in Check::ALL {
            assert_eq!(check.combine([]), U);
        }
    }

    #[test]
    fn negation_is_its_own_inverse() {
        for result in OvalResult::ALL {
            assert_eq!(result.negate().negate(), *result);
        }
        assert_eq!(T.negate(), F);
        assert_eq!(U.negate(), U);
    }
}
