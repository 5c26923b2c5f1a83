//! Single files that a person names: read with a bound, written whole or not at all.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use uuid::Uuid;

use crate::place::Place;

/// Most bytes of a file that is no package: more than any mapping, manifest or package has.
pub const MOST: u64 = 4 << 30;

/// The bytes of a file, or of a pipe (`-z <(…)`).
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] for a device, which may have no end, and
/// [`io::ErrorKind::FileTooLarge`] past `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Before it is opened, since opening some devices is an effect.
    if is_device(fs::metadata(path)?.file_type()) {
        let message = "it is a device, which may have no end";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The bytes of a regular file and of nothing else: a pipe would be waited for, a device never ends.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] for what is no regular file, and
/// [`io::ErrorKind::FileTooLarge`] past `most` bytes.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let length = file.metadata()?.len().min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// As [`read_regular`], for text.
///
/// # Errors
///
/// As [`read_regular`], and [`io::ErrorKind::InvalidData`] for what is not UTF-8.
pub fn read_regular_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_regular(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Opens a regular file for reading, and nothing else. It is not waited for, whatever it becomes
/// between the look and the opening.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    // Before it is opened, since opening some devices is an effect.
    let refused = || io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
    if !fs::metadata(path)?.is_file() {
        return Err(refused());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(refused());
    }
    Ok(file)
}

/// Writes a file so that it is either whole or as it was; folders are made for it. A new file has
/// the rights of any other new file, an old one keeps its own. What is no regular file (the null
/// device, a pipe) is written into and stays what it is.
///
/// # Errors
///
/// Those of the file system; folders that were made for the file are taken away again.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_special(fs::metadata(path).map(|meta| meta.file_type())) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    write_at(&Place::named(path)?, bytes)
}

/// Writes a file as [`write`] does, at a place that is held open. What is no regular file there is
/// refused: only a person can want to write into a device.
///
/// # Errors
///
/// Those of the file system, and [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn write_at(place: &Place, bytes: &[u8]) -> io::Result<()> {
    place.within(
        |_, error| error,
        |folder, name| {
            let there = folder.symlink_metadata(name);
            let there = there.ok().filter(|meta| !meta.is_symlink());
            if there.as_ref().is_some_and(|there| !there.is_file()) {
                let message = "it is no regular file";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            let part = format!(".alm-{}", Uuid::new_v4().simple());
            let written = (|| {
                let mut staged = folder.open_with(
                    &part,
                    cap_std::fs::OpenOptions::new().write(true).create_new(true),
                )?;
                staged.write_all(bytes)?;
                if let Some(there) = there {
                    staged.set_permissions(there.permissions())?;
                }
                folder.rename(&part, folder, name)
            })();
            if written.is_err() {
                let _ = folder.remove_file(&part);
            }
            written
        },
    )
}

#[cfg(unix)]
fn is_special(kind: io::Result<FileType>) -> bool {
    kind.is_ok_and(|kind| !kind.is_file() && !kind.is_dir())
}

/// Windows opens its devices by reserved names, of which no metadata can be had.
#[cfg(not(unix))]
fn is_special(_: io::Result<FileType>) -> bool {
    false
}

#[cfg(unix)]
fn is_device(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_char_device() || kind.is_block_device()
}

/// Windows opens its devices by reserved names, of which no metadata can be had.
#[cfg(not(unix))]
fn is_device(_: FileType) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_a_bound_and_replaced_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/a.zip");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(read(&path, 6).unwrap(), b"second");
        assert_eq!(
            read(&path, 5).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert_eq!(fs::read_dir(home.path().join("deep")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn rights_are_those_of_any_file_or_stay() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (usual, ours) = (home.path().join("usual"), home.path().join("ours"));
        fs::write(&usual, "").unwrap();
        write(&ours, b"").unwrap();
        assert_eq!(mode(&ours), mode(&usual));
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).unwrap();
        write(&ours, b"x").unwrap();
        assert_eq!(mode(&ours), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read_and_stays_one() {
        let null = Path::new("/dev/null");
        if null.exists() {
            assert!(read(null, 9).is_err());
        }
    }
}
