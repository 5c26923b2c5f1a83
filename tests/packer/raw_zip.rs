//! Archives written byte by byte, so that they can be wrong in every way.

use std::io::Write;

use flate2::Crc;
use flate2::write::DeflateEncoder;

/// An entry as it is to be written; what is not set is right.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub name: Vec<u8>,
    pub data: Vec<u8>,
    pub deflate: bool,
    /// The number of another way to compress; the bytes are stored all the same.
    pub method: Option<u16>,
    pub flags: u16,
    pub crc: Option<u32>,
    pub size: Option<u32>,
    pub unix_mode: Option<u32>,
    pub zip64: bool,
}

impl Entry {
    pub fn new(name: &str, data: &[u8]) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            data: data.to_vec(),
            ..Self::default()
        }
    }
}

/// The archive of these entries.
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let mut crc = Crc::new();
        crc.update(&entry.data);
        let crc = entry.crc.unwrap_or(crc.sum());
        let stored = if entry.deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&entry.data).unwrap();
            encoder.finish().unwrap()
        } else {
            entry.data.clone()
        };
        let size = entry
            .size
            .unwrap_or(u32::try_from(entry.data.len()).unwrap());
        let packed = u32::try_from(stored.len()).unwrap();
        let offset = u32::try_from(out.len()).unwrap();
        let mut extra = Vec::new();
        let (mut size_field, mut packed_field) = (size, packed);
        if entry.zip64 {
            extra.extend(1u16.to_le_bytes());
            extra.extend(16u16.to_le_bytes());
            extra.extend(u64::from(size).to_le_bytes());
            extra.extend(u64::from(packed).to_le_bytes());
            (size_field, packed_field) = (u32::MAX, u32::MAX);
        }
        let mut common = Vec::new();
        for field in [
            45u16,
            entry.flags,
            entry.method.unwrap_or(if entry.deflate { 8 } else { 0 }),
            0,
            0x21,
        ] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc, packed_field, size_field] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(&entry.name);
        out.extend(&extra);
        out.extend(&stored);
        directory.extend(b"PK\x01\x02");
        let made_by: u16 = if entry.unix_mode.is_some() {
            0x032d
        } else {
            45
        };
        directory.extend(made_by.to_le_bytes());
        directory.extend(&common);
        directory.extend([0u8; 6]);
        directory.extend((entry.unix_mode.unwrap_or(0) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
        directory.extend(&extra);
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    out
}
