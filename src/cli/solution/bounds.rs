//! Options that raise or lower what a package may ask of this machine.

use clap::Args;

use crate::solution::Limits;

/// Bounds for what is read. The defaults are some ten times what the largest known solutions need.
#[derive(Debug, Args)]
#[command(next_help_heading = "Bounds against archive bombs")]
pub struct Bounds {
    /// How many parts a package, or files a folder, may have [default: 200000]
    #[arg(long = "maxEntries", value_name = "NUMBER")]
    entries: Option<u64>,

    /// The largest part or file; sizes can end in K, M or G [default: 1G]
    #[arg(long = "maxPartSize", value_name = "SIZE", value_parser = size)]
    part: Option<u64>,

    /// All parts or files together [default: 4G]
    #[arg(long = "maxTotalSize", value_name = "SIZE", value_parser = size)]
    total: Option<u64>,

    /// Bytes out of one compressed byte, for parts above 16M [default: 400]
    #[arg(long = "maxRatio", value_name = "NUMBER")]
    ratio: Option<u64>,

    /// How deep XML elements may be nested [default: 512]
    #[arg(long = "maxXmlDepth", value_name = "NUMBER")]
    xml_depth: Option<u64>,
}

impl Bounds {
    /// The usual limits with what was asked for instead.
    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            entries: self.entries.unwrap_or(usual.entries),
            part_bytes: self.part.unwrap_or(usual.part_bytes),
            total_bytes: self.total.unwrap_or(usual.total_bytes),
            ratio: self.ratio.unwrap_or(usual.ratio),
            xml_depth: self.xml_depth.unwrap_or(usual.xml_depth),
            ..usual
        }
    }
}

/// A number of bytes: `4096`, `200K`, `2G`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "a size is a whole number, with K, M or G behind it if you like".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_letter() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("200k"), Ok(204_800));
        assert_eq!(size("2G"), Ok(2 << 30));
        for bad in ["", "G", "1.5G", "-1", "20000000000G", "1é"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_help_tells_the_limits_that_hold() {
        let usual = Limits::default();
        assert_eq!(
            (usual.entries, usual.ratio, usual.xml_depth),
            (200_000, 400, 512)
        );
        assert_eq!((usual.part_bytes, usual.total_bytes), (1 << 30, 4 << 30));
        assert_eq!(usual.ratio_from_bytes, 16 << 20);
    }
}
