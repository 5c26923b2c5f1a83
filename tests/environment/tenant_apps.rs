//! Canvas apps in the emulated tenant.

use almscript::environment::AppRole;
use almscript::problem::Problem;

use crate::tenant::{ALEX, Contoso, GROUP, MAYA, WIDE};
use crate::tenant_settings::twice;

#[test]
fn an_app_is_shared_given_away_and_asks_for_no_consent() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(WIDE);
    const CANVAS_APP: i64 = 300;
    let components = dev.components(&name).unwrap();
    let app = components
        .iter()
        .find(|component| component.kind == CANVAS_APP)
        .unwrap();
    let app = app.id.to_string();
    let group = GROUP.parse().unwrap();
    twice(|| dev.share_app(&app, group, AppRole::CanView));
    twice(|| dev.share_app(&app, group, AppRole::CanEdit));
    assert!(
        !dev.share_app(&app, group, AppRole::CanView)
            .unwrap()
            .changed,
        "never lowered"
    );
    twice(|| dev.set_app_owner(&app, ALEX));
    twice(|| dev.bypass_consent(&app));
    let by_name = dev.canvas_app(&app).unwrap();
    assert_eq!(dev.canvas_app(&by_name.name).unwrap(), by_name);
    assert_eq!(
        dev.set_app_owner("no such app", MAYA).unwrap_err().code(),
        "ALM-E014"
    );
}
