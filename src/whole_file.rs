//! Single files that a person names: read with a bound, written whole or not at all.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

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

/// Writes a file so that it is either whole or as it was; folders are made for it. A new file has
/// the rights of any other new file, an old one keeps its own. What is no regular file (the null
/// device, a pipe) is written into and stays what it is.
///
/// # Errors
///
/// Those of the file system; folders that were made for the file are taken away again.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = fs::metadata(path).ok();
    if there
        .as_ref()
        .is_some_and(|meta| !meta.is_file() && !meta.is_dir())
    {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    let missing: Vec<&Path> = parent
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .collect();
    let written = fs::create_dir_all(parent).and_then(|()| {
        let mut staged = builder().tempfile_in(parent)?;
        staged.write_all(bytes)?;
        if let Some(there) = there {
            staged.as_file().set_permissions(there.permissions())?;
        }
        staged.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    if written.is_err() {
        for folder in missing {
            let _ = fs::remove_dir(folder);
        }
    }
    written
}

/// Temporary files are for their owner only unless told otherwise; the umask still takes from this.
#[cfg(unix)]
fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(".alm-")
        .permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".alm-");
    builder
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
