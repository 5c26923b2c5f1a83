//! The tenant: its files, and which of its services answers for which host.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::azure_devops;
use super::call::{Call, not_emulated};
use super::clock::Clock;
use super::credentials::Credentials;
use super::dataverse::{self, Environment};
use super::definition::TenantDefinition;
use super::directory;
use super::fault::{self, Fault, FaultAction};
use super::power_platform::PowerService;
use super::store::{Store, StoreError, Transaction};
use super::token;
use crate::problem::Problem;
use crate::transport::{Request, Response, Secret, Service, StatusCode};

const DATABASE: &str = "tenant.sqlite";
const REPOSITORIES: &str = "repositories";
/// What the layout of the stored rows is called. Another one is another program's.
const LAYOUT: u32 = 2;

/// An emulated tenant on disk. Many processes may have it open at once.
pub struct Tenant {
    folder: PathBuf,
    store: Store,
    clock: Clock,
    about: About,
}

/// The stored description of the tenant itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct About {
    layout: u32,
    id: Uuid,
    domain: String,
}

/// Why an emulated tenant cannot be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// There is no tenant in the folder.
    #[error("there is no emulated tenant in {0}")]
    NotThere(PathBuf),
    /// There is one already.
    #[error("there is an emulated tenant in {0} already")]
    Exists(PathBuf),
    /// Another version of this program wrote it.
    #[error("the emulated tenant in {folder} has layout {found}; this program writes {LAYOUT}")]
    Layout {
        /// Where it is.
        folder: PathBuf,
        /// What it is written in.
        found: u32,
    },
    /// The definition contradicts itself.
    #[error("the definition of the emulated tenant: {0}")]
    Definition(String),
    /// The folder cannot be made or written.
    #[error("cannot write {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Problem for EmulatorError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotThere(_) => "ALM-X001",
            Self::Exists(_) => "ALM-X002",
            Self::Layout { .. } => "ALM-X003",
            Self::Definition(_) => "ALM-X004",
            Self::Folder { .. } => "ALM-X005",
            Self::Store(_) => "ALM-X006",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotThere(_) => Some("`alm new DIR --example` makes a workspace with one".into()),
            Self::Exists(_) => Some("open it, or delete its folder to start again".into()),
            Self::Layout { .. } => {
                Some("delete the folder and make the tenant again with this program".into())
            }
            Self::Definition(_) => {
                Some("correct the definition and create the tenant again".into())
            }
            Self::Folder { .. } => Some("check that the folder can be written".into()),
            Self::Store(_) => None,
        }
    }
}

impl Tenant {
    /// Makes a tenant in `folder` as `definition` describes it.
    ///
    /// # Errors
    /// When there is one already, when the definition names somebody it does not define, and those
    /// of files and database.
    pub fn create(folder: &Path, definition: &TenantDefinition) -> Result<Self, EmulatorError> {
        Self::create_at(folder, definition, Clock::system())
    }

