//! Taking in a request's body: within a size, a time and the room that all bodies share, small ones
//! in memory and all others in a file without a name.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tempfile::SpooledTempFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::admission::refuse;
use crate::transport::{Response, StatusCode};

/// How much of a body is kept in memory, in bytes.
const IN_MEMORY: usize = 64 * 1024;
/// In what pieces of the shared room bodies are counted, in bytes.
const PIECE: u64 = 64 * 1024;
/// How much all bodies may take on disk at a time, in pieces: 4 GiB.
const PIECES: usize = 4 * 16_384;
/// How long a body may take before its speed counts.
const GRACE: Duration = Duration::from_secs(10);
/// The slowest that a body may come, in bytes per second.
const SLOWEST: u64 = 16 * 1024;
/// How many times larger than it came a compressed body may become. What git sends is text of
/// which not more than this can be gained.
const LARGEST_RATIO: u64 = 200;

/// Where bodies are taken in.
#[derive(Clone)]
pub(super) struct Intake {
    folder: PathBuf,
    room: Arc<Semaphore>,
}

/// A body that has come in whole, as it was before compression.
pub(super) struct TakenBody {
    file: SpooledTempFile,
    length: u64,
    // Gives the room back when the body is dropped.
    _room: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// An intake that keeps large bodies in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            room: Arc::new(Semaphore::new(PIECES)),
        }
    }

    /// A body of no bytes, for requests whose body is not wanted.
    pub(super) fn nothing(&self) -> TakenBody {
        TakenBody {
            file: SpooledTempFile::new(IN_MEMORY),
            length: 0,
            _room: None,
        }
    }

    /// Takes `body` in, at most `largest` bytes of it.
    ///
    /// # Errors
    /// The answer to a body that is too large, too slow, or has no room.
    pub(super) async fn take(
        &self,
        mut body: Incoming,
        largest: u64,
    ) -> Result<TakenBody, Response> {
        if body.size_hint().lower() > largest {
            return Err(too_large(largest));
        }
        let started = Instant::now();
        let mut taken = self.empty();
        loop {
            let due = started + GRACE + Duration::from_secs(taken.length / SLOWEST);
            let frame = match timeout_at(due, body.frame()).await {
                Ok(None) => return Ok(taken),
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(_))) => {
                    return Err(refuse(StatusCode::BAD_REQUEST, "The body is damaged."));
                }
                Err(_) => {
                    let message = "The body came too slowly.";
                    return Err(refuse(StatusCode::REQUEST_TIMEOUT, message));
                }
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            taken.append(self, &data, largest)?;
        }
    }

    /// What `packed` is without its compression with gzip.
    ///
    /// # Errors
    /// The answer to what is no gzip, or becomes larger than `largest` or than such text can.
    pub(super) fn unpack(&self, packed: TakenBody, largest: u64) -> Result<TakenBody, Response> {
        let largest = largest.min(packed.length.saturating_mul(LARGEST_RATIO).max(PIECE));
        let mut reader = MultiGzDecoder::new(packed.into_reader().map_err(failed)?);
        let mut plain = self.empty();
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => return Ok(plain),
                Ok(read) => read,
                Err(_) => {
                    let message = "The body is not compressed with gzip.";
                    return Err(refuse(StatusCode::BAD_REQUEST, message));
                }
            };
            plain.append(self, &buffer[..read], largest)?;
        }
    }

    fn empty(&self) -> TakenBody {
        TakenBody {
            file: tempfile::spooled_tempfile_in(IN_MEMORY, &self.folder),
            length: 0,
            _room: None,
        }
    }
}

impl TakenBody {
    /// How long it is, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Reads it from its start, without losing it.
    ///
    /// # Errors
    /// When the file cannot be read; so for the methods below.
    pub(super) fn start(&mut self, largest: u64) -> io::Result<Vec<u8>> {
        self.file.rewind()?;
        let mut start = Vec::new();
        (&mut self.file).take(largest).read_to_end(&mut start)?;
        Ok(start)
    }

    /// All of it, in memory.
    pub(super) fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        self.start(u64::MAX)
    }

    /// A file that holds it, to be read from its start, for another process.
    pub(super) fn into_file(mut self) -> io::Result<std::fs::File> {
        self.file.roll()?;
        let mut file = self.file.into_file()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    fn into_reader(mut self) -> io::Result<SpooledTempFile> {
        self.file.rewind()?;
        Ok(self.file)
    }

    fn append(&mut self, intake: &Intake, data: &[u8], largest: u64) -> Result<(), Response> {
        let length = self.length + data.len() as u64;
        if length > largest {
            return Err(too_large(largest));
        }
        // What fits in memory has its room there: as many pieces as there are connections.
        let wanted = if length > IN_MEMORY as u64 {
            length.div_ceil(PIECE)
        } else {
            0
        };
        let have = self
            ._room
            .as_ref()
            .map_or(0, |room| room.num_permits() as u64);
        if wanted > have {
            let more = u32::try_from(wanted - have).unwrap_or(u32::MAX);
            let Ok(more) = intake.room.clone().try_acquire_many_owned(more) else {
                let message = "Too much is being sent to the emulated tenant; try again.";
                return Err(refuse(StatusCode::SERVICE_UNAVAILABLE, message));
            };
            match &mut self._room {
                Some(room) => room.merge(more),
                None => self._room = Some(more),
            }
        }
        self.file.write_all(data).map_err(failed)?;
        self.length = length;
        Ok(())
    }
}

fn too_large(largest: u64) -> Response {
    let message = format!("The body is larger than the {largest} bytes that are taken here.");
    refuse(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

fn failed(error: io::Error) -> Response {
    let message = format!("The body cannot be kept: {error}");
    refuse(StatusCode::INSUFFICIENT_STORAGE, &message)
}
