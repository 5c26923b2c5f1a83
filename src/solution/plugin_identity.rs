//! The identity of a .NET assembly, read from its metadata (ECMA-335, partition II).

use sha1::{Digest, Sha1};

/// Number of the metadata table with the assembly's own identity.
const ASSEMBLY: usize = 0x20;

/// The full name of an assembly as .NET writes it, for example
/// `Sales, Version=1.0.0.0, Culture=neutral, PublicKeyToken=0ee56b69f20f7f76`.
///
/// None for a file that is no .NET assembly.
pub(crate) fn full_name(file: &[u8]) -> Option<String> {
    let metadata = metadata(file)?;
    let tables = stream(metadata, "#~")?;
    let strings = stream(metadata, "#Strings")?;
    let blobs = stream(metadata, "#Blob")?;
    let layout = Layout::read(tables)?;
    let row = tables.get(layout.assembly..)?;
    let version = [4, 6, 8, 10].map(|at| u16_at(row, at));
    let [major, minor, build, revision] = version;
    let mut at = 16;
    let key = index(row, &mut at, layout.wide_blobs)?;
    let name = index(row, &mut at, layout.wide_strings)?;
    let culture = index(row, &mut at, layout.wide_strings)?;
    let name = text(strings, name)?;
    let culture = Some(text(strings, culture)?)
        .filter(|c| !c.is_empty())
        .unwrap_or("neutral");
    let token = match blob(blobs, key)? {
        [] => "null".to_owned(),
        key => token(key),
    };
    Some(format!(
        "{name}, Version={}.{}.{}.{}, Culture={culture}, PublicKeyToken={token}",
        major?, minor?, build?, revision?
    ))
}

/// The last eight bytes of the key's SHA-1, the last one first.
fn token(key: &[u8]) -> String {
    let hash = Sha1::digest(key);
    hash.iter()
        .rev()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

/// Finds the metadata through the headers of the portable executable.
fn metadata(file: &[u8]) -> Option<&[u8]> {
    if !file.starts_with(b"MZ") {
        return None;
    }
    let pe = usize_at(file, 0x3c)?;
    if file.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let sections = usize::from(u16_at(file, pe + 6)?);
    let optional = pe + 24;
    let optional_size = usize::from(u16_at(file, pe + 20)?);
    // The directories stand later in the 64-bit form.
    let directories = optional
        + if u16_at(file, optional)? == 0x20b {
            112
        } else {
            96
        };
    let table = optional + optional_size;
    let resolve = |rva: usize| -> Option<usize> {
        (0..sections).find_map(|number| {
            let section = table + number * 40;
            let size = usize_at(file, section + 8)?.max(usize_at(file, section + 16)?);
            let start = usize_at(file, section + 12)?;
            let inside = rva.checked_sub(start).filter(|offset| *offset < size)?;
            usize_at(file, section + 20)?.checked_add(inside)
        })
    };
    let header = resolve(usize_at(file, directories + 14 * 8)?)?;
    let start = resolve(usize_at(file, header + 8)?)?;
    let size = usize_at(file, header + 12)?;
    file.get(start..start.checked_add(size)?)
}

/// A stream of the metadata by its name.
fn stream<'a>(metadata: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    if !metadata.starts_with(b"BSJB") {
        return None;
    }
    let mut at = 16 + usize_at(metadata, 12)?;
    let count = u16_at(metadata, at + 2)?;
    at += 4;
    for _ in 0..count {
        let (offset, size) = (usize_at(metadata, at)?, usize_at(metadata, at + 4)?);
        let name = metadata.get(at + 8..)?;
        let length = name.iter().take(32).position(|byte| *byte == 0)?;
        if &name[..length] == wanted.as_bytes() {
            return metadata.get(offset..offset.checked_add(size)?);
        }
        at += 8 + (length / 4 + 1) * 4;
    }
    None
}

/// Where the assembly's row is and how wide its indexes are.
struct Layout {
    assembly: usize,
    wide_strings: bool,
    wide_blobs: bool,
}

