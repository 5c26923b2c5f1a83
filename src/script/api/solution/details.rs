//! What a component is, read from its definition and its files.

use rhai::plugin::export_module;
use rhai::{Dynamic, Map};

use super::super::error::{Scripted, Thrown};
use super::components::Component;
use super::map_of;
use crate::solution::model::Details;

/// Looking into components.
#[export_module]
pub(super) mod module {
    /// What the component is, as a map, or `()` for kinds that have no details. Ids have no braces.
    /// Values that a package does not give are `()`. What is changed in the map changes nothing.
    ///
    /// - table: `name`, `schema_name`, `display_name`, `keys` (each `name`, `display_name`,
    ///   `columns`). Its columns are components of their own.
    /// - column: `name`, `schema_name`, `display_name`, `type`, `length`, `required`, `choice` (a
    ///   global one) or `options` (as of a choice), `targets`, `custom`, `computed`, `secured`
    /// - choice: `name`, `display_name`, `type`, `options` (each `value`, `label`, `labels` with
    ///   `language` and `text`, `color`)
    /// - relationship: `name`, `type`, `from` (the side of one), `to`, `column`, `intersect`,
    ///   `cascades` (a map from the operation to what happens)
    /// - form, dashboard: `id`, `name`, `type`, `active`, `libraries`, `tabs` (each `name`,
    ///   `sections`; a section has `name`, `fields`; a field `cell`, `column`, `label`, `shown` with
    ///   `table`, `view`, `chart`, `relationship`, `url`)
    /// - view: `id`, `name`, `columns` (each `name`, `width`), `filter`, `order`
    /// - chart: `id`, `name`, `table`, `types`, `groups`, `measures`, `default`, `web_resource`
    /// - process (flow, business rule, workflow …): `id`, `name`, `kind`, `active`, `table`,
    ///   `triggers`, `trigger_columns`; of a business rule `scope`, `reads`, `actions` (each
    ///   `action`, `column`, `value`); of a cloud flow `flow` with `triggers`, `steps` (each `name`,
    ///   `type`, `what`, `runs_after`, `inputs`, `branches`) and `connections` (each `key`,
    ///   `connector`, `reference`); `problem` says why a definition cannot be read
    /// - security role: `id`, `name`, `privileges` (each `name`, `depth`: `Basic`, `Local`, `Deep`
    ///   or `Global`)
    /// - column security profile: `id`, `name`, `description`, `permissions` (each `table`,
    ///   `column`, `read`, `create`, `update`)
    /// - model-driven app: `name`, `display_name`, `active`, `components` (each `kind`, `type_code`,
    ///   `name`), `roles`
    /// - site map: `name`, `display_name`, `areas` (each `id`, `title`, `groups`; a group has `id`,
    ///   `title`, `subareas`; a subarea `id`, `title`, `table`, `url`, `dashboard`)
    /// - plug-in assembly: `id`, `name`, `version`, `culture`, `public_key_token`, `sandbox`, `file`,
    ///   `types` (each `id`, `name`, `friendly_name`, `workflow_group`)
    /// - plug-in step: `id`, `name`, `plugin_type`, `message`, `message_id`, `table`, `columns` (that
    ///   set it off), `stage`, `asynchronous`, `rank`, `images` (each `name`, `alias`, `type`,
    ///   `columns`)
    /// - custom connector: `id`, `name`, `display_name`, `description`, `host`, `base_path`,
    ///   `operations` (each `id`, `method`, `path`, `summary`), `connection_parameters`,
    ///   `custom_code`, `problem`
    /// - connection reference: `name`, `display_name`, `connector`
    /// - environment variable: `name`, `display_name`, `type`, `default_value`
    /// - web resource: `name`, `display_name`, `type`
    /// - code component: `name`, `namespace`, `constructor`, `version`, `type`, `properties` (each
    ///   `name`, `type`, `usage`, `required`), `data_sets`, `resources`, `problem`
    /// - agent: `name`, `display_name`, `language`, `authentication`, `template`, `generative`
    /// - agent component: `name`, `display_name`, `type`, `description`, `definition`, `agent`,
    ///   `parent`, `active`
    ///
    /// ```rhai
    /// let profile = solution::read("contoso.zip").components("column security profile")[0];
    /// let id = profile.details().permissions.find(|one| one.column == "sample_governmentid");
    /// id.read && id.create && !id.update
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn details(component: &mut Component) -> Scripted<Dynamic> {
        let details = Details::of(component.draft().component());
        let told = details.map(|details| map_of(&details)).transpose();
        Ok(told.thrown()?.map_or(Dynamic::UNIT, Map::into))
    }
}
