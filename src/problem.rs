//! What every error that reaches a person can tell about itself.
//!
//! Each floor has its own typed errors. This trait is the little that the faces and the scripts
//! need from all of them: a stable code to search for, and the next thing to try.

/// An error with a stable code and, where one is known, a remedy.
///
/// Codes look like `ALM-E012`. The letter names the part: `W` workspace, `S` script, `R` run,
/// `E` environment, `B` branch, `D` deployment, `P` package, `T` transport, `X` emulated tenant,
/// `C` command line. A code never changes its meaning; `alm explain CODE` says more.
pub trait Problem: std::error::Error + Send + Sync + 'static {
    /// The stable code, for example `ALM-E012`.
    fn code(&self) -> &'static str;

    /// One sentence that says what to do next, if something sensible can be said.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The request that failed, where the cause is a service's answer.
    fn request(&self) -> Option<FailedRequest> {
        None
    }

    /// Facts for programs, for example the names of missing components; null where there are none.
    fn details(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// The request behind an error, as the history and the error page show it. It never holds a body
/// or a header, since those carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FailedRequest {
    /// The verb, for example `POST`.
    pub method: String,
    /// The address without its query: `https://contoso-dev.crm4.dynamics.com/api/data/v9.2/…`.
    pub url: String,
    /// The status that was answered, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The service's own error code, for example Dataverse's `0x80048033`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
}

impl std::fmt::Display for FailedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        if let Some(status) = self.status {
            write!(f, " -> {status}")?;
        }
        if let Some(code) = &self.service_code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}