impl Layout {
    fn read(tables: &[u8]) -> Option<Self> {
        let heaps = *tables.get(6)?;
        let low = u64::from(u32_at(tables, 8)?);
        let valid = low | (u64::from(u32_at(tables, 12)?) << 32);
        let mut rows = [0usize; 64];
        let mut at = 24;
        for (number, count) in rows.iter_mut().enumerate() {
            if valid & (1 << number) != 0 {
                *count = usize_at(tables, at)?;
                at += 4;
            }
        }
        if rows[ASSEMBLY] == 0 {
            return None;
        }
        let widths = Widths { heaps, rows: &rows };
        for number in 0..ASSEMBLY {
            let row: usize = COLUMNS[number]
                .iter()
                .map(|column| widths.of(*column))
                .sum();
            at = at.checked_add(row.checked_mul(rows[number])?)?;
        }
        Some(Self {
            assembly: at,
            wide_strings: heaps & 1 != 0,
            wide_blobs: heaps & 4 != 0,
        })
    }
}

/// A column of a metadata table.
#[derive(Clone, Copy)]
enum Column {
    /// A number of so many bytes.
    Fixed(usize),
    /// An index into the strings.
    Str,
    /// An index into the GUIDs.
    Guid,
    /// An index into the blobs.
    Blob,
    /// An index into one table.
    Table(usize),
    /// An index into one of several tables, with so many bits for which.
    Coded(u32, &'static [usize]),
}

use Column::{Blob, Coded, Fixed, Guid, Str, Table};

const TYPE: Column = Coded(2, &[0x02, 0x01, 0x1b]);
const METHOD: Column = Coded(1, &[0x06, 0x0a]);
const ATTRIBUTED: Column = Coded(
    5,
    &[
        0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x00, 0x0e, 0x17, 0x14, 0x11, 0x1a, 0x1b, 0x20,
        0x23, 0x26, 0x27, 0x28, 0x2a, 0x2c, 0x2b,
    ],
);

/// The columns of the tables before that of the assembly (ECMA-335, II.22).
const COLUMNS: [&[Column]; ASSEMBLY] = [
    &[Fixed(2), Str, Guid, Guid, Guid],
    &[Coded(2, &[0x00, 0x1a, 0x23, 0x01]), Str, Str],
    &[Fixed(4), Str, Str, TYPE, Table(0x04), Table(0x06)],
    &[Table(0x04)],
    &[Fixed(2), Str, Blob],
    &[Table(0x06)],
    &[Fixed(4), Fixed(2), Fixed(2), Str, Blob, Table(0x08)],
    &[Table(0x08)],
    &[Fixed(2), Fixed(2), Str],
    &[Table(0x02), TYPE],
    &[Coded(3, &[0x02, 0x01, 0x1a, 0x06, 0x1b]), Str, Blob],
    &[Fixed(2), Coded(2, &[0x04, 0x08, 0x17]), Blob],
    &[ATTRIBUTED, Coded(3, &[0x06, 0x0a]), Blob],
    &[Coded(1, &[0x04, 0x08]), Blob],
    &[Fixed(2), Coded(2, &[0x02, 0x06, 0x20]), Blob],
    &[Fixed(2), Fixed(4), Table(0x02)],
    &[Fixed(4), Table(0x04)],
    &[Blob],
    &[Table(0x02), Table(0x14)],
    &[Table(0x14)],
    &[Fixed(2), Str, TYPE],
    &[Table(0x02), Table(0x17)],
    &[Table(0x17)],
    &[Fixed(2), Str, Blob],
    &[Fixed(2), Table(0x06), Coded(1, &[0x14, 0x17])],
    &[Table(0x02), METHOD, METHOD],
    &[Str],
    &[Blob],
    &[Fixed(2), Coded(1, &[0x04, 0x06]), Str, Table(0x1a)],
    &[Fixed(4), Table(0x04)],
    &[Fixed(4), Fixed(4)],
    &[Fixed(4)],
];

struct Widths<'a> {
    heaps: u8,
    rows: &'a [usize; 64],
}

impl Widths<'_> {
    fn of(&self, column: Column) -> usize {
        let wide = |is_wide: bool| if is_wide { 4 } else { 2 };
        match column {
            Fixed(bytes) => bytes,
            Str => wide(self.heaps & 1 != 0),
            Guid => wide(self.heaps & 2 != 0),
            Blob => wide(self.heaps & 4 != 0),
            Table(number) => wide(self.rows[number] >= 1 << 16),
            Coded(bits, tables) => wide(
                tables
                    .iter()
                    .any(|number| self.rows[*number] >= 1 << (16 - bits)),
            ),
        }
    }
}

fn index(row: &[u8], at: &mut usize, wide: bool) -> Option<usize> {
    let value = if wide {
        usize_at(row, *at)?
    } else {
        usize::from(u16_at(row, *at)?)
    };
    *at += if wide { 4 } else { 2 };
    Some(value)
}