    /// As [`Tenant::create`], living by `clock`.
    ///
    /// # Errors
    /// Those of [`Tenant::create`].
    pub fn create_at(
        folder: &Path,
        definition: &TenantDefinition,
        clock: Clock,
    ) -> Result<Self, EmulatorError> {
        crate::owner_only::folder(folder).map_err(|source| EmulatorError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let store = Store::open(&folder.join(DATABASE))?;
        let about = About {
            layout: LAYOUT,
            id: definition.id(),
            domain: definition.domain.clone(),
        };
        store.write(|tx| {
            if tx.get("tenant", "about", "tenant")?.is_some() {
                return Err(EmulatorError::Exists(folder.to_owned()));
            }
            let stored = serde_json::to_value(&about).map_err(StoreError::from)?;
            tx.put("tenant", "about", "tenant", &stored)?;
            directory::establish(tx, definition)?;
            for environment in &definition.environments {
                dataverse::establish(tx, about.id, environment, clock.now())
                    .map_err(|error| EmulatorError::Definition(error.to_string()))?;
            }
            for organisation in &definition.organisations {
                let repositories = folder.join(REPOSITORIES);
                azure_devops::establish(tx, &repositories, organisation, clock.now())
                    .map_err(EmulatorError::Definition)?;
            }
            Ok(())
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            store,
            clock,
            about,
        })
    }

    /// Opens the tenant in `folder`.
    ///
    /// # Errors
    /// When there is none, or another version of this program wrote it.
    pub fn open(folder: &Path) -> Result<Self, EmulatorError> {
        let path = folder.join(DATABASE);
        // Opening would create the file, and an empty one would look like a tenant next time.
        if !path.is_file() {
            return Err(EmulatorError::NotThere(folder.to_owned()));
        }
        let store = Store::open(&path)?;
        let about = store.write(|tx| tx.get("tenant", "about", "tenant"))?;
        let about: About = match about {
            Some(about) => serde_json::from_value(about).map_err(StoreError::from)?,
            None => return Err(EmulatorError::NotThere(folder.to_owned())),
        };
        if about.layout != LAYOUT {
            let folder = folder.to_owned();
            return Err(EmulatorError::Layout {
                folder,
                found: about.layout,
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            store,
            clock: Clock::system(),
            about,
        })
    }

    /// The same tenant, living by `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The folder with the tenant's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with the bare git repositories, `<organisation>/<project>/<repository>.git`.
    pub fn repositories(&self) -> PathBuf {
        self.folder.join(REPOSITORIES)
    }

    /// The tenant's id in the directory.
    pub fn id(&self) -> Uuid {
        self.about.id
    }

    /// The tenant's database, for those parts of the emulator that do more than answer requests.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The tenant's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes the tenant fail on purpose. See [`Fault`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn inject(&self, fault: Fault) -> Result<(), EmulatorError> {
        Ok(self.store.write(|tx| fault::inject(tx, fault))?)
    }

    /// Takes all faults away that have not happened yet.
    ///
    /// # Errors
    /// Those of the database.
    pub fn clear_faults(&self) -> Result<(), EmulatorError> {
        Ok(self.store.write(fault::clear)?)
    }

    /// The answer of the service whose host is called.
    fn dispatch(&self, call: &Call, tx: &Transaction<'_>) -> Result<Response, StoreError> {
        match call.host.as_str() {
            "login.microsoftonline.com" | "login.windows.net" => {
                token::answer(call, tx, self.about.id, &self.about.domain)
            }
            "dev.azure.com" => azure_devops::answer(call, tx, &self.repositories()),
            "graph.microsoft.com" => Ok(not_emulated("Microsoft Graph")),
            host => match (PowerService::at(host), Environment::at(tx, host)?) {
                (Some(service), _) => service.answer(call, tx),
                (None, Some(environment)) => dataverse::answer(call, tx, environment),
                (None, None) => {
                    let reason = format!("the emulated tenant has no host {host}");
                    Ok(fault::dropped(&reason))
                }
            },
        }
    }

    /// Makes `password` the one with which people sign in to this tenant over a socket.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_password(&self, password: &Secret) -> Result<(), EmulatorError> {
        Ok(self
            .store
            .write(|tx| Credentials::keep_password(tx, password))?)
    }

    /// Takes a request that came over a socket apart and finds out who sent it.
    #[cfg(feature = "serve")]
    pub(super) fn introduce(&self, request: Request) -> Result<Call, StoreError> {
        let mut call = Call::new(request, self.clock.now());
        call.over_socket = true;
        let bearer = self
            .store
            .write(|tx| token::bearer(tx, self.about.id, &call))?;
        (call.caller, call.audience) = bearer.unzip();
        Ok(call)
    }

    /// Answers a request that came over a socket.
    #[cfg(feature = "serve")]
    pub(super) fn answer_over_socket(&self, request: Request) -> Response {
        let mut call = Call::new(request, self.clock.now());
        call.over_socket = true;
        self.respond(call)
    }

    fn respond(&self, call: Call) -> Response {
        match self.perform(call) {
            Ok(Performed { response, fault }) => {
                if let Some(fault) = fault {
                    if fault == (FaultAction::Drop { after_effect: true }) {
                        return fault::dropped("the connection was closed");
                    }
                    return fault::delayed(response, fault.delay());
                }
                response
            }
            Err(error) => {
                let message = format!("The emulated tenant is damaged or busy: {error}");
                let body = json!({ "error": { "code": "0x80040216", "message": message } });
                Response::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
            }
        }
    }

    fn perform(&self, mut call: Call) -> Result<Performed, StoreError> {
        self.store.write(|tx| {
            let bearer = token::bearer(tx, self.about.id, &call)?;
            (call.caller, call.audience) = bearer.unzip();
            let fault = fault::strike(tx, &call)?;
            let response = match fault.as_ref().and_then(FaultAction::instead) {
                Some(response) => response,
                None => self.dispatch(&call, tx)?,
            };
            Ok(Performed { response, fault })
        })
    }
}

struct Performed {
    response: Response,
    fault: Option<FaultAction>,
}

impl Service for Tenant {
    fn answer(&self, request: Request) -> Response {
        self.respond(Call::new(request, self.clock.now()))
    }
}
