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
    fn a_bump_clears_the_numbers_after_it() {
        let version = SolutionVersion::new(1, 2, 3, 4);
        assert_eq!(version.bump(VersionPart::Minor).to_string(), "1.3.0.0");
        assert_eq!(version.bump(VersionPart::Revision).to_string(), "1.2.3.5");
    }
}
