//! The four-part version of a solution.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::PackageError;

/// A solution's version: major, minor, build, revision.
///
/// Dataverse compares them as numbers, and accepts two to four of them; what is left out is 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct SolutionVersion {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub build: u32,
    /// Fourth number.
    pub revision: u32,
}

/// Which number of a version to raise; the ones after it become 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionPart {
    /// The first number.
    Major,
    /// The second number.
    Minor,
    /// The third number.
    Build,
    /// The fourth number.
    Revision,
}

impl SolutionVersion {
    /// A version from its four numbers.
    pub const fn new(major: u32, minor: u32, build: u32, revision: u32) -> Self {
        Self {
            major,
            minor,
            build,
            revision,
        }
    }

    /// The next version: `part` is raised by one and the numbers after it become 0.
    #[must_use]
    pub fn bump(self, part: VersionPart) -> Self {
        let Self {
            major,
            minor,
            build,
            revision,
        } = self;
        match part {
            VersionPart::Major => Self::new(major.saturating_add(1), 0, 0, 0),
            VersionPart::Minor => Self::new(major, minor.saturating_add(1), 0, 0),
            VersionPart::Build => Self::new(major, minor, build.saturating_add(1), 0),
            VersionPart::Revision => Self::new(major, minor, build, revision.saturating_add(1)),
        }
    }

    /// The version of a build on a day, as the ALM Accelerator gives it: major and minor stay, the
    /// build is the date (`20260131`), the revision the number of the build. It is raised above
    /// this version when two builds of a day have no numbers of their own.
    ///
    /// # Errors
    /// [`PackageError::Version`] if `date` is no date of that form.
    pub fn dated(self, date: &str, number: Option<u32>) -> Result<Self, PackageError> {
        let refuse = |reason| PackageError::Version {
            text: date.to_owned(),
            reason,
        };
        let digits: String = date.chars().filter(|c| *c != '-').collect();
        let day: u32 = digits
            .parse()
            .ok()
            .filter(|_| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| refuse("a date is written 20260131 or 2026-01-31"))?;
        let (month, of_month) = (day / 100 % 100, day % 100);
        if !(1..=12).contains(&month) || !(1..=31).contains(&of_month) {
            return Err(refuse("there is no such day"));
        }
        let revision = number.unwrap_or(if self.build == day {
            self.revision.saturating_add(1)
        } else {
            1
        });
        Ok(Self::new(self.major, self.minor, day, revision))
    }

    /// The version that a git tag names: `v1.2.3`, `1.2`, `release/1.2.3.4`, `Sales-v1.2.3`. What
    /// semantic versioning allows behind the numbers (`-rc.1`, `+build`) is left out, since a
    /// solution's version has numbers only.
    ///
    /// # Errors
    /// [`PackageError::Version`] if it has no version at its end.
    pub fn from_tag(tag: &str) -> Result<Self, PackageError> {
        let refuse = |reason| PackageError::Version {
            text: tag.to_owned(),
            reason,
        };
        // The numbers begin behind the last thing that is no part of a version.
        let name = tag.rsplit('/').next().unwrap_or(tag);
        let starts = name.char_indices().filter(|(at, c)| {
            let before = name[..*at].chars().next_back();
            c.is_ascii_digit() && before.is_none_or(|c| matches!(c, 'v' | 'V' | '-' | '_' | ' '))
        });
        for (at, _) in starts {
            let rest = &name[at..];
            let end = rest.find(['-', '+']).unwrap_or(rest.len());
            if let Ok(version) = rest[..end].parse() {
                return Ok(version);
            }
        }
        Err(refuse("a tag names a version such as v1.2.3"))
    }
}

/// The names by which `bump` is asked for.
impl FromStr for VersionPart {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "major" => Ok(Self::Major),
            "minor" => Ok(Self::Minor),
            "build" => Ok(Self::Build),
            "revision" => Ok(Self::Revision),
            _ => Err(()),
        }
    }
}

impl FromStr for SolutionVersion {
    type Err = PackageError;

    fn from_str(text: &str) -> Result<Self, PackageError> {
        let refuse = |reason| PackageError::Version {
            text: text.to_owned(),
            reason,
        };
        let mut numbers = [0u32; 4];
        let mut count = 0;
        for part in text.trim().split('.') {
            if count == 4 {
                return Err(refuse("it has more than four numbers"));
            }
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(refuse("each part must be a number"));
            }
            numbers[count] = part
                .parse()
                .ok()
                .filter(|number| i32::try_from(*number).is_ok())
                .ok_or_else(|| refuse("a number is above 2,147,483,647"))?;
            count += 1;
        }
        if count < 2 {
            return Err(refuse("at least two numbers are needed, such as 1.0"));
        }
        let [major, minor, build, revision] = numbers;
        Ok(Self {
            major,
            minor,
            build,
            revision,
        })
    }
}

impl fmt::Display for SolutionVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.revision
        )
    }
}

impl TryFrom<String> for SolutionVersion {
    type Error = PackageError;

    fn try_from(text: String) -> Result<Self, PackageError> {
        text.parse()
    }
}

impl From<SolutionVersion> for String {
    fn from(version: SolutionVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let parse = |text: &str| text.parse::<SolutionVersion>().unwrap();
        assert!(parse("1.10.0.0") > parse("1.9.9.9"));
        assert_eq!(parse("1.2"), SolutionVersion::new(1, 2, 0, 0));
        assert_eq!(parse(" 1.2.3.4 ").to_string(), "1.2.3.4");
    }

    #[test]
    fn other_texts_are_no_versions() {
        for bad in [
            "",
            "1",
            "1.2.3.4.5",
            "1.a",
            "1..2",
            "-1.0",
            "1.4294967296",
            "1.+2",
        ] {
            assert!(bad.parse::<SolutionVersion>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_dated_version_keeps_major_and_minor_and_never_falls_back() {
        let version = SolutionVersion::new(1, 4, 3, 4);
        let text = |date: &str, number| version.dated(date, number).unwrap().to_string();
        assert_eq!(text("20260131", Some(7)), "1.4.20260131.7");
        assert_eq!(text("2026-01-31", None), "1.4.20260131.1");
        let again = version.dated("20260131", None).unwrap();
        assert_eq!(again.dated("20260131", None).unwrap().revision, 2);
        for bad in ["", "2026", "20261301", "20260132", "2026013", "today"] {
            assert!(version.dated(bad, None).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_tag_names_a_version() {
        for (tag, version) in [
            ("v1.2.3", "1.2.3.0"),
            ("1.2", "1.2.0.0"),
            ("release/1.2.3.4", "1.2.3.4"),
            ("Sales-v1.2.3", "1.2.3.0"),
            ("Sales2-v1.2.3", "1.2.3.0"),
            ("v2.0.0-rc.1", "2.0.0.0"),
            ("v2.0.0+build.7", "2.0.0.0"),
        ] {
            let read = SolutionVersion::from_tag(tag).unwrap();
            assert_eq!(read.to_string(), version, "{tag}");
        }
        for bad in ["", "latest", "v1", "release", "v1.2.3.4.5"] {
            assert!(SolutionVersion::from_tag(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bump_clears_the_numbers_after_it() {
        let version = SolutionVersion::new(1, 2, 3, 4);
        assert_eq!(version.bump(VersionPart::Minor).to_string(), "1.3.0.0");
        assert_eq!(version.bump(VersionPart::Revision).to_string(), "1.2.3.5");
    }
}