fn text(strings: &[u8], at: usize) -> Option<&str> {
    let rest = strings.get(at..)?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    // A name with anything else could not be written into XML, and no compiler makes one.
    let bad = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    let text = std::str::from_utf8(&rest[..length]).ok();
    text.filter(|text| !text.contains(bad))
}

/// A blob begins with its length, in one, two or four bytes.
fn blob(blobs: &[u8], at: usize) -> Option<&[u8]> {
    let rest = blobs.get(at..)?;
    let first = usize::from(*rest.first()?);
    let byte = |at: usize| rest.get(at).map(|byte| usize::from(*byte));
    let (start, length): (usize, usize) = match first {
        0..=0x7f => (1, first),
        0x80..=0xbf => (2, (first & 0x3f) << 8 | byte(1)?),
        _ => (
            4,
            (first & 0x1f) << 24 | byte(1)? << 16 | byte(2)? << 8 | byte(3)?,
        ),
    };
    rest.get(start..start.checked_add(length)?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The smallest file that has an identity: headers, one section, metadata with two tables.
    pub(in crate::solution) fn assembly(name: &str, key: &[u8]) -> Vec<u8> {
        let mut strings = vec![0u8];
        strings.extend(name.as_bytes());
        strings.push(0);
        let mut blobs = vec![0u8, u8::try_from(key.len()).unwrap()];
        blobs.extend(key);
        let mut tables = vec![0u8; 24];
        let valid: u64 = 1 | 1 << ASSEMBLY;
        tables[8..16].copy_from_slice(&valid.to_le_bytes());
        tables.extend(1u32.to_le_bytes());
        tables.extend(1u32.to_le_bytes());
        tables.extend([0u8; 10]);
        tables.extend(0x8004u32.to_le_bytes());
        for number in [1u16, 2, 3, 4] {
            tables.extend(number.to_le_bytes());
        }
        tables.extend([0u8; 4]);
        tables.extend(u16::from(!key.is_empty()).to_le_bytes());
        tables.extend(1u16.to_le_bytes());
        tables.extend(0u16.to_le_bytes());
        let mut metadata = b"BSJB\x01\0\x01\0\0\0\0\0\x04\0\0\0v4\0\0\0\0\x03\0".to_vec();
        let streams = [
            ("#~\0\0", &tables),
            ("#Strings\0\0\0\0", &strings),
            ("#Blob\0\0\0", &blobs),
        ];
        let mut offset = metadata.len() + streams.iter().map(|(n, _)| 8 + n.len()).sum::<usize>();
        for (name, data) in streams {
            metadata.extend(u32::try_from(offset).unwrap().to_le_bytes());
            metadata.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            metadata.extend(name.as_bytes());
            offset += data.len();
        }
        streams.iter().for_each(|(_, data)| metadata.extend(*data));

        let mut file = vec![0u8; 0x200];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        file[0x40..0x44].copy_from_slice(b"PE\0\0");
        file[0x46] = 1;
        file[0x54] = 224;
        file[0x58..0x5a].copy_from_slice(&0x10bu16.to_le_bytes());
        let mut put = |at: usize, value: usize| {
            file[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
        };
        put(0x58 + 96 + 14 * 8, 0x2000);
        let section = 0x58 + 224;
        put(section + 8, 0x48 + metadata.len());
        put(section + 12, 0x2000);
        put(section + 16, 0x48 + metadata.len());
        put(section + 20, 0x200);
        let mut header = vec![0u8; 0x48];
        header[8..12].copy_from_slice(&0x2048u32.to_le_bytes());
        header[12..16].copy_from_slice(&u32::try_from(metadata.len()).unwrap().to_le_bytes());
        file.extend(header);
        file.extend(metadata);
        file
    }

    #[test]
    fn the_identity_is_read_from_the_metadata() {
        assert_eq!(
            full_name(&assembly("Sales.Plugins", b"")).as_deref(),
            Some("Sales.Plugins, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null")
        );
        // SHA-1 of "abc" ends in 7850c26c9cd0d89d.
        assert_eq!(
            full_name(&assembly("Sales", b"abc")).as_deref(),
            Some("Sales, Version=1.2.3.4, Culture=neutral, PublicKeyToken=9dd8d09c6cc25078")
        );
    }

    #[test]
    fn other_files_have_none() {
        assert_eq!(full_name(b"placeholder"), None);
        let whole = assembly("Sales", b"abc");
        for length in 0..whole.len() {
            // Cut anywhere: never a panic.
            let _ = full_name(&whole[..length]);
        }
    }
}
