//! Writes a zip archive: every part deflated in blocks on all cores.
//!
//! `customizations.xml` is most of nearly every package, so parts side by side do not keep two cores
//! busy. A part is therefore cut into blocks that are deflated each by itself, with the end of the
//! block before as dictionary, and joined to one stream, as `pigz` does. Where the cuts are does not
//! depend on the machine, so the same parts give the same bytes everywhere. The `zip` crate, which
//! reads archives for us, has no way to write an entry that is deflated already.

use flate2::{Compress, Compression, FlushCompress};
use rayon::prelude::*;

use super::PackageError;

/// As SolutionPackager and .NET's own archives, near enough; `zlib`'s default.
const LEVEL: u32 = 6;
/// Long enough that a cut costs next to nothing, short enough for many cores.
const BLOCK: usize = 1 << 20;
/// How far deflate looks back.
const WINDOW: usize = 32 << 10;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const DIRECTORY_HEADER: u32 = 0x0201_4b50;
const DIRECTORY_END: u32 = 0x0605_4b50;
const DIRECTORY_END_64: u32 = 0x0606_4b50;
const DIRECTORY_END_64_LOCATOR: u32 = 0x0706_4b50;

/// Deflate without encryption or zip64; with zip64.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Flag of a name in UTF-8; plain ASCII does without, as server exports do.
const UTF8: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// 1 January 1980, the first day a zip can name: no clock is asked (ARCHITECTURE, D4).
const DATE: u16 = 0x0021;
/// In the directory, this says that the zip64 record has the number.
const IN_ZIP64: u16 = u16::MAX;

/// Writes an archive of entries: names as they stand in it, and contents.
///
/// # Errors
///
/// [`PackageError::Limit`] if an entry or the archive has 4 GiB or more, which no importer takes.
pub(super) fn write(entries: &[(String, &[u8])]) -> Result<Vec<u8>, PackageError> {
    let deflated = deflate_all(entries)?;
    let packed: usize = deflated.iter().map(|entry| entry.size).sum();
    let names: usize = entries.iter().map(|(name, _)| name.len()).sum();
    let mut out = Vec::with_capacity(packed + 2 * names + entries.len() * 80 + 100);
    let mut directory = Vec::with_capacity(names + entries.len() * 46);
    for ((name, data), entry) in entries.iter().zip(&deflated) {
        let offset = small(name, out.len())?;
        let head = Head {
            name,
            checksum: entry.checksum,
            packed: small(name, entry.size)?,
            size: small(name, data.len())?,
        };
        put32(&mut out, LOCAL_HEADER);
        head.put(&mut out);
        put16(&mut out, 0); // no extra field
        out.extend_from_slice(name.as_bytes());
        entry
            .blocks
            .iter()
            .for_each(|block| out.extend_from_slice(block));

        put32(&mut directory, DIRECTORY_HEADER);
        put16(&mut directory, VERSION); // made on a FAT file system, by its high byte
        head.put(&mut directory);
        // No extra field, no comment, first disk, no attributes of either kind.
        directory.extend_from_slice(&[0; 12]);
        put32(&mut directory, offset);
        directory.extend_from_slice(name.as_bytes());
    }
    finish(&mut out, &directory, entries.len())?;
    Ok(out)
}

/// Appends the directory and what ends an archive.
fn finish(out: &mut Vec<u8>, directory: &[u8], count: usize) -> Result<(), PackageError> {
    let start = small("the archive", out.len())?;
    let size = small("the archive", directory.len())?;
    out.extend_from_slice(directory);
    let short = u16::try_from(count).ok().filter(|count| *count < IN_ZIP64);
    if short.is_none() {
        let record = out.len() as u64;
        put32(out, DIRECTORY_END_64);
        put64(out, 44); // bytes that follow
        put16(out, VERSION_64);
        put16(out, VERSION_64);
        put32(out, 0); // this disk
        put32(out, 0); // the directory's disk
        put64(out, count as u64);
        put64(out, count as u64);
        put64(out, u64::from(size));
        put64(out, u64::from(start));
        put32(out, DIRECTORY_END_64_LOCATOR);
        put32(out, 0);
        put64(out, record);
        put32(out, 1); // disks
    }
    put32(out, DIRECTORY_END);
    put32(out, 0); // this disk, and the directory's
    put16(out, short.unwrap_or(IN_ZIP64));
    put16(out, short.unwrap_or(IN_ZIP64));
    put32(out, size);
    put32(out, start);
    put16(out, 0); // no comment
    Ok(())
}

/// What an entry's two headers have in common.
struct Head<'a> {
    name: &'a str,
    checksum: u32,
    packed: u32,
    size: u32,
}

impl Head<'_> {
    /// From the version up to the length of the name.
    fn put(&self, out: &mut Vec<u8>) {
        put16(out, VERSION);
        put16(out, if self.name.is_ascii() { 0 } else { UTF8 });
        put16(out, DEFLATED);
        put16(out, 0); // midnight
        put16(out, DATE);
        put32(out, self.checksum);
        put32(out, self.packed);
        put32(out, self.size);
        // Names are checked long before: no file system takes one of 64 KiB.
        put16(out, u16::try_from(self.name.len()).unwrap_or(u16::MAX));
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn small(subject: &str, bytes: usize) -> Result<u32, PackageError> {
    u32::try_from(bytes).map_err(|_| PackageError::Limit {
        subject: subject.to_owned(),
        limit: "the size in an archive in bytes",
        found: bytes as u64,
        allowed: u64::from(u32::MAX),
    })
}

/// An entry's stream, still in blocks.
struct Deflated {
    blocks: Vec<Vec<u8>>,
    size: usize,
    checksum: u32,
}

/// One block of one entry.
struct Block<'a> {
    entry: usize,
    /// What deflate may look back at.
    before: &'a [u8],
    data: &'a [u8],
    last: bool,
}

