//! An import as it was asked for: the package taken apart, and the switches.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::stage;
use crate::emulator::dataverse::extension::Parameters;
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{Split, split};
use crate::solution::{Manifest, Package, SolutionVersion};

/// The switches of an import (facts/dataverse-web-api.md, sections 4.2 and 5.4).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Switches {
    /// The components of the package lose their unmanaged layer.
    pub overwrite: bool,
    /// Processes and plug-in steps are turned on.
    pub publish_workflows: bool,
    /// An unmanaged install becomes managed.
    pub convert: bool,
    /// The package waits beside the installed solution.
    pub holding: bool,
    /// Components that are no longer in the package go.
    pub upgrade: bool,
    /// An installed solution that is older than the package asks for is good enough.
    pub skip_product_updates: bool,
    /// Values for connection references and environment variables.
    pub component_parameters: Vec<Row>,
}

/// A package and what its manifest says.
#[derive(Debug)]
pub(super) struct Import {
    pub manifest: Manifest,
    pub split: Split,
    pub switches: Switches,
}

impl Switches {
    /// Reads the parameters of `ImportSolution`, `StageAndUpgrade` and their asynchronous forms.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, ServiceError> {
        for (name, feature) in [
            ("LayerDesiredOrder", "LayerDesiredOrder"),
            ("TemplateSuffix", "template installs"),
        ] {
            if parameters
                .values
                .get(name)
                .is_some_and(|value| !value.is_null())
            {
                return Err(ServiceError::not_emulated(feature));
            }
        }
        let listed = parameters
            .values
            .get("ComponentParameters")
            .and_then(Value::as_array);
        let listed = listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .cloned();
        Ok(Self {
            overwrite: parameters.flag("OverwriteUnmanagedCustomizations"),
            publish_workflows: parameters.flag("PublishWorkflows"),
            convert: parameters.flag("ConvertToManaged"),
            holding: parameters.flag("HoldingSolution"),
            upgrade: false,
            skip_product_updates: parameters.flag("SkipProductUpdateDependencies"),
            component_parameters: listed.collect(),
        })
    }
}

impl Import {
    /// Takes the package in `zip` apart.
    ///
    /// # Errors
    /// `0x80048000` when it is not a package, `0x8004802C` when its XML cannot be read.
    pub(super) fn open(zip: &[u8], switches: Switches) -> Result<Self, ServiceError> {
        let package = Package::from_zip(zip).map_err(|error| {
            ServiceError::bad_request("0x80048000", format!("Invalid Import File. {error}"))
        })?;
        let invalid = |reason: String| {
            let message = format!("The import file is invalid. XSD validation failed: {reason}");
            ServiceError::bad_request("0x8004802C", message)
        };
        let manifest = package
            .manifest()
            .map_err(|error| invalid(error.to_string()))?;
        let split = split(&package).map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            manifest,
            split,
            switches,
        })
    }

    /// The unique name under which the content is kept: that of the solution, or the one of an
    /// upgrade that waits.
    pub(super) fn kept_as(&self) -> String {
        match self.switches.holding {
            true => format!("{}{}", self.manifest.unique_name, super::record::HOLDING),
            false => self.manifest.unique_name.clone(),
        }
    }

    pub(super) fn version(&self) -> SolutionVersion {
        self.manifest.version
    }
}

/// The zip that a call hands over: in `CustomizationFile`, or staged before.
///
/// # Errors
/// `400` when there is none, or it is not base64.
pub(super) fn zip_of(
    session: &Session<'_>,
    parameters: &Parameters,
) -> Result<Vec<u8>, ServiceError> {
    if let Some(text) = parameters
        .text("CustomizationFile")
        .filter(|text| !text.is_empty())
    {
        return BASE64.decode(text.trim()).map_err(|error| {
            let message = format!("CustomizationFile is not base64: {error}");
            ServiceError::bad_request("0x80048000", message)
        });
    }
    let staged = parameters
        .values
        .get("SolutionParameters")
        .and_then(|parameters| parameters.get("StageSolutionUploadId"))
        .and_then(Value::as_str)
        .and_then(|id| Uuid::parse_str(id).ok());
    match staged {
        Some(id) => stage::take(session, id),
        None => Err(parameters.missing("CustomizationFile")),
    }
}