fn deflate_all(entries: &[(String, &[u8])]) -> Result<Vec<Deflated>, PackageError> {
    let mut blocks = Vec::new();
    for (entry, (_, data)) in entries.iter().enumerate() {
        let mut start = 0;
        loop {
            let end = data.len().min(start + BLOCK);
            let last = end == data.len();
            blocks.push(Block {
                entry,
                before: &data[start.saturating_sub(WINDOW)..start],
                data: &data[start..end],
                last,
            });
            if last {
                break;
            }
            start = end;
        }
    }
    let deflated = bundles(&blocks)
        .into_par_iter()
        .with_max_len(1)
        .map(|bundle| {
            let mut compress = Compress::new(Compression::new(LEVEL), false);
            bundle
                .iter()
                .map(|block| {
                    let mut checksum = crc32fast::Hasher::new();
                    checksum.update(block.data);
                    let stream = deflate(&mut compress, block)?;
                    Ok((block.entry, stream, checksum))
                })
                .collect::<Result<Vec<_>, flate2::CompressError>>()
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| PackageError::Damaged {
            entry: "the archive".to_owned(),
            reason: error.to_string(),
        })?;
    let mut all: Vec<Deflated> = Vec::with_capacity(entries.len());
    let mut sums: Vec<crc32fast::Hasher> = Vec::with_capacity(entries.len());
    for (entry, stream, checksum) in deflated.into_iter().flatten() {
        if all.len() == entry {
            all.push(Deflated {
                blocks: Vec::new(),
                size: 0,
                checksum: 0,
            });
            sums.push(crc32fast::Hasher::new());
        }
        sums[entry].combine(&checksum);
        all[entry].size += stream.len();
        all[entry].blocks.push(stream);
    }
    for (entry, sum) in all.iter_mut().zip(sums) {
        entry.checksum = sum.finalize();
    }
    Ok(all)
}

/// Blocks that one core deflates one after the other: a long one by itself, short ones together, for
/// a compressor takes longer to make than a short block to deflate.
fn bundles<'s, 'a>(blocks: &'s [Block<'a>]) -> Vec<&'s [Block<'a>]> {
    let mut bundles = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (index, block) in blocks.iter().enumerate() {
        size += block.data.len() + 512;
        if size >= BLOCK / 4 {
            bundles.push(&blocks[start..=index]);
            (start, size) = (index + 1, 0);
        }
    }
    bundles.push(&blocks[start..]);
    bundles
}

/// Deflates a block so that the next one can follow on the next byte.
fn deflate(compress: &mut Compress, block: &Block<'_>) -> Result<Vec<u8>, flate2::CompressError> {
    compress.reset();
    if !block.before.is_empty() {
        compress.set_dictionary(block.before)?;
    }
    let flush = if block.last {
        FlushCompress::Finish
    } else {
        FlushCompress::Sync
    };
    // XML shrinks to a tenth or less; the buffer grows for what does not.
    let mut out = Vec::with_capacity(block.data.len() / 8 + 64);
    loop {
        let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        compress.compress_vec(&block.data[taken..], &mut out, flush)?;
        // Room left over says that there was nothing more to write.
        if out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(out.capacity().max(1024));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    fn read_back(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        (0..zip.len())
            .map(|index| {
                let mut file = zip.by_index(index).unwrap();
                let mut data = Vec::new();
                file.read_to_end(&mut data).unwrap();
                (file.name().unwrap().into_owned(), data)
            })
            .collect()
    }

    #[test]
    fn entries_of_every_size_come_back_the_same() {
        let text: Vec<u8> = (0..BLOCK * 2 + 77)
            .map(|n| b"<a b=\"1\">\r\n"[n % 11])
            .collect();
        let mut state = 1u32;
        let noise: Vec<u8> = (0..BLOCK + 5)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let entries = [
            ("empty".to_owned(), &b""[..]),
            ("one".to_owned(), b"x"),
            ("Größe/日本.txt".to_owned(), b"name"),
            ("text".to_owned(), &text),
            ("block".to_owned(), &text[..BLOCK]),
            ("blocks".to_owned(), &text[..BLOCK * 2]),
            ("noise".to_owned(), &noise),
        ];
        let archive = write(&entries).unwrap();
        let expected: Vec<_> = entries
            .iter()
            .map(|(n, d)| (n.clone(), d.to_vec()))
            .collect();
        assert_eq!(read_back(&archive), expected);
        assert!(archive.len() < noise.len() + text.len() / 4);
    }

    #[test]
    fn more_entries_than_the_old_directory_can_count() {
        let entries: Vec<(String, &[u8])> = (0..70_000)
            .map(|number| (format!("f/{number}"), &b"x"[..]))
            .collect();
        let archive = write(&entries).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        assert_eq!(zip.len(), 70_000);
        let mut data = String::new();
        let mut last = zip.by_name("f/69999").unwrap();
        last.read_to_string(&mut data).unwrap();
        assert_eq!(data, "x");
    }
}
